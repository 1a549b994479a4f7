// test_disk_sim.c -- the disk in memory: its limits, and what a crash leaves.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "common/disk_sim.h"

#include "tests/support/test.h"

static const kv_why why = {KV_FOR_DATA, false};

static kv_disk *open_disk(kv_sim_options options)
{
    kv_disk *d = NULL;
    assert_ok(kv_disk_open_sim(&options, &d));
    return d;
}

static kv_file *create(kv_disk *d, const char *name)
{
    kv_file *f = NULL;
    assert_ok(
        kv_file_open(d, name, (kv_open_how){.mode = KV_OPEN_CREATE}, why, &f));
    return f;
}

static void assert_file(kv_disk *d, const char *name, const char *want)
{
    char bytes[2000];
    size_t got = 0;
    kv_file *f = NULL;
    assert_ok(kv_file_open(d, name, (kv_open_how){0}, why, &f));
    assert_ok(kv_file_read(f, 0, bytes, sizeof bytes, &got, why));
    assert_ok(kv_file_close(f));
    assert_slice(kv_slice_of(bytes, got), want);
}

static bool has_file(kv_disk *d, const char *name)
{
    kv_file *f = NULL;
    kv_status st = kv_file_open(d, name, (kv_open_how){0}, why, &f);
    if (st == KV_OK) assert_ok(kv_file_close(f));
    else assert_int_equal(st, KV_NOT_FOUND);
    return st == KV_OK;
}

// ---- capacity ---------------------------------------------------------------

static void a_full_disk_takes_what_fits(void **state)
{
    (void)state;
    kv_disk *d = open_disk((kv_sim_options){.capacity = 10});
    kv_file *f = create(d, "f");
    assert_ok(kv_file_write(f, 0, kv_str("01234567"), why));
    assert_int_equal(kv_disk_sim_used(d), 8);
    // D2: a part of it is there.
    assert_status(kv_file_write(f, 8, kv_str("abcd"), why), KV_NO_SPACE);
    assert_non_null(strstr(kv_last_error(), "f: the disk is full"));
    assert_file(d, "f", "01234567ab");
    // What is there can be written over, and room can be made.
    assert_ok(kv_file_write(f, 0, kv_str("x"), why));
    assert_ok(kv_file_truncate(f, 4, why));
    assert_int_equal(kv_disk_sim_used(d), 4);
    assert_ok(kv_file_write(f, 4, kv_str("yz"), why));
    kv_disk_sim_set_capacity(d, 20);
    assert_ok(kv_file_write(f, 6, kv_str("0123456789"), why));
    kv_disk_sim_set_capacity(d, 0); // no limit
    assert_ok(kv_file_allocate(f, 1 << 20, why));
    assert_ok(kv_file_close(f));
    kv_disk_close(d);
}

static void allocating_is_all_or_nothing(void **state)
{
    (void)state;
    kv_disk *d = open_disk((kv_sim_options){.capacity = 10});
    kv_file *f = create(d, "f");
    uint64_t size = 0;
    assert_status(kv_file_allocate(f, 11, why), KV_NO_SPACE);
    assert_ok(kv_file_size(f, &size));
    assert_int_equal(size, 0);
    assert_ok(kv_file_allocate(f, 10, why));
    assert_ok(kv_file_allocate(f, 5, why)); // it has them
    assert_ok(kv_file_size(f, &size));
    assert_int_equal(size, 10);
    assert_ok(kv_file_close(f));
    kv_disk_close(d);
}

// As with a real one: a removed file takes space until it is closed.
static void a_removed_file_takes_space_while_it_is_open(void **state)
{
    (void)state;
    kv_disk *d = open_disk((kv_sim_options){.capacity = 10});
    kv_file *f = create(d, "f"), *g = create(d, "g");
    assert_ok(kv_file_write(f, 0, kv_str("01234567"), why));
    assert_ok(kv_disk_remove(d, "f", why));
    assert_int_equal(kv_disk_sim_used(d), 8);
    assert_status(kv_file_write(g, 0, kv_str("abc"), why), KV_NO_SPACE);
    assert_ok(kv_file_close(f));
    assert_ok(kv_file_write(g, 0, kv_str("abc"), why));
    assert_int_equal(kv_disk_sim_used(d), 3);
    assert_ok(kv_file_close(g));
    kv_disk_close(d);
}

