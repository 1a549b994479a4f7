// test_orphans.c -- files that the manifest does not name: what is ours and
// dead goes with the next open, what is somebody else's stays and is counted.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "common/disk_sim.h"

#include "stores.h"
#include "tables.h"
#include "tests/support/test.h"

enum { STORE = SMALL_STORE_ID };

static const kv_why why = {KV_FOR_META, false};

static kv_status try_open(lsm_store *s, kv_disk *disk, bool is_new)
{
    static const kv_explainer nobody = {0};
    lsm_config config = small_store(disk, is_new);
    *s = (lsm_store){0};
    return lsm_store_open(s, &config, &nobody);
}

static void open_store(lsm_store *s, kv_disk *disk, bool is_new)
{
    assert_ok(try_open(s, disk, is_new));
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

// A whole table of the store that no manifest names: an output of a compaction
// that was not installed.
static void make_table(kv_disk *disk, uint64_t store_id, uint64_t number)
{
    lsm_builder b = {0};
    lsm_builder_config config = {.block_bytes = 4096, .why = why};
    lsm_entry entry = {kv_str("owl"), kv_str("hoot"), 7, LSM_PUT};
    lsm_table_id id = {store_id, number};
    assert_ok(lsm_builder_open(&b, disk, &id, &config));
    assert_ok(lsm_builder_add(&b, &entry));
    assert_ok(lsm_builder_finish(&b));
    lsm_builder_close(&b);
}

// A log whose header was torn: `len` bytes of it, the first 32 of them zeroes.
static void make_torn_log(kv_disk *disk, uint64_t number, size_t len)
{
    kv_recordlog_id id = lsm_log_id(STORE, number);
    kv_buf header = {0};
    kv_recordlog_encode_header(&id, &header);
    memset(header.data, 0, 32);
    file_write(disk, lsm_log_name(number).text, kv_slice_of(header.data, len));
    kv_buf_free(&header);
}

static void what_is_ours_and_dead_goes(void **state)
{
    (void)state;
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    lsm_name table = make_store(disk);
    // An output cut short by a crash, one not installed, a manifest half way,
    // a log made ahead, and logs torn at birth.
    static const char *const dead[] = {
        "000900.sst.tmp", "000901.sst", "MANIFEST.tmp", "000902.log",
        "000903.log",     "000904.log", "000905.log"};
    enum { DEAD = sizeof dead / sizeof *dead };
    copy(disk, table.text, dead[0], 50);
    make_table(disk, STORE, 901);
    file_write(disk, dead[2], kv_str("half"));
    make_log(disk, STORE, 902);
    make_torn_log(disk, 903, 0);
    make_torn_log(disk, 904, 32);
    make_torn_log(disk, 905, KV_RECORDLOG_HEADER_BYTES);
    for (int i = 0; i < DEAD; i++) assert_true(is_there(disk, dead[i]));

    lsm_store s;
    kv_buf value = {0};
    uint64_t strangers = 0;
    open_store(&s, disk, false);
    for (int i = 0; i < DEAD; i++) assert_false(is_there(disk, dead[i]));
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
    // Whole tables of another number or another store, a piece of one, another
    // store's log that is older than all that is needed, notes that somebody
    // keeps under such names, and a name that nobody here gives.
    static const char *const strange[] = {
        "000910.sst", "000911.sst", "000912.sst", "000001.log",
        "000913.log", "000914.sst", "notes.txt"};
    enum { STRANGE = sizeof strange / sizeof *strange };
    copy(disk, table.text, strange[0], SIZE_MAX);
    make_table(disk, STORE + 1, 911);
    copy(disk, strange[1], strange[2], 60);
    make_log(disk, STORE + 1, 1);
    for (int i = 4; i < STRANGE; i++) {
        file_write(disk, strange[i], kv_str("my precious file"));
    }
    for (int turn = 0; turn < 2; turn++) {
        lsm_store s;
        uint64_t strangers = 0;
        open_store(&s, disk, false);
        assert_ok(lsm_store_orphans(&s, true, &strangers));
        assert_int_equal(strangers, STRANGE);
        for (int i = 0; i < STRANGE; i++) {
            assert_true(is_there(disk, strange[i]));
        }
        assert_true(lsm_store_new_number(&s) > 914); // nobody's number again
        assert_ok(lsm_store_close(&s));
    }
    kv_disk_close(disk);
}

static void expect_witness(kv_disk *disk, const char *witness)
{
    lsm_store s;
    assert_status(try_open(&s, disk, false), KV_CORRUPT);
    (void)lsm_store_close(&s);
    assert_non_null(strstr(kv_last_error(), witness));
}

// Without a manifest, what is named is the first file that shows that there was
// one: here a log with a change in it, and without that the table.
static void the_witness_of_a_lost_manifest_is_named(void **state)
{
    (void)state;
    kv_disk *disk = NULL;
    kv_names names = {0};
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    lsm_name table = make_store(disk);
    file_write(disk, "LOCK", kv_str("held"));
    assert_ok(kv_disk_remove(disk, lsm_manifest_name, why));
    expect_witness(disk, ".log: is there");
    assert_ok(kv_disk_list(disk, &names));
    for (size_t i = 0; i < names.count; i++) {
        if (strstr(names.name[i], ".log") == NULL) continue;
        assert_ok(kv_disk_remove(disk, names.name[i], why));
    }
    kv_names_free(&names);
    expect_witness(disk, table.text);
    kv_disk_close(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_ours_and_dead_goes),
        cmocka_unit_test(what_is_not_ours_stays),
        cmocka_unit_test(the_witness_of_a_lost_manifest_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
