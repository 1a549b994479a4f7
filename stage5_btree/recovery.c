// recovery.c -- from the files of a directory to a store that is open.
// SPDX-License-Identifier: MIT
//
//   1  the newer of two superblocks says which tree, and from which log on
//   2  survey those logs
//   3  redo them on the pages, in memory: from here on the store is not refused
//   4  move what is in doubt of the last log to a new one that is synced (R7 of
//      recordlog.h); begin a log for what comes
//   5  a checkpoint: pages, superblock, old logs removed
//
// Where memory may not hold all pages, 3 is rehearsed (redo.h), and done after
// 4. A crash at any point finds the old superblock and all its logs, or the new
// one. Redoing is harmless twice: L1. On a full disk the store opens all the
// same, after 3 alone, and the first write for which there is room makes up for
// it. With journal=cow, 1 is all; the first write makes the other superblock
// say the same, for this one may be of a commit whose last sync failed.
//
// After a clean close it goes the same way. A close writes no pages: it would
// take as long as an opening saves, also where nobody opens the store again
// soon, and checkpoint_bytes bounds both. Who wants the next opening to find
// nothing to redo settles before closing.

#include <inttypes.h>

#include "common/identity.h"
#include "common/mem.h"

#include "redo.h"

static const char temporary_name[] = "TREE.tmp";

static kv_why why(void) { return kv_for(KV_FOR_RECOVERY); }

// ---- which logs there are ---------------------------------------------------

// The numbers of the logs in the directory, ascending.
static kv_status list_logs(bt_store *s, bt_ids *numbers)
{
    kv_names names = {0};
    KV_TRY(kv_disk_list(s->config.disk, &names));
    for (size_t i = 0; i < names.count; i++) { // their names are sorted
        uint64_t number = bt_wal_number_of(names.name[i]);
        if (number != 0) bt_ids_add(numbers, number);
        if (number > s->log_number) s->log_number = number;
    }
    kv_names_free(&names);
    return KV_OK;
}

static kv_status open_log(bt_store *s, uint64_t number, kv_file **out)
{
    bt_wal_name name = bt_wal_name_of(number);
    kv_open_mode mode = s->config.read_only ? KV_OPEN_READ : KV_OPEN_WRITE;
    kv_status st = kv_file_open(s->config.disk, name.text,
                                (kv_open_how){.mode = mode}, why(), out);
    if (st != KV_NOT_FOUND) return st;
    return kv_fail(KV_CORRUPT,
                   "%s: the superblock needs this log, and the file is not "
                   "there; restore it from a backup",
                   name.text);
}

// ---- a store that is new ----------------------------------------------------

static kv_status find_trace(bt_store *s)
{
    kv_file *file = NULL;
    KV_TRY(kv_file_open(s->config.disk, bt_trace_name,
                        (kv_open_how){.mode = KV_OPEN_READ}, why(), &file));
    return kv_file_close(file);
}

// That TREE was made: told when its name is durable, and before the first
// commit. Where there is no room, the next opening tells.
static kv_status leave_trace(bt_store *s)
{
    kv_disk *disk = s->config.disk;
    kv_file *file = NULL;
    kv_status st = find_trace(s);
    if (st != KV_NOT_FOUND) return st;
    st =
        kv_file_open(disk, bt_trace_name, (kv_open_how){.mode = KV_OPEN_CREATE},
                     kv_for(KV_FOR_META), &file);
    if (st == KV_NO_SPACE) return KV_OK;
    KV_TRY(st);
    KV_TRY(kv_file_close(file));
    return kv_disk_sync_dir(disk, kv_for(KV_FOR_META));
}

