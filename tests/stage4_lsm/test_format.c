// test_format.c -- the bytes that format.h draws: a whole table, and each part.
// SPDX-License-Identifier: MIT

#include "common/disk_sim.h"

#include "tables.h"
#include "tests/support/test.h"

static void append_hex(kv_buf *to, const char *hex)
{
    for (; *hex != '\0'; hex++) {
        if (*hex == ' ') continue;
        unsigned byte = 0;
        assert_int_equal(sscanf(hex++, "%2x", &byte), 1);
        uint8_t b = (uint8_t)byte;
        kv_buf_append(to, kv_slice_of(&b, 1));
    }
}

static kv_buf read_table(kv_disk *disk)
{
    kv_file *f = NULL;
    kv_buf bytes = {0};
    size_t got = 0;
    kv_why why = {KV_FOR_READ, false};
    kv_buf_reserve(&bytes, 4096);
    assert_ok(kv_file_open(disk, "000007.sst",
                           (kv_open_how){.mode = KV_OPEN_READ}, why, &f));
    assert_ok(kv_file_read(f, 0, bytes.data, 4096, &got, why));
    bytes.len = got;
    assert_ok(kv_file_close(f));
    return bytes;
}

// Three entries in one block, one range tombstone, and a filter of 64 bits.
static const char *const worked_example[] = {
    // the block, at 0
    "00 03 0a  636172 76726f6f6d", // "car": (9 - 4)*2 + put; "vroom"
    "02 01 06  74     6d656f77",   // "ca" of the first, and "t"; "meow"
    "02 01 01  74",                // the same key, (4 - 4)*2 + delete
    "f4 fb fb",                    // tags
    "1700 0c00 0400",              // places: 23, 12 and 4 before the tags
    "0400000000000000 0300 10 02", // base seq, 3 entries, restarts, places
    "00 460ee60e",                 // not compressed; checksum
    // the filter, at 49: 7 probes into 64 bits
    "07 0304d008001d0062", "00 aae63f02",
    // the range tombstone, at 63: seq 5, from "d" to the end
    "05 01 64 00", "00 dc61259f",
    // the index, at 72: 49 bytes up to "cat"
    "31 03 636174", "00 91b13975",
    // the properties, at 82: 3 entries, 1 tombstone, 1 range, seq 4 to 9,
    // 9 bytes of keys, 9 of values, 44 of blocks, open: from "car" to the end
    "03 01 01 04 09 09 09 2c 01 03 636172 00", "00 60c15aa2",
    // the footer, at 101
    "771de0990a1f3c5b 0700000000000000",                  // store and number
    "3100000000000000 0e00000000000000 0900000000000000", // sizes: 49, 14, 9
    "0a00000000000000 1300000000000000",                  // 10, 19
    "0100000000000000",                                   // one block
    "0100 0000 1a7f1a7b",                                 // 1.0; checksum
    "53435441424c0d0a",                                   // SCTABL\r\n
    NULL};

static void a_whole_table(void **state)
{
    (void)state;
    lsm_entry entries[] = {{kv_str("car"), kv_str("vroom"), 9, LSM_PUT},
                           {kv_str("cat"), kv_str("meow"), 7, LSM_PUT},
                           {kv_str("cat"), kv_str(""), 4, LSM_DEL}};
    const oracle o = {.entries = entries, .count = 3};
    lsm_range_tombstone range = {kv_str("d"), {0}, 5};
    lsm_builder_config config = {.block_bytes = 60,
                                 .bits_per_key = 10,
                                 .seq_base = 4,
                                 .why = {KV_FOR_FLUSH, true}};
    kv_disk *disk = NULL;
    kv_buf want = {0};
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    table_build(disk, &o, &config, &range, 1);
    kv_buf got = read_table(disk);
    for (int i = 0; worked_example[i] != NULL; i++) {
        append_hex(&want, worked_example[i]);
    }
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.data, want.data, want.len);
    kv_buf_free(&want);
    kv_buf_free(&got);
    kv_disk_close(disk);
}

// What xray says of it, in the order of the file.
static void the_table_in_words(void **state)
{
    (void)state;
    static const char *const words[] = {
        "entry      car, seq 9 = vroom",
        "entry      cat, seq 7 = meow",
        "tombstone  cat, seq 4",
        "base seq 4, 3 entries",
        "compression none, crc good",
        "7 probes into 64 bits",
        "all from d to the end, seq 5",
        "block 0, at 0, 49 bytes: up to cat",
        ("3 entries, 1 of them tombstones, 1 ranges; seq 4 to 9; keys from car "
         "to the end, not included"),
        "table 7 of store 5b3c1f0a99e01d77, 1 blocks; good"};
    kv_buf bytes = {0};
    for (int i = 0; worked_example[i] != NULL; i++) {
        append_hex(&bytes, worked_example[i]);
    }
    kv_xray x = {.limit = UINT64_MAX};
    lsm_table_xray(kv_buf_slice(&bytes), &x);
    assert_int_equal(x.damage_count, 0);
    kv_buf_append(&x.text, kv_slice_of("", 1));
    const char *at = (const char *)x.text.data;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        at = strstr(at, words[i]);
        if (at == NULL) print_message("missing: %s\n", words[i]);
        assert_non_null(at);
    }
    kv_buf_free(&x.text);
    kv_buf_free(&bytes);
}

