// shelf.h -- what pages have to hold: keys and what they lead to, in a sorted
// array, and keys of all kinds to fill it with.
// SPDX-License-Identifier: MIT

#ifndef TESTS_STAGE5_BTREE_SHELF_H
#define TESTS_STAGE5_BTREE_SHELF_H

#include "common/rng.h"

#include "page.h"
#include "tests/support/test.h"

// A leaf's entry has a value, or an overflow page and a length; an inner
// page's has a child.
typedef struct entry {
    kv_buf key, value;
    uint64_t page_id;
    uint32_t value_bytes;
} entry;

typedef struct shelf {
    bt_kind kind;
    uint32_t page_bytes;
    uint64_t first_child; // inner: the child before all keys
    entry *entries;
    size_t count, cap;
} shelf;

void shelf_free(shelf *s);
// Where the key is (true), or would be.
bool shelf_find(const shelf *s, kv_slice key, size_t *at);
// Inserts or replaces; the cell is copied.
void shelf_put(shelf *s, const bt_cell *cell);
void shelf_remove(shelf *s, size_t at);

// The entry as a cell that points into the shelf.
bt_cell shelf_cell(const shelf *s, size_t at);

// Bytes that its entries from..limit-1 would take with no prefix truncated.
size_t shelf_plain_bytes(const shelf *s, size_t from, size_t limit);

// Fails the test unless the page is sound and holds exactly these entries.
void shelf_expect(const shelf *s, size_t from, size_t limit,
                  const uint8_t *page);

// Kinds of keys: random bytes of any length; random ends behind a long common
// front; short ones of few different bytes, zero among them; numbers in
// decimal; ones that differ only far behind the head.
enum { SHELF_SHAPES = 5 };
void shelf_make_key(kv_rng *rng, unsigned shape, uint32_t page_bytes,
                    kv_buf *to);
// A cell of the shelf's kind for that key, of random size; `room` holds the
// value.
bt_cell shelf_make_cell(const shelf *s, kv_rng *rng, kv_slice key,
                        kv_buf *room);

#endif
