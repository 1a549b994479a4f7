// damage.c -- see damage.h.
// SPDX-License-Identifier: MIT

#include "tests/fault/damage.h"

#include <stdarg.h>

#include "common/mem.h"

// ---- the cap ----------------------------------------------------------------

// The linker puts these before the ones of common/mem.c (--wrap): a store of a
// few KiB with a budget of 1 MiB has no business with more than this at once.
enum { ALLOCATION_MAX = 16 << 20 };

void *__real_kv_alloc(size_t bytes);
void *__real_kv_zalloc(size_t bytes);
void *__real_kv_realloc(void *old, size_t bytes);
void *__real_kv_alloc_pages(size_t bytes);
void *__wrap_kv_alloc(size_t bytes);
void *__wrap_kv_zalloc(size_t bytes);
void *__wrap_kv_realloc(void *old, size_t bytes);
void *__wrap_kv_alloc_pages(size_t bytes);

static size_t capped(size_t bytes)
{
    if (bytes > ALLOCATION_MAX) {
        print_error("%zu bytes at once, for a store of a few KiB\n", bytes);
        fail();
    }
    return bytes;
}

void *__wrap_kv_alloc(size_t bytes) { return __real_kv_alloc(capped(bytes)); }

void *__wrap_kv_zalloc(size_t bytes) { return __real_kv_zalloc(capped(bytes)); }

void *__wrap_kv_realloc(void *old, size_t bytes)
{
    return __real_kv_realloc(old, capped(bytes));
}

void *__wrap_kv_alloc_pages(size_t bytes)
{
    return __real_kv_alloc_pages(capped(bytes));
}

// ---- making a store ---------------------------------------------------------

static kv_status open_store(const closed_store *s, kv_disk *disk, uint64_t seed,
                            kv **db)
{
    return kv_open(s->engine,
                   &(kv_options){.path = "damaged",
                                 .knobs = s->knobs,
                                 .disk = disk,
                                 .memory_bytes = 1 << 20,
                                 .seed = seed,
                                 .create = true},
                   db);
}

static void run_step(const closed_store *s, kv_disk *disk, uint64_t seed,
                     kv **db, const kv_crash_step *step)
{
    bool did_work;
    switch (step->kind) {
    case KV_CRASH_WRITE:
        assert_ok(kv_crash_write(*db, step));
        break;
    case KV_CRASH_SYNC:
        assert_ok(kv_sync(*db));
        break;
    case KV_CRASH_MAINTAIN:
        assert_ok(kv_maintain(*db, &did_work));
        break;
    case KV_CRASH_SETTLE:
        assert_ok(kv_settle(*db));
        break;
    case KV_CRASH_REOPEN:
        assert_ok(kv_close(*db));
        assert_ok(open_store(s, disk, seed, db));
        break;
    case KV_CRASH_COMPACT:
        assert_ok(kv_crash_compact(*db, step));
        break;
    case KV_CRASH_MOMENT: // of a store that is there to be damaged
    case KV_CRASH_BACKUP:
        break;
    }
}

static kv_disk *copy_without_lock(kv_disk *disk, kv_names *names)
{
    kv_disk *copy = kv_disk_sim_kill(disk);
    assert_ok(kv_disk_remove(copy, "LOCK", kv_for(KV_FOR_META)));
    assert_ok(kv_disk_list(copy, names));
    return copy;
}

void damage_make(closed_store *s, const kv_engine *engine, const char *knobs,
                 uint64_t seed, uint32_t ops)
{
    kv *db = NULL;
    kv_disk *disk = NULL;
    *s = (closed_store){.engine = engine, .knobs = knobs};
    kv_crash_workload_make(&s->work, seed, ops);
    assert_ok(kv_disk_open_sim(NULL, &disk));
    assert_ok(open_store(s, disk, seed, &db));
    for (size_t i = 0; i < s->work.count; i++) {
        run_step(s, disk, seed, &db, &s->work.steps[i]);
        if (i != s->work.count / 2) continue;
        assert_ok(kv_close(db));
        s->old = copy_without_lock(disk, &s->old_names);
        assert_ok(open_store(s, disk, seed, &db));
    }
    assert_ok(kv_close(db));
    s->now = copy_without_lock(disk, &s->names);
    kv_disk_close(disk);
}

