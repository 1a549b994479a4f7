// mem.h -- memory, which is either there or the program ends.
// SPDX-License-Identifier: MIT
//
// Running out of memory is a crash, and crashes are survived (notes/decisions):
// these never return NULL. Whoever takes a length from a disk, a socket or a
// user bounds it before it comes here.

#ifndef COMMON_MEM_H
#define COMMON_MEM_H

#include <stddef.h>

void *kv_alloc(size_t bytes);  // uninitialized
void *kv_zalloc(size_t bytes); // zeroed
void *kv_realloc(void *old, size_t bytes);
void kv_free(void *memory); // NULL is fine
char *kv_strdup(const char *s);

// For tables of megabytes that are read at random: zeroed, aligned to a cache
// line, and in 2 MiB pages where the system grants them (a miss then costs no
// second miss for the address translation). Give the same size back.
void *kv_alloc_pages(size_t bytes);
void kv_free_pages(void *memory, size_t bytes);

// For what may grow large and must not move: an address range, zeroed, of
// which only what is touched becomes memory. Give the same size back.
void *kv_reserve(size_t bytes);
void kv_unreserve(void *memory, size_t bytes); // NULL is fine
// From here on, memory of a reserved range that is touched for the first time
// may come in 2 MiB pages: a wish, as with kv_alloc_pages.
void kv_reserve_large(void *memory, size_t bytes);
// Gives the whole pages in a part of a reserved range back to the system: zero
// when they are touched again.
void kv_reserve_forget(void *memory, size_t bytes);

// What the machine has, in bytes; SIZE_MAX if it does not say.
size_t kv_machine_bytes(void);

#endif