// TREE is named after the first log, and before the first commit: without it
// there is at most a log without a record.
static kv_status require_unused(bt_store *s, const bt_ids *logs)
{
    for (size_t i = 0; i < logs->count; i++) {
        kv_file *file = NULL;
        kv_recovery found = {0};
        kv_recordlog_id expect = bt_wal_id(s->config.store_id, logs->id[i]);
        KV_TRY(open_log(s, logs->id[i], &file));
        kv_status st =
            kv_recordlog_recover(file, &expect, NULL, NULL, why(), &found);
        kv_file_close(file);
        KV_TRY(st);
        if (found.record_count == 0) continue;
        return kv_fail(KV_CORRUPT,
                       "%s: is there and in use, and the file %s is not; "
                       "restore that from a backup",
                       bt_wal_name_of(logs->id[i]).text, bt_file_name);
    }
    kv_status st = find_trace(s);
    if (st != KV_OK) return st == KV_NOT_FOUND ? KV_OK : st;
    return kv_fail(KV_CORRUPT,
                   "%s: says that the file %s was made, and that is not "
                   "there; restore it from a backup",
                   bt_trace_name, bt_file_name);
}

enum { NEW_PAGES = 3, NEW_COMMIT = 1 };

// An empty tree of one leaf, in a file that is whole when it gets its name.
static kv_status make_file(bt_store *s)
{
    uint32_t page_bytes = s->config.page_bytes;
    kv_disk *disk = s->config.disk;
    kv_file *file = NULL;
    bt_super super = {.major = BT_FORMAT_MAJOR,
                      .minor = BT_FORMAT_MINOR,
                      .page_bytes = page_bytes,
                      .store_id = s->config.store_id,
                      .counter = 2,
                      .root = BT_FIRST_PAGE,
                      .page_count = NEW_PAGES,
                      .lsn = NEW_COMMIT,
                      .journal = s->config.is_cow,
                      .log = s->log_number};
    uint8_t *bytes = kv_zalloc(NEW_PAGES * (size_t)page_bytes);
    uint8_t *root = bytes + BT_FIRST_PAGE * page_bytes;
    bt_super_encode(&super, bytes);
    bt_page_init(root, page_bytes, BT_LEAF, 0, BT_FIRST_PAGE);
    bt_set_lsn(root, NEW_COMMIT);
    bt_page_seal(root, s->config.store_id);
    kv_status st = kv_file_open(disk, temporary_name,
                                (kv_open_how){.mode = KV_OPEN_CREATE},
                                kv_for(KV_FOR_META), &file);
    if (st != KV_OK) goto out;
    st = kv_file_write(file, 0, kv_slice_of(bytes, NEW_PAGES * page_bytes),
                       kv_for(KV_FOR_META));
    if (st == KV_OK) st = kv_file_sync(file, kv_for(KV_FOR_META));
    kv_status closed = kv_file_close(file);
    if (st == KV_OK) st = closed;
    if (st == KV_OK) {
        st = kv_disk_rename(disk, temporary_name, bt_file_name,
                            kv_for(KV_FOR_META));
    }
    if (st == KV_OK) st = kv_disk_sync_dir(disk, kv_for(KV_FOR_META));
out:
    kv_free(bytes);
    return st;
}

static kv_status remove_file(bt_store *s, const char *name)
{
    kv_status st = kv_disk_remove(s->config.disk, name, why());
    return st == KV_NOT_FOUND ? KV_OK : st;
}

static kv_status create_store(bt_store *s)
{
    bt_ids logs = {0};
    kv_status st = list_logs(s, &logs);
    if (st == KV_OK) st = require_unused(s, &logs);
    for (size_t i = 0; i < logs.count && st == KV_OK; i++) {
        st = remove_file(s, bt_wal_name_of(logs.id[i]).text);
    }
    bt_ids_free(&logs);
    KV_TRY(st);
    KV_TRY(remove_file(s, temporary_name));
    if (!s->config.is_cow) KV_TRY(bt_wal_rotate(&s->wal, ++s->log_number));
    return make_file(s);
}

// ---- the logs ---------------------------------------------------------------

typedef struct logs {
    bt_ids numbers; // that the superblock needs, ascending
    kv_recovery last;
} logs;

