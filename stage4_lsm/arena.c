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

static void free_block(block *b)
{
    if (b != NULL) kv_free_pages(b, b->size);
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
    block *b = attic != NULL ? atomic_exchange(&attic->block, NULL) : NULL;
    if (b != NULL && b->size != bytes) {
        free_block(b);
        b = NULL;
    }
    use_block(a, b != NULL ? b : kv_alloc_pages(bytes), bytes);
}

void *lsm_arena_take(lsm_arena *a, size_t bytes)
{
    assert(bytes % ALIGNMENT == 0);
    if ((size_t)(a->free_end - a->free) < bytes) {
        size_t size = bytes + sizeof(block);
        if (size < a->block_bytes) size = a->block_bytes;
        use_block(a, kv_alloc_pages(size), size);
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
        if (is_first && a->attic != NULL) {
            b = atomic_exchange(&a->attic->block, b); // A2
        }
        free_block(b);
    }
}

void lsm_attic_empty(lsm_attic *attic)
{
    free_block(atomic_exchange(&attic->block, NULL));
}