static void a_copy_has_the_same_limits(void **state)
{
    (void)state;
    kv_disk *d = open_disk((kv_sim_options){.capacity = 10, .open_max = 1});
    kv_file *f = create(d, "f");
    assert_ok(kv_file_write(f, 0, kv_str("01234567"), why));
    kv_disk *copy = kv_disk_sim_kill(d);
    assert_int_equal(kv_disk_sim_used(copy), 8);
    kv_file *g = create(copy, "g");
    assert_status(kv_file_write(g, 0, kv_str("abc"), why), KV_NO_SPACE);
    assert_ok(kv_file_close(g));
    assert_ok(kv_file_close(f));
    kv_disk_close(copy);
    kv_disk_close(d);
}

// ---- open files -------------------------------------------------------------

static void so_many_files_and_no_more(void **state)
{
    (void)state;
    kv_disk *d = open_disk((kv_sim_options){.open_max = 2});
    kv_file *one = create(d, "one"), *lock = NULL, *more = NULL;
    assert_ok(kv_disk_lock(d, "LOCK", &lock)); // it counts
    assert_int_equal(kv_disk_sim_open_count(d), 2);
    assert_status(kv_file_open(d, "one", (kv_open_how){0}, why, &more), KV_IO);
    assert_non_null(strstr(kv_last_error(), "one: cannot open: 2 files"));
    assert_status(kv_file_open(d, "new", (kv_open_how){.mode = KV_OPEN_CREATE},
                               why, &more),
                  KV_IO);
    assert_ok(kv_file_close(lock));
    assert_false(has_file(d, "new")); // it was not made
    assert_ok(kv_disk_lock(d, "LOCK", &lock));
    assert_ok(kv_file_close(lock));
    assert_ok(kv_file_close(one));
    assert_int_equal(kv_disk_sim_open_count(d), 0);
    kv_disk_close(d);
}

static void a_lock_is_held_until_its_file_is_closed(void **state)
{
    (void)state;
    kv_disk *d = open_disk((kv_sim_options){.open_max = 0});
    kv_file *mine = NULL, *theirs = NULL;
    assert_ok(kv_disk_lock(d, "LOCK", &mine));
    assert_int_equal(kv_disk_lock(d, "LOCK", &theirs), KV_LOCKED);
    assert_ok(kv_file_close(theirs)); // does not let go of mine
    assert_int_equal(kv_disk_lock(d, "LOCK", &theirs), KV_LOCKED);
    assert_ok(kv_file_close(theirs));
    assert_ok(kv_file_close(mine));
    assert_ok(kv_disk_lock(d, "LOCK", &mine));
    assert_ok(kv_file_close(mine));
    kv_disk_close(d);
}

// ---- what is pending --------------------------------------------------------

static kv_disk *cut(kv_disk *d, const uint8_t *keep)
{
    return kv_disk_sim_crash(d, keep, KV_SIM_SHORT);
}

static void a_write_is_pending_by_sectors(void **state)
{
    (void)state;
    kv_disk *d = open_disk((kv_sim_options){.sector = 4});
    kv_file *f = create(d, "f");
    size_t count = 0;
    assert_ok(kv_disk_sync_dir(d, why));
    assert_ok(kv_file_write(f, 2, kv_str("abcdefgh"), why)); // 2 + 4 + 2
    const kv_sim_atom *atoms = kv_disk_sim_atoms(d, &count);
    assert_int_equal(count, 3);
    assert_int_equal(atoms[0].offset, 2);
    assert_int_equal(atoms[1].offset, 4);
    assert_int_equal(atoms[2].offset, 8);
    assert_slice(kv_buf_slice(&atoms[1].bytes), "cdef");
    kv_disk *left = cut(d, (const uint8_t[]){1, 0, 1});
    kv_file *g = NULL;
    char bytes[11] = {0};
    assert_ok(kv_file_open(left, "f", (kv_open_how){0}, why, &g));
    assert_ok(kv_file_read_all(g, 0, bytes, 10, why));
    assert_memory_equal(bytes, "\0\0ab\0\0\0\0gh", 10);
    assert_ok(kv_file_close(g));
    kv_disk_close(left);
    assert_ok(kv_file_sync(f, why));
    (void)kv_disk_sim_atoms(d, &count);
    assert_int_equal(count, 0);
    assert_ok(kv_file_close(f));
    kv_disk_close(d);
}