// Shows one log to `r`. One that was torn at birth holds nothing, except where
// the superblock vouches for it.
static kv_status survey_log(bt_store *s, bt_redo *r, uint64_t number,
                            kv_recovery *found)
{
    kv_file *file = NULL;
    kv_recordlog_id id, expect = bt_wal_id(s->config.store_id, number);
    KV_TRY(open_log(s, number, &file));
    kv_status st = kv_recordlog_read_id(file, why(), &id);
    *found = (kv_recovery){0};
    if (st == KV_OK) {
        st = bt_redo_survey(r, file, &expect, found);
    } else if (st == KV_CORRUPT && number != s->super.log) {
        st = kv_recordlog_recover(file, &expect, NULL, NULL, why(), found);
    }
    kv_file_close(file);
    return st;
}

// The log that a clean close left as the last one: no other rule could tell one
// that was cut from one that never went further (S3).
static kv_status check_closed_log(const bt_store *s, uint64_t good_bytes)
{
    uint64_t closed_bytes = s->super.closed.bytes;
    if (good_bytes >= closed_bytes) return KV_OK;
    return kv_fail(KV_CORRUPT,
                   "%s: is good up to byte %" PRIu64 ", and was %" PRIu64
                   " bytes long when the store was closed: its end is missing; "
                   "restore it from a backup",
                   bt_wal_name_of(s->super.closed.log).text, good_bytes,
                   closed_bytes);
}

static kv_status survey(bt_store *s, bt_redo *r, logs *l)
{
    uint64_t before = 0;
    for (size_t i = 0; i < l->numbers.count; i++) {
        kv_recovery found;
        KV_TRY(survey_log(s, r, l->numbers.id[i], &found));
        if (l->numbers.id[i] == s->super.closed.log) {
            KV_TRY(check_closed_log(s, found.good_size));
        }
        if (found.good_size == 0) continue; // torn at birth
        if (i > 0 && found.id.previous_size > before) {
            return kv_fail(KV_CORRUPT,
                           "%s: ends at %" PRIu64 ", and was %" PRIu64
                           " bytes long when %s was begun: its end is "
                           "missing; restore it from a backup",
                           bt_wal_name_of(l->numbers.id[i - 1]).text, before,
                           found.id.previous_size,
                           bt_wal_name_of(l->numbers.id[i]).text);
        }
        before = found.good_size;
        l->last = found;
    }
    bt_redo_end_survey(r);
    return KV_OK;
}

static kv_status require_log(bt_store *s, const logs *l, uint64_t number)
{
    kv_file *file = NULL;
    for (size_t i = 0; i < l->numbers.count; i++) {
        if (l->numbers.id[i] == number) return KV_OK;
    }
    return open_log(s, number, &file); // says that it is not there
}

static kv_status find_logs(bt_store *s, logs *l)
{
    bt_ids all = {0};
    kv_status st = list_logs(s, &all);
    for (size_t i = 0; i < all.count; i++) {
        if (all.id[i] >= s->super.log) bt_ids_add(&l->numbers, all.id[i]);
    }
    bt_ids_free(&all);
    KV_TRY(st);
    KV_TRY(require_log(s, l, s->super.log));
    uint64_t closed = s->super.closed.log;
    return closed > 0 ? require_log(s, l, closed) : KV_OK;
}

// Moves what nobody vouches for to a synced log of its own, and begins a new
// one.
static kv_status begin_log(bt_store *s, logs *l)
{
    uint64_t number = l->last.id.number;
    kv_recordlog_id id = bt_wal_id(s->config.store_id, ++s->log_number);
    bt_wal_name name = bt_wal_name_of(id.number);
    kv_file *old = NULL;
    bool made = false;
    KV_TRY(open_log(s, number, &old));
    kv_status st = kv_recordlog_rescue(s->config.disk, old, &l->last, name.text,
                                       &id, &made);
    if (st == KV_OK) st = kv_file_size(old, &s->wal.sealed_size);
    kv_file_close(old);
    KV_TRY(st);
    if (made) {
        bt_ids_add(&l->numbers, id.number);
        KV_TRY(open_log(s, id.number, &old));
        st = kv_file_size(old, &s->wal.sealed_size);
        kv_file_close(old);
        KV_TRY(st);
    }
    return bt_wal_rotate(&s->wal, ++s->log_number);
}

