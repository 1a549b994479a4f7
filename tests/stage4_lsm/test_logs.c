// test_logs.c -- the payloads of write-ahead logs and of the manifest, byte for
// byte and when damaged; and a manifest that is rolled over.
// SPDX-License-Identifier: MIT

#include "common/disk_sim.h"
#include "common/rng.h"

#include "manifest.h"
#include "tests/support/test.h"

static const kv_why why = {KV_FOR_META, false};

// ---- changes ----------------------------------------------------------------

static void changes_are_what_the_header_draws(void **state)
{
    (void)state;
    kv_buf bytes = {0};
    kv_change put = {KV_PUT, kv_str("cat"), kv_str("meow")};
    kv_change del = {KV_DEL, kv_str("cat"), {0}};
    kv_change range = {KV_DEL_RANGE, kv_str(""), kv_str("")};
    lsm_put_change(&bytes, &put);
    lsm_put_change(&bytes, &del);
    lsm_put_change(&bytes, &range);
    static const uint8_t want[] = {0,   3, 'c', 'a', 't', 4,   'm', 'e', 'o',
                                   'w', 1, 3,   'c', 'a', 't', 2,   0,   0};
    assert_int_equal(bytes.len, sizeof want);
    assert_memory_equal(bytes.data, want, sizeof want);
    kv_change got;
    assert_int_equal(lsm_get_change(kv_buf_slice(&bytes), &got), 10);
    assert_int_equal(got.kind, KV_PUT);
    assert_slice(got.key, "cat");
    assert_slice(got.value, "meow");
    for (size_t len = 0; len < 10; len++) { // cut anywhere, it is none
        assert_int_equal(lsm_get_change(kv_slice_of(bytes.data, len), &got), 0);
    }
    kv_buf_free(&bytes);
}

static void a_switch_is_no_change_and_no_change_a_switch(void **state)
{
    (void)state;
    kv_buf bytes = {0};
    lsm_switch s = {300, 70000, 52}, got;
    kv_change change;
    lsm_put_switch(&bytes, &s);
    assert_int_equal(lsm_get_change(kv_buf_slice(&bytes), &change), 0);
    assert_true(lsm_get_switch(kv_buf_slice(&bytes), &got));
    assert_int_equal(got.number, 300);
    assert_int_equal(got.size, 70000);
    assert_int_equal(got.synced_size, 52);
    for (size_t len = 0; len < bytes.len; len++) {
        assert_false(lsm_get_switch(kv_slice_of(bytes.data, len), &got));
    }
    kv_buf_free(&bytes);
}

// ---- edits ------------------------------------------------------------------

static void make_edit(lsm_edit *e)
{
    lsm_edit_table t = {.level = 6,
                        .run = 4,
                        .number = 300,
                        .file_bytes = 1 << 20,
                        .entry_count = 5000,
                        .first_key = kv_str("cat"),
                        .last_key = kv_str("dog"),
                        .last_is_open = true};
    *e = (lsm_edit){.what = LSM_EDIT_COMPACT, .next = 301, .log = 9};
    e->last_seq = UINT64_C(1) << 40;
    lsm_edit_remove(e, 7);
    lsm_edit_remove(e, 8);
    lsm_edit_add(e, &t);
}

static void an_edit_comes_back_as_it_was(void **state)
{
    (void)state;
    lsm_edit e, got = {0};
    kv_buf bytes = {0};
    make_edit(&e);
    lsm_put_edit(&bytes, &e);
    assert_true(lsm_get_edit(kv_buf_slice(&bytes), &got));
    assert_int_equal(got.what, LSM_EDIT_COMPACT);
    assert_int_equal(got.next, 301);
    assert_int_equal(got.log, 9);
    assert_int_equal(got.last_seq, UINT64_C(1) << 40);
    assert_int_equal(got.removed_count, 2);
    assert_int_equal(got.removed[1], 8);
    assert_int_equal(got.added_count, 1);
    assert_int_equal(got.added[0].level, 6);
    assert_int_equal(got.added[0].number, 300);
    assert_true(got.added[0].last_is_open);
    assert_slice(got.added[0].last_key, "dog");
    lsm_edit_free(&got);
    lsm_edit_free(&e);
    kv_buf_free(&bytes);
}

