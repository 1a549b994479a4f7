// test_damage.c -- a store whose files were changed behind its back: what is
// damaged is refused, with the file's name, and never passed over.
// SPDX-License-Identifier: MIT

#include "common/recordlog.h"

#include "builder.h"
#include "segment.h"
#include "sst.h"
#include "tests/support/test.h"

enum { KEYS = 9 };
static const char *const formats[] = {"binary", "text"};
static const kv_why why = {KV_FOR_META, false};

// A store of two segments and a log, closed: three keys in each; the value of
// key 1 in the older segment is stale, and that of key 2 deleted.
typedef struct shop {
    char *path;
    kv_names files;
} shop;

static void key_of(int i, char key[16]) { snprintf(key, 16, "key%d", i); }

static void put_three(kv *db, int from)
{
    for (int i = from; i < from + 3; i++) {
        char key[16];
        key_of(i, key);
        assert_ok(kv_put(db, kv_str(key), kv_str(key)));
    }
}

static shop make_shop(const char *format, uint64_t seed)
{
    shop s = {.path = test_make_dir()};
    char knobs[80];
    snprintf(knobs, sizeof knobs, "background=0,merge=never,format=%s", format);
    kv_options options = {
        .path = s.path, .knobs = knobs, .create = true, .seed = seed};
    kv *db = NULL;
    kv_disk *disk = NULL;
    assert_ok(kv_open(&sst_engine, &options, &db));
    assert_ok(kv_put(db, kv_str("key1"), kv_str("stale")));
    assert_ok(kv_put(db, kv_str("key2"), kv_str("stale")));
    assert_ok(kv_settle(db));
    put_three(db, 0);
    put_three(db, 3);
    assert_ok(kv_del(db, kv_str("key2")));
    assert_ok(kv_settle(db));
    put_three(db, 6);
    assert_ok(kv_close(db));
    assert_ok(kv_disk_open_real(s.path, false, &disk));
    assert_ok(kv_disk_list(disk, &s.files));
    kv_disk_close(disk);
    return s;
}

static void free_shop(shop *s)
{
    kv_names_free(&s->files);
    test_remove_dir(s->path);
}

// A status of the store as it is: the first failure, or KV_OK. A get that
// succeeds has to be right; `least` keys from the front have to be there.
static kv_status look(const shop *s, int least)
{
    kv_options options = {.path = s->path, .read_only = true};
    kv *db = NULL;
    kv_buf value = {0};
    kv_status first = KV_OK;
    KV_TRY(kv_open(&sst_engine, &options, &db));
    for (int i = 0; i < KEYS; i++) {
        char key[16];
        key_of(i, key);
        kv_status st = kv_get(db, kv_str(key), &value);
        if (st == KV_OK) {
            assert_int_not_equal(i, 2);
            assert_slice(kv_buf_slice(&value), key);
        } else if (st == KV_NOT_FOUND) {
            assert_true(i == 2 || i >= least);
        } else if (first == KV_OK) {
            first = st;
        }
    }
    kv_report report = {0};
    if (first == KV_OK) first = kv_check(db, &report);
    kv_report_free(&report);
    kv_buf_free(&value);
    char sentence[300];
    snprintf(sentence, sizeof sentence, "%s", kv_last_error());
    assert_ok(kv_close(db));
    return first == KV_OK ? KV_OK : kv_fail(first, "%s", sentence);
}

// The file's status after a change: accepted as it was, or refused by name.
static bool is_refused(const shop *s, const char *file, int least)
{
    kv_status st = look(s, least);
    if (st == KV_OK) return false;
    if (st != KV_CORRUPT && st != KV_UNSUPPORTED) {
        fail_msg("%s: status %d: %s", file, (int)st, kv_last_error());
    }
    if (strstr(kv_last_error(), file) == NULL) {
        fail_msg("%s is damaged, and the sentence is: %s", file,
                 kv_last_error());
    }
    return true;
}

static char *path_of(const shop *s, const char *file)
{
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", s->path, file);
    return path;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t len = strlen(name), end = strlen(ending);
    return len >= end && strcmp(name + len - end, ending) == 0;
}

// Where a log's closing record begins: what is lost with it is only the proof
// that the log is whole (R5), not an entry.
static size_t seal_from(kv_slice bytes, bool is_text)
{
    if (!is_text) return bytes.len - 9;
    size_t at = bytes.len - 1;
    while (at > 0 && bytes.data[at - 1] != '\n') at--;
    return at;
}

