// test_xray.c -- logs, the manifest and tables drawn: every byte has its
// meaning, damage is said, and any bytes can be drawn.
// SPDX-License-Identifier: MIT

#include "common/disk_sim.h"

#include "look.h"
#include "tables.h"
#include "tests/support/test.h"

static const kv_why why = {KV_FOR_READ, false};

typedef struct lab {
    kv_disk *disk;
    kv_recordlog log;
} lab;

static void lab_open(lab *l, const char *name, const char *kind)
{
    kv_recordlog_id id = {.store_id = 1, .number = 9};
    memcpy(id.kind, kind, sizeof id.kind);
    *l = (lab){0};
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &l->disk));
    assert_ok(kv_recordlog_create(&l->log, l->disk, name, &id, 0, why));
}

// Adds the payload as a record, and empties it.
static void lab_add(lab *l, kv_buf *payload, bool more)
{
    (void)kv_recordlog_add(&l->log, kv_buf_slice(payload), more);
    kv_buf_clear(payload);
}

static void lab_seal(lab *l)
{
    assert_ok(kv_recordlog_flush(&l->log, why));
    assert_ok(kv_recordlog_seal(&l->log, why));
    assert_ok(kv_recordlog_close(&l->log));
}

static kv_xray draw(kv_disk *disk, const char *name)
{
    kv_xray x = {.limit = UINT64_MAX};
    assert_ok(lsm_xray(disk, name, &x));
    kv_buf_append(&x.text, kv_slice_of("", 1));
    return x;
}

// The drawing from this record on, as wanted to the byte.
static void expect_drawing(const kv_xray *x, const char *from,
                           const char *wanted)
{
    const char *got = strstr((const char *)x->text.data, from);
    if (got != NULL && strcmp(got, wanted) == 0) return;
    fprintf(stderr, "wanted:\n%s\ngot:\n%s\n", wanted,
            (const char *)x->text.data);
    fail();
}

static void expect_text(const kv_xray *x, const char *text)
{
    if (strstr((const char *)x->text.data, text) != NULL) return;
    print_error("\"%s\" is not in\n%s\n", text, (const char *)x->text.data);
    fail();
}

// ---- worked examples --------------------------------------------------------

// A log that follows another one, with a batch of two and a group of two.
static void make_log(lab *l)
{
    kv_buf p = {0};
    kv_change put = {KV_PUT, kv_str("cat"), kv_str("meow")};
    kv_change del = {KV_DEL, kv_str("dog"), {0}};
    kv_change range = {KV_DEL_RANGE, kv_str("a"), {0}};
    lab_open(l, "000009.log", lsm_wal_kind);
    lsm_put_switch(&p, &(lsm_switch){7, 300, 52});
    lab_add(l, &p, false);
    lsm_put_change(&p, &put);
    lsm_put_change(&p, &del);
    lab_add(l, &p, true);
    lsm_put_change(&p, &range);
    lab_add(l, &p, false);
    lab_seal(l);
    kv_buf_free(&p);
}

static void a_log_is_drawn(void **state)
{
    (void)state;
    lab l;
    make_log(&l);
    kv_xray x = draw(l.disk, "000009.log");
    expect_text(&x, "-- 000009.log: header\n");
    expect_drawing(
        &x, "-- record 1",
        "-- record 1\n"
        "00000034  78 9f ab 2e                crc        good\n"
        "00000038  34 00 00 00                mark       52 bytes were "
        "synced before it\n"
        "0000003c  0a                         size       5 bytes of payload\n"
        "0000003d  03 07 ac 02 34             follows    log 7, when that "
        "had 300 bytes, 52 of them synced\n"
        "-- record 2\n"
        "00000042  f4 0b 7f 61                crc        good\n"
        "00000046  34 00 00 00                mark       52 bytes were "
        "synced before it\n"
        "0000004a  1f                         size       15 bytes of "
        "payload, and its group goes on\n"
        "0000004b  00 03 63 61 74 04 6d 65 .. put        cat = meow\n"
        "00000055  01 03 64 6f 67             del        dog\n"
        "-- record 3\n"
        "0000005a  e1 3f 5b 9a                crc        good\n"
        "0000005e  34 00 00 00                mark       52 bytes were "
        "synced before it\n"
        "00000062  08                         size       4 bytes of payload\n"
        "00000063  02 01 61 00                del range  a up to \n"
        "-- record 4: the file was closed here\n"
        "00000067  ac 77 7c 19                crc        good\n"
        "0000006b  67 00 00 00                mark       103 bytes were "
        "synced before it\n"
        "0000006f  00                         size       0 bytes of payload\n");
    assert_int_equal(x.damage_count, 0);
    kv_buf_free(&x.text);
    kv_disk_close(l.disk);
}

