// test_checkpoint.c -- checkpoints bound the log and recovery, step by step.
// SPDX-License-Identifier: MIT

#include "common/disk_fault.h"
#include "common/disk_sim.h"
#include "common/mem.h"
#include "common/rng.h"

#include "tests/stage5_btree/yard.h"
#include "tests/support/test.h"

static uint64_t log_bytes(kv_disk *disk, size_t *count)
{
    kv_names names = {0};
    uint64_t sum = 0;
    *count = 0;
    assert_ok(kv_disk_list(disk, &names));
    for (size_t i = 0; i < names.count; i++) {
        kv_file *f = NULL;
        uint64_t size;
        if (strstr(names.name[i], ".wal") == NULL) continue;
        assert_ok(kv_file_open(disk, names.name[i],
                               (kv_open_how){.mode = KV_OPEN_READ},
                               kv_for(KV_FOR_RECOVERY), &f));
        assert_ok(kv_file_size(f, &size));
        kv_file_close(f);
        sum += size;
        ++*count;
    }
    kv_names_free(&names);
    return sum;
}

// However much is written, what recovery would have to read stays small.
static void the_log_stays_bounded(void **state)
{
    (void)state;
    yard y;
    uint64_t most = 0;
    size_t count;
    yard_open(&y, "page_bytes=1KiB,background=0,checkpoint_bytes=32KiB");
    for (uint32_t i = 1; i < 6000; i++) {
        yard_put(&y, i * 7 % YARD_KEYS, i, 60);
        uint64_t now = log_bytes(y.disk, &count);
        if (now > most) most = now;
        assert_true(count <= 3);
    }
    // Two checkpoints' worth, and what was logged while one was written.
    assert_in_range(most, 32 << 10, 160 << 10);
    yard_compare(&y);
    yard_close(&y);
}

static uint64_t page_bytes_written(kv *db)
{
    kv_stats stats;
    kv_stats_read(db, &stats);
    return stats.disk[KV_FOR_PAGE].write_bytes;
}

// Commits between the steps of a checkpoint are neither lost nor waited for.
static void commits_go_on_during_a_checkpoint(void **state)
{
    (void)state;
    yard y;
    yard_open(&y, "background=0");
    for (unsigned key = 0; key < YARD_KEYS; key++) {
        yard_put(&y, key, key + 1, 6000); // 12 MB: several steps
    }
    bool did_work = true;
    int steps = 0;
    for (; did_work && steps < 50; steps++) {
        uint64_t before = page_bytes_written(y.db);
        assert_ok(kv_maintain(y.db, &did_work));
        assert_true(page_bytes_written(y.db) - before <= 4 << 20);
        unsigned key = (unsigned)steps * 37 % YARD_KEYS;
        if (steps < 6) yard_put(&y, key, 9, 100);
    }
    assert_in_range(steps, 5, 49);
    yard_kill(&y);
    yard_reopen(&y);
    yard_compare(&y);
    yard_close(&y);
}

// A step that a full disk stops is taken again when there is room; meanwhile
// everything can be read.
static void a_full_disk_delays_a_checkpoint(void **state)
{
    (void)state;
    yard y;
    yard_open(&y, "page_bytes=512,background=0");
    for (unsigned key = 0; key < 500; key++) yard_put(&y, key, key + 1, 60);
    kv_disk_sim_set_capacity(y.disk, kv_disk_sim_used(y.disk) + 4096);
    bool did_work;
    kv_status st = KV_OK;
    for (int i = 0; st == KV_OK && i < 10; i++)
        st = kv_maintain(y.db, &did_work);
    assert_int_equal(st, KV_NO_SPACE);
    yard_compare(&y);
    kv_disk_sim_set_capacity(y.disk, 0);
    assert_ok(kv_settle(y.db));
    yard_put(&y, 3, 99, 70);
    yard_reopen(&y);
    yard_compare(&y);
    yard_close(&y);
}

// The same disk, under a layer that fails as it is told.
static void put_under_faults(yard *y)
{
    assert_ok(kv_close(y->db));
    y->db = NULL;
    assert_ok(kv_disk_open_fault(y->disk, "", &y->disk));
}

// Puts until some were refused, and gets in between, which make the cache want
// its dirty pages written. The keys are yard_put's to set again.
static void press(yard *y)
{
    kv_buf value = {0};
    char name[32];
    unsigned refused = 0;
    for (unsigned i = 0; i < 1000 && refused < 50; i++) {
        kv_status st = kv_put(y->db, yard_key(name, i * 7 % 500), kv_str("v"));
        assert_true(st == KV_OK || st == KV_NO_SPACE);
        refused += st == KV_NO_SPACE;
        kv_slice other = yard_key(name, 500 + i * 11 % 500);
        assert_ok(kv_get(y->db, other, &value));
    }
    assert_int_equal(refused, 50);
    kv_buf_free(&value);
}

