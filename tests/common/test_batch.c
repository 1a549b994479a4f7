// test_batch.c -- changes are copied, kept in order, and given back.
// SPDX-License-Identifier: MIT

#include "common/batch.h"

#include "tests/support/test.h"

static void changes_come_back_in_order(void **state)
{
    (void)state;
    kv_batch b = {0};
    kv_batch_put(&b, kv_str("k"), kv_str("v"));
    kv_batch_del(&b, kv_str("gone"));
    kv_batch_del_range(&b, kv_str("a"), kv_str("f"));
    kv_batch_put(&b, kv_str("empty"), kv_str(""));
    kv_batch_del_range(&b, (kv_slice){0}, (kv_slice){0});
    size_t count;
    const kv_change *c = kv_batch_changes(&b, &count);
    assert_int_equal(count, 5);
    assert_int_equal(c[0].kind, KV_PUT);
    assert_slice(c[0].key, "k");
    assert_slice(c[0].value, "v");
    assert_int_equal(c[1].kind, KV_DEL);
    assert_slice(c[1].key, "gone");
    assert_int_equal(c[1].value.len, 0);
    assert_int_equal(c[2].kind, KV_DEL_RANGE);
    assert_slice(c[2].key, "a");
    assert_slice(c[2].value, "f");
    assert_slice(c[3].key, "empty");
    assert_int_equal(c[3].value.len, 0);
    assert_int_equal(c[4].key.len, 0);
    kv_batch_free(&b);
}

static void what_is_given_is_copied_however_it_grows(void **state)
{
    (void)state;
    kv_batch b = {0};
    char key[16], value[64];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++) {
            snprintf(key, sizeof key, "key%d", i);
            snprintf(value, sizeof value, "value %d of round %d", i, round);
            kv_batch_put(&b, kv_str(key), kv_str(value));
            if (i % 100 == 0) { // reading in between does no harm
                size_t count;
                kv_batch_changes(&b, &count);
                assert_int_equal(count, i + 1);
            }
        }
        size_t count;
        const kv_change *c = kv_batch_changes(&b, &count);
        assert_int_equal(count, 1000);
        for (int i = 0; i < 1000; i++) {
            snprintf(key, sizeof key, "key%d", i);
            snprintf(value, sizeof value, "value %d of round %d", i, round);
            assert_slice(c[i].key, key);
            assert_slice(c[i].value, value);
        }
        kv_batch_clear(&b);
    }
    size_t count = 7;
    kv_batch_changes(&b, &count);
    assert_int_equal(count, 0);
    kv_batch_free(&b);
    kv_batch_free(&b);
}

static void an_unused_batch_is_empty(void **state)
{
    (void)state;
    kv_batch b = {0};
    size_t count = 7;
    kv_batch_changes(&b, &count);
    assert_int_equal(count, 0);
    kv_batch_clear(&b);
    kv_batch_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_come_back_in_order),
        cmocka_unit_test(what_is_given_is_copied_however_it_grows),
        cmocka_unit_test(an_unused_batch_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
