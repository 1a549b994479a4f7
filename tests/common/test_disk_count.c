// test_disk_count.c -- the counters are the kernel's, and the ledger is the
// file system's.
// SPDX-License-Identifier: MIT

#define _DEFAULT_SOURCE

#include <stdlib.h>
#include <sys/stat.h>

#include "common/disk_count.h"
#include "common/rng.h"
#include "common/thread.h"

#include "tests/support/test.h"

static const kv_why why = {KV_FOR_DATA, false};

typedef struct fixture {
    char *dir;
    kv_disk *disk;
} fixture;

static int setup(void **state)
{
    static fixture f;
    kv_disk *below = NULL;
    f.dir = test_make_dir();
    assert_ok(kv_disk_open_real(f.dir, false, &below));
    assert_ok(kv_disk_open_count(below, &f.disk));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    kv_disk_close(f->disk);
    test_remove_dir(f->dir);
    return 0;
}

static kv_file *create(fixture *f, const char *name)
{
    kv_file *file = NULL;
    kv_open_how how = {.mode = KV_OPEN_CREATE};
    assert_ok(kv_file_open(f->disk, name, how, why, &file));
    return file;
}

static kv_disk_stats sum_of(kv_disk *disk)
{
    kv_disk_stats all[KV_REASONS], waited[KV_REASONS], sum = {0};
    kv_disk_count_read(disk, all, waited);
    for (int i = 0; i < KV_REASONS; i++) {
        sum.reads += all[i].reads;
        sum.read_bytes += all[i].read_bytes;
        sum.writes += all[i].writes;
        sum.write_bytes += all[i].write_bytes;
        sum.sequential_bytes += all[i].sequential_bytes;
        sum.syncs += all[i].syncs;
    }
    return sum;
}

static void each_call_is_counted_by_its_reason(void **state)
{
    fixture *f = *state;
    kv_file *file = create(f, "a");
    char got[64];
    size_t len;
    assert_ok(kv_file_write(file, 0, kv_str("12345"), kv_for(KV_FOR_WAL)));
    assert_ok(kv_file_write(file, 5, kv_str("678"),
                            kv_for_background(KV_FOR_COMPACT)));
    assert_ok(kv_file_read(file, 2, got, 50, &len, kv_for(KV_FOR_READ)));
    assert_ok(kv_file_sync(file, kv_for(KV_FOR_WAL)));
    assert_ok(kv_disk_sync_dir(f->disk, kv_for_background(KV_FOR_META)));
    kv_slice view;
    assert_ok(kv_file_map(file, 0, 4, kv_for(KV_FOR_READ), &view));
    kv_disk_stats all[KV_REASONS], waited[KV_REASONS];
    kv_disk_count_read(f->disk, all, waited);
    assert_int_equal(all[KV_FOR_WAL].writes, 1);
    assert_int_equal(all[KV_FOR_WAL].write_bytes, 5);
    assert_int_equal(all[KV_FOR_WAL].syncs, 1);
    assert_int_equal(waited[KV_FOR_WAL].write_bytes, 5);
    assert_int_equal(all[KV_FOR_COMPACT].writes, 1);
    assert_int_equal(all[KV_FOR_COMPACT].write_bytes, 3);
    assert_int_equal(waited[KV_FOR_COMPACT].writes, 0);
    assert_int_equal(all[KV_FOR_READ].reads, 2);
    assert_int_equal(all[KV_FOR_READ].read_bytes, 6 + 4); // what was there
    assert_int_equal(all[KV_FOR_META].syncs, 1);
    assert_int_equal(waited[KV_FOR_META].syncs, 0);
    assert_ok(kv_file_close(file));
}

static void what_failed_is_not_counted(void **state)
{
    fixture *f = *state;
    kv_file *file = create(f, "a");
    assert_ok(kv_file_close(file));
    assert_ok(kv_file_open(f->disk, "a", (kv_open_how){0}, why, &file));
    assert_status(kv_file_write(file, 0, kv_str("12345"), why), KV_IO);
    assert_int_equal(sum_of(f->disk).writes, 0);
    assert_int_equal(sum_of(f->disk).write_bytes, 0);
    assert_ok(kv_file_close(file));
}

static void sequential_means_where_the_last_one_ended(void **state)
{
    fixture *f = *state;
    kv_file *file = create(f, "a");
    assert_ok(kv_file_write(file, 0, kv_str("1234"), why));
    assert_ok(kv_file_write(file, 4, kv_str("56"), why));
    assert_ok(kv_file_write(file, 0, kv_str("x"), why)); // back
    assert_ok(kv_file_write(file, 1, kv_str("yz"), why));
    assert_int_equal(sum_of(f->disk).sequential_bytes, 4 + 2 + 2);
    assert_ok(kv_file_close(file));
}

// ---- the kernel's counters --------------------------------------------------

static uint64_t io_field(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    assert_non_null(at);
    return strtoull(at + strlen(name), NULL, 10);
}