void damage_free(closed_store *s)
{
    kv_crash_workload_free(&s->work);
    kv_disk_close(s->now);
    kv_disk_close(s->old);
    kv_names_free(&s->names);
    kv_names_free(&s->old_names);
    *s = (closed_store){0};
}

// ---- files ------------------------------------------------------------------

void damage_get(kv_disk *disk, const char *name, kv_buf *to)
{
    kv_why why = kv_for(KV_FOR_META);
    kv_file *f = NULL;
    uint64_t size = 0;
    assert_ok(
        kv_file_open(disk, name, (kv_open_how){.mode = KV_OPEN_READ}, why, &f));
    assert_ok(kv_file_size(f, &size));
    kv_buf_clear(to);
    kv_buf_reserve(to, (size_t)size + 1);
    assert_ok(kv_file_read_all(f, 0, to->data, (size_t)size, why));
    to->len = (size_t)size;
    assert_ok(kv_file_close(f));
}

void damage_set(kv_disk *disk, const char *name, kv_slice bytes)
{
    kv_why why = kv_for(KV_FOR_META);
    kv_file *f = NULL;
    kv_open_how there = {.mode = KV_OPEN_WRITE},
                made = {.mode = KV_OPEN_CREATE};
    kv_status st = kv_file_open(disk, name, there, why, &f);
    if (st == KV_NOT_FOUND) st = kv_file_open(disk, name, made, why, &f);
    assert_ok(st);
    assert_ok(kv_file_truncate(f, 0, why));
    assert_ok(kv_file_write(f, 0, bytes, why));
    assert_ok(kv_file_sync(f, why));
    assert_ok(kv_file_close(f));
}

// ---- looking ----------------------------------------------------------------

static const uint32_t unknown = UINT32_MAX; // a key whose read said KV_CORRUPT

typedef struct finding {
    const closed_store *s;
    const char *what;
    kv *db;
    bool is_silent;   // the law is broken, and that was said
    bool is_detected; // something said KV_CORRUPT
    uint32_t commit[KV_CRASH_KEYS];
    kv_buf key, value, want;
} finding;

static void complain(finding *f, const char *fmt, ...) KV_PRINTF(2, 3);

static void complain(finding *f, const char *fmt, ...)
{
    char text[300];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!f->is_silent) {
        print_error("%s{%s}, %s: %s\n", kv_describe(f->s->engine)->name,
                    f->s->knobs, f->what, text);
    }
    f->is_silent = true;
}

// A failure has to be KV_CORRUPT, and to say where.
static void note_failure(finding *f, const char *call, kv_status st)
{
    f->is_detected = true;
    if (st != KV_CORRUPT || strlen(kv_last_error()) < 10) {
        complain(f, "%s is %s: %s", call, kv_status_name(st), kv_last_error());
    }
}

static uint32_t commit_of(finding *f, kv_slice value, uint32_t key)
{
    for (uint32_t commit = 1; commit <= f->s->work.commits; commit++) {
        kv_crash_value(&f->want, commit, key);
        if (kv_slice_equal(kv_buf_slice(&f->want), value)) return commit;
    }
    complain(f, "key%02u holds what nobody wrote", key);
    return unknown;
}

static void get_all(finding *f)
{
    for (uint32_t key = 0; key < KV_CRASH_FEW; key++) {
        kv_crash_key(&f->key, key);
        kv_status st = kv_get(f->db, kv_buf_slice(&f->key), &f->value);
        f->commit[key] = 0;
        if (st == KV_OK) {
            f->commit[key] = commit_of(f, kv_buf_slice(&f->value), key);
        } else if (st != KV_NOT_FOUND) {
            f->commit[key] = unknown;
            note_failure(f, "a get", st);
        }
    }
}