// S2: a file's sync is not its name's, and the other way round.
static void bytes_and_names_are_synced_apart(void **state)
{
    (void)state;
    kv_disk *d = open_disk((kv_sim_options){.sector = 512});
    kv_file *f = create(d, "f");
    assert_ok(kv_file_write(f, 0, kv_str("abc"), why));
    assert_ok(kv_file_sync(f, why));
    kv_disk *left = cut(d, (const uint8_t[]){0});
    assert_false(has_file(left, "f"));
    kv_disk_close(left);
    assert_ok(kv_disk_sync_dir(d, why));
    assert_ok(kv_file_write(f, 3, kv_str("def"), why));
    left = cut(d, (const uint8_t[]){0});
    assert_file(left, "f", "abc");
    kv_disk_close(left);
    assert_ok(kv_file_close(f));
    kv_disk_close(d);
}

// S3: never neither name.
static void a_rename_loses_no_file(void **state)
{
    (void)state;
    kv_disk *d = open_disk((kv_sim_options){.sector = 512});
    kv_file *f = create(d, "old");
    size_t count = 0;
    assert_ok(kv_file_close(f));
    assert_ok(kv_disk_sync_dir(d, why));
    assert_ok(kv_disk_rename(d, "old", "new", why));
    (void)kv_disk_sim_atoms(d, &count);
    assert_int_equal(count, 2);
    for (uint8_t bits = 0; bits < 4; bits++) {
        uint8_t keep[2] = {bits & 1, bits >> 1};
        kv_disk *left = cut(d, keep);
        assert_int_equal(has_file(left, "new"), keep[0]);
        assert_int_equal(has_file(left, "old"), !(keep[0] && keep[1]));
        kv_disk_close(left);
    }
    kv_disk_close(d);
}

static void a_journal_orders_names(void **state)
{
    (void)state;
    kv_disk *d = open_disk((kv_sim_options){.names_with_sync = true});
    kv_file *f = create(d, "f"), *g = create(d, "g");
    assert_ok(kv_file_sync(f, why)); // takes both names along
    kv_disk *left = cut(d, (const uint8_t[]){0});
    assert_true(has_file(left, "f") && has_file(left, "g"));
    kv_disk_close(left);
    // A rename over a file takes the bytes along.
    assert_ok(kv_file_write(g, 0, kv_str("abc"), why));
    assert_ok(kv_disk_rename(d, "g", "f", why));
    left = cut(d, (const uint8_t[]){0, 1, 0});
    assert_file(left, "f", "abc");
    assert_false(has_file(left, "g"));
    kv_disk_close(left);
    assert_ok(kv_file_close(f));
    assert_ok(kv_file_close(g));
    kv_disk_close(d);
}

static void what_was_lost_may_leave_zeroes_or_rubbish(void **state)
{
    (void)state;
    kv_disk *d = open_disk((kv_sim_options){.sector = 512});
    kv_file *f = create(d, "f");
    assert_ok(kv_file_write(f, 0, kv_str("ab"), why));
    assert_ok(kv_file_sync(f, why));
    assert_ok(kv_disk_sync_dir(d, why));
    assert_ok(kv_file_write(f, 2, kv_str("cd"), why));
    for (int fill = 0; fill < KV_SIM_FILLS; fill++) {
        kv_disk *left =
            kv_disk_sim_crash(d, (const uint8_t[]){0}, (kv_sim_fill)fill);
        kv_file *g = NULL;
        char bytes[8] = {0};
        size_t got = 0;
        assert_ok(kv_file_open(left, "f", (kv_open_how){0}, why, &g));
        assert_ok(kv_file_read(g, 0, bytes, 8, &got, why));
        assert_int_equal(got, fill == KV_SIM_SHORT ? 2 : 4);
        assert_memory_equal(bytes, "ab", 2); // never what was synced
        bool is_blank = bytes[2] == 0 && bytes[3] == 0;
        assert_int_equal(is_blank, fill != KV_SIM_GARBAGE);
        assert_ok(kv_file_close(g));
        kv_disk_close(left);
    }
    assert_ok(kv_file_close(f));
    kv_disk_close(d);
}

// ---- a sync that fails ------------------------------------------------------

