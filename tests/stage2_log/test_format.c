// test_format.c -- every byte that stage 2 writes, against worked examples.
// SPDX-License-Identifier: MIT

#include "common/rng.h"

#include "format.h"
#include "tests/support/test.h"

static log_entry set_of(const char *key, const char *value)
{
    return (log_entry){
        .kind = LOG_SET, .key = kv_str(key), .value = kv_str(value)};
}

static void expect_bytes(kv_framing framing, log_entry entry, const char *want,
                         size_t len)
{
    kv_buf got = {0};
    log_entry_encode(&got, framing, &entry);
    assert_int_equal(got.len, len);
    assert_memory_equal(got.data, want, len);
    kv_buf_free(&got);
}

static void the_examples_of_the_header_hold(void **state)
{
    (void)state;
    log_entry cat = set_of("cat", "meow");
    log_entry gone = {.kind = LOG_TOMBSTONE, .key = kv_str("cat")};
    log_entry merged = {.kind = LOG_MERGED, .last = 4, .horizon = 9};
    expect_bytes(KV_FRAMING_BINARY, cat,
                 "\x06"
                 "catmeow",
                 8);
    expect_bytes(KV_FRAMING_BINARY, gone,
                 "\x07"
                 "cat",
                 4);
    expect_bytes(KV_FRAMING_BINARY, merged, "\x00\x04\x09", 3);
    expect_bytes(KV_FRAMING_TEXT, cat, "SET cat meow", 12);
    expect_bytes(KV_FRAMING_TEXT, gone, "DEL cat", 7);
    expect_bytes(KV_FRAMING_TEXT, merged, "MERGED 4 9", 10);
    expect_bytes(KV_FRAMING_TEXT, set_of("a b", "c d\n"), "SET a\\x20b c d\\n",
                 16);
    expect_bytes(KV_FRAMING_TEXT, set_of("a", ""), "SET a ", 6);
}

static void expect_back(kv_framing framing, const log_entry *entry)
{
    kv_buf bytes = {0}, scratch = {0};
    log_entry got;
    log_entry_encode(&bytes, framing, entry);
    assert_true(bytes.len <=
                log_entry_bound(framing, entry->key, entry->value));
    assert_true(
        log_entry_decode(kv_buf_slice(&bytes), framing, &scratch, &got));
    assert_int_equal(got.kind, entry->kind);
    assert_true(kv_slice_equal(got.key, entry->key));
    assert_true(kv_slice_equal(got.value, entry->value));
    kv_buf_free(&bytes);
    kv_buf_free(&scratch);
}

static void any_bytes_come_back(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 7);
    print_message("seed 7\n");
    for (int n = 0; n < 2000; n++) {
        uint8_t key[40], value[200];
        size_t key_len = 1 + kv_rng_below(&rng, 40);
        size_t value_len = kv_rng_below(&rng, 200);
        // Few letters, so that spaces and line feeds come in rows.
        const char *letters = n % 2 ? " \n\\x" : NULL;
        for (size_t i = 0; i < 200; i++) {
            uint64_t r = kv_rng_next(&rng);
            uint8_t byte = letters ? (uint8_t)letters[r % 4] : (uint8_t)r;
            if (i < 40) key[i] = byte;
            value[i] = byte;
        }
        log_entry entry = {.kind = n % 3 ? LOG_SET : LOG_TOMBSTONE,
                           .key = kv_slice_of(key, key_len)};
        if (n % 3) entry.value = kv_slice_of(value, value_len);
        expect_back(KV_FRAMING_BINARY, &entry);
        expect_back(KV_FRAMING_TEXT, &entry);
    }
}

static void what_is_no_entry_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "SET",        "SET ",
        "SET  v",     "DEL a b",
        "DEL ",       "GET a",
        "MERGED 1",   "MERGED 1 2 3",
        "MERGED x 2", "MERGED 99999999999 1",
        "SET a\\q v", "SET a \\",
        "",
    };
    kv_buf scratch = {0};
    log_entry got;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(
            log_entry_decode(kv_str(bad[i]), KV_FRAMING_TEXT, &scratch, &got));
    }
    static const char binary[][4] = {
        {0x08, 'a', 'b', 'c'},        // a key of 4, and 3 are there
        {0x05, 'a', 'b', 'c'},        // a tombstone with a value
        {0x00, 0x01, 0x02, 0x03},     // more than a merge's note
        {(char)0x80, 0x00, 'a', 'b'}, // a number that is not the shortest
        {0x01, 'a', 'b', 'c'},        // a tombstone without a key
    };
    for (size_t i = 0; i < sizeof binary / sizeof *binary; i++) {
        assert_false(log_entry_decode(kv_slice_of(binary[i], 4),
                                      KV_FRAMING_BINARY, &scratch, &got));
    }
    kv_buf_free(&scratch);
}