static void say_synced(bt_store *s)
{
    atomic_store(&s->wal.flushed_seq, s->seq);
    atomic_store(&s->wal.synced_seq, s->seq);
}

static kv_status run_logs(bt_store *s, bt_redo *r, const logs *l)
{
    kv_status st = KV_OK;
    s->cache.is_recovering = true;
    for (size_t i = 0; i < l->numbers.count && st == KV_OK; i++) {
        uint64_t number = l->numbers.id[i];
        kv_recordlog_id id, expect = bt_wal_id(s->config.store_id, number);
        kv_file *file = NULL;
        st = open_log(s, number, &file);
        if (st != KV_OK) break;
        st = kv_recordlog_read_id(file, why(), &id);
        if (st == KV_OK) st = bt_redo_run(r, file, &expect);
        else if (st == KV_CORRUPT) st = KV_OK; // torn at birth: surveyed
        kv_file_close(file);
    }
    s->cache.is_recovering = false;
    return st == KV_OK ? bt_redo_finish(r) : st;
}

static kv_status rehearse(bt_store *s, bt_redo *r, const logs *l)
{
    bt_redo_begin_rehearsal(r);
    kv_status st = run_logs(s, r, l);
    bt_redo_end_rehearsal(r);
    return st;
}

// Redoes the logs and begins one for what comes, as soon as it is known that
// the store is not refused; `has_room`: it could be begun.
static kv_status redo(bt_store *s, bt_redo *r, logs *l, bool *has_room)
{
    bool is_late = s->config.read_only || !bt_redo_may_be_much(r);
    kv_status st = KV_OK;
    if (!is_late) {
        KV_TRY(rehearse(s, r, l));
        st = begin_log(s, l);
        r->may_write = st == KV_OK;
    }
    if (st != KV_OK && st != KV_NO_SPACE) return st;
    atomic_store(&s->wal.synced_seq, UINT64_MAX); // all that is redone
    kv_status redone = run_logs(s, r, l);
    say_synced(s);
    KV_TRY(redone);
    if (is_late && !s->config.read_only) st = begin_log(s, l);
    *has_room = st == KV_OK;
    return st == KV_NO_SPACE ? KV_OK : st;
}

// Files that a crash left: half-made ones, and logs below `limit`, which no
// superblock needs (S2).
static kv_status tidy(bt_store *s, uint64_t limit)
{
    kv_names names = {0};
    KV_TRY(kv_disk_list(s->config.disk, &names));
    kv_status st = KV_OK;
    for (size_t i = 0; i < names.count && st == KV_OK; i++) {
        const char *name = names.name[i];
        char log[32];
        uint64_t number = bt_wal_number_of(name);
        size_t len = strlen(name);
        bool is_half = strcmp(name, temporary_name) == 0;
        if (len > 4 && len < sizeof log &&
            strcmp(name + len - 4, ".tmp") == 0) {
            memcpy(log, name, len - 4);
            log[len - 4] = '\0';
            is_half |= bt_wal_number_of(log) != 0;
        }
        if (is_half || (number != 0 && number < limit)) {
            st = remove_file(s, name);
        }
    }
    kv_names_free(&names);
    return st;
}

static kv_status recover_from_logs(bt_store *s)
{
    logs l = {0};
    bt_redo r = {.store = s, .shape = s->shape};
    bool has_room = false;
    kv_status st = find_logs(s, &l);
    if (st == KV_OK) st = survey(s, &r, &l);
    if (st == KV_OK) st = redo(s, &r, &l, &has_room);
    bt_redo_free(&r);
    bt_ids_free(&l.numbers);
    if (st != KV_OK || s->config.read_only) return st;
    atomic_store(&s->must_recover, !has_room);
    if (!has_room) return KV_OK;
    st = bt_store_write_all(s, true);
    return st == KV_NO_SPACE ? KV_OK : st; // the log has it all
}

