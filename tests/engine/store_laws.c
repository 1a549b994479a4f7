// store_laws.c -- what open, close, sync and backup owe.
// SPDX-License-Identifier: MIT

#include "common/disk_fault.h"
#include "common/mem.h"

#include "tests/engine/laws.h"

static void reopening_keeps_what_is_durable(subject *s)
{
    subject_churn(s, 0, 300);
    subject_reopen(s);
    subject_compare(s);
}

static void a_store_can_be_reopened_again_and_again(subject *s)
{
    for (unsigned round = 0; round < 12; round++) {
        subject_churn(s, round * 40, round % 3 == 2 ? 0 : 40);
        subject_reopen(s);
        subject_compare(s);
    }
}

static void every_sync_mode_keeps_its_promise_at_close(subject *s)
{
    static const kv_sync_mode modes[] = {KV_SYNC_INTERVAL, KV_SYNC_COMMIT,
                                         KV_SYNC_NONE};
    for (unsigned i = 0; i < 3; i++) {
        subject_close(s);
        if (!subject_can(s, KV_CAP_DURABLE)) model_free(&s->model);
        s->options.sync = modes[i];
        s->options.interval_ms = 1;
        subject_open(s);
        subject_churn(s, i * 100, 60);
        assert_ok(kv_sync(s->db));
        subject_churn(s, i * 100 + 60, 20);
        subject_compare(s);
    }
    subject_reopen(s);
    subject_compare(s);
}

static void sync_without_writes_is_fine(subject *s)
{
    assert_ok(kv_sync(s->db));
    assert_ok(kv_sync(s->db));
    subject_churn(s, 0, 10);
    assert_ok(kv_sync(s->db));
    assert_ok(kv_sync(s->db));
    subject_compare(s);
}

static void an_empty_store_reopens_empty(subject *s)
{
    subject_reopen(s);
    subject_compare(s);
    subject_reopen(s);
    subject_compare(s);
}

static void a_store_emptied_by_deletes_stays_empty(subject *s)
{
    char name[32];
    subject_churn(s, 0, 200);
    for (unsigned i = 0; i < 60; i++) subject_del(s, subject_key(name, i));
    subject_reopen(s);
    assert_int_equal(s->model.count, 0);
    subject_compare(s);
    assert_ok(kv_settle(s->db));
    subject_compare(s);
    subject_reopen(s);
    subject_compare(s);
}

static void a_second_opening_is_locked_out(subject *s)
{
    if (!subject_can(s, KV_CAP_DURABLE)) return;
    kv *second = NULL;
    subject_churn(s, 0, 20);
    assert_status(kv_open(s->engine, &s->options, &second), KV_LOCKED);
    assert_null(second);
    assert_non_null(strstr(kv_last_error(), "process"));
    kv_options look = s->options;
    look.read_only = true;
    assert_status(kv_open(s->engine, &look, &second), KV_LOCKED);
    subject_churn(s, 20, 20);
    subject_reopen(s);
    subject_compare(s);
}

static void a_store_that_is_not_there_is_not_found(subject *s)
{
    if (!subject_can(s, KV_CAP_DURABLE)) return;
    kv_options options = s->options;
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/nowhere%c", s->parent, '\0');
    options.path = (const char *)path.data;
    options.create = false;
    kv *db = NULL;
    kv_status st = kv_open(s->engine, &options, &db);
    options.create = true;
    options.read_only = true;
    kv_status st2 = kv_open(s->engine, &options, &db);
    kv_buf_free(&path);
    assert_status(st, KV_NOT_FOUND);
    assert_status(st2, KV_NOT_FOUND);
    assert_null(db);
}

static void reading_only_reads_and_refuses_writes(subject *s)
{
    subject_churn(s, 0, 300);
    subject_close(s);
    if (!subject_can(s, KV_CAP_DURABLE)) model_free(&s->model);
    s->options.read_only = true;
    subject_open(s);
    subject_compare(s);
    kv_batch batch = {0};
    kv_batch_put(&batch, kv_str("a"), kv_str("b"));
    kv_status st = kv_write(s->db, &batch);
    kv_batch_free(&batch);
    assert_status(st, KV_READ_ONLY);
    assert_status(kv_put(s->db, kv_str("a"), kv_str("b")), KV_READ_ONLY);
    assert_status(kv_del(s->db, kv_str("a")), KV_READ_ONLY);
    assert_status(kv_del_range(s->db, kv_str("a"), kv_str("")), KV_READ_ONLY);
    assert_ok(kv_sync(s->db));
    subject_compare(s);
    subject_close(s);
    s->options.read_only = false;
    subject_open(s);
    subject_compare(s);
    subject_churn(s, 300, 20);
    subject_compare(s);
}

