// judge.c -- see judge.h.
// SPDX-License-Identifier: MIT

#include "common/crash/judge.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/disk_sim.h"
#include "common/identity.h"

// What a store holds: for each key the commit its value is from, or 0.
typedef struct content {
    uint32_t commit[KV_CRASH_KEYS];
} content;

typedef struct trial {
    const kv_crash_case *c;
    kv_disk *disk;
    kv *db;
    kv_buf *why;
    const char *life; // which opening, for the verdict
    bool has_written; // in this life
    bool is_backup;
    kv_buf key, value, want;
} trial;

static bool guilty(trial *t, const char *fmt, ...) KV_PRINTF(2, 3);

static bool guilty(trial *t, const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    kv_buf_printf(t->why, "%s: %s", t->life, text);
    return false;
}

static bool failed(trial *t, const char *what, kv_status st)
{
    return guilty(t, "%s is %s: %s", what, kv_status_name(st), kv_last_error());
}

// ---- reading ----------------------------------------------------------------

static bool open_store(trial *t, const char *life)
{
    t->life = life;
    t->has_written = false;
    kv_options options = {.path = "crash",
                          .knobs = t->c->knobs,
                          .disk = t->disk,
                          .memory_bytes = 1 << 20, // a dozen keys
                          .seed = 1,
                          .create = !t->is_backup};
    kv_status st = kv_open(t->c->engine, &options, &t->db);
    return st == KV_OK || failed(t, "open", st); // J1
}

static bool close_store(trial *t)
{
    kv_status st = kv_close(t->db);
    t->db = NULL;
    if (st != KV_OK) return failed(t, "close", st);
    uint32_t open_count = kv_disk_sim_open_count(t->disk);
    if (open_count == 0) return true;
    return guilty(t, "%u files are still open after close", open_count); // J4
}

// Which commit the value is from; 0: from none that ever was.
static uint32_t commit_of(trial *t, kv_slice value, uint32_t key)
{
    uint32_t commit = 0;
    size_t i = 0;
    for (; i < value.len && i < 9 && value.data[i] != '.'; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') return 0;
        commit = commit * 10 + (uint32_t)(value.data[i] - '0');
    }
    kv_crash_value(&t->want, commit, key);
    return kv_slice_equal(kv_buf_slice(&t->want), value) ? commit : 0;
}

static bool note_entry(trial *t, kv_slice key, kv_slice value, content *out)
{
    kv_quoted q, v;
    uint32_t i = 0;
    for (; i < KV_CRASH_KEYS; i++) {
        kv_crash_key(&t->key, i);
        if (kv_slice_equal(key, kv_buf_slice(&t->key))) break;
    }
    if (i == KV_CRASH_KEYS) {
        return guilty(t, "a key that nobody wrote: %s", kv_quote(&q, key));
    }
    if (out->commit[i] != 0) {
        return guilty(t, "the scan shows %s twice", kv_quote(&q, key));
    }
    out->commit[i] = commit_of(t, value, i);
    if (out->commit[i] != 0) return true;
    return guilty(t, "%s holds what nobody wrote: %s", kv_quote(&q, key),
                  kv_quote(&v, value));
}

static bool scan(trial *t, content *out)
{
    *out = (content){{0}};
    kv_cursor *cursor = NULL;
    kv_status st = kv_scan(t->db, (kv_range){.reverse = false}, &cursor);
    if (st != KV_OK) return failed(t, "scan", st);
    kv_slice key, value;
    bool lawful = true;
    while (lawful && (st = kv_cursor_next(cursor, &key, &value)) == KV_OK) {
        lawful = note_entry(t, key, value, out);
    }
    kv_cursor_close(cursor);
    if (lawful && st != KV_END) return failed(t, "the scan", st);
    return lawful;
}

static bool check_gets(trial *t, const content *want) // J3
{
    for (uint32_t i = 0; i < KV_CRASH_KEYS; i++) {
        kv_crash_key(&t->key, i);
        kv_status st = kv_get(t->db, kv_buf_slice(&t->key), &t->value);
        uint32_t commit = 0;
        if (st == KV_OK) {
            commit = commit_of(t, kv_buf_slice(&t->value), i);
        } else if (st != KV_NOT_FOUND) {
            return failed(t, "get", st);
        }
        if (commit == want->commit[i]) continue;
        return guilty(t, "get of key%02u gives commit %u, the scan %u", i,
                      commit, want->commit[i]);
    }
    return true;
}

static bool check_files(trial *t) // J4
{
    kv_report report = {0};
    kv_status st = kv_check(t->db, &report);
    kv_report_free(&report);
    if (st != KV_OK) return failed(t, "check", st);
    // Where something was written since, housekeeping may be under way.
    if (t->has_written) return true;
    kv_names names = {0};
    bool lawful = kv_disk_list(t->disk, &names) == KV_OK;
    for (size_t i = 0; i < names.count && lawful; i++) {
        size_t len = strlen(names.name[i]);
        if (kv_identity_owns(names.name[i])) continue;
        if (len < 4 || strcmp(names.name[i] + len - 4, ".tmp") != 0) continue;
        lawful = guilty(t, "%s is left over", names.name[i]);
    }
    kv_names_free(&names);
    return lawful;
}

static bool read_store(trial *t, content *out)
{
    return scan(t, out) && check_gets(t, out) && check_files(t);
}

// ---- the law ----------------------------------------------------------------

