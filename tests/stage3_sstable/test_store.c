// test_store.c -- the stage as a whole: merging, amplification, recovery.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "common/rng.h"

#include "sst.h"
#include "tests/support/test.h"

typedef struct bench {
    char *path;
    kv *db;
} bench;

static bench open_store(const char *knobs)
{
    bench b = {.path = test_make_dir()};
    kv_options options = {.path = b.path,
                          .knobs = knobs,
                          .sync = KV_SYNC_NONE,
                          .create = true,
                          .seed = 1};
    assert_ok(kv_open(&sst_engine, &options, &b.db));
    return b;
}

static void reopen(bench *b, const char *knobs)
{
    kv_options options = {.path = b->path, .knobs = knobs};
    assert_ok(kv_close(b->db));
    assert_ok(kv_open(&sst_engine, &options, &b->db));
}

static void close_store(bench *b)
{
    assert_ok(kv_close(b->db));
    test_remove_dir(b->path);
}

static void put_number(kv *db, uint64_t n, size_t value_bytes)
{
    char key[32], value[128];
    snprintf(key, sizeof key, "%016llx", (unsigned long long)kv_mix64(n));
    memset(value, 'v', sizeof value);
    assert_ok(kv_put(db, kv_str(key), kv_slice_of(value, value_bytes)));
}

static uint64_t written(kv *db, kv_reason reason)
{
    kv_stats stats;
    kv_stats_read(db, &stats);
    return stats.disk[reason].write_bytes;
}

// Random inserts until n memtables were flushed; what each flushed byte cost.
static double amplification_of(const char *knobs, uint64_t memtables)
{
    bench b = open_store(knobs);
    kv_stats stats;
    uint64_t n = 0, flushes = 0, before = 0;
    // A flush shows as bytes for it: background=0 does it inside the put.
    while (flushes < memtables) {
        put_number(b.db, n++, 100);
        uint64_t now =
            written(b.db, KV_FOR_FLUSH) + written(b.db, KV_FOR_COMPACT);
        flushes += now != before;
        before = now;
    }
    kv_stats_read(b.db, &stats);
    uint64_t wal = stats.disk[KV_FOR_WAL].write_bytes;
    uint64_t merged = stats.disk[KV_FOR_COMPACT].write_bytes;
    uint64_t flushed = stats.disk[KV_FOR_FLUSH].write_bytes;
    // Bytes of one kind against the user's, each record's frame left out: the
    // formulas count records.
    double frame = 2.0, index = 1.0 + 20.0 / 4096;
    double record = (116 + frame) * index;
    double wal_record = 116 + 2 + 10;
    double result = (double)wal / (wal_record * (double)n) +
                    (double)(merged + flushed) / (record * (double)n);
    close_store(&b);
    return result;
}

// C15, the figures of science.md 2.3: rewriting all at each flush costs
// 1 + (n + 1) / 2, every K of them 2 + (n / K + 1) / 2.
static void merging_costs_what_the_formulas_say(void **state)
{
    (void)state;
    double all =
        amplification_of("merge=all,background=0,memtable_bytes=64KiB", 40);
    double want_all = 1 + (40 + 1) / 2.0;
    print_message("merge=all, 40 flushes: %.2f, formula %.2f\n", all, want_all);
    assert_true(fabs(all / want_all - 1) < 0.03);
    for (unsigned k = 2; k <= 8; k *= 2) {
        char knobs[80];
        snprintf(knobs, sizeof knobs,
                 "merge=every,every=%u,background=0,memtable_bytes=64KiB", k);
        double every = amplification_of(knobs, 40);
        double want_every = 2 + (40.0 / k + 1) / 2.0;
        print_message("every=%u, 40 flushes: %.2f, formula %.2f\n", k, every,
                      want_every);
        assert_true(fabs(every / want_every - 1) < 0.03);
    }
}

// Reads that looking for 3000 keys cost; as many others, one letter away.
static uint64_t reads_of(kv *db, bool is_there)
{
    kv_stats before, after;
    kv_buf value = {0};
    kv_stats_read(db, &before);
    for (uint64_t n = 0; n < 3000; n++) {
        char key[32];
        snprintf(key, sizeof key, "%016llx", (unsigned long long)kv_mix64(n));
        if (!is_there) key[15]++;
        assert_status(kv_get(db, kv_str(key), &value),
                      is_there ? KV_OK : KV_NOT_FOUND);
    }
    kv_stats_read(db, &after);
    kv_buf_free(&value);
    return after.disk[KV_FOR_READ].reads - before.disk[KV_FOR_READ].reads;
}