static void note_entry(finding *f, kv_slice key, kv_slice value, bool *met)
{
    for (uint32_t i = 0; i < KV_CRASH_FEW; i++) {
        kv_crash_key(&f->key, i);
        if (!kv_slice_equal(key, kv_buf_slice(&f->key))) continue;
        uint32_t commit = commit_of(f, value, i);
        if (met[i]) complain(f, "the scan shows key%02u twice", i);
        if (f->commit[i] != unknown && commit != f->commit[i]) {
            complain(f, "key%02u: commit %u in the scan, %u by get", i, commit,
                     f->commit[i]);
        }
        met[i] = true;
        return;
    }
    complain(f, "the scan shows a key that nobody wrote");
}

static void scan_all(finding *f)
{
    bool met[KV_CRASH_KEYS] = {false};
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    kv_status st = kv_scan(f->db, (kv_range){.reverse = false}, &cursor);
    if (st == KV_OK) {
        while ((st = kv_cursor_next(cursor, &key, &value)) == KV_OK) {
            note_entry(f, key, value, met);
        }
        kv_cursor_close(cursor);
    }
    if (st != KV_END) {
        note_failure(f, "the scan", st);
        return;
    }
    for (uint32_t i = 0; i < KV_CRASH_FEW; i++) {
        if (f->commit[i] == unknown || met[i] == (f->commit[i] != 0)) continue;
        complain(f, "the scan skips key%02u, and says nothing", i);
    }
}

static bool is_state(const finding *f, uint32_t n)
{
    for (uint32_t i = 0; i < KV_CRASH_FEW; i++) {
        if (f->commit[i] != unknown && f->commit[i] != f->s->work.state[n][i]) {
            return false;
        }
    }
    return true;
}

static verdict weigh(finding *f)
{
    uint32_t n = f->s->work.commits;
    if (f->is_silent) return SILENT;
    if (is_state(f, n)) return f->is_detected ? DETECTED : HARMLESS;
    while (n-- > 0) {
        if (is_state(f, n)) return OLDER;
    }
    return MIXED;
}

static verdict look_inside(finding *f)
{
    kv_report report = {0};
    bool did_work = false;
    get_all(f);
    scan_all(f);
    kv_status st = kv_check(f->db, &report);
    kv_report_free(&report);
    if (st == KV_OK && f->is_detected) complain(f, "check sees no damage");
    if (st != KV_OK) note_failure(f, "check", st);
    verdict v = weigh(f);
    // Housekeeping may give up, and must not make things worse.
    (void)!kv_maintain(f->db, &did_work);
    get_all(f);
    if (v != weigh(f)) complain(f, "housekeeping changed what is there");
    return f->is_silent ? SILENT : v;
}

// Left as it was, but for LOCK.
static bool is_untouched(kv_disk *disk, kv_sim_hash before)
{
    (void)!kv_disk_remove(disk, "LOCK", kv_for(KV_FOR_META));
    kv_sim_hash after = kv_disk_sim_hash(disk);
    return memcmp(&before, &after, sizeof after) == 0;
}

static verdict look_at_refusal(finding *f, kv_disk *disk, kv_status st,
                               kv_sim_hash before)
{
    if (st != KV_CORRUPT && st != KV_INVALID && st != KV_UNSUPPORTED) {
        complain(f, "open is %s: %s", kv_status_name(st), kv_last_error());
    }
    if (strlen(kv_last_error()) < 10) complain(f, "refused without a sentence");
    if (!is_untouched(disk, before)) complain(f, "refused, but changed");
    return f->is_silent ? SILENT : REFUSED;
}

verdict damage_look(const closed_store *s, kv_disk *disk, const char *what)
{
    finding f = {.s = s, .what = what};
    kv_sim_hash before = kv_disk_sim_hash(disk);
    kv_status st = open_store(s, disk, 1, &f.db);
    verdict v;
    if (st != KV_OK) {
        v = look_at_refusal(&f, disk, st, before);
    } else {
        v = look_inside(&f);
        (void)kv_close(f.db);
    }
    if (kv_disk_sim_open_count(disk) != 0) {
        complain(&f, "files are left open");
        v = SILENT; // and the disk with them
    } else {
        kv_disk_close(disk);
    }
    kv_buf_free(&f.key);
    kv_buf_free(&f.value);
    kv_buf_free(&f.want);
    return v;
}
