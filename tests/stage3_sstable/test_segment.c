// test_segment.c -- one segment: what was built is what is found, and every
// damaged byte is noticed.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "builder.h"
#include "segment.h"
#include "tests/support/test.h"

static const sst_codec *const codecs[] = {&sst_codec_binary, &sst_codec_text};
static const sst_segment_id id = {77, 5};
static const kv_why why = {KV_FOR_FLUSH, false};
static const kv_explainer nobody;

enum { ENTRIES = 300 };

// Even numbers are there; every tenth entry is a tombstone.
static void key_of(int i, char key[16])
{
    snprintf(key, 16, "key-%04d", 2 * i);
}

static void build(kv_disk *disk, const sst_codec *codec, int entries,
                  uint64_t index_bytes)
{
    sst_builder b = {0};
    assert_ok(sst_builder_open(&b, disk, &id, codec, index_bytes, why));
    for (int i = 0; i < entries; i++) {
        char key[16], value[32];
        key_of(i, key);
        snprintf(value, sizeof value, "value of %d", i);
        sst_entry entry = {.key = kv_str(key),
                           .value = kv_str(i % 10 == 9 ? "" : value),
                           .is_tombstone = i % 10 == 9};
        assert_ok(sst_builder_add(&b, &entry));
    }
    assert_ok(sst_builder_finish(&b));
    sst_builder_close(&b);
}

// The examples that format.h draws, to the byte.
static void the_worked_examples(void **state)
{
    (void)state;
    static const char binary[] =
        "SCSEGM\r\n\1\0\0\0\0\0\0\0\x77\x1d\xe0\x99\x0a\x1f\x3c\x5b"
        "\7\0\0\0\0\0\0\0\x1c\xb6\xd5\xa7\3\x08"
        "catmeow\3\1dog\xaa\x9f\0\x64\x12\3cat\3dog\x70\xf7\xe9\x34"
        "\x36\0\0\0\0\0\0\0\x0d\0\0\0\0\0\0\0"
        "\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\x80\x6c\x38\x8d"
        "SCSEND\r\n";
    static const char text[] =
        "# stagecoach segment 1.0 store 5b3c1f0a99e01d77 number 7 ~8555c09f\n"
        "cat→meow\n"
        "dog→†\n"
        "#~818d3723\n"
        "#index 32 cat\n"
        "#last dog\n"
        "#~3e40a2f4\n"
        "#end index 00000000000000000099 size 00000000000000000035 "
        "entries 00000000000000000002 tombstones 00000000000000000001 "
        "~833ae645\n";
    const kv_slice want[] = {kv_slice_of(binary, sizeof binary - 1),
                             kv_str(text)};
    for (int c = 0; c < 2; c++) {
        sst_segment_id seven = {0x5b3c1f0a99e01d77, 7};
        char *path = test_make_dir(), file[400];
        kv_disk *disk = NULL;
        sst_builder b = {0};
        assert_ok(kv_disk_open_real(path, false, &disk));
        assert_ok(sst_builder_open(&b, disk, &seven, codecs[c], 4096, why));
        sst_entry cat = {.key = kv_str("cat"), .value = kv_str("meow")};
        sst_entry dog = {.key = kv_str("dog"), .is_tombstone = true};
        assert_ok(sst_builder_add(&b, &cat));
        assert_ok(sst_builder_add(&b, &dog));
        assert_ok(sst_builder_finish(&b));
        sst_builder_close(&b);
        snprintf(file, sizeof file, "%s/000007.sst", path);
        kv_buf bytes = test_read_file(file);
        assert_int_equal(bytes.len, want[c].len);
        assert_memory_equal(bytes.data, want[c].data, want[c].len);
        kv_buf_free(&bytes);
        kv_disk_close(disk);
        test_remove_dir(path);
    }
}