// One bit in each byte of a segment (test_segment.c has every bit), every bit
// of the rest.
static void flip_all(const shop *s, const char *file, bool is_text)
{
    bool is_log = ends_with(file, ".log");
    size_t step = ends_with(file, ".sst") ? 9 : 1;
    kv_buf bytes = test_read_file(path_of(s, file));
    kv_slice whole = kv_buf_slice(&bytes);
    size_t harmless = is_log ? seal_from(whole, is_text) : bytes.len;
    for (size_t bit = 0; bit < bytes.len * 8; bit += step) {
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        test_write_file(path_of(s, file), whole);
        if (!is_refused(s, file, KEYS) && bit / 8 < harmless) {
            fail_msg("%s: bit %zu flipped, and nobody noticed", file, bit);
        }
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    test_write_file(path_of(s, file), whole);
    kv_buf_free(&bytes);
}

static void cut_all(const shop *s, const char *file)
{
    bool is_log = ends_with(file, ".log");
    kv_buf bytes = test_read_file(path_of(s, file));
    for (size_t len = 0; len < bytes.len; len++) {
        test_write_file(path_of(s, file), kv_slice_of(bytes.data, len));
        // Of a log cut short the entries that are left count: who knows that
        // there were more is the mark of a later record, and that is gone.
        if (!is_refused(s, file, is_log ? 6 : KEYS) && !is_log) {
            fail_msg("%s: cut at %zu, and nobody noticed", file, len);
        }
    }
    test_write_file(path_of(s, file), kv_buf_slice(&bytes));
    kv_buf_free(&bytes);
}

static bool is_of_stage(const char *name)
{
    return ends_with(name, ".sst") || ends_with(name, ".log") ||
           strcmp(name, "CATALOG") == 0;
}

static void damage_is_refused_by_name(void **state)
{
    (void)state;
    for (int f = 0; f < 2; f++) {
        shop s = make_shop(formats[f], 1);
        size_t files = 0;
        assert_ok(look(&s, KEYS));
        for (size_t i = 0; i < s.files.count; i++) {
            if (!is_of_stage(s.files.name[i])) continue;
            files++;
            flip_all(&s, s.files.name[i], f == 1);
            cut_all(&s, s.files.name[i]);
        }
        assert_int_equal(files, 4);
        assert_ok(look(&s, KEYS));
        free_shop(&s);
    }
}

static void a_missing_file_is_refused_by_name(void **state)
{
    (void)state;
    for (int f = 0; f < 2; f++) {
        shop s = make_shop(formats[f], 1);
        for (size_t i = 0; i < s.files.count; i++) {
            const char *file = s.files.name[i];
            if (!is_of_stage(file)) continue;
            kv_buf bytes = test_read_file(path_of(&s, file));
            assert_int_equal(remove(path_of(&s, file)), 0);
            assert_true(is_refused(&s, file, KEYS));
            test_write_file(path_of(&s, file), kv_buf_slice(&bytes));
            kv_buf_free(&bytes);
        }
        free_shop(&s);
    }
}

// The n-th segment of the shop, from 0.
static const char *segment_of(const shop *s, int n)
{
    for (size_t i = 0; i < s->files.count; i++) {
        if (ends_with(s->files.name[i], ".sst") && n-- == 0) {
            return s->files.name[i];
        }
    }
    fail_msg("the shop has too few segments");
    return NULL;
}

// Whole, with good checksums, and not what the catalog means: the same segment
// of another store, and another segment of this one.
static void a_foreign_segment_is_refused(void **state)
{
    (void)state;
    shop s = make_shop("binary", 1), other = make_shop("binary", 2);
    const char *file = segment_of(&s, 0);
    kv_buf own = test_read_file(path_of(&s, file));
    kv_buf foreign = test_read_file(path_of(&other, file));
    kv_buf second = test_read_file(path_of(&s, segment_of(&s, 1)));
    test_write_file(path_of(&s, file), kv_buf_slice(&foreign));
    assert_true(is_refused(&s, file, KEYS));
    assert_non_null(strstr(kv_last_error(), "another store"));
    test_write_file(path_of(&s, file), kv_buf_slice(&second));
    assert_true(is_refused(&s, file, KEYS));
    assert_non_null(strstr(kv_last_error(), "renamed"));
    test_write_file(path_of(&s, file), kv_buf_slice(&own));
    assert_ok(look(&s, KEYS));
    kv_buf_free(&own);
    kv_buf_free(&foreign);
    kv_buf_free(&second);
    free_shop(&s);
    free_shop(&other);
}

// Of this store and of this number, whole, and not the one the catalog saw.
static void another_segment_of_the_same_name_is_refused(void **state)
{
    (void)state;
    shop s = make_shop("binary", 1);
    const char *file = segment_of(&s, 0);
    kv_buf own = test_read_file(path_of(&s, file));
    kv_disk *disk = NULL;
    sst_segment_id id;
    sst_builder b = {0};
    assert_true(sst_codec_binary.get_header(kv_buf_slice(&own), &id) > 0);
    assert_ok(kv_disk_open_real(s.path, false, &disk));
    assert_ok(kv_disk_remove(disk, file, why));
    assert_ok(sst_builder_open(&b, disk, &id, &sst_codec_binary, 4096, why));
    assert_ok(sst_builder_add(&b, &(sst_entry){.key = kv_str("key1")}));
    assert_ok(sst_builder_finish(&b));
    sst_builder_close(&b);
    kv_disk_close(disk);
    assert_true(is_refused(&s, file, KEYS));
    assert_non_null(strstr(kv_last_error(), "the catalog says"));
    kv_buf_free(&own);
    free_shop(&s);
}

// ---- lines that do not parse ------------------------------------------------

static void put_nonsense(kv_buf *to, const sst_entry *entry)
{
    if (!kv_slice_equal(entry->key, kv_str("k2"))) {
        sst_codec_text.put_entry(to, entry);
        return;
    }
    kv_buf_append(to, kv_str("k2 has no arrow\n"));
}

// Its checksum is right: only the line is wrong.
static void a_line_that_does_not_parse_is_refused(void **state)
{
    (void)state;
    char *path = test_make_dir();
    kv_disk *disk = NULL;
    sst_segment_id id = {77, 5};
    sst_codec codec = sst_codec_text;
    codec.put_entry = put_nonsense;
    sst_builder b = {0};
    assert_ok(kv_disk_open_real(path, false, &disk));
    assert_ok(sst_builder_open(&b, disk, &id, &codec, 4096, why));
    uint64_t bad = 0;
    for (int i = 1; i < 4; i++) {
        char key[4];
        snprintf(key, sizeof key, "k%d", i);
        if (i == 2) bad = sst_builder_bytes(&b);
        assert_ok(sst_builder_add(&b, &(sst_entry){.key = kv_str(key)}));
    }
    assert_ok(sst_builder_finish(&b));
    sst_builder_close(&b);
    sst_segment *s = NULL;
    assert_ok(sst_segment_open(disk, &id, false, why, &s));
    kv_buf value = {0};
    kv_explainer nobody = {0};
    bool is_tombstone;
    char where[40];
    snprintf(where, sizeof where, "offset %llu", (unsigned long long)bad);
    assert_ok(sst_segment_get(s, kv_str("k1"), &nobody, &value, &is_tombstone));
    assert_status(
        sst_segment_get(s, kv_str("k3"), &nobody, &value, &is_tombstone),
        KV_CORRUPT);
    assert_non_null(strstr(kv_last_error(), "000005.sst"));
    assert_non_null(strstr(kv_last_error(), where));
    assert_status(sst_segment_check(s), KV_CORRUPT);
    assert_non_null(strstr(kv_last_error(), where));
    kv_buf_free(&value);
    sst_segment_unref(s);
    kv_disk_close(disk);
    test_remove_dir(path);
}

// The store's newest log, made anew with one record that is no entry.
static void a_log_record_that_is_no_entry_is_refused(void **state)
{
    (void)state;
    for (int f = 0; f < 2; f++) {
        shop s = make_shop(formats[f], 1);
        kv_disk *disk = NULL;
        kv_file *file = NULL;
        kv_recordlog_id id;
        kv_recordlog log = {0};
        const char *name = NULL;
        for (size_t i = 0; i < s.files.count; i++) {
            if (ends_with(s.files.name[i], ".log")) name = s.files.name[i];
        }
        assert_ok(kv_disk_open_real(s.path, false, &disk));
        assert_ok(kv_file_open(disk, name, (kv_open_how){.mode = KV_OPEN_READ},
                               why, &file));
        assert_ok(kv_recordlog_read_id(file, why, &id));
        assert_ok(kv_file_close(file));
        assert_ok(kv_disk_remove(disk, name, why));
        assert_ok(kv_recordlog_create(&log, disk, name, &id, 0, why));
        char where[40];
        snprintf(where, sizeof where, "offset %llu",
                 (unsigned long long)kv_recordlog_add(&log, kv_str("no arrow"),
                                                      false));
        assert_ok(kv_recordlog_flush(&log, why));
        assert_ok(kv_recordlog_seal(&log, why));
        assert_ok(kv_recordlog_close(&log));
        kv_disk_close(disk);
        assert_true(is_refused(&s, name, KEYS));
        assert_non_null(strstr(kv_last_error(), where));
        free_shop(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_refused_by_name),
        cmocka_unit_test(a_missing_file_is_refused_by_name),
        cmocka_unit_test(a_foreign_segment_is_refused),
        cmocka_unit_test(another_segment_of_the_same_name_is_refused),
        cmocka_unit_test(a_line_that_does_not_parse_is_refused),
        cmocka_unit_test(a_log_record_that_is_no_entry_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
