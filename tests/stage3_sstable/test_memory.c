// test_memory.c -- a merge takes little memory, however much it merges (C14).
// SPDX-License-Identifier: MIT
//
// The functions of common/mem.h stand here again, and count: the linker takes
// these and leaves common/mem.c out.

#include <stdatomic.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/rng.h"

#include "sst.h"
#include "tests/support/test.h"

// ---- a heap that counts -----------------------------------------------------

enum { FRONT = 64 }; // bytes before a block, for its size
static _Atomic uint64_t heap, heap_peak;

static void *counted(uint8_t *block, size_t bytes)
{
    assert_non_null(block);
    memcpy(block, &bytes, sizeof bytes);
    uint64_t now = atomic_fetch_add(&heap, bytes) + bytes;
    if (now > atomic_load(&heap_peak)) atomic_store(&heap_peak, now);
    return block + FRONT;
}

static uint8_t *uncounted(void *memory)
{
    uint8_t *block = (uint8_t *)memory - FRONT;
    size_t bytes;
    memcpy(&bytes, block, sizeof bytes);
    atomic_fetch_sub(&heap, bytes);
    return block;
}

void *kv_alloc(size_t bytes) { return counted(malloc(FRONT + bytes), bytes); }

void *kv_zalloc(size_t bytes)
{
    return counted(calloc(1, FRONT + bytes), bytes);
}

void *kv_realloc(void *old, size_t bytes)
{
    uint8_t *block = old == NULL ? NULL : uncounted(old);
    return counted(realloc(block, FRONT + bytes), bytes);
}

void kv_free(void *memory)
{
    if (memory != NULL) free(uncounted(memory));
}

char *kv_strdup(const char *s)
{
    size_t bytes = strlen(s) + 1;
    return memcpy(kv_alloc(bytes), s, bytes);
}

void *kv_alloc_pages(size_t bytes)
{
    size_t rounded = (FRONT + bytes + 63) / 64 * 64;
    uint8_t *block = aligned_alloc(64, rounded);
    assert_non_null(block);
    memset(block, 0, rounded);
    return counted(block, bytes);
}

void kv_free_pages(void *memory, size_t bytes)
{
    (void)bytes;
    kv_free(memory);
}

// Other engines' address ranges.
void *kv_reserve(size_t bytes) { return kv_alloc_pages(bytes); }

void kv_unreserve(void *memory, size_t bytes) { kv_free_pages(memory, bytes); }

void kv_reserve_large(void *memory, size_t bytes) { (void)memory, (void)bytes; }

void kv_reserve_forget(void *memory, size_t bytes) { memset(memory, 0, bytes); }

size_t kv_machine_bytes(void) { return SIZE_MAX; }

// ---- merging ----------------------------------------------------------------

enum { RECORD = 116, KIB = 1 << 10 };

static kv *open_store(const char *path, const char *knobs)
{
    kv *db = NULL;
    kv_options options = {.path = path,
                          .knobs = knobs,
                          .sync = KV_SYNC_NONE,
                          .create = true,
                          .seed = 1};
    assert_ok(kv_open(&sst_engine, &options, &db));
    return db;
}

// `segments` segments of random keys, `bytes` in all.
static void fill(kv *db, uint64_t bytes, unsigned segments)
{
    uint64_t count = bytes / RECORD;
    char key[32], value[100];
    memset(value, 'v', sizeof value);
    for (uint64_t n = 0, done = 0; n < count; n++) {
        snprintf(key, sizeof key, "%016llx", (unsigned long long)kv_mix64(n));
        assert_ok(kv_put(db, kv_str(key), kv_slice_of(value, sizeof value)));
        if ((n + 1) * segments / count == done) continue;
        done++;
        assert_ok(kv_settle(db));
    }
}

typedef struct cost {
    uint64_t heap;  // bytes a merge took, at most, beside what was there
    uint64_t index; // of the one segment it made
} cost;

static cost merge(uint64_t bytes, unsigned segments)
{
    char *path = test_make_dir();
    kv_stats stats;
    kv *db = open_store(path, "background=0,merge=never");
    fill(db, bytes, segments);
    assert_ok(kv_close(db));
    db = open_store(path, "background=0,merge=all");
    uint64_t before = atomic_load(&heap);
    atomic_store(&heap_peak, before);
    assert_ok(kv_settle(db));
    cost c = {.heap = atomic_load(&heap_peak) - before};
    kv_stats_read(db, &stats);
    assert_true(stats.disk[KV_FOR_COMPACT].write_bytes > bytes);
    c.index = stats.index_bytes;
    assert_ok(kv_close(db));
    test_remove_dir(path);
    print_message("%5llu KiB in %2u segments: %llu KiB of memory, and an index "
                  "of %llu KiB\n",
                  (unsigned long long)bytes / KIB, segments,
                  (unsigned long long)c.heap / KIB,
                  (unsigned long long)c.index / KIB);
    return c;
}

// An interval of a segment, and its entries taken apart.
enum { BLOCK = 4 * KIB, BUFFER = 8 * KIB };

static void merging_takes_memory_per_segment(void **state)
{
    (void)state;
    for (unsigned k = 2; k <= 32; k *= 2) {
        cost c = merge(2048 * KIB, k);
        assert_true(c.heap < k * (BLOCK + BUFFER) + 1024 * KIB);
    }
    // With many, they are what counts: so much for each.
    cost many = merge(2048 * KIB, 64), more = merge(2048 * KIB, 128);
    assert_in_range(more.heap - many.heap, 64 * BLOCK, 64 * (BLOCK + BUFFER));
}

// What grows with the data is the index of what is made, a key per 4 KiB, while
// it is written and read again; it is there after the merge as well.
static void merging_takes_no_more_for_more_data(void **state)
{
    (void)state;
    cost little = merge(1024 * KIB, 8), much = merge(16384 * KIB, 8);
    assert_true(much.heap < 8 * (BLOCK + BUFFER) + 1024 * KIB);
    assert_true(much.heap - little.heap < 3 * (much.index - little.index));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_takes_memory_per_segment),
        cmocka_unit_test(merging_takes_no_more_for_more_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
