// recovery.c -- from the files of a directory to a store that is open.
// SPDX-License-Identifier: MIT
//
//   1  the manifest says which tables count, and from which log on
//   2  open the tables
//   3  replay the logs, oldest first, into one memtable, up to a hole (L1)
//   4  unless read-only: flush that memtable to a table of level 0, make a new
//      log, begin a new manifest that names both, and remove what it does not
//
// What was recovered is thereby in new, synced files before anything old goes
// or anything new is promised: bytes that merely read back well (from a cache
// whose sync once failed) are not relied upon. A crash at any point leaves the
// old manifest or the new one, and both are complete.
//
// Changes get new sequence numbers as they are replayed, above those of all
// tables: the old ones were in no file, so nothing can mistake them.

#include <inttypes.h>

#include "common/mem.h"

#include "store.h"

// ---- the manifest -----------------------------------------------------------

// What the manifest and the directory say.
typedef struct inventory {
    kv_names names;
    bool has_manifest;
    lsm_edit state;   // everything, after the last edit
    uint64_t highest; // number of any file
    uint64_t *logs;   // that the manifest needs, ascending
    size_t log_count;
} inventory;

static void free_inventory(inventory *found)
{
    kv_names_free(&found->names);
    lsm_edit_free(&found->state);
    kv_free(found->logs);
}

static void drop_added(lsm_edit *state, uint64_t number)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->added_count; i++) {
        if (state->added[i].number == number) continue;
        state->added[kept++] = state->added[i];
    }
    state->added_count = kept;
}

static kv_status follow_edit(void *arg, uint64_t i, const lsm_edit *edit)
{
    lsm_edit *state = arg;
    (void)i;
    for (size_t j = 0; j < edit->removed_count; j++) {
        drop_added(state, edit->removed[j]);
    }
    for (size_t j = 0; j < edit->added_count; j++) {
        lsm_edit_table t = edit->added[j];
        t.first_key = t.last_key = (kv_slice){0}; // the record's own
        lsm_edit_add(state, &t);
    }
    state->next = edit->next;
    state->log = edit->log;
    state->last_seq = edit->last_seq;
    state->closed = edit->closed;
    return KV_OK;
}

// Insertion keeps them ascending: there are a few.
static void add_log(inventory *found, uint64_t number)
{
    size_t i = found->log_count++;
    for (; i > 0 && found->logs[i - 1] > number; i--) {
        found->logs[i] = found->logs[i - 1];
    }
    found->logs[i] = number;
}

static kv_status take_inventory(lsm_store *s, inventory *found)
{
    KV_TRY(kv_disk_list(s->config.disk, &found->names));
    kv_status st =
        lsm_manifest_read(s->config.disk, s->config.store_id, follow_edit,
                          &found->state, kv_for(KV_FOR_RECOVERY));
    found->has_manifest = st == KV_OK;
    if (st != KV_OK && st != KV_NOT_FOUND) return st;
    found->logs = kv_alloc((found->names.count + 1) * sizeof(uint64_t));
    for (size_t i = 0; i < found->names.count; i++) {
        uint64_t table = lsm_number_of(found->names.name[i], ".sst");
        uint64_t log = lsm_number_of(found->names.name[i], ".log");
        uint64_t half = lsm_number_of(found->names.name[i], ".sst.tmp");
        uint64_t number = table + log + half; // all but one of them are 0
        if (number > found->highest) found->highest = number;
        if (log != 0 && log >= found->state.log) add_log(found, log);
    }
    uint64_t next = found->state.next > 0 ? found->state.next : 1;
    if (found->highest + 1 > next) next = found->highest + 1;
    atomic_store(&s->next_number, next);
    return KV_OK;
}

// ---- tables -----------------------------------------------------------------

static kv_status open_tables(lsm_store *s, const lsm_edit *state,
                             lsm_table **tables, size_t *count)
{
    for (size_t i = 0; i < state->added_count; i++) {
        const lsm_edit_table *named = &state->added[i];
        lsm_table_id id = {s->config.store_id, named->number};
        KV_TRY(lsm_table_open(&s->shop.home, &id, kv_for(KV_FOR_RECOVERY),
                              &tables[i]));
        *count = i + 1;
        uint64_t seq = tables[i]->props.seq_max;
        if (seq > s->seq) s->seq = seq;
        if (tables[i]->props.file_bytes != named->file_bytes) {
            return kv_fail(KV_CORRUPT,
                           "%s: has %" PRIu64 " bytes, and the manifest says "
                           "%" PRIu64 "; restore it from a backup",
                           lsm_table_name(named->number).text,
                           tables[i]->props.file_bytes, named->file_bytes);
        }
    }
    if (state->last_seq > s->seq) s->seq = state->last_seq;
    return KV_OK;
}