static void finds_what_was_built(void **state)
{
    (void)state;
    for (int c = 0; c < 4; c++) {
        char *path = test_make_dir();
        kv_disk *disk = NULL;
        sst_segment *s = NULL;
        kv_buf value = {0};
        bool is_tombstone;
        assert_ok(kv_disk_open_real(path, false, &disk));
        build(disk, codecs[c % 2], ENTRIES, 256);
        assert_ok(sst_segment_open(disk, &id, c / 2 == 1, why, &s));
        assert_int_equal(s->footer.entry_count, ENTRIES);
        assert_int_equal(s->footer.tombstone_count, ENTRIES / 10);
        assert_true(s->interval_count > 10);
        assert_ok(sst_segment_check(s));
        for (int i = 0; i < ENTRIES; i++) {
            char key[16], want[32];
            key_of(i, key);
            snprintf(want, sizeof want, "value of %d", i);
            assert_true(sst_segment_may_hold(s, kv_str(key)));
            assert_ok(sst_segment_get(s, kv_str(key), &nobody, &value,
                                      &is_tombstone));
            assert_int_equal(is_tombstone, i % 10 == 9);
            if (!is_tombstone) assert_slice(kv_buf_slice(&value), want);
            snprintf(key, sizeof key, "key-%04d", 2 * i + 1); // a gap
            if (i == ENTRIES - 1) {
                assert_false(sst_segment_may_hold(s, kv_str(key)));
            } else {
                assert_status(sst_segment_get(s, kv_str(key), &nobody, &value,
                                              &is_tombstone),
                              KV_NOT_FOUND);
            }
        }
        assert_false(sst_segment_may_hold(s, kv_str("a")));
        kv_buf_free(&value);
        sst_segment_unref(s);
        kv_disk_close(disk);
        test_remove_dir(path);
    }
}

// The first and last entry, and how many there are, from `from` to `to`.
static int walk(sst_segment *s, const char *from, const char *to, bool reverse,
                char first[16])
{
    sst_source *source =
        sst_segment_scan(s, kv_str(from), kv_str(to), reverse, why);
    int count = 0;
    first[0] = '\0';
    for (;;) {
        assert_ok(source->next(source));
        if (!source->has_entry) break;
        if (count++ == 0) {
            memcpy(first, source->entry.key.data, source->entry.key.len);
            first[source->entry.key.len] = '\0';
        }
    }
    source->free(source);
    return count;
}

static void scans_begin_at_their_bound(void **state)
{
    (void)state;
    for (size_t c = 0; c < 2; c++) {
        char *path = test_make_dir(), first[16];
        kv_disk *disk = NULL;
        sst_segment *s = NULL;
        assert_ok(kv_disk_open_real(path, false, &disk));
        build(disk, codecs[c], ENTRIES, 256);
        assert_ok(sst_segment_open(disk, &id, false, why, &s));
        for (int n = 0; n <= 2 * ENTRIES; n++) {
            char bound[16];
            snprintf(bound, sizeof bound, "key-%04d", n);
            int below = n > 2 * ENTRIES - 2 ? ENTRIES : (n + 1) / 2;
            assert_int_equal(walk(s, bound, "", false, first), ENTRIES - below);
            if (below < ENTRIES) {
                char want[16];
                key_of(below, want);
                assert_string_equal(first, want);
            }
            assert_int_equal(walk(s, "", bound, true, first), below);
            if (below > 0) {
                char want[16];
                key_of(below - 1, want);
                assert_string_equal(first, want);
            }
        }
        assert_int_equal(walk(s, "", "", false, first), ENTRIES);
        assert_int_equal(walk(s, "", "", true, first), ENTRIES);
        sst_segment_unref(s);
        kv_disk_close(disk);
        test_remove_dir(path);
    }
}