static void a_span_has_one_name(void **state)
{
    (void)state;
    log_span span;
    assert_string_equal(log_name_of((log_span){1, 1, 0}, false).text,
                        "000001.seg");
    assert_string_equal(log_name_of((log_span){2, 4, 1}, true).text,
                        "000002-000004.1.seg.tmp");
    assert_int_equal(log_name_parse("000002-000004.1.seg", &span),
                     LOG_NAME_SEGMENT);
    assert_int_equal(span.first, 2);
    assert_int_equal(span.last, 4);
    assert_int_equal(span.generation, 1);
    assert_int_equal(log_name_parse("1234567.seg", &span), LOG_NAME_SEGMENT);
    assert_int_equal(log_name_parse("000001.seg.tmp", &span),
                     LOG_NAME_UNFINISHED);
    assert_int_equal(log_name_parse("index.hint", &span), LOG_NAME_HINT);
    assert_int_equal(log_name_parse("index.hint.tmp", &span),
                     LOG_NAME_HINT_TMP);
    static const char *const foreign[] = {
        "1.seg",
        "000000.seg",
        "000001.segment",
        "000004-000002.1.seg",
        "000002-000004.0.seg",
        "+00001.seg",
        " 00001.seg",
        "000001.seg.tmp2",
        "cat",
        "",
        "000002-000004.01.seg",
        "99999999999.seg",
    };
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        assert_int_equal(log_name_parse(foreign[i], &span), LOG_NAME_FOREIGN);
    }
}

static void a_hint_comes_back_and_shows_damage(void **state)
{
    (void)state;
    log_facts facts = {.span = {2, 4, 1},
                       .horizon = 9,
                       .size = 100,
                       .base = 1 << 22,
                       .entry_bytes = 80,
                       .tombstone_bytes = 7,
                       .live_bytes = 50,
                       .live_count = 3};
    log_hint_header header = {
        .store_id = 77, .segment_count = 1, .block_count = 1};
    kv_buf b = {0};
    log_hint_encode_head(&b, &header, &facts);
    assert_int_equal(b.len, LOG_HINT_HEADER_BYTES + LOG_HINT_SEGMENT_BYTES);
    log_hint_header got = {0};
    log_facts back;
    assert_true(log_hint_decode_header(kv_buf_slice(&b), &got));
    assert_int_equal(got.store_id, 77);
    assert_true(log_hint_check_head(kv_buf_slice(&b)));
    log_hint_decode_segment(b.data + LOG_HINT_HEADER_BYTES, &back);
    assert_memory_equal(&back, &facts, sizeof facts);
    for (size_t i = 12; i < b.len; i++) { // magic and format are looked at
        b.data[i] ^= 1;
        assert_false(log_hint_check_head(kv_buf_slice(&b)));
        b.data[i] ^= 1;
    }
    kv_buf_clear(&b);
    log_index_entry entry = {0x12345678, 0xabcdef012345};
    log_hint_begin_block(&b, 17);
    log_hint_add(&b, entry);
    log_hint_end_block(&b, 0);
    uint32_t table, count;
    assert_true(log_hint_decode_block(b.data, &table, &count));
    assert_int_equal(table, 17);
    assert_int_equal(count, 1);
    entry = log_hint_entry(b.data + LOG_HINT_BLOCK_BYTES);
    assert_int_equal(entry.hash, 0x12345678);
    assert_int_equal(entry.place, 0xabcdef012345);
    for (size_t i = 0; i < b.len; i++) {
        b.data[i] ^= 1;
        assert_false(log_hint_check_block(kv_buf_slice(&b)));
        b.data[i] ^= 1;
    }
    kv_buf_free(&b);
}

static void a_bound_is_less_than_an_eighth_too_long(void **state)
{
    (void)state;
    for (uint64_t size = 1; size < (uint64_t)1 << 32; size += size / 37 + 1) {
        log_place place = log_place_of(12345, size);
        uint64_t bound = log_place_bound(place);
        assert_true(bound >= size);
        assert_true(size < 8 ? bound == 8 : bound * 8 < size * 9); // P1
        assert_int_equal(log_place_address(place), 12345);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_header_hold),
        cmocka_unit_test(any_bytes_come_back),
        cmocka_unit_test(what_is_no_entry_is_refused),
        cmocka_unit_test(a_span_has_one_name),
        cmocka_unit_test(a_hint_comes_back_and_shows_damage),
        cmocka_unit_test(a_bound_is_less_than_an_eighth_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