static kv_status make_version(lsm_store *s, const lsm_edit *state,
                              lsm_version **out)
{
    size_t count = 0;
    lsm_table **tables =
        kv_zalloc((state->added_count + 1) * sizeof(lsm_table *));
    kv_status st = open_tables(s, state, tables, &count);
    if (st == KV_OK) {
        lsm_version *none = lsm_version_new();
        lsm_version *v = lsm_version_after(none, state, tables, count);
        lsm_version_unref(none);
        st = lsm_version_check(v);
        if (st == KV_OK) *out = v;
        else lsm_version_unref(v);
    }
    for (size_t i = 0; i < count; i++) lsm_table_unref(tables[i]);
    kv_free(tables);
    return st;
}

// ---- logs -------------------------------------------------------------------

typedef struct replay {
    lsm_store *store;
    lsm_memtable *memtable;
    uint64_t first;               // that the manifest needs
    uint64_t number;              // of the log that is replayed
    uint64_t before, before_size; // the log before it
    bool is_first_record;
    bool has_hole; // the log follows one whose end is missing
} replay;

static kv_status no_change(const replay *r, uint64_t offset)
{
    return kv_fail(KV_CORRUPT,
                   "%s: the record at offset %" PRIu64
                   " has a good checksum but holds no changes",
                   lsm_log_name(r->number).text, offset);
}

// `number` is good up to byte `good`, and was longer once.
static kv_status end_is_missing(uint64_t number, uint64_t good, uint64_t size,
                                const char *when)
{
    return kv_fail(KV_CORRUPT,
                   "%s: is good up to byte %" PRIu64 ", and was %" PRIu64
                   " bytes long when %s: its end is missing; restore it from a "
                   "backup",
                   lsm_log_name(number).text, good, size, when);
}

static kv_status misses_its_end(const replay *r, uint64_t size)
{
    return end_is_missing(r->before, r->before_size, size,
                          "its successor was begun");
}

// A log's first record, if it says what the log follows (L1).
static kv_status check_before(replay *r, const lsm_switch *s)
{
    if (s->number < r->first) return KV_OK; // all of it is in tables
    uint64_t size = s->number == r->before ? r->before_size : 0;
    if (size >= s->size) return KV_OK;
    if (size < s->synced_size) return misses_its_end(r, s->size);
    r->has_hole = true;
    return KV_END;
}

static void redo(replay *r, const kv_change *change)
{
    uint64_t seq = ++r->store->seq;
    if (change->kind == KV_DEL_RANGE) {
        lsm_range_tombstone range = {change->key, change->value, seq};
        lsm_memtable_add_range(r->memtable, &range);
    } else {
        lsm_entry e = {change->key, change->value, seq, (lsm_kind)change->kind};
        lsm_memtable_add(r->memtable, &e);
    }
}

static kv_status replay_record(void *arg, uint64_t offset,
                               const kv_record *record)
{
    replay *r = arg;
    lsm_switch before;
    bool is_first = r->is_first_record;
    r->is_first_record = false;
    if (is_first && lsm_get_switch(record->payload, &before)) {
        return check_before(r, &before);
    }
    kv_slice rest = record->payload;
    while (rest.len > 0) {
        kv_change change;
        size_t size = lsm_get_change(rest, &change);
        if (size == 0) return no_change(r, offset);
        redo(r, &change);
        rest = kv_slice_of(rest.data + size, rest.len - size);
    }
    return KV_OK;
}

static kv_status open_log(lsm_store *s, uint64_t number, kv_file **out)
{
    lsm_name name = lsm_log_name(number);
    kv_status st = kv_file_open(s->config.disk, name.text,
                                (kv_open_how){.mode = KV_OPEN_READ},
                                kv_for(KV_FOR_RECOVERY), out);
    if (st != KV_NOT_FOUND) return st;
    return kv_fail(KV_CORRUPT,
                   "%s: the manifest needs this log, and the file is not "
                   "there; restore it from a backup",
                   name.text);
}

