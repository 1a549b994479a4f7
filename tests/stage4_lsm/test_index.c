// test_index.c -- which block may hold a key: against a walk over all
// separators, and bytes that are no index.
// SPDX-License-Identifier: MIT

#include <stdlib.h>

#include "common/rng.h"

#include "index.h"
#include "tests/support/test.h"

enum { BLOCKS_MAX = 40, KEY_MAX = 12 };

// Ascending separators, some of them equal, and the part they make.
typedef struct shelf {
    uint8_t bytes[BLOCKS_MAX][KEY_MAX];
    kv_slice separator[BLOCKS_MAX];
    kv_buf payload;
    lsm_footer footer;
} shelf;

// Few letters, zeroes among them: so that heads are equal where keys are not.
static kv_slice draw_key(kv_rng *rng, size_t prefix, uint8_t *key)
{
    static const uint8_t letters[] = {0, 'a', 'b', 0xff};
    size_t len = prefix + 1 + (size_t)kv_rng_below(rng, KEY_MAX - prefix);
    for (size_t i = 0; i < prefix; i++) key[i] = 'p';
    for (size_t i = prefix; i < len; i++) {
        key[i] = letters[kv_rng_below(rng, sizeof letters)];
    }
    return kv_slice_of(key, len);
}

static int by_key(const void *a, const void *b)
{
    return kv_slice_cmp(*(const kv_slice *)a, *(const kv_slice *)b);
}

static void shelf_make(shelf *s, kv_rng *rng, size_t count, size_t prefix)
{
    s->footer = (lsm_footer){.block_count = count};
    kv_buf_clear(&s->payload);
    for (size_t i = 0; i < count; i++) {
        s->separator[i] = draw_key(rng, prefix, s->bytes[i]);
    }
    qsort(s->separator, count, sizeof s->separator[0], by_key);
    for (size_t i = 0; i < count; i++) {
        lsm_index_entry entry = {100 + i, s->separator[i]};
        lsm_put_index_entry(&s->payload, &entry);
        s->footer.data_bytes += entry.size;
    }
}

static size_t first_at_or_above(const shelf *s, kv_slice key)
{
    size_t i = 0;
    while (i < s->footer.block_count &&
           kv_slice_cmp(s->separator[i], key) < 0) {
        i++;
    }
    return i;
}

static void it_finds_what_a_walk_finds(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 11);
    static shelf s;
    for (int trial = 0; trial < 500; trial++) {
        size_t count = (size_t)kv_rng_below(&rng, BLOCKS_MAX + 1);
        size_t prefix = (size_t)kv_rng_below(&rng, 4);
        shelf_make(&s, &rng, count, prefix);
        lsm_index x = {0};
        assert_true(lsm_index_open(&x, kv_buf_slice(&s.payload), &s.footer));
        for (int i = 0; i < 200; i++) {
            uint8_t bytes[KEY_MAX];
            kv_slice key = draw_key(&rng, i % 2 == 0 ? prefix : 0, bytes);
            size_t found = lsm_index_find(&x, key);
            assert_int_equal(found, first_at_or_above(&s, key));
            if (found == count) continue;
            assert_int_equal(lsm_index_size(&x, found), 100 + found);
            bool goes_on =
                found + 1 < count && kv_slice_equal(s.separator[found], key);
            assert_int_equal(lsm_index_goes_on(&x, found, key), goes_on);
        }
        lsm_index_free(&x);
    }
    kv_buf_free(&s.payload);
}

static void expect_refused(const shelf *s, const lsm_footer *footer, size_t len)
{
    lsm_index x = {0};
    kv_slice payload = kv_slice_of(s->payload.data, len);
    assert_false(lsm_index_open(&x, payload, footer));
    lsm_index_free(&x);
}

static void what_is_no_index_is_refused(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 12);
    static shelf s;
    shelf_make(&s, &rng, 10, 2);
    for (size_t len = 0; len < s.payload.len; len++) {
        expect_refused(&s, &s.footer, len);
    }
    lsm_footer footer = s.footer;
    footer.block_count--; // F2: a block more than there should be
    footer.data_bytes -= 109;
    expect_refused(&s, &footer, s.payload.len);
    footer = s.footer;
    footer.block_count++;
    expect_refused(&s, &footer, s.payload.len);
    footer.block_count = UINT64_MAX;
    expect_refused(&s, &footer, s.payload.len);
    footer = s.footer;
    footer.data_bytes--;
    expect_refused(&s, &footer, s.payload.len);
    kv_buf_clear(&s.payload); // F4
    lsm_put_index_entry(&s.payload, &(lsm_index_entry){50, kv_str("b")});
    lsm_put_index_entry(&s.payload, &(lsm_index_entry){50, kv_str("a")});
    footer = (lsm_footer){.block_count = 2, .data_bytes = 100};
    expect_refused(&s, &footer, s.payload.len);
    kv_buf_free(&s.payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_what_a_walk_finds),
        cmocka_unit_test(what_is_no_index_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