// C13: in a store of one segment a found key costs exactly one read, and one
// that is not there at most one, whatever the length of an interval.
static void a_found_key_costs_one_read(void **state)
{
    (void)state;
    static const char *const knobs[] = {
        "background=0,merge=all,memtable_bytes=64KiB,index_bytes=512",
        "background=0,merge=all,memtable_bytes=64KiB",
        "background=0,merge=all,memtable_bytes=64KiB,format=text,read=map"};
    for (int k = 0; k < 3; k++) {
        bench b = open_store(knobs[k]);
        for (uint64_t n = 0; n < 3000; n++) put_number(b.db, n, 100);
        assert_ok(kv_settle(b.db));
        assert_int_equal(reads_of(b.db, true), 3000);
        assert_true(reads_of(b.db, false) <= 3000);
        close_store(&b);
    }
}

// C18, without a filter: a key that is not there costs a read in each segment
// whose range holds it.
static void an_absent_key_costs_a_read_a_segment(void **state)
{
    (void)state;
    bench b = open_store("background=0,merge=never");
    for (uint64_t n = 0; n < 3000; n++) {
        put_number(b.db, n, 10);
        if (n % 500 == 499) assert_ok(kv_settle(b.db));
    }
    uint64_t reads = reads_of(b.db, false);
    print_message("%.2f reads in 6 segments\n", (double)reads / 3000);
    assert_in_range(reads, 3000 * 6 * 99 / 100, 3000 * 6);
    close_store(&b);
}

static uint64_t bytes_of(const bench *b, const char *ending)
{
    kv_disk *disk = NULL;
    kv_names names = {0};
    uint64_t sum = 0;
    assert_ok(kv_disk_open_real(b->path, false, &disk));
    assert_ok(kv_disk_list(disk, &names));
    for (size_t i = 0; i < names.count; i++) {
        const char *dot = strchr(names.name[i], '.');
        if (dot == NULL || strcmp(dot, ending) != 0) continue;
        kv_file *file = NULL;
        uint64_t size = 0;
        assert_ok(kv_file_open(disk, names.name[i],
                               (kv_open_how){.mode = KV_OPEN_READ},
                               kv_for(KV_FOR_READ), &file));
        assert_ok(kv_file_size(file, &size));
        kv_file_close(file);
        sum += size;
    }
    kv_names_free(&names);
    kv_disk_close(disk);
    return sum;
}

// C16: the log is dropped with the flush that makes it superfluous.
static void logs_are_no_longer_than_memtables(void **state)
{
    (void)state;
    bench b = open_store("background=0,memtable_bytes=16KiB,every=2");
    uint64_t most = 0;
    for (uint64_t n = 0; n < 1000; n++) {
        put_number(b.db, n, 100);
        uint64_t now = bytes_of(&b, ".log");
        if (now > most) most = now;
    }
    print_message("at most %llu bytes of logs\n", (unsigned long long)most);
    assert_in_range(most, 8 << 10, 16 << 10);
    close_store(&b);
}

// C17: a deletion takes room first, and gives it when it is merged down.
static void deleting_takes_room_before_it_gives_any(void **state)
{
    (void)state;
    bench b = open_store("background=0,merge=never");
    kv_buf value = {0};
    for (uint64_t n = 0; n < 2000; n++) put_number(b.db, n, 100);
    assert_ok(kv_settle(b.db));
    uint64_t before = bytes_of(&b, ".sst");
    for (uint64_t n = 0; n < 1000; n++) {
        char key[32];
        snprintf(key, sizeof key, "%016llx", (unsigned long long)kv_mix64(n));
        assert_ok(kv_del(b.db, kv_str(key)));
    }
    assert_ok(kv_settle(b.db));
    assert_true(bytes_of(&b, ".sst") > before);
    reopen(&b, "background=0,merge=all");
    assert_ok(kv_settle(b.db));
    assert_true((double)bytes_of(&b, ".sst") < 1.2 * 1000 * 116);
    for (uint64_t n = 0; n < 2000; n++) {
        char key[32];
        snprintf(key, sizeof key, "%016llx", (unsigned long long)kv_mix64(n));
        assert_status(kv_get(b.db, kv_str(key), &value),
                      n < 1000 ? KV_NOT_FOUND : KV_OK);
    }
    kv_buf_free(&value);
    close_store(&b);
}

// W4: a tombstone hides what older segments hold, until all are merged.
static void the_dead_stay_dead(void **state)
{
    (void)state;
    bench b = open_store("background=0,memtable_bytes=1KiB,merge=never");
    kv_buf value = {0};
    for (uint64_t n = 0; n < 50; n++) put_number(b.db, n, 100);
    assert_ok(kv_put(b.db, kv_str("cat"), kv_str("meow")));
    for (uint64_t n = 50; n < 100; n++) put_number(b.db, n, 100);
    assert_ok(kv_del(b.db, kv_str("cat")));
    for (uint64_t n = 100; n < 150; n++) put_number(b.db, n, 100);
    assert_ok(kv_settle(b.db));
    assert_status(kv_get(b.db, kv_str("cat"), &value), KV_NOT_FOUND);
    reopen(&b, "background=0,every=2");
    assert_ok(kv_settle(b.db));
    assert_status(kv_get(b.db, kv_str("cat"), &value), KV_NOT_FOUND);
    kv_report report = {0};
    kv_buf text = {0};
    assert_ok(kv_inspect(b.db, "live", &report));
    kv_report_draw_text(&report, &text);
    kv_buf_append(&text, kv_slice_of("", 1));
    // One segment, and no tombstone in it.
    assert_non_null(strstr((char *)text.data, "| 150 entries, 100 % live\n"));
    assert_non_null(strstr((char *)text.data, "live keys                150"));
    kv_buf_free(&text);
    kv_report_free(&report);
    kv_buf_free(&value);
    close_store(&b);
}