// A log behind a hole was never promised, unless it shows that it was synced:
// then the one before it was, too, and has lost something since (L2).
static kv_status judge_hole(replay *r, kv_file *file)
{
    kv_recordlog_id expect = lsm_log_id(r->store->config.store_id, r->number);
    kv_recovery found = {0};
    KV_TRY(kv_recordlog_recover(file, &expect, NULL, NULL,
                                kv_for(KV_FOR_RECOVERY), &found));
    if (found.durable_size <= KV_RECORDLOG_HEADER_BYTES) return KV_OK;
    return misses_its_end(r, found.durable_size);
}

static kv_status replay_file(replay *r, kv_file *file, bool is_vouched)
{
    kv_why why = kv_for(KV_FOR_RECOVERY);
    kv_recordlog_id id,
        expect = lsm_log_id(r->store->config.store_id, r->number);
    kv_recovery found = {0};
    kv_status st = kv_recordlog_read_id(file, why, &id);
    if (st == KV_CORRUPT && !is_vouched) { // torn at birth, perhaps
        return kv_recordlog_recover(file, &expect, NULL, NULL, why, &found);
    }
    KV_TRY(st);
    r->is_first_record = true;
    st = kv_recordlog_recover(file, &expect, replay_record, r, why, &found);
    if (st == KV_END && r->has_hole) return judge_hole(r, file);
    KV_TRY(st);
    r->before = r->number;
    r->before_size = found.good_size;
    return KV_OK;
}

static kv_status require_log(lsm_store *s, const inventory *found,
                             uint64_t number)
{
    kv_file *file = NULL;
    for (size_t i = 0; i < found->log_count; i++) {
        if (found->logs[i] == number) return KV_OK;
    }
    return open_log(s, number, &file); // says that it is not there
}

static kv_status replay_logs(lsm_store *s, const inventory *found,
                             lsm_memtable *m)
{
    lsm_closed closed = found->state.closed;
    uint64_t closed_good = 0; // bytes of that log
    replay r = {.store = s, .memtable = m, .first = found->state.log};
    KV_TRY(require_log(s, found, r.first));
    if (closed.log != 0) KV_TRY(require_log(s, found, closed.log));
    for (size_t i = 0; i < found->log_count && !r.has_hole; i++) {
        kv_file *file = NULL;
        r.number = found->logs[i];
        KV_TRY(open_log(s, r.number, &file));
        kv_status st = replay_file(&r, file, i == 0);
        kv_file_close(file);
        KV_TRY(st);
        if (r.before == closed.log) closed_good = r.before_size;
    }
    if (closed_good >= closed.bytes) return KV_OK;
    return end_is_missing(closed.log, closed_good, closed.bytes,
                          "the store was closed"); // L5
}

// A store has a manifest before its first change is logged: without one there
// is at most a first log without a record, from a crash while it was made.
static kv_status require_unused(lsm_store *s, const inventory *found)
{
    lsm_memtable *m = lsm_memtable_new(0, 0, (kv_slice){0}, NULL);
    // Each log speaks for itself, whatever it follows.
    replay r = {.store = s, .memtable = m, .first = UINT64_MAX};
    const char *used = NULL;
    kv_status st = KV_OK;
    for (size_t i = 0; i < found->names.count && st == KV_OK; i++) {
        const char *name = found->names.name[i];
        kv_file *file = NULL;
        r.number = lsm_number_of(name, ".log");
        if (r.number != 0) {
            st = open_log(s, r.number, &file);
            if (st == KV_OK) st = replay_file(&r, file, false);
            kv_file_close(file);
        }
        bool is_used = lsm_number_of(name, ".sst") != 0 ||
                       lsm_memtable_count(m) > 0 ||
                       lsm_memtable_range_count(m) > 0;
        if (is_used && used == NULL) used = name; // the first that shows it
    }
    lsm_memtable_unref(m);
    KV_TRY(st);
    if (used == NULL) return KV_OK;
    return kv_fail(KV_CORRUPT,
                   "%s: is there, and the file %s that should name it is not; "
                   "restore that from a backup",
                   used, lsm_manifest_name);
}