static void a_close_is_an_edit_of_no_tables(void **state)
{
    (void)state;
    lsm_edit close = {.what = LSM_EDIT_CLOSE, .closed = {9, 300}}, got;
    kv_buf bytes = {0};
    lsm_put_edit(&bytes, &close);
    static const uint8_t want[] = {4, 0, 0, 0, 0, 0, 9, 0xac, 2};
    assert_int_equal(bytes.len, sizeof want);
    assert_memory_equal(bytes.data, want, sizeof want);
    assert_true(lsm_get_edit(kv_buf_slice(&bytes), &got));
    assert_int_equal(got.closed.log, 9);
    assert_int_equal(got.closed.bytes, 300);
    for (size_t len = 0; len < bytes.len; len++) {
        assert_false(lsm_get_edit(kv_slice_of(bytes.data, len), &got));
    }
    kv_buf_free(&bytes);
}

static void bytes_that_are_no_edit_hurt_nobody(void **state)
{
    (void)state;
    lsm_edit e, got = {0};
    kv_buf bytes = {0};
    make_edit(&e);
    lsm_put_edit(&bytes, &e);
    for (size_t len = 0; len < bytes.len; len++) {
        assert_false(lsm_get_edit(kv_slice_of(bytes.data, len), &got));
    }
    for (size_t i = 0; i < bytes.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes.data[i] ^= (uint8_t)(1u << bit);
            if (lsm_get_edit(kv_buf_slice(&bytes), &got)) lsm_edit_free(&got);
            bytes.data[i] ^= (uint8_t)(1u << bit);
        }
    }
    lsm_edit_free(&e);
    kv_buf_free(&bytes);
}

// ---- the manifest -----------------------------------------------------------

static kv_status note_edit(void *arg, uint64_t i, const lsm_edit *edit)
{
    uint64_t *seen = arg;
    seen[i] = edit->next;
    return KV_OK;
}

static void a_manifest_is_rolled_over_and_read(void **state)
{
    (void)state;
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    lsm_manifest m = {.disk = disk, .store_id = 1};
    uint64_t seen[8] = {0};
    assert_status(lsm_manifest_read(disk, 1, note_edit, seen, why),
                  KV_NOT_FOUND);
    lsm_edit all = {.what = LSM_EDIT_ALL, .next = 10};
    lsm_edit flush = {.what = LSM_EDIT_FLUSH, .next = 11};
    assert_ok(lsm_manifest_begin(&m, &all, 3, why));
    assert_ok(lsm_manifest_append(&m, &flush, why));
    assert_int_equal(m.edits, 2);
    assert_ok(lsm_manifest_read(disk, 1, note_edit, seen, why));
    assert_int_equal(seen[0], 10);
    assert_int_equal(seen[1], 11);
    all.next = 20;
    assert_ok(lsm_manifest_begin(&m, &all, 4, why));
    assert_int_equal(m.edits, 1);
    flush.next = 21;
    assert_ok(lsm_manifest_append(&m, &flush, why));
    assert_ok(lsm_manifest_close(&m, true));
    assert_ok(lsm_manifest_read(disk, 1, note_edit, seen, why));
    assert_int_equal(seen[0], 20);
    assert_int_equal(seen[1], 21);
    assert_int_equal(seen[2], 0);
    // Another store's is not ours.
    assert_status(lsm_manifest_read(disk, 2, note_edit, seen, why), KV_CORRUPT);
    kv_disk_close(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_what_the_header_draws),
        cmocka_unit_test(a_switch_is_no_change_and_no_change_a_switch),
        cmocka_unit_test(an_edit_comes_back_as_it_was),
        cmocka_unit_test(a_close_is_an_edit_of_no_tables),
        cmocka_unit_test(bytes_that_are_no_edit_hurt_nobody),
        cmocka_unit_test(a_manifest_is_rolled_over_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