static void a_store_keeps_its_format(void **state)
{
    (void)state;
    bench b = open_store("format=text,background=0,memtable_bytes=1KiB");
    kv_buf path = {0};
    for (uint64_t n = 0; n < 30; n++) put_number(b.db, n, 10);
    assert_ok(kv_put(b.db, kv_str("cat"), kv_str("meow")));
    assert_ok(kv_del(b.db, kv_str("dog")));
    assert_ok(kv_settle(b.db));
    assert_ok(kv_close(b.db));
    b.db = NULL;
    kv_options other = {.path = b.path, .knobs = "every=2,format=binary"};
    assert_status(kv_open(&sst_engine, &other, &b.db), KV_INVALID);
    assert_non_null(strstr(kv_last_error(), "the store is in format=text"));
    other.knobs = "format=text,background=0";
    assert_ok(kv_open(&sst_engine, &other, &b.db));
    reopen(&b, "background=0,every=2");
    assert_ok(kv_put(b.db, kv_str("cow"), kv_str("moo")));
    assert_ok(kv_settle(b.db));
    kv_names names = {0};
    kv_disk *disk = NULL;
    bool has_cow = false;
    assert_ok(kv_disk_open_real(b.path, false, &disk));
    assert_ok(kv_disk_list(disk, &names));
    for (size_t i = 0; i < names.count; i++) {
        if (strstr(names.name[i], ".sst") == NULL) continue;
        kv_buf_clear(&path);
        kv_buf_printf(&path, "%s/%s%c", b.path, names.name[i], '\0');
        kv_buf bytes = test_read_file((const char *)path.data);
        kv_buf_append(&bytes, kv_slice_of("", 1));
        assert_int_equal(bytes.data[0], '#');
        has_cow |= strstr((char *)bytes.data, "\ncow→moo\n") != NULL;
        kv_buf_free(&bytes);
    }
    assert_true(has_cow);
    kv_names_free(&names);
    kv_disk_close(disk);
    kv_buf_free(&path);
    close_store(&b);
}

// A cursor shows the moment it was opened, whatever is flushed and merged.
static void a_cursor_outlives_its_files(void **state)
{
    (void)state;
    bench b = open_store("background=0,memtable_bytes=1KiB,every=2");
    for (uint64_t n = 0; n < 200; n++) put_number(b.db, n, 100);
    kv_cursor *cursor = NULL;
    assert_ok(kv_scan(b.db, (kv_range){.reverse = true}, &cursor));
    for (uint64_t n = 0; n < 600; n++) put_number(b.db, n, n < 200 ? 7 : 100);
    assert_ok(kv_settle(b.db));
    kv_slice key, value;
    size_t seen = 0;
    kv_status st;
    while ((st = kv_cursor_next(cursor, &key, &value)) == KV_OK) {
        assert_int_equal(value.len, 100);
        seen++;
    }
    assert_int_equal(st, KV_END);
    assert_int_equal(seen, 200);
    kv_cursor_close(cursor);
    close_store(&b);
}

static void a_missing_catalog_is_corruption(void **state)
{
    (void)state;
    bench b = open_store("background=0,memtable_bytes=1KiB");
    for (uint64_t n = 0; n < 100; n++) put_number(b.db, n, 100);
    assert_ok(kv_close(b.db));
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_real(b.path, false, &disk));
    assert_ok(kv_disk_remove(disk, "CATALOG", kv_for(KV_FOR_META)));
    kv_disk_close(disk);
    kv_options options = {.path = b.path};
    assert_status(kv_open(&sst_engine, &options, &b.db), KV_CORRUPT);
    assert_non_null(strstr(kv_last_error(), "CATALOG"));
    test_remove_dir(b.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_costs_what_the_formulas_say),
        cmocka_unit_test(a_found_key_costs_one_read),
        cmocka_unit_test(an_absent_key_costs_a_read_a_segment),
        cmocka_unit_test(logs_are_no_longer_than_memtables),
        cmocka_unit_test(deleting_takes_room_before_it_gives_any),
        cmocka_unit_test(the_dead_stay_dead),
        cmocka_unit_test(a_store_keeps_its_format),
        cmocka_unit_test(a_cursor_outlives_its_files),
        cmocka_unit_test(a_missing_catalog_is_corruption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