// A disk that is full when a checkpoint wants its log leaves none, while so
// many pages are dirty that the cache wants them written: no step does so
// without a log. With room everything goes on.
static void no_page_is_written_back_without_a_log(void **state)
{
    (void)state;
    yard y;
    yard_open(&y, "page_bytes=512,background=0,checkpoint_bytes=4KiB");
    put_under_faults(&y);
    y.memory_bytes = 16 << 10;
    yard_reopen(&y);
    for (unsigned key = 0; key < 1000; key++) yard_put(&y, key, key + 1, 60);
    for (unsigned round = 1; round < 5; round++) {
        assert_ok(kv_disk_fault_set(y.disk, "wal:open:1+:ENOSPC"));
        press(&y);
        assert_ok(kv_disk_fault_set(y.disk, ""));
        for (unsigned k = 0; k < 500; k++) yard_put(&y, k, round + 9, 60);
    }
    yard_compare(&y);
    yard_reopen(&y);
    yard_compare(&y);
    yard_close(&y);
}

// Power goes: names are as they were, and no byte is there that was not synced.
static void cut_power(yard *y, kv_disk *sim)
{
    size_t count;
    const kv_sim_atom *atoms = kv_disk_sim_atoms(sim, &count);
    uint8_t *keep = kv_zalloc(count + 1);
    for (size_t i = 0; i < count; i++) {
        keep[i] = atoms[i].kind == KV_SIM_NAME || atoms[i].kind == KV_SIM_GONE;
    }
    kv_disk *cut = kv_disk_sim_crash(sim, keep, KV_SIM_SHORT);
    kv_free(keep);
    (void)kv_close(y->db);
    y->db = NULL;
    kv_disk_close(y->disk);
    y->disk = cut;
}

// Opened on a full disk: the end of the old log is not surely on it, and what
// it says is in memory only. A step that is the first thing to find room sees
// to a log of its own before a page of it is written: power may go before the
// superblock is there.
static void a_step_first_moves_to_a_log_what_a_full_disk_left(void **state)
{
    (void)state;
    yard y;
    yard_open(&y, "page_bytes=512,background=0");
    kv_disk *sim = y.disk;
    put_under_faults(&y);
    yard_reopen(&y);
    for (unsigned key = 0; key < 300; key++) yard_put(&y, key, key + 1, 60);
    assert_ok(kv_settle(y.db));
    for (unsigned key = 0; key < 300; key += 2) yard_put(&y, key, key + 9, 60);
    assert_ok(kv_disk_fault_set(y.disk, "*:sync:1+:EIO *:write:1+:EIO"));
    assert_status(kv_close(y.db), KV_IO);
    y.db = NULL;
    assert_ok(kv_disk_fault_set(
        y.disk, "wal:write:1+:ENOSPC recovery:write:1+:ENOSPC"));
    yard_reopen(&y);
    yard_compare(&y);
    assert_ok(kv_disk_fault_set(y.disk, "meta:write:1+:EIO"));
    assert_status(kv_settle(y.db), KV_IO);
    cut_power(&y, sim);
    yard_reopen(&y);
    yard_compare(&y);
    yard_close(&y);
}

// The value that the key has already.
static kv_status put_again(yard *y, unsigned key)
{
    char name[32];
    kv_buf value = {0};
    assert_ok(kv_get(y->db, yard_key(name, key), &value));
    kv_status st = kv_put(y->db, yard_key(name, key), kv_buf_slice(&value));
    kv_buf_free(&value);
    return st;
}

// The last sync of a commit fails: its superblock is in the system's memory,
// where reopening finds it, and on no disk. Nothing that the one before leads
// to is written over until this one surely is there.
static void a_root_that_only_looks_written_is_not_relied_on(void **state)
{
    (void)state;
    for (unsigned keys = 1; keys < 100; keys += 7) {
        yard y;
        yard_open(&y, "page_bytes=512,journal=cow");
        kv_disk *sim = y.disk;
        put_under_faults(&y);
        yard_reopen(&y);
        for (unsigned key = 0; key < keys; key++)
            yard_put(&y, key, key + 1, 60);
        kv_disk_sim_fail_sync(sim, 2, KV_SIM_KEEPS);
        assert_status(put_again(&y, keys / 2), KV_IO);
        yard_reopen(&y);
        assert_ok(kv_disk_fault_set(y.disk, "meta:write:1+:EIO"));
        assert_status(put_again(&y, keys / 3), KV_IO);
        cut_power(&y, sim);
        yard_reopen(&y);
        yard_compare(&y);
        yard_close(&y);
    }
}