// Every file of the directory but LOCK, and its bytes.
static void snapshot_files(const char *path, model *files)
{
    kv_disk *disk = NULL;
    kv_names names = {0};
    assert_ok(kv_disk_open_real(path, false, &disk));
    assert_ok(kv_disk_list(disk, &names));
    for (size_t i = 0; i < names.count; i++) {
        if (strcmp(names.name[i], "LOCK") == 0) continue;
        kv_buf file = {0};
        kv_buf_printf(&file, "%s/%s%c", path, names.name[i], '\0');
        kv_buf bytes = test_read_file((const char *)file.data);
        model_put(files, kv_str(names.name[i]), kv_buf_slice(&bytes));
        kv_buf_free(&bytes);
        kv_buf_free(&file);
    }
    kv_names_free(&names);
    kv_disk_close(disk);
}

static void open_copy(subject *s, const char *path, const model *want)
{
    kv_options options = s->options;
    options.path = path;
    options.create = false;
    kv *copy = NULL;
    assert_ok(kv_open(s->engine, &options, &copy));
    kv_status st = model_compare(want, copy, subject_can(s, KV_CAP_ORDERED));
    if (st == KV_OK) st = kv_put(copy, kv_str("own"), kv_str("life"));
    kv_status closed = kv_close(copy);
    assert_ok(st);
    assert_ok(closed);
}

// A copy has what the store has, even what is in no more than its log.
static void back_up_while_reading_only(subject *s)
{
    if (!subject_can(s, KV_CAP_BACKUP)) return;
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/copy%c", s->parent, '\0');
    kv_status st = kv_backup(s->db, (const char *)path.data);
    s->options.read_only = false; // of the copy
    if (st == KV_OK) open_copy(s, (const char *)path.data, &s->model);
    kv_buf_free(&path);
    assert_ok(st);
}

// Every call that might think it had something to write.
static void call_everything(subject *s)
{
    bool did_work;
    kv_slice none = {0};
    kv_report report = {0};
    kv_status st = kv_maintain(s->db, &did_work);
    assert_true(st == KV_OK || st == KV_READ_ONLY);
    st = kv_settle(s->db);
    assert_true(st == KV_OK || st == KV_READ_ONLY);
    if (subject_can(s, KV_CAP_COMPACT)) {
        assert_status(kv_compact(s->db, none, none), KV_READ_ONLY);
    }
    assert_status(kv_put(s->db, kv_str("a"), kv_str("b")), KV_READ_ONLY);
    assert_status(kv_del_range(s->db, none, none), KV_READ_ONLY);
    assert_ok(kv_sync(s->db));
    assert_ok(kv_check(s->db, &report));
    kv_report_free(&report);
    back_up_while_reading_only(s);
}

static void reading_only_changes_nothing_on_disk(subject *s)
{
    if (!subject_can(s, KV_CAP_DURABLE)) return;
    subject_churn(s, 0, 300);
    subject_close(s);
    model before = {0}, after = {0};
    snapshot_files(s->path, &before);
    s->options.read_only = true;
    subject_open(s);
    subject_compare(s);
    call_everything(s);
    subject_close(s);
    snapshot_files(s->path, &after);
    bool is_same = before.count == after.count;
    for (size_t i = 0; is_same && i < before.count; i++) {
        const kv_buf *now =
            model_get(&after, kv_buf_slice(&before.entries[i].key));
        is_same &= now != NULL &&
                   kv_slice_equal(kv_buf_slice(now),
                                  kv_buf_slice(&before.entries[i].value));
    }
    model_free(&before);
    model_free(&after);
    assert_true(is_same);
}

static void a_backup_opens_by_itself(subject *s)
{
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/copy%c", s->parent, '\0');
    const char *target = (const char *)path.data;
    subject_churn(s, 0, 400);
    if (!subject_can(s, KV_CAP_BACKUP)) {
        assert_status(kv_backup(s->db, target), KV_UNSUPPORTED);
        kv_buf_free(&path);
        return;
    }
    model then = {0};
    model_copy(&then, &s->model);
    assert_ok(kv_backup(s->db, target));
    subject_churn(s, 400, 400); // the original goes its own way
    assert_ok(kv_settle(s->db));
    open_copy(s, target, &then);
    model_put(&then, kv_str("own"), kv_str("life"));
    open_copy(s, target, &then);
    subject_compare(s);
    subject_reopen(s);
    subject_compare(s);
    model_free(&then);
    kv_buf_free(&path);
}