static void make_manifest(lab *l)
{
    kv_buf p = {0};
    lsm_edit all = {.what = LSM_EDIT_ALL, .next = 3, .log = 1};
    lsm_edit merge = {.what = LSM_EDIT_COMPACT, .next = 9, .log = 6};
    lsm_edit_table t = {.level = 7,
                        .number = 8,
                        .file_bytes = 174,
                        .entry_count = 2,
                        .first_key = kv_str("cat"),
                        .last_key = kv_str("dog")};
    merge.last_seq = 5;
    lsm_edit_remove(&merge, 4);
    lsm_edit_add(&merge, &t);
    lab_open(l, lsm_manifest_name, lsm_manifest_kind);
    lsm_put_edit(&p, &all);
    lab_add(l, &p, false);
    lsm_put_edit(&p, &merge);
    lab_add(l, &p, false);
    lab_seal(l);
    lsm_edit_free(&merge);
    kv_buf_free(&p);
}

static void a_manifest_is_drawn(void **state)
{
    (void)state;
    lab l;
    make_manifest(&l);
    kv_xray x = draw(l.disk, lsm_manifest_name);
    expect_drawing(
        &x, "-- record 1",
        "-- record 1\n"
        "00000034  6c 19 00 9c                crc        good\n"
        "00000038  34 00 00 00                mark       52 bytes were "
        "synced before it\n"
        "0000003c  0c                         size       6 bytes of payload\n"
        "0000003d  00 03 01 00 00 00          edit       all there is: 0 "
        "tables less, 0 more; next number 3, first log 1, newest change 0\n"
        "-- record 2\n"
        "00000043  55 06 45 28                crc        good\n"
        "00000047  34 00 00 00                mark       52 bytes were "
        "synced before it\n"
        "0000004b  2c                         size       22 bytes of "
        "payload\n"
        "0000004c  02 09 06 05 01 04 01 07 .. edit       compact: 1 tables "
        "less, 1 more; next number 9, first log 6, newest change 5\n"
        "--   minus table 4\n"
        "--   plus table 8: level 7, run 0, 2 entries, cat to dog\n"
        "-- record 3: the file was closed here\n"
        "00000062  ac 77 7c 19                crc        good\n"
        "00000066  62 00 00 00                mark       98 bytes were "
        "synced before it\n"
        "0000006a  00                         size       0 bytes of payload\n");
    assert_int_equal(x.damage_count, 0);
    kv_buf_free(&x.text);
    kv_disk_close(l.disk);
}

static void make_table(kv_disk **disk)
{
    lsm_entry entries[] = {
        {kv_str("cat"), {0}, 4, LSM_DEL},
        {kv_str("cat"), kv_str("meow"), 1, LSM_PUT},
        {kv_str("dog"), kv_str("woof"), 2, LSM_PUT},
    };
    oracle o = {.entries = entries, .count = 3};
    lsm_range_tombstone range = {kv_str("x"), kv_str("z"), 5};
    lsm_builder_config config = {
        .block_bytes = 4096, .bits_per_key = 10, .why = why};
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, disk));
    table_build(*disk, &o, &config, &range, 1);
}

static void a_table_is_drawn(void **state)
{
    (void)state;
    kv_disk *disk = NULL;
    make_table(&disk);
    kv_xray x = draw(disk, lsm_table_name(test_table_id.number).text);
    expect_drawing(
        &x, "-- table",
        "-- table, 183 bytes\n"
        "-- block 0: 49 bytes\n"
        "00000000  00 03 09 63 61 74          tombstone  cat, seq 4\n"
        "00000006  03 00 02 6d 65 6f 77       entry      cat, seq 1 = meow\n"
        "0000000d  00 03 04 64 6f 67 77 6f .. entry      dog, seq 2 = woof\n"
        "00000017  fb fb 26                   tags       a byte of the hash "
        "of each key\n"
        "0000001a  17 00 11 00 0a 00          places     how far before the "
        "tags each entry begins, 2 bytes each\n"
        "00000020  00 00 00 00 00 00 00 00 .. tail       base seq 0, 3 "
        "entries, a restart point every 16\n"
        "0000002c  00 9e cc 04 34             seal       compression none, "
        "crc good\n"
        "-- filter, range tombstones, index, properties\n"
        "00000031  07 03 5a 5b 00 00 0c 00 .. filter     7 probes into 64 "
        "bits\n"
        "0000003a  00 5c 0e b8 62             seal       compression none, "
        "crc good\n"
        "0000003f  05 01 78 01 7a             range      all from x to z, "
        "seq 5\n"
        "00000044  00 cc 0e 39 08             seal       compression none, "
        "crc good\n"
        "00000049  31 03 64 6f 67             index      block 0, at 0, 49 "
        "bytes: up to dog\n"
        "0000004e  00 93 e7 a1 32             seal       compression none, "
        "crc good\n"
        "00000053  03 01 01 01 05 09 08 2c .. props      3 entries, 1 of "
        "them tombstones, 1 ranges; seq 1 to 5; keys from cat to z, not "
        "included\n"
        "00000062  00 bb fb a8 eb             seal       compression none, "
        "crc good\n"
        "00000067  77 1d e0 99 0a 1f 3c 5b .. footer     table 7 of store "
        "5b3c1f0a99e01d77, 1 blocks; good\n");
    assert_int_equal(x.damage_count, 0);
    kv_buf_free(&x.text);
    kv_disk_close(disk);
}