// ---- making it good ---------------------------------------------------------

kv_status lsm_store_shelve(const lsm_workshop *shop, lsm_memtable *m,
                           lsm_version **version)
{
    if (lsm_memtable_count(m) == 0 && lsm_memtable_range_count(m) == 0) {
        return KV_OK;
    }
    lsm_job job;
    lsm_edit edit = {0};
    lsm_job_flush(&job, shop, m, *version);
    job.why = kv_for(KV_FOR_FLUSH);
    kv_status st;
    do st = lsm_job_run(&job, UINT64_MAX);
    while (st == KV_OK);
    if (st == KV_END) {
        lsm_job_edit(&job, &edit);
        lsm_version *after =
            lsm_version_after(*version, &edit, job.outputs, job.output_count);
        lsm_version_unref(*version);
        *version = after;
        lsm_edit_free(&edit);
        st = KV_OK;
    } else if (st == KV_NO_SPACE) {
        lsm_job_drop(&job);
    }
    lsm_job_free(&job);
    return st;
}

static void begin(lsm_store *s, lsm_memtable *active, lsm_version *version)
{
    atomic_store(&s->gate.seq, s->seq);
    lsm_gate_switch(&s->gate, lsm_view_new(active, NULL, 0, version));
    s->active = active; // the view's reference keeps it
    s->may_pick = true;
}

// A new log, and a manifest that names it instead of those that were replayed.
static kv_status start_afresh(lsm_store *s, lsm_version *version)
{
    // This also makes the name of a table just written durable (X1).
    KV_TRY(lsm_wal_prepare(&s->wal, &s->next_number, false));
    lsm_wal_switch(&s->wal);
    uint64_t log = s->wal.active.id.number;
    lsm_memtable *active = lsm_store_new_memtable(s, log, (kv_slice){0});
    begin(s, active, version);
    lsm_memtable_unref(active);
    lsm_edit all;
    uint64_t number = lsm_store_new_number(s);
    lsm_store_all(s, version, log, &all);
    kv_status st =
        lsm_manifest_begin(&s->manifest, &all, number, kv_for(KV_FOR_META));
    lsm_edit_free(&all);
    return st;
}

// On a full disk the store opens all the same, and can be read. What the logs
// hold stays in them until the first write for which there is room flushes it.
static kv_status begin_full(lsm_store *s, lsm_memtable *m, lsm_version *version)
{
    lsm_closed nothing;
    kv_status st = lsm_wal_close(&s->wal, false, &nothing);
    lsm_wal_open(&s->wal, s->config.disk, s->config.store_id,
                 s->config.sync_commits);
    begin(s, m, version);
    s->must_flush = true;
    return st;
}

static kv_status make_good(lsm_store *s, lsm_memtable *m, lsm_version **version)
{
    lsm_version *after = lsm_version_ref(*version);
    kv_status st = lsm_store_shelve(&s->shop, m, &after);
    if (st == KV_OK) st = start_afresh(s, after);
    s->has_new_run = st == KV_OK && after != *version;
    lsm_version_unref(after);
    KV_TRY(st);
    return lsm_store_orphans(s, true, NULL);
}

static kv_status recover_with(lsm_store *s, inventory *found, lsm_memtable *m)
{
    lsm_version *version = NULL;
    if (!found->has_manifest) KV_TRY(require_unused(s, found));
    KV_TRY(make_version(s, &found->state, &version));
    kv_status st = found->has_manifest ? replay_logs(s, found, m) : KV_OK;
    if (st == KV_OK && s->config.read_only) {
        begin(s, m, version);
    } else if (st == KV_OK) {
        st = make_good(s, m, &version);
        if (st == KV_NO_SPACE && found->has_manifest) {
            st = begin_full(s, m, version);
        }
    }
    lsm_version_unref(version);
    return st;
}

kv_status lsm_store_recover(lsm_store *s)
{
    inventory found = {0};
    kv_status st = take_inventory(s, &found);
    lsm_memtable *m = lsm_store_new_memtable(s, found.state.log, (kv_slice){0});
    if (st == KV_OK) st = recover_with(s, &found, m);
    lsm_memtable_unref(m);
    free_inventory(&found);
    return st;
}