// ---- the parts --------------------------------------------------------------

static void separators_separate(void **state)
{
    (void)state;
    oracle o;
    kv_rng rng;
    kv_buf s = {0};
    uint64_t saved = 0;
    kv_rng_seed(&rng, 21);
    oracle_make(&o, &rng, 3000);
    for (size_t i = 0; i + 1 < o.count; i++) {
        kv_slice last = o.entries[i].key, next = o.entries[i + 1].key;
        kv_buf_set(&s, last);
        lsm_shorten_separator(&s, next);
        assert_true(s.len <= last.len);
        assert_true(kv_slice_cmp(kv_buf_slice(&s), last) >= 0);
        if (kv_slice_equal(last, next)) {
            assert_true(kv_slice_equal(kv_buf_slice(&s), last));
        } else {
            assert_true(kv_slice_cmp(kv_buf_slice(&s), next) < 0);
        }
        saved += last.len - s.len;
    }
    assert_true(saved > o.count);
    static const char *const examples[][3] = {
        {"apple", "cat", "b"}, {"apple", "banana", "aq"},
        {"ap", "apple", "ap"}, {"a9", "b", "a9"},
        {"a9x", "b", "a:"},    {"same", "same", "same"},
        {"last", "", "last"}};
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        kv_buf_set(&s, kv_str(examples[i][0]));
        lsm_shorten_separator(&s, kv_str(examples[i][1]));
        assert_slice(kv_buf_slice(&s), examples[i][2]);
    }
    kv_buf_free(&s);
    oracle_free(&o);
}

static void parts_come_back_and_prefixes_do_not(void **state)
{
    (void)state;
    lsm_range_tombstone range = {kv_str("from"), kv_str("to"), 1 << 20}, r;
    lsm_index_entry line = {4096, kv_str("key")}, l;
    lsm_properties props = {.entry_count = 300,
                            .tombstone_count = 2,
                            .seq_min = 5,
                            .seq_max = LSM_SEQ_MAX,
                            .key_bytes = 7,
                            .first_key = kv_str("a"),
                            .last_key = kv_str("b"),
                            .last_is_open = true};
    lsm_properties p;
    kv_buf bytes = {0};
    lsm_put_range(&bytes, &range);
    assert_int_equal(lsm_get_range(kv_buf_slice(&bytes), &r), bytes.len);
    assert_true(kv_slice_equal(r.from, range.from) && r.seq == range.seq);
    assert_true(kv_slice_equal(r.to, range.to));
    for (size_t i = 0; i < bytes.len; i++) {
        assert_int_equal(lsm_get_range(kv_slice_of(bytes.data, i), &r), 0);
    }
    kv_buf_clear(&bytes);
    lsm_put_index_entry(&bytes, &line);
    assert_int_equal(lsm_get_index_entry(kv_buf_slice(&bytes), &l), bytes.len);
    assert_true(kv_slice_equal(l.separator, line.separator) && l.size == 4096);
    for (size_t i = 0; i < bytes.len; i++) {
        assert_int_equal(lsm_get_index_entry(kv_slice_of(bytes.data, i), &l),
                         0);
    }
    kv_buf_clear(&bytes);
    lsm_put_properties(&bytes, &props);
    assert_int_equal(lsm_get_properties(kv_buf_slice(&bytes), &p), bytes.len);
    assert_true(p.entry_count == 300 && p.seq_max == LSM_SEQ_MAX);
    assert_true(p.last_is_open && kv_slice_equal(p.last_key, props.last_key));
    for (size_t i = 0; i < bytes.len; i++) {
        assert_int_equal(lsm_get_properties(kv_slice_of(bytes.data, i), &p), 0);
    }
    kv_buf_free(&bytes);
}

// What no builder writes, though each field by itself could be.
static void nonsense_is_refused(void **state)
{
    (void)state;
    kv_buf bytes = {0};
    lsm_range_tombstone r, backward = {kv_str("b"), kv_str("a"), 1};
    lsm_properties p, odd = {.seq_min = 2, .seq_max = 1};
    lsm_index_entry l, tiny = {LSM_SEAL_BYTES, kv_str("k")};
    lsm_put_range(&bytes, &backward);
    assert_int_equal(lsm_get_range(kv_buf_slice(&bytes), &r), 0);
    kv_buf_clear(&bytes);
    lsm_put_properties(&bytes, &odd);
    assert_int_equal(lsm_get_properties(kv_buf_slice(&bytes), &p), 0);
    kv_buf_clear(&bytes);
    lsm_put_index_entry(&bytes, &tiny);
    assert_int_equal(lsm_get_index_entry(kv_buf_slice(&bytes), &l), 0);
    kv_buf_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_table),
        cmocka_unit_test(the_table_in_words),
        cmocka_unit_test(separators_separate),
        cmocka_unit_test(parts_come_back_and_prefixes_do_not),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests_name("stage4.format", tests, NULL, NULL);
}