static void only_what_was_asked_for_is_drawn(void **state)
{
    (void)state;
    lab l;
    make_log(&l);
    kv_xray x = {.from = 65, .limit = 66};
    assert_ok(lsm_xray(l.disk, "000009.log", &x));
    kv_buf_append(&x.text, kv_slice_of("", 1));
    assert_int_equal(x.field_count, 1);
    kv_buf_free(&x.text);
    x = (kv_xray){.limit = UINT64_MAX};
    assert_status(lsm_xray(l.disk, "000010.log", &x), KV_INVALID);
    assert_non_null(strstr(kv_last_error(), "000010.log"));
    kv_buf_free(&x.text);
    kv_disk_close(l.disk);
}

// ---- damage -----------------------------------------------------------------

// Good checksums around payloads that are none.
static void a_payload_that_is_none_is_said(void **state)
{
    (void)state;
    lab l;
    kv_buf p = {0};
    lab_open(&l, "000009.log", lsm_wal_kind);
    lsm_put_change(&p, &(kv_change){KV_DEL, kv_str("dog"), {0}});
    kv_buf_append(&p, kv_str("\x07 is no change"));
    lab_add(&l, &p, false);
    lab_seal(&l);
    kv_xray x = draw(l.disk, "000009.log");
    expect_text(&x, "dog\n");
    expect_text(&x, "!! no change begins here");
    assert_int_equal(x.damage_count, 1);
    kv_buf_free(&x.text);
    kv_disk_close(l.disk);

    lab_open(&l, lsm_manifest_name, lsm_manifest_kind);
    kv_buf_append(&p, kv_str("\x02 is no edit"));
    lab_add(&l, &p, false);
    lab_seal(&l);
    x = draw(l.disk, lsm_manifest_name);
    expect_text(&x, "!! a record that holds no edit");
    assert_int_equal(x.damage_count, 1);
    kv_buf_free(&x.text);
    kv_buf_free(&p);
    kv_disk_close(l.disk);
}

// A bit of each byte turned, and each end cut off: the first is always said,
// and nothing of either is a crash.
static void damage_anywhere_is_said(kv_disk *disk, const char *name)
{
    kv_buf bytes = file_read(disk, name);
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.data[i] ^= (uint8_t)(1 << i % 8);
        file_write(disk, name, kv_buf_slice(&bytes));
        kv_xray x = draw(disk, name);
        assert_true(x.damage_count > 0);
        kv_buf_free(&x.text);
        bytes.data[i] ^= (uint8_t)(1 << i % 8);
        file_write(disk, name, kv_slice_of(bytes.data, i));
        x = draw(disk, name);
        assert_true(x.damage_count > 0 || x.field_count > 0);
        kv_buf_free(&x.text);
    }
    kv_buf_free(&bytes);
    kv_disk_close(disk);
}

static void damage_of_a_log_is_said(void **state)
{
    (void)state;
    lab l;
    make_log(&l);
    damage_anywhere_is_said(l.disk, "000009.log");
    make_manifest(&l);
    damage_anywhere_is_said(l.disk, lsm_manifest_name);
}

static void damage_of_a_table_is_said(void **state)
{
    (void)state;
    kv_disk *disk = NULL;
    make_table(&disk);
    damage_anywhere_is_said(disk, lsm_table_name(test_table_id.number).text);
}

// Any payloads in sound records, as both kinds of log.
static void any_payload_can_be_drawn(void **state)
{
    (void)state;
    enum { SEED = 11 };
    kv_rng rng;
    print_message("seed %d\n", SEED);
    kv_rng_seed(&rng, SEED);
    for (int i = 0; i < 200; i++) {
        lab l;
        kv_buf p = {0};
        bool is_log = i % 2 == 0;
        const char *name = is_log ? "000009.log" : lsm_manifest_name;
        lab_open(&l, name, is_log ? lsm_wal_kind : lsm_manifest_kind);
        for (int j = 0; j < 10; j++) {
            size_t len = 1 + kv_rng_below(&rng, 30);
            for (size_t k = 0; k < len; k++) {
                uint8_t byte = (uint8_t)kv_rng_below(&rng, k % 3 ? 256 : 6);
                kv_buf_append(&p, kv_slice_of(&byte, 1));
            }
            lab_add(&l, &p, false);
        }
        lab_seal(&l);
        kv_xray x = draw(l.disk, name);
        assert_true(x.field_count >= 10);
        kv_buf_free(&x.text);
        kv_buf_free(&p);
        kv_disk_close(l.disk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_is_drawn),
        cmocka_unit_test(a_manifest_is_drawn),
        cmocka_unit_test(a_table_is_drawn),
        cmocka_unit_test(only_what_was_asked_for_is_drawn),
        cmocka_unit_test(a_payload_that_is_none_is_said),
        cmocka_unit_test(damage_of_a_log_is_said),
        cmocka_unit_test(damage_of_a_table_is_said),
        cmocka_unit_test(any_payload_can_be_drawn),
    };
    return cmocka_run_group_tests_name("stage4.xray", tests, NULL, NULL);
}