// A superblock whose sync failed reads like one that is on the disk. What the
// one before it leads to stays until another says the same, and is synced.
static kv_status confirm_super(bt_store *s)
{
    bt_closed closed = s->super.closed;
    KV_TRY(bt_store_write_twin(s, &closed));
    atomic_store(&s->must_recover, false);
    return KV_OK;
}

kv_status bt_store_make_good(bt_store *s)
{
    logs l = {0};
    bt_redo r = {.store = s};
    if (s->config.is_cow) return confirm_super(s);
    kv_status st = find_logs(s, &l);
    if (st == KV_OK) st = survey(s, &r, &l);
    if (st == KV_OK) st = begin_log(s, &l);
    bt_redo_free(&r);
    bt_ids_free(&l.numbers);
    KV_TRY(st);
    atomic_store(&s->must_recover, false);
    bt_store_drop_job(s); // given up halfway, the disk was full
    st = bt_store_write_all(s, true);
    return st == KV_NO_SPACE ? KV_OK : st;
}

// ---- open -------------------------------------------------------------------

static void open_cache(bt_store *s)
{
    bt_cache_config config = {.file = s->file,
                              .page_bytes = s->config.page_bytes,
                              .store_id = s->config.store_id,
                              .memory_bytes = s->config.memory_bytes};
    bt_cache_open(&s->cache, &config);
    bt_cache_publish(&s->cache, NULL, 0, s->seq, s->shape.root);
}

// Nothing was ever written, and nothing will be: an empty tree in memory.
static kv_status open_nothing(bt_store *s)
{
    bt_ids found = {0};
    kv_status st = list_logs(s, &found);
    if (st == KV_OK) st = require_unused(s, &found);
    bt_ids_free(&found);
    KV_TRY(st);
    s->shape = (bt_shape){.root = BT_FIRST_PAGE, .page_count = NEW_PAGES};
    s->seq = NEW_COMMIT;
    open_cache(s);
    uint8_t *page = bt_cache_create(&s->cache, BT_FIRST_PAGE, false);
    bt_page_init(page, s->config.page_bytes, BT_LEAF, 0, BT_FIRST_PAGE);
    bt_set_lsn(page, NEW_COMMIT);
    uint64_t id = BT_FIRST_PAGE;
    bt_cache_publish(&s->cache, &id, 1, NEW_COMMIT, BT_FIRST_PAGE);
    return KV_OK;
}

static kv_status open_file(bt_store *s)
{
    kv_open_mode mode = s->config.read_only ? KV_OPEN_READ : KV_OPEN_WRITE;
    return kv_file_open(s->config.disk, bt_file_name,
                        (kv_open_how){.mode = mode}, why(), &s->file);
}

kv_status bt_store_recover(bt_store *s)
{
    kv_status st = open_file(s);
    if (st == KV_NOT_FOUND && s->config.read_only) return open_nothing(s);
    if (st == KV_NOT_FOUND) {
        KV_TRY(create_store(s));
        st = open_file(s);
    }
    KV_TRY(st);
    KV_TRY(bt_store_read_super(s));
    uint64_t found = s->super.counter;
    open_cache(s);
    s->found_seq = UINT64_MAX; // until all are found
    if (!s->config.is_cow && s->wal.log.file == NULL) {
        KV_TRY(recover_from_logs(s));
    }
    say_synced(s);
    s->found_seq = s->seq;
    if (s->config.torn == BT_TORN_IMAGES) s->tx.images_to = s->found_seq;
    if (s->config.read_only) return KV_OK;
    bool is_old = s->config.is_cow && !s->config.is_new;
    if (is_old) atomic_store(&s->must_recover, s->lacks_twin);
    KV_TRY(leave_trace(s));
    return tidy(s, s->super.counter != found ? s->super.log : 0);
}
