// test_format.c -- the bytes that format.h draws, in both formats.
// SPDX-License-Identifier: MIT

#include "format.h"
#include "tests/support/test.h"

static const sst_codec *const codecs[] = {&sst_codec_binary, &sst_codec_text};

static sst_entry put(const char *key, const char *value)
{
    return (sst_entry){.key = kv_str(key), .value = kv_str(value)};
}

static void worked_examples(void **state)
{
    (void)state;
    kv_buf bytes = {0};
    sst_entry cat = put("cat", "meow");
    sst_entry dog = {.key = kv_str("#dog"), .is_tombstone = true};
    sst_codec_binary.put_entry(&bytes, &cat);
    assert_slice(kv_buf_slice(&bytes), "\x03\x08"
                                       "catmeow");
    kv_buf_clear(&bytes);
    sst_codec_binary.put_entry(&bytes, &dog);
    assert_slice(kv_buf_slice(&bytes), "\x04\x01#dog");
    kv_buf_clear(&bytes);
    sst_codec_text.put_entry(&bytes, &cat);
    sst_codec_text.put_entry(&bytes, &dog);
    assert_slice(kv_buf_slice(&bytes), "cat→meow\n\\x23dog→†\n");
    kv_buf_free(&bytes);
}

// Entries that a format could trip over.
static size_t odd_entries(sst_entry *out)
{
    static uint8_t all[256];
    for (int i = 0; i < 256; i++) all[i] = (uint8_t)i;
    sst_entry entries[] = {
        put("k", ""),
        put("#", "#"),
        put("→", "†"),
        put("a b  ~", "c\nd"),
        {.key = kv_slice_of(all, 256), .value = kv_slice_of(all, 256)},
        {.key = kv_slice_of("\0", 1), .is_tombstone = true},
    };
    memcpy(out, entries, sizeof entries);
    return sizeof entries / sizeof entries[0];
}

static void entries_come_back_and_prefixes_do_not(void **state)
{
    (void)state;
    sst_entry entries[8], back;
    size_t count = odd_entries(entries);
    for (size_t c = 0; c < 2; c++) {
        for (size_t i = 0; i < count; i++) {
            kv_buf bytes = {0}, room = {0};
            codecs[c]->put_entry(&bytes, &entries[i]);
            kv_buf_reserve(&room, bytes.len);
            assert_int_equal(
                codecs[c]->get_entry(kv_buf_slice(&bytes), &room, &back),
                bytes.len);
            assert_true(kv_slice_equal(back.key, entries[i].key));
            assert_true(kv_slice_equal(back.value, entries[i].value));
            assert_int_equal(back.is_tombstone, entries[i].is_tombstone);
            for (size_t len = 0; len < bytes.len; len++) {
                kv_buf_clear(&room);
                kv_slice prefix = kv_slice_of(bytes.data, len);
                assert_int_equal(codecs[c]->get_entry(prefix, &room, &back), 0);
            }
            kv_buf_free(&bytes);
            kv_buf_free(&room);
        }
    }
}

static void headers_and_footers_know_every_bit(void **state)
{
    (void)state;
    sst_segment_id id = {0x5b3c1f0a99e01d77, 7}, id_back;
    sst_footer footer = {100, 20, 3, 1}, footer_back;
    for (size_t c = 0; c < 2; c++) {
        kv_buf header = {0}, end = {0};
        codecs[c]->put_header(&header, &id);
        codecs[c]->put_footer(&end, &footer, 99);
        assert_int_equal(end.len, codecs[c]->footer_bytes);
        assert_true(end.len <= SST_FOOTER_MAX && header.len <= SST_HEADER_MAX);
        assert_int_equal(codecs[c]->get_header(kv_buf_slice(&header), &id_back),
                         header.len);
        assert_memory_equal(&id_back, &id, sizeof id);
        assert_int_equal(
            codecs[c]->get_footer(kv_buf_slice(&end), &footer_back, 99),
            end.len);
        assert_memory_equal(&footer_back, &footer, sizeof footer);
        assert_int_equal(
            codecs[c]->get_footer(kv_buf_slice(&end), &footer_back, 98), 0);
        for (size_t bit = 0; bit < header.len * 8; bit++) {
            header.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(
                codecs[c]->get_header(kv_buf_slice(&header), &id_back), 0);
            header.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t bit = 0; bit < end.len * 8; bit++) {
            end.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(
                codecs[c]->get_footer(kv_buf_slice(&end), &footer_back, 99), 0);
            end.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        kv_buf_free(&header);
        kv_buf_free(&end);
    }
}

static void checks_belong_to_their_place(void **state)
{
    (void)state;
    sst_segment_id id = {1, 2}, other = {1, 3};
    for (size_t c = 0; c < 2; c++) {
        kv_buf part = {0};
        kv_slice body;
        kv_buf_append(&part, kv_str("some bytes"));
        sst_put_check(codecs[c], &part, 0, &id, 1000);
        assert_true(
            sst_get_check(codecs[c], kv_buf_slice(&part), &id, 1000, &body));
        assert_slice(body, "some bytes");
        assert_false(
            sst_get_check(codecs[c], kv_buf_slice(&part), &id, 1001, &body));
        assert_false(
            sst_get_check(codecs[c], kv_buf_slice(&part), &other, 1000, &body));
        kv_buf_free(&part);
    }
}

static void index_lines_come_back(void **state)
{
    (void)state;
    for (size_t c = 0; c < 2; c++) {
        kv_buf bytes = {0}, room = {0};
        sst_index_entry line = {4109, kv_str("#a\n")}, back;
        kv_slice key;
        codecs[c]->put_index_entry(&bytes, &line);
        kv_buf_reserve(&room, 100);
        assert_int_equal(
            codecs[c]->get_index_entry(kv_buf_slice(&bytes), &room, &back),
            bytes.len);
        assert_int_equal(back.size, 4109);
        assert_slice(back.first_key, "#a\n");
        kv_buf_clear(&bytes);
        codecs[c]->put_last_key(&bytes, kv_str("#z"));
        assert_int_equal(
            codecs[c]->get_last_key(kv_buf_slice(&bytes), &room, &key),
            bytes.len);
        assert_slice(key, "#z");
        kv_buf_free(&bytes);
        kv_buf_free(&room);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_examples),
        cmocka_unit_test(entries_come_back_and_prefixes_do_not),
        cmocka_unit_test(headers_and_footers_know_every_bit),
        cmocka_unit_test(checks_belong_to_their_place),
        cmocka_unit_test(index_lines_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