static void a_backup_never_writes_over_a_store(subject *s)
{
    if (!subject_can(s, KV_CAP_BACKUP)) return;
    subject_churn(s, 0, 50);
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/copy%c", s->parent, '\0');
    kv_buf inside = {0};
    kv_buf_printf(&inside, "%s/copy/%c", s->path, '\0');
    kv_status onto_itself = kv_backup(s->db, s->path);
    kv_status within = kv_backup(s->db, (const char *)inside.data);
    kv_status first = kv_backup(s->db, (const char *)path.data);
    kv_status second = kv_backup(s->db, (const char *)path.data);
    open_copy(s, (const char *)path.data, &s->model);
    kv_buf_free(&path);
    kv_buf_free(&inside);
    assert_status(onto_itself, KV_INVALID);
    assert_status(within, KV_INVALID);
    assert_ok(first);
    assert_status(second, KV_INVALID);
    subject_compare(s);
    subject_reopen(s);
    subject_compare(s);
}

// Is there a store, and then the whole one?
static bool is_copy(subject *s, const char *path)
{
    kv *copy = NULL;
    kv_options options = {.path = path, .memory_bytes = 8 << 20};
    if (kv_open(s->engine, &options, &copy) != KV_OK) return false;
    kv_status st =
        model_compare(&s->model, copy, subject_can(s, KV_CAP_ORDERED));
    kv_status closed = kv_close(copy);
    assert_ok(st);
    assert_ok(closed);
    return true;
}

// A backup while a rule holds, and if it fails one without. False when there
// was no call to meet.
static bool fail_a_backup(subject *s, const char *rule, const char *path)
{
    uint64_t calls, hits;
    assert_ok(kv_disk_fault_set(s->options.disk, rule));
    kv_status st = kv_backup(s->db, path);
    kv_disk_fault_counts(s->options.disk, &calls, &hits);
    assert_ok(kv_disk_fault_set(s->options.disk, NULL));
    bool is_store = is_copy(s, path);
    if (st == KV_OK) assert_true(is_store);
    // Where no call works any more, nothing can be removed either.
    if (st == KV_OK || strchr(rule, '+') != NULL) return hits > 0;
    assert_false(is_store);
    st = kv_backup(s->db, path);
    if (st != KV_OK) { // as long as the store is in doubt
        (void)kv_close(s->db);
        subject_open(s);
        st = kv_backup(s->db, path);
    }
    assert_ok(st);
    if (!is_copy(s, path)) fail_msg("%s, again: %s", rule, kv_last_error());
    return hits > 0;
}

static void a_failed_backup_is_no_store(subject *s)
{
    static const char *const rules[][2] = {
        {"*:open:", ":EMFILE"},     {"*:write:", ":ENOSPC"},
        {"*:truncate:", ":ENOSPC"}, {"*:rename:", ":ENOSPC"},
        {"*:link:", ":ENOSPC"},     {"*:sync:", ":EIO"},
        {"*:sync_dir:", ":EIO"},    {"*:*:", "+:EIO"}};
    if (!subject_can(s, KV_CAP_BACKUP) || s->knobs[0] != '\0') return;
    kv_disk *real = NULL;
    subject_close(s);
    assert_ok(kv_disk_open_real(s->path, false, &real));
    assert_ok(kv_disk_open_fault(real, NULL, &s->options.disk));
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        bool was_met = true;
        // Steps that grow: with the store, a backup's calls become more.
        for (unsigned n = 1; was_met; n += 1 + n / 8) {
            char rule[64], path[512];
            snprintf(rule, sizeof rule, "%s%u%s", rules[i][0], n, rules[i][1]);
            snprintf(path, sizeof path, "%s/copy-%zu-%u", s->parent, i, n);
            subject_open(s);
            subject_churn(s, 100 * n, 20);
            was_met = fail_a_backup(s, rule, path);
            (void)kv_close(s->db);
        }
    }
    kv_disk_close(s->options.disk);
    s->options.disk = NULL;
    subject_open(s);
    subject_compare(s);
}

static const law laws[] = {
    LAW(reopening_keeps_what_is_durable),
    LAW(a_store_can_be_reopened_again_and_again),
    LAW(every_sync_mode_keeps_its_promise_at_close),
    LAW(sync_without_writes_is_fine),
    LAW(an_empty_store_reopens_empty),
    LAW(a_store_emptied_by_deletes_stays_empty),
    LAW(a_second_opening_is_locked_out),
    LAW(a_store_that_is_not_there_is_not_found),
    LAW(reading_only_reads_and_refuses_writes),
    LAW(reading_only_changes_nothing_on_disk),
    LAW(a_backup_opens_by_itself),
    LAW(a_backup_never_writes_over_a_store),
    LAW(a_failed_backup_is_no_store),
};

const law_list store_laws = {"stores", laws, sizeof laws / sizeof laws[0]};
