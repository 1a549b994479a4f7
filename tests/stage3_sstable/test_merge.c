// test_merge.c -- k sorted sources, seen as one.
// SPDX-License-Identifier: MIT

#include "merge.h"
#include "tests/support/test.h"

// A source of one-letter keys; a "!" behind one makes it a tombstone.
typedef struct letters {
    sst_source base;
    const char *left;
    int fails_after; // so many entries; -1: never
    bool *was_freed;
} letters;

static kv_status next_letter(sst_source *source)
{
    letters *l = (letters *)source;
    if (l->fails_after-- == 0) return kv_fail(KV_IO, "as asked");
    source->has_entry = *l->left != '\0';
    if (!source->has_entry) return KV_OK;
    source->entry = (sst_entry){.key = kv_slice_of(l->left, 1)};
    if (*++l->left == '!') {
        source->entry.is_tombstone = true;
        l->left++;
    }
    return KV_OK;
}

static void free_letters(sst_source *source)
{
    *((letters *)source)->was_freed = true;
}

static bool freed[4];

static letters source_of(const char *text, int i)
{
    freed[i] = false;
    return (letters){.base = {.next = next_letter, .free = free_letters},
                     .left = text,
                     .fails_after = -1,
                     .was_freed = &freed[i]};
}

// What comes out, as "a1 b0 ": the key, the source, and ! for a tombstone.
static void merged(const char *zero, const char *one, const char *two,
                   bool reverse, const char *want)
{
    letters sources[] = {source_of(zero, 0), source_of(one, 1),
                         source_of(two, 2)};
    sst_merge m = {.reverse = reverse};
    for (uint32_t i = 0; i < 3; i++) {
        assert_ok(sst_merge_add(&m, &sources[i].base, i));
    }
    char got[128] = "";
    sst_entry entry;
    kv_status st;
    while ((st = sst_merge_next(&m, &entry)) == KV_OK) {
        size_t len = strlen(got);
        snprintf(got + len, sizeof got - len, "%c%u%s ", entry.key.data[0],
                 sst_merge_rank(&m), entry.is_tombstone ? "!" : "");
    }
    assert_int_equal(st, KV_END);
    assert_int_equal(sst_merge_next(&m, &entry), KV_END);
    assert_string_equal(got, want);
    sst_merge_free(&m);
    for (int i = 0; i < 3; i++) assert_true(freed[i]);
}

static void the_newest_source_wins(void **state)
{
    (void)state;
    merged("bd", "abe", "bc", false, "a1 b0 c2 d0 e1 ");
    merged("db", "eba", "cb", true, "e1 d0 c2 b0 a1 ");
    merged("", "", "", false, "");
    merged("a", "a", "a", false, "a0 ");
    merged("abc", "", "xyz", false, "a0 b0 c0 x2 y2 z2 ");
}

static void tombstones_come_out_and_hide(void **state)
{
    (void)state;
    merged("a!c", "ab!", "abc", false, "a0! b1! c0 ");
}

static void a_failing_source_ends_the_merge(void **state)
{
    (void)state;
    letters good = source_of("ac", 0), bad = source_of("bd", 1);
    bad.fails_after = 1;
    sst_merge m = {0};
    sst_entry entry;
    assert_ok(sst_merge_add(&m, &good.base, 0));
    assert_ok(sst_merge_add(&m, &bad.base, 1));
    assert_ok(sst_merge_next(&m, &entry));
    assert_ok(sst_merge_next(&m, &entry));
    assert_slice(entry.key, "b");
    assert_status(sst_merge_next(&m, &entry), KV_IO);
    sst_merge_free(&m);
    assert_true(freed[0] && freed[1]);
    letters worse = source_of("x", 2);
    worse.fails_after = 0;
    assert_status(sst_merge_add(&m, &worse.base, 0), KV_IO);
    assert_true(freed[2]);
    sst_merge_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_source_wins),
        cmocka_unit_test(tombstones_come_out_and_hide),
        cmocka_unit_test(a_failing_source_ends_the_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