// The same of a checkpoint, and then the disk is full: the old logs stay as
// long as the old superblock may be the one that counts.
static void logs_stay_while_a_checkpoint_only_looks_complete(void **state)
{
    (void)state;
    yard y;
    bool did_work = true;
    yard_open(&y, "page_bytes=512,background=0");
    kv_disk *sim = y.disk;
    put_under_faults(&y);
    yard_reopen(&y);
    for (unsigned key = 0; key < 100; key++) yard_put(&y, key, key + 1, 60);
    assert_ok(kv_maintain(y.db, &did_work)); // begins a checkpoint
    assert_ok(kv_maintain(y.db, &did_work)); // writes the pages
    kv_disk_sim_fail_sync(sim, 2, KV_SIM_KEEPS);
    assert_status(kv_maintain(y.db, &did_work), KV_IO);
    (void)kv_close(y.db);
    y.db = NULL;
    assert_ok(kv_disk_fault_set(y.disk, "wal:open:1+:ENOSPC"));
    yard_reopen(&y);
    yard_compare(&y);
    cut_power(&y, sim);
    yard_reopen(&y);
    yard_compare(&y);
    yard_close(&y);
}

// Eight neighbours share 80 bytes, or two; so separators are long, or short.
static kv_slice mixed_key(char to[96], unsigned n)
{
    int zeroes = kv_mix64(n / 8) % 3 == 0 ? 77 : 1;
    int len = snprintf(to, 96, "%02x%0*u%u", n / 8, zeroes, 0, n % 8);
    return kv_slice_of(to, (size_t)len);
}

// What a commit gives up is written back, and read again by who redoes the log:
// it has to be a page, even an inner one that lost all of its separators.
static void what_is_given_up_is_a_page(void **state)
{
    (void)state;
    enum { KEYS = 1600, ROUNDS = 100, MORE = 50 };
    static const char knobs[] = "page_bytes=512,background=0,"
                                "torn_pages=unsafe,checkpoint_bytes=1GiB";
    char name[96], other[96];
    uint8_t bytes[100] = {0};
    kv_rng rng;
    yard y;
    kv_rng_seed(&rng, 7);
    yard_open(&y, knobs);
    y.memory_bytes = 1;
    yard_reopen(&y);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned n = 0; n < KEYS; n++) {
            kv_slice value = kv_slice_of(bytes, kv_mix64(n) % sizeof bytes);
            assert_ok(kv_put(y.db, mixed_key(name, n), value));
        }
        unsigned from = (unsigned)kv_rng_below(&rng, KEYS);
        unsigned limit = from + (unsigned)kv_rng_below(&rng, KEYS - from);
        assert_ok(
            kv_del_range(y.db, mixed_key(name, from), mixed_key(other, limit)));
        // In little memory pages are soon written to make room.
        for (unsigned n = 0; n < round % MORE; n++) {
            assert_ok(kv_put(y.db, mixed_key(name, n), kv_str("seven")));
        }
        yard_kill(&y);
        yard_reopen(&y);
        assert_ok(yard_check(&y));
    }
    yard_close(&y);
}

static void settling_leaves_one_empty_log(void **state)
{
    (void)state;
    yard y;
    size_t count;
    yard_open(&y, "page_bytes=512,background=0");
    for (unsigned key = 0; key < 500; key++) yard_put(&y, key, key + 1, 60);
    assert_ok(kv_settle(y.db));
    assert_true(log_bytes(y.disk, &count) <= 4096); // a block, reserved
    assert_int_equal(count, 1);
    yard_close(&y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_log_stays_bounded),
        cmocka_unit_test(commits_go_on_during_a_checkpoint),
        cmocka_unit_test(a_full_disk_delays_a_checkpoint),
        cmocka_unit_test(no_page_is_written_back_without_a_log),
        cmocka_unit_test(a_step_first_moves_to_a_log_what_a_full_disk_left),
        cmocka_unit_test(a_root_that_only_looks_written_is_not_relied_on),
        cmocka_unit_test(logs_stay_while_a_checkpoint_only_looks_complete),
        cmocka_unit_test(what_is_given_up_is_a_page),
        cmocka_unit_test(settling_leaves_one_empty_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
