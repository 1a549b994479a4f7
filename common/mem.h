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

#endif
