// mem.c -- see mem.h.
// SPDX-License-Identifier: MIT

#define _DEFAULT_SOURCE // MAP_ANONYMOUS, MAP_NORESERVE, madvise

#include "common/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE_PAGE_BYTES = 2 << 20 };

static void *or_die(void *memory, size_t bytes)
{
    if (memory != NULL || bytes == 0) return memory;
    fprintf(stderr,
            "stagecoach: out of memory for %zu bytes; stopping here, which "
            "a store survives as it survives a crash\n",
            bytes);
    abort();
}

void *kv_alloc(size_t bytes) { return or_die(malloc(bytes), bytes); }

void *kv_zalloc(size_t bytes) { return or_die(calloc(1, bytes), bytes); }

void *kv_realloc(void *old, size_t bytes)
{
    return or_die(realloc(old, bytes), bytes);
}

void kv_free(void *memory) { free(memory); }

char *kv_strdup(const char *s)
{
    size_t bytes = strlen(s) + 1;
    return memcpy(kv_alloc(bytes), s, bytes);
}

static void *map_zeroes(size_t bytes, int flags)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return or_die(memory == MAP_FAILED ? NULL : memory, bytes);
}

static void unmap(void *memory, size_t bytes)
{
    if (munmap(memory, bytes) == 0) return;
    fprintf(stderr, "stagecoach: a block of %zu bytes was not ours\n", bytes);
    abort();
}

void *kv_alloc_pages(size_t bytes)
{
    if (bytes < HUGE_PAGE_BYTES) {
        size_t rounded = (bytes + 63) & ~(size_t)63;
        void *memory = or_die(aligned_alloc(64, rounded), rounded);
        return rounded > 0 ? memset(memory, 0, rounded) : memory;
    }
    void *memory = map_zeroes(bytes, 0);
    madvise(memory, bytes, MADV_HUGEPAGE); // a wish; refusal costs only speed
    return memory;
}

void kv_free_pages(void *memory, size_t bytes)
{
    if (bytes < HUGE_PAGE_BYTES) free(memory);
    else unmap(memory, bytes);
}

void *kv_reserve(size_t bytes) { return map_zeroes(bytes, MAP_NORESERVE); }

void kv_unreserve(void *memory, size_t bytes)
{
    if (memory != NULL) unmap(memory, bytes);
}

void kv_reserve_forget(void *memory, size_t bytes)
{
    uintptr_t page = 4096;
    uintptr_t first = ((uintptr_t)memory + page - 1) & ~(page - 1);
    uintptr_t limit = ((uintptr_t)memory + bytes) & ~(page - 1);
    if (first >= limit) return;
    madvise((char *)memory + (first - (uintptr_t)memory), limit - first,
            MADV_DONTNEED);
}

void kv_reserve_large(void *memory, size_t bytes)
{
    // The part that begins and ends with a large page.
    uintptr_t first = ((uintptr_t)memory + HUGE_PAGE_BYTES - 1) &
                      ~(uintptr_t)(HUGE_PAGE_BYTES - 1);
    uintptr_t limit = (uintptr_t)memory + bytes;
    if (first >= limit) return;
    madvise((char *)memory + (first - (uintptr_t)memory), limit - first,
            MADV_HUGEPAGE);
}

size_t kv_machine_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page <= 0) return SIZE_MAX;
    return (size_t)pages * (size_t)page;
}
