// shelf.c -- see shelf.h.
// SPDX-License-Identifier: MIT

#include "tests/stage5_btree/shelf.h"

#include "common/mem.h"

static void free_entry(entry *e)
{
    kv_buf_free(&e->key);
    kv_buf_free(&e->value);
}

void shelf_free(shelf *s)
{
    for (size_t i = 0; i < s->count; i++) free_entry(&s->entries[i]);
    kv_free(s->entries);
    *s = (shelf){0};
}

bool shelf_find(const shelf *s, kv_slice key, size_t *at)
{
    size_t first = 0, limit = s->count;
    while (first < limit) {
        size_t middle = first + (limit - first) / 2;
        int c = kv_slice_cmp(kv_buf_slice(&s->entries[middle].key), key);
        if (c < 0) first = middle + 1;
        else limit = middle;
    }
    *at = first;
    return first < s->count &&
           kv_slice_equal(kv_buf_slice(&s->entries[first].key), key);
}

void shelf_put(shelf *s, const bt_cell *cell)
{
    size_t at;
    if (!shelf_find(s, cell->prefix, &at)) {
        if (s->count == s->cap) {
            s->cap = s->cap * 2 + 16;
            s->entries = kv_realloc(s->entries, s->cap * sizeof(entry));
        }
        memmove(&s->entries[at + 1], &s->entries[at],
                (s->count - at) * sizeof(entry));
        s->entries[at] = (entry){0};
        kv_buf_append(&s->entries[at].key, cell->prefix);
        s->count++;
    }
    entry *e = &s->entries[at];
    kv_buf_clear(&e->value);
    kv_buf_append(&e->value, cell->value);
    e->page_id = cell->page_id;
    e->value_bytes = cell->value_bytes;
}

void shelf_remove(shelf *s, size_t at)
{
    free_entry(&s->entries[at]);
    s->count--;
    memmove(&s->entries[at], &s->entries[at + 1],
            (s->count - at) * sizeof(entry));
}

bt_cell shelf_cell(const shelf *s, size_t at)
{
    const entry *e = &s->entries[at];
    kv_slice key = kv_buf_slice(&e->key);
    if (s->kind == BT_INNER) return bt_cell_of_child(key, e->page_id);
    if (e->page_id != 0) {
        return bt_cell_of_overflow(key, e->page_id, e->value_bytes);
    }
    return bt_cell_of(key, kv_buf_slice(&e->value));
}

size_t shelf_plain_bytes(const shelf *s, size_t from, size_t limit)
{
    size_t sum = 0;
    for (size_t i = from; i < limit; i++) {
        bt_cell cell = shelf_cell(s, i);
        sum += BT_SLOT_BYTES + bt_cell_bytes(&cell, s->kind, 0);
    }
    return sum;
}

void shelf_expect(const shelf *s, size_t from, size_t limit,
                  const uint8_t *page)
{
    kv_buf key = {0};
    assert_ok(bt_page_check(page, s->page_bytes, bt_page_id(page)));
    assert_int_equal(bt_count(page), limit - from);
    assert_true(bt_page_used(page) <= bt_page_capacity(s->page_bytes));
    for (size_t i = from; i < limit; i++) {
        const entry *e = &s->entries[i];
        bt_cell cell;
        bt_cell_read(page, i - from, &cell);
        bt_page_key(page, i - from, &key);
        assert_true(kv_slice_equal(kv_buf_slice(&key), kv_buf_slice(&e->key)));
        assert_true(kv_slice_equal(cell.value, kv_buf_slice(&e->value)));
        assert_int_equal(cell.value_bytes, e->value_bytes);
        assert_int_equal(cell.page_id, e->page_id);
    }
    kv_buf_free(&key);
}

// ---- making things up -------------------------------------------------------

static void random_bytes(kv_rng *rng, size_t len, const char *alphabet,
                         size_t letters, kv_buf *to)
{
    kv_buf_reserve(to, len);
    for (size_t i = 0; i < len; i++) {
        uint64_t n = kv_rng_next(rng);
        to->data[to->len++] =
            letters > 0 ? (uint8_t)alphabet[n % letters] : (uint8_t)n;
    }
}

void shelf_make_key(kv_rng *rng, unsigned shape, uint32_t page_bytes,
                    kv_buf *to)
{
    size_t max = bt_key_max(page_bytes);
    kv_buf_clear(to);
    size_t front = shape == 1 ? max / 2 : shape == 4 ? 12 : 0;
    for (size_t i = 0; i < front; i++) kv_buf_append(to, kv_str("f"));
    switch (shape) {
    case 0: {
        // Mostly short, sometimes as long as can be.
        uint64_t most = kv_rng_below(rng, 10) == 0 ? max : 20;
        random_bytes(rng, 1 + kv_rng_below(rng, most), "", 0, to);
        return;
    }
    case 1:
        random_bytes(rng, kv_rng_below(rng, max / 4), "", 0, to);
        return;
    case 2:
        random_bytes(rng, 1 + kv_rng_below(rng, 7), "\0a\xff", 3, to);
        return;
    case 3:
        kv_buf_printf(to, "user%010u", (unsigned)kv_rng_below(rng, 100000));
        return;
    default:
        // Equal up to a byte somewhere, as paths below one directory are.
        kv_buf_clear(to);
        random_bytes(rng, 1, "xyz", 3, to);
        for (size_t i = 0; i < front; i++) kv_buf_append(to, kv_str("f"));
        random_bytes(rng, kv_rng_below(rng, 12), "ab", 2, to);
    }
}

bt_cell shelf_make_cell(const shelf *s, kv_rng *rng, kv_slice key, kv_buf *room)
{
    uint64_t page_id = BT_FIRST_PAGE + kv_rng_below(rng, BT_PAGE_ID_MAX - 2);
    if (s->kind == BT_INNER) return bt_cell_of_child(key, page_id);
    size_t len =
        kv_rng_below(rng, kv_rng_below(rng, 4) == 0 ? s->page_bytes / 2
                                                    : s->page_bytes / 32);
    if (kv_rng_below(rng, 20) == 0 ||
        !bt_is_inline(s->page_bytes, key.len, len)) {
        return bt_cell_of_overflow(
            key, page_id, (uint32_t)(1 + kv_rng_below(rng, BT_VALUE_MAX)));
    }
    kv_buf_clear(room);
    random_bytes(rng, len, "", 0, room);
    return bt_cell_of(key, kv_buf_slice(room));
}
