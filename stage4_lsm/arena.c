// arena.c -- see arena.h.
// SPDX-License-Identifier: MIT

#include "arena.h"

#include <assert.h>
#include <stdbool.h>

#include "common/mem.h"

enum { BLOCK_BYTES_MIN = 1 << 10, ALIGNMENT = 16 };

typedef struct lsm_arena_block {
    _Alignas(ALIGNMENT) struct lsm_arena_block *older;
    size_t size; // of all of it
} block;

static void use_block(lsm_arena *a, block *b, size_t size)
{
    *b = (block){.older = a->newest, .size = size};
    a->newest = b;
    a->free = (uint8_t *)(b + 1);
    a->free_end = (uint8_t *)b + size;
}

static void raise_peak(lsm_attic *attic, uint64_t bytes)
{
    uint64_t peak = atomic_load(&attic->peak_bytes);
    while (peak < bytes &&
           !atomic_compare_exchange_weak(&attic->peak_bytes, &peak, bytes)) {
    }
}

static block *alloc_block(lsm_attic *attic, size_t bytes)
{
    if (attic != NULL) {
        raise_peak(attic, atomic_fetch_add(&attic->bytes, bytes) + bytes);
    }
    return kv_alloc_pages(bytes);
}

static void free_block(lsm_attic *attic, block *b)
{
    if (b == NULL) return;
    if (attic != NULL) atomic_fetch_sub(&attic->bytes, b->size);
    kv_free_pages(b, b->size);
}

// Leaves `b`, or NULL, in the attic; returns what was there. Who may look into
// a block is its owner: before it is left, after it was taken.
static block *exchange(lsm_attic *attic, block *b)
{
    if (b != NULL) atomic_fetch_add(&attic->kept_bytes, b->size);
    block *old = atomic_exchange(&attic->block, b); // A2
    if (old != NULL) atomic_fetch_sub(&attic->kept_bytes, old->size);
    return old;
}

static void choose_next_size(lsm_arena *a, size_t before)
{
    size_t bytes = before / 8;
    a->block_bytes = bytes > BLOCK_BYTES_MIN ? bytes : BLOCK_BYTES_MIN;
}

void lsm_arena_open(lsm_arena *a, size_t bytes, lsm_attic *attic)
{
    if (bytes < BLOCK_BYTES_MIN) bytes = BLOCK_BYTES_MIN;
    *a = (lsm_arena){.attic = attic};
    choose_next_size(a, bytes);
    block *b = attic != NULL ? exchange(attic, NULL) : NULL;
    if (b != NULL && b->size != bytes) {
        free_block(attic, b);
        b = NULL;
    }
    use_block(a, b != NULL ? b : alloc_block(attic, bytes), bytes);
}

void *lsm_arena_take(lsm_arena *a, size_t bytes)
{
    assert(bytes % ALIGNMENT == 0);
    if ((size_t)(a->free_end - a->free) < bytes) {
        size_t size = bytes + sizeof(block);
        if (size < a->block_bytes) size = a->block_bytes;
        use_block(a, alloc_block(a->attic, size), size);
        choose_next_size(a, a->block_bytes);
    }
    void *piece = a->free;
    a->free += bytes;
    return piece;
}

void lsm_arena_free(lsm_arena *a)
{
    while (a->newest != NULL) {
        block *b = a->newest;
        a->newest = b->older;
        bool is_first = b->older == NULL;
        if (is_first && a->attic != NULL) b = exchange(a->attic, b);
        free_block(a->attic, b);
    }
}

void lsm_attic_empty(lsm_attic *attic)
{
    free_block(attic, exchange(attic, NULL));
}

void lsm_attic_reset_peak(lsm_attic *attic)
{
    atomic_store(&attic->peak_bytes, atomic_load(&attic->bytes));
}