static void a_failed_sync_loses_in_three_ways(void **state)
{
    (void)state;
    for (int loss = 0; loss < KV_SIM_LOSSES; loss++) {
        kv_disk *d = open_disk((kv_sim_options){.sector = 4});
        kv_file *f = create(d, "f");
        assert_ok(kv_disk_sync_dir(d, why));
        assert_ok(kv_file_write(f, 0, kv_str("abcdefgh"), why));
        kv_disk_sim_fail_sync(d, 1, (kv_sim_loss)loss);
        assert_status(kv_file_sync(f, why), KV_IO);
        assert_file(d, "f", loss == KV_SIM_REVERTS ? "" : "abcdefgh");
        assert_ok(kv_file_sync(f, why)); // the pages are clean: it says OK
        kv_disk *left = cut(d, (const uint8_t[]){0});
        assert_file(left, "f", loss == KV_SIM_HALF ? "abcd" : "");
        kv_disk_close(left);
        assert_int_equal(kv_disk_sim_syncs(d), 3);
        assert_ok(kv_file_close(f));
        kv_disk_close(d);
    }
}

static void equal_disks_have_equal_hashes(void **state)
{
    (void)state;
    kv_disk *d = open_disk((kv_sim_options){.sector = 0});
    kv_file *f = create(d, "f");
    assert_ok(kv_file_write(f, 0, kv_str("abc"), why));
    kv_sim_hash first = kv_disk_sim_hash(d);
    kv_disk *twin = kv_disk_sim_kill(d);
    kv_sim_hash second = kv_disk_sim_hash(twin);
    assert_memory_equal(&first, &second, sizeof first);
    assert_ok(kv_disk_rename(twin, "f", "g", why));
    second = kv_disk_sim_hash(twin);
    assert_memory_not_equal(&first, &second, sizeof first);
    assert_ok(kv_file_write(f, 1, kv_str("x"), why));
    second = kv_disk_sim_hash(d);
    assert_memory_not_equal(&first, &second, sizeof first);
    kv_disk_close(twin);
    assert_ok(kv_file_close(f));
    kv_disk_close(d);
}

// Whoever opened it may close it: what it holds is there to be looked at.
static void a_directory_beside_stays(void **state)
{
    (void)state;
    kv_disk *d = open_disk((kv_sim_options){.sector = 0}), *beside = NULL;
    kv_file *f = NULL;
    assert_null(kv_disk_sim_beside(d));
    assert_ok(kv_disk_open_beside(d, "there", true, &beside));
    assert_ok(kv_file_open(beside, "f", (kv_open_how){.mode = KV_OPEN_CREATE},
                           why, &f));
    assert_ok(kv_file_close(f));
    kv_disk_close(beside);
    kv_names names = {0};
    assert_ok(kv_disk_list(kv_disk_sim_beside(d), &names));
    assert_int_equal(names.count, 1);
    kv_names_free(&names);
    assert_ok(kv_disk_list(d, &names));
    assert_int_equal(names.count, 0);
    kv_names_free(&names);
    // The next one is empty.
    assert_ok(kv_disk_open_beside(d, "there", true, &beside));
    assert_ok(kv_disk_list(beside, &names));
    assert_int_equal(names.count, 0);
    kv_disk_close(d);
    kv_disk_close(beside);
}

static void what_is_not_simulated_says_so(void **state)
{
    (void)state;
    kv_disk *d = open_disk((kv_sim_options){.sector = 0});
    assert_status(kv_disk_link(d, "f", d, "g", why), KV_UNSUPPORTED);
    kv_disk_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_takes_what_fits),
        cmocka_unit_test(allocating_is_all_or_nothing),
        cmocka_unit_test(a_removed_file_takes_space_while_it_is_open),
        cmocka_unit_test(a_copy_has_the_same_limits),
        cmocka_unit_test(so_many_files_and_no_more),
        cmocka_unit_test(a_lock_is_held_until_its_file_is_closed),
        cmocka_unit_test(a_write_is_pending_by_sectors),
        cmocka_unit_test(bytes_and_names_are_synced_apart),
        cmocka_unit_test(a_rename_loses_no_file),
        cmocka_unit_test(a_journal_orders_names),
        cmocka_unit_test(what_was_lost_may_leave_zeroes_or_rubbish),
        cmocka_unit_test(a_failed_sync_loses_in_three_ways),
        cmocka_unit_test(equal_disks_have_equal_hashes),
        cmocka_unit_test(a_directory_beside_stays),
        cmocka_unit_test(what_is_not_simulated_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