// Reading the file is itself counted: *cost says how much.
static void read_io(uint64_t *rchar, uint64_t *wchar, uint64_t *cost)
{
    char text[1024];
    FILE *file = fopen("/proc/self/io", "r");
    if (file == NULL) skip();
    *cost = fread(text, 1, sizeof text - 1, file);
    text[*cost] = '\0';
    fclose(file);
    *rchar = io_field(text, "rchar: ");
    *wchar = io_field(text, "wchar: ");
}

static void do_something_of_everything(fixture *f)
{
    kv_rng rng;
    kv_rng_seed(&rng, 8);
    static uint8_t bytes[100000];
    kv_file *files[4];
    uint64_t ends[4] = {0};
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%d", i);
        files[i] = create(f, name);
    }
    for (int round = 0; round < 400; round++) {
        int i = (int)kv_rng_below(&rng, 4);
        size_t len = (size_t)kv_rng_below(&rng, round % 50 == 0 ? 100000 : 900);
        uint64_t at = kv_rng_below(&rng, ends[i] + 1);
        size_t got;
        switch (kv_rng_below(&rng, 8)) {
        case 0:
            assert_ok(kv_file_read(files[i], at, bytes, len, &got, why));
            break;
        case 1:
            assert_ok(kv_file_sync(files[i], why));
            break;
        case 2:
            at = ends[i]; // and append
            // fall through
        default:
            assert_ok(
                kv_file_write(files[i], at, kv_slice_of(bytes, len), why));
            if (at + len > ends[i]) ends[i] = at + len;
        }
    }
    for (int i = 0; i < 4; i++) assert_ok(kv_file_close(files[i]));
    assert_ok(kv_disk_sync_dir(f->disk, why));
    // Space that is written ahead, from somewhere in its middle.
    kv_open_how how = {.mode = KV_OPEN_CREATE, .zeroes_from = 10000};
    assert_ok(kv_file_open(f->disk, "zeroes", how, why, &files[0]));
    for (uint64_t size = 7000; size < 50000; size += 7000) {
        assert_ok(kv_file_allocate(files[0], size, why));
    }
    assert_ok(kv_file_close(files[0]));
}

static void the_sums_are_the_kernels_to_the_byte(void **state)
{
    fixture *f = *state;
    uint64_t r0, w0, r1, w1, cost, cost2;
    kv_disk_stats before = sum_of(f->disk);
    read_io(&r0, &w0, &cost);
    do_something_of_everything(f);
    read_io(&r1, &w1, &cost2);
    kv_disk_stats after = sum_of(f->disk);
    assert_true(after.writes - before.writes > 100);
    assert_true(after.read_bytes > before.read_bytes);
    assert_int_equal(after.write_bytes - before.write_bytes, w1 - w0);
    assert_int_equal(after.read_bytes - before.read_bytes, r1 - r0 - cost);
}

// ---- the ledger -------------------------------------------------------------

static uint64_t space_now(fixture *f)
{
    uint64_t now, peak;
    kv_disk_space(f->disk, &now, &peak);
    assert_true(peak >= now);
    return now;
}

static uint64_t space_peak(fixture *f)
{
    uint64_t now, peak;
    kv_disk_space(f->disk, &now, &peak);
    return peak;
}

// What the file system says it has allocated to the directory's files, once
// all is synced.
static uint64_t blocks_on_disk(fixture *f)
{
    kv_names names = {0};
    uint64_t sum = 0;
    assert_ok(kv_disk_list(f->disk, &names));
    for (size_t i = 0; i < names.count; i++) {
        char path[400];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", f->dir, names.name[i]);
        assert_int_equal(stat(path, &st), 0);
        sum += (uint64_t)st.st_blocks * 512;
    }
    kv_names_free(&names);
    return sum;
}

static void at_rest_the_ledger_is_what_stat_says(void **state)
{
    fixture *f = *state;
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 100000};
    static uint8_t bytes[100000];
    for (int i = 0; i < 6; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", i);
        kv_file *file = create(f, name);
        assert_ok(kv_file_write(file, 0, kv_slice_of(bytes, sizes[i]), why));
        if (i == 5) assert_ok(kv_file_truncate(file, 5000, why));
        assert_ok(kv_file_sync(file, why));
        assert_ok(kv_file_close(file));
    }
    assert_int_equal(space_now(f), (0 + 1 + 1 + 1 + 2 + 2) * 4096);
    assert_int_equal(space_now(f), blocks_on_disk(f));
    assert_int_equal(space_peak(f), (0 + 1 + 1 + 1 + 2 + 25) * 4096);
    assert_ok(kv_disk_remove(f->disk, "s4", why));
    assert_ok(kv_disk_rename(f->disk, "s5", "s3", why)); // over another
    assert_int_equal(space_now(f), (0 + 1 + 1 + 2) * 4096);
    assert_int_equal(space_now(f), blocks_on_disk(f));
}