static bool is_state(const trial *t, const content *found, uint32_t n)
{
    return memcmp(found->commit, t->c->work->state[n], sizeof found->commit) ==
           0;
}

static bool check_history(trial *t, const content *found) // J2
{
    for (uint32_t n = t->c->issued + 1; n-- > t->c->acked;) {
        if (is_state(t, found, n)) return true;
    }
    for (uint32_t n = 0; n < t->c->acked; n++) {
        if (!is_state(t, found, n)) continue;
        return guilty(t,
                      "lost: the state after commit %u, and %u were "
                      "acknowledged",
                      n, t->c->acked);
    }
    const uint32_t *want = t->c->work->state[t->c->acked];
    for (uint32_t i = 0; i < KV_CRASH_KEYS; i++) {
        if (found->commit[i] == want[i]) continue;
        return guilty(t,
                      "no prefix of the commits: key%02u is of commit %u, and "
                      "of %u after the %u acknowledged ones",
                      i, found->commit[i], want[i], t->c->acked);
    }
    return guilty(t, "more commits than were issued");
}

static bool expect(trial *t, const content *want)
{
    content found;
    if (!read_store(t, &found)) return false;
    for (uint32_t i = 0; i < KV_CRASH_KEYS; i++) {
        if (found.commit[i] == want->commit[i]) continue;
        return guilty(t, "key%02u is of commit %u, not %u", i, found.commit[i],
                      want->commit[i]);
    }
    return true;
}

// J5: new commits behind the last of the workload.
static bool live_on(trial *t, content *now)
{
    uint32_t next = t->c->work->commits + 1;
    t->has_written = true;
    kv_crash_step steps[] = {
        {KV_CRASH_WRITE, next, 1, {{.key = 0}}},
        {KV_CRASH_WRITE, next + 1, 1, {{.key = 1, .is_del = true}}},
        {KV_CRASH_WRITE,
         next + 2,
         3,
         {{.key = 2}, {.key = 3, .is_del = true}, {.key = 4}}},
        {KV_CRASH_WRITE, next + 3, 1, {{.key = 5, .is_del = true, .to = 8}}},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        kv_status st = kv_crash_write(t->db, &steps[i]);
        if (st != KV_OK) return failed(t, "a write", st);
        kv_crash_apply(now->commit, &steps[i]);
    }
    kv_status st = kv_sync(t->db);
    return st == KV_OK || failed(t, "sync", st);
}

// J6: `crashed` is the disk of a store that was opened and left alone.
static bool opens_again(trial *t, kv_disk *crashed, const content *want,
                        const char *life)
{
    kv_disk *disk = t->disk;
    kv *db = t->db;
    const char *before = t->life;
    t->disk = crashed;
    t->db = NULL;
    bool lawful = open_store(t, life) && expect(t, want) && close_store(t);
    if (t->db != NULL) kv_close(t->db);
    kv_disk_close(crashed);
    t->disk = disk;
    t->db = db;
    if (lawful) t->life = before;
    return lawful;
}

static bool crash_again(trial *t, const content *want)
{
    size_t atoms = 0;
    (void)kv_disk_sim_atoms(t->disk, &atoms);
    kv_buf none = {0};
    kv_buf_reserve(&none, atoms + 1);
    memset(none.data, 0, atoms + 1);
    kv_disk *cut = kv_disk_sim_crash(t->disk, none.data, KV_SIM_SHORT);
    kv_buf_free(&none);
    return opens_again(t, cut, want, "after a power cut when it was open") &&
           opens_again(t, kv_disk_sim_kill(t->disk), want,
                       "after a kill when it was open");
}

static bool try_store(trial *t)
{
    content now;
    if (!open_store(t, "after the crash") || !read_store(t, &now) ||
        !check_history(t, &now)) {
        return false;
    }
    if (t->c->is_brief) return close_store(t);
    if (!crash_again(t, &now)) return false;
    t->life = "in its second life";
    return live_on(t, &now) && expect(t, &now) && close_store(t) &&
           open_store(t, "in its third life") && expect(t, &now) &&
           close_store(t);
}

bool kv_crash_judge(const kv_crash_case *c, kv_disk *image, kv_buf *why)
{
    trial t = {.c = c, .disk = kv_disk_sim_kill(image), .why = why};
    bool lawful = try_store(&t);
    if (t.db != NULL) kv_close(t.db);
    if (kv_disk_sim_open_count(t.disk) == 0) kv_disk_close(t.disk);
    kv_buf_free(&t.key);
    kv_buf_free(&t.value);
    kv_buf_free(&t.want);
    return lawful;
}

bool kv_crash_judge_backup(const kv_crash_case *c, kv_disk *image, bool is_done,
                           kv_buf *why)
{
    kv_identity identity;
    trial t = {
        .c = c, .disk = kv_disk_sim_kill(image), .why = why, .is_backup = true};
    content found;
    bool is_there = kv_identity_read(t.disk, "backup", &identity) == KV_OK;
    bool lawful = !is_there && !is_done; // J7
    if (!lawful) {
        lawful = open_store(&t, "the backup") && read_store(&t, &found) &&
                 check_history(&t, &found) && close_store(&t);
    }
    if (t.db != NULL) kv_close(t.db);
    if (kv_disk_sim_open_count(t.disk) == 0) kv_disk_close(t.disk);
    kv_buf_free(&t.key);
    kv_buf_free(&t.value);
    kv_buf_free(&t.want);
    return lawful;
}