// True if the file opens and everything in it passes.
static bool is_accepted(kv_disk *disk)
{
    sst_segment *s = NULL;
    kv_status st = sst_segment_open(disk, &id, false, why, &s);
    if (st == KV_OK) st = sst_segment_check(s);
    sst_segment_unref(s);
    if (st != KV_OK) assert_int_equal(st, KV_CORRUPT);
    return st == KV_OK;
}

static void every_bit_and_every_cut_is_noticed(void **state)
{
    (void)state;
    for (size_t c = 0; c < 2; c++) {
        char *path = test_make_dir();
        kv_disk *disk = NULL;
        kv_buf file = {0};
        assert_ok(kv_disk_open_real(path, false, &disk));
        build(disk, codecs[c], 30, 200);
        kv_buf_printf(&file, "%s/%s%c", path, sst_segment_name(5).text, '\0');
        kv_buf bytes = test_read_file((const char *)file.data);
        assert_true(is_accepted(disk));
        for (size_t bit = 0; bit < bytes.len * 8; bit++) {
            bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            test_write_file((const char *)file.data, kv_buf_slice(&bytes));
            if (is_accepted(disk)) fail_msg("bit %zu flipped unnoticed", bit);
            bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t len = 0; len < bytes.len; len++) {
            test_write_file((const char *)file.data,
                            kv_slice_of(bytes.data, len));
            if (is_accepted(disk)) fail_msg("cut at %zu unnoticed", len);
        }
        kv_buf_free(&bytes);
        kv_buf_free(&file);
        kv_disk_close(disk);
        test_remove_dir(path);
    }
}

// C13: index bytes fall as 1/index_bytes.
static void the_index_is_sparse(void **state)
{
    (void)state;
    enum { ENTRY = 2 + 9 + 8, COUNT = 100000 };
    char *path = test_make_dir();
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_real(path, false, &disk));
    double first = 0;
    for (uint64_t bytes = 512; bytes <= 64 << 10; bytes *= 2) {
        sst_segment_id each = {77, bytes};
        sst_segment *s = NULL;
        sst_builder b = {0};
        assert_ok(
            sst_builder_open(&b, disk, &each, &sst_codec_binary, bytes, why));
        for (int i = 0; i < COUNT; i++) {
            char key[16];
            snprintf(key, sizeof key, "%09d", i);
            assert_ok(sst_builder_add(
                &b, &(sst_entry){kv_str(key), kv_str("12345678"), false}));
        }
        assert_ok(sst_builder_finish(&b));
        sst_builder_close(&b);
        assert_ok(sst_segment_open(disk, &each, false, why, &s));
        double index = (double)sst_segment_index_bytes(s);
        print_message("index_bytes %6llu: %7.0f bytes of index\n",
                      (unsigned long long)bytes, index);
        if (first == 0) first = index * (double)bytes;
        assert_true(fabs(index * (double)bytes / first - 1) < 0.05);
        sst_segment_unref(s);
    }
    kv_disk_close(disk);
    test_remove_dir(path);
}

static void the_wrong_file_is_refused(void **state)
{
    (void)state;
    char *path = test_make_dir();
    kv_disk *disk = NULL;
    sst_segment *s = NULL;
    sst_segment_id absent = {77, 6}, stranger = {78, 5};
    assert_ok(kv_disk_open_real(path, false, &disk));
    build(disk, &sst_codec_binary, 10, 4096);
    assert_status(sst_segment_open(disk, &absent, false, why, &s), KV_CORRUPT);
    assert_non_null(strstr(kv_last_error(), "000006.sst"));
    assert_status(sst_segment_open(disk, &stranger, false, why, &s),
                  KV_CORRUPT);
    kv_disk_close(disk);
    test_remove_dir(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_examples),
        cmocka_unit_test(finds_what_was_built),
        cmocka_unit_test(scans_begin_at_their_bound),
        cmocka_unit_test(every_bit_and_every_cut_is_noticed),
        cmocka_unit_test(the_index_is_sparse),
        cmocka_unit_test(the_wrong_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
