// test_orphans.c -- files that the manifest does not name: what is ours and
// dead goes with the next open, what is somebody else's stays and is counted.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "common/disk_sim.h"

#include "store.h"
#include "tables.h"
#include "tests/support/test.h"

enum { STORE = 1, OLD = 1 };

static const kv_why why = {KV_FOR_META, false};

static void open_store(lsm_store *s, kv_disk *disk, bool is_new)
{
    static const kv_explainer nobody = {0};
    lsm_config config = {
        .disk = disk,
        .store_id = STORE,
        .is_new = is_new,
        .steps_inline = true,
        .memtable_bytes = 1 << 20,
        .memory_bytes = 16 << 20,
        .frozen_max = 2,
        .manifest_bytes = 1 << 20,
        .parallel = 1,
        .shape = {.size_ratio = 10, .level0_runs = 100, .base_bytes = 1 << 20},
        .table_bytes = 1 << 20,
        .block_bytes = 4096};
    *s = (lsm_store){0};
    assert_ok(lsm_store_open(s, &config, &nobody));
}

// A store with a table or two, closed; the name of one of its tables.
static lsm_name make_store(kv_disk *disk)
{
    lsm_store s;
    bool did_work = true;
    kv_change change = {KV_PUT, kv_str("cat"), kv_str("meow")};
    open_store(&s, disk, true);
    assert_ok(lsm_store_write(&s, &change, 1));
    while (did_work) assert_ok(lsm_store_settle_step(&s, &did_work));
    assert_ok(lsm_store_write(&s, &change, 1)); // in a log that is needed
    uint64_t number = s.gate.current->version->tables[0]->id.number;
    assert_ok(lsm_store_close(&s));
    return lsm_table_name(number);
}

static bool is_there(kv_disk *disk, const char *name)
{
    kv_names names = {0};
    bool answer = false;
    assert_ok(kv_disk_list(disk, &names));
    for (size_t i = 0; i < names.count; i++) {
        answer = answer || strcmp(names.name[i], name) == 0;
    }
    kv_names_free(&names);
    return answer;
}

static void copy(kv_disk *disk, const char *from, const char *to, size_t len)
{
    kv_buf bytes = file_read(disk, from);
    if (len > bytes.len) len = bytes.len;
    file_write(disk, to, kv_slice_of(bytes.data, len));
    kv_buf_free(&bytes);
}

static void make_log(kv_disk *disk, uint64_t store_id, uint64_t number)
{
    kv_recordlog log = {0};
    assert_ok(lsm_log_create(disk, store_id, number, &log));
    assert_ok(kv_recordlog_close(&log));
}

static void what_is_ours_and_dead_goes(void **state)
{
    (void)state;
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    lsm_name table = make_store(disk);
    // An output cut short by a crash, a log made ahead, a manifest half way.
    lsm_name unfinished = lsm_table_name(900), ahead = lsm_log_name(901);
    const char *dead[] = {unfinished.text, ahead.text, lsm_manifest_temporary};
    copy(disk, table.text, dead[0], 50);
    make_log(disk, STORE, 901);
    file_write(disk, dead[2], kv_str("half"));
    for (int i = 0; i < 3; i++) assert_true(is_there(disk, dead[i]));

    lsm_store s;
    kv_buf value = {0};
    uint64_t strangers = 0;
    open_store(&s, disk, false);
    for (int i = 0; i < 3; i++) assert_false(is_there(disk, dead[i]));
    assert_true(is_there(disk, table.text));
    assert_ok(lsm_store_orphans(&s, false, &strangers));
    assert_int_equal(strangers, 0);
    assert_ok(lsm_store_get(&s, kv_str("cat"), &value));
    assert_ok(lsm_store_close(&s));
    kv_buf_free(&value);
    kv_disk_close(disk);
}

static void what_is_not_ours_stays(void **state)
{
    (void)state;
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    lsm_name table = make_store(disk);
    // A whole table that has another number inside, another store's log that
    // is older than all that is needed, and what nobody here gives names like.
    lsm_name renamed = lsm_table_name(910), log = lsm_log_name(OLD);
    copy(disk, table.text, renamed.text, SIZE_MAX);
    make_log(disk, STORE + 1, OLD);
    file_write(disk, "notes.txt", kv_str("mine"));

    lsm_store s;
    uint64_t strangers = 0;
    open_store(&s, disk, false);
    assert_ok(lsm_store_orphans(&s, true, &strangers));
    assert_int_equal(strangers, 3);
    assert_true(is_there(disk, renamed.text) && is_there(disk, log.text) &&
                is_there(disk, "notes.txt"));
    assert_ok(kv_disk_remove(disk, renamed.text, why));
    strangers = 0;
    assert_ok(lsm_store_orphans(&s, true, &strangers));
    assert_int_equal(strangers, 2);
    assert_ok(lsm_store_close(&s));
    kv_disk_close(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_ours_and_dead_goes),
        cmocka_unit_test(what_is_not_ours_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