static void what_is_allocated_ahead_counts(void **state)
{
    fixture *f = *state;
    kv_file *file = create(f, "a");
    assert_ok(kv_file_allocate(file, 40960, why));
    assert_int_equal(space_now(f), 40960);
    assert_ok(kv_file_write(file, 0, kv_str("small"), why));
    assert_int_equal(space_now(f), 40960);
    assert_ok(kv_file_sync(file, why));
    assert_int_equal(space_now(f), blocks_on_disk(f));
    assert_ok(kv_file_truncate(file, 5, why));
    assert_int_equal(space_now(f), 4096);
    assert_ok(kv_file_close(file));
}

// A removed file keeps its space until it is last closed.
static void removed_but_open_counts(void **state)
{
    fixture *f = *state;
    kv_file *file = create(f, "a"), *again = NULL;
    static uint8_t bytes[8192];
    assert_ok(kv_file_write(file, 0, kv_slice_of(bytes, 8192), why));
    assert_ok(kv_file_open(f->disk, "a", (kv_open_how){0}, why, &again));
    assert_ok(kv_disk_remove(f->disk, "a", why));
    assert_int_equal(space_now(f), 8192);
    assert_ok(kv_file_write(file, 8192, kv_slice_of(bytes, 8192), why));
    assert_int_equal(space_now(f), 16384);
    assert_ok(kv_file_close(file));
    assert_int_equal(space_now(f), 16384);
    // A new file of the name is another file.
    kv_file *other = create(f, "a");
    assert_ok(kv_file_write(other, 0, kv_slice_of(bytes, 1), why));
    assert_int_equal(space_now(f), 16384 + 4096);
    assert_ok(kv_file_close(again));
    assert_int_equal(space_now(f), 4096);
    assert_ok(kv_file_close(other));
    assert_int_equal(space_peak(f), 16384 + 4096);
}

static void the_peak_is_exact(void **state)
{
    fixture *f = *state;
    static uint8_t bytes[40960];
    for (int i = 0; i < 5; i++) {
        kv_file *file = create(f, "new");
        assert_ok(kv_file_write(file, 0, kv_slice_of(bytes, 40960), why));
        assert_ok(kv_file_close(file));
        // Old and new at once for a moment.
        assert_ok(kv_disk_rename(f->disk, "new", "kept", why));
    }
    assert_int_equal(space_now(f), 40960);
    assert_int_equal(space_peak(f), 81920);
}

static void what_is_there_at_first_is_entered(void **state)
{
    fixture *f = *state;
    kv_file *file = create(f, "a");
    assert_ok(kv_file_write(file, 0, kv_str("x"), why));
    assert_ok(kv_file_close(file));
    kv_disk *below = NULL, *again = NULL;
    assert_ok(kv_disk_open_real(f->dir, false, &below));
    assert_ok(kv_disk_open_count(below, &again));
    uint64_t now, peak;
    kv_disk_space(again, &now, &peak);
    assert_int_equal(now, 4096);
    assert_int_equal(peak, 4096);
    assert_int_equal(sum_of(again).reads, 0); // without reading a byte
    kv_disk_close(kv_disk_count_release(again));
}

// ---- threads ----------------------------------------------------------------

static void *write_some(void *arg)
{
    kv_file *file = arg;
    char got[8];
    size_t len;
    for (uint64_t i = 0; i < 500; i++) {
        if (kv_file_write(file, i * 8, kv_slice_of(&i, 8), why) != KV_OK ||
            kv_file_read(file, i * 8, got, 8, &len, why) != KV_OK) {
            abort();
        }
    }
    return NULL;
}

static void no_count_is_lost_among_threads(void **state)
{
    fixture *f = *state;
    enum { MANY = KV_THREAD_SLOTS + 4 };
    kv_thread threads[MANY];
    kv_file *files[MANY];
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        files[i] = create(f, name);
        kv_thread_start(&threads[i], write_some, files[i]);
    }
    for (int i = 0; i < MANY; i++) kv_thread_join(&threads[i]);
    kv_disk_stats sum = sum_of(f->disk);
    assert_int_equal(sum.writes, MANY * 500);
    assert_int_equal(sum.write_bytes, MANY * 4000);
    assert_int_equal(sum.read_bytes, MANY * 4000);
    assert_int_equal(sum.sequential_bytes, MANY * 4000);
    assert_int_equal(space_now(f), MANY * 4096);
    for (int i = 0; i < MANY; i++) assert_ok(kv_file_close(files[i]));
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(each_call_is_counted_by_its_reason),
        IN_DIR(what_failed_is_not_counted),
        IN_DIR(sequential_means_where_the_last_one_ended),
        IN_DIR(the_sums_are_the_kernels_to_the_byte),
        IN_DIR(at_rest_the_ledger_is_what_stat_says),
        IN_DIR(what_is_allocated_ahead_counts),
        IN_DIR(removed_but_open_counts),
        IN_DIR(the_peak_is_exact),
        IN_DIR(what_is_there_at_first_is_entered),
        IN_DIR(no_count_is_lost_among_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
