// test_recovery.c -- torn pages are mended, damage is refused, and nothing that
// a file says leads astray.
// SPDX-License-Identifier: MIT

#include "common/disk_fault.h"
#include "common/disk_sim.h"

#include "format.h"
#include "tests/stage5_btree/yard.h"
#include "tests/support/test.h"

enum { PAGE = 1024, SECTOR = 128 };

#define SMALL "page_bytes=1KiB,background=0"

static kv_buf read_file(kv_disk *disk, const char *name)
{
    kv_file *f = NULL;
    uint64_t size;
    kv_buf bytes = {0};
    kv_why why = kv_for(KV_FOR_RECOVERY);
    assert_ok(
        kv_file_open(disk, name, (kv_open_how){.mode = KV_OPEN_READ}, why, &f));
    assert_ok(kv_file_size(f, &size));
    kv_buf_reserve(&bytes, size);
    assert_ok(kv_file_read_all(f, 0, bytes.data, size, why));
    bytes.len = size;
    kv_file_close(f);
    return bytes;
}

static void write_at(kv_disk *disk, const char *name, uint64_t at,
                     const uint8_t *bytes, size_t len)
{
    kv_file *f = NULL;
    kv_why why = kv_for(KV_FOR_RECOVERY);
    assert_ok(kv_file_open(disk, name, (kv_open_how){.mode = KV_OPEN_WRITE},
                           why, &f));
    assert_ok(kv_file_write(f, at, kv_slice_of(bytes, len), why));
    kv_file_close(f);
}

// A budget of bytes for which redo rehearses, as the log may be too much.
enum { LITTLE = 64 << 10 };

static kv_status try_open_as(yard *y, bool read_only)
{
    kv_options options = {.path = "yard",
                          .read_only = read_only,
                          .knobs = y->knobs,
                          .disk = y->disk,
                          .memory_bytes = y->memory_bytes,
                          .sync = KV_SYNC_NONE,
                          .seed = 1};
    return kv_open(test_engine("bt"), &options, &y->db);
}

static kv_status try_open(yard *y) { return try_open_as(y, false); }

// The same; a store that is refused is left as it was, but for LOCK.
static kv_status try_open_or_leave(yard *y)
{
    (void)!kv_disk_remove(y->disk, "LOCK", kv_for(KV_FOR_META));
    kv_sim_hash before = kv_disk_sim_hash(y->disk);
    kv_status st = try_open(y);
    if (st == KV_OK) return st;
    assert_ok(kv_disk_remove(y->disk, "LOCK", kv_for(KV_FOR_META)));
    kv_sim_hash after = kv_disk_sim_hash(y->disk);
    assert_memory_equal(&before, &after, sizeof after);
    return st;
}

// A store whose pages were all written back once more after a checkpoint, but
// killed before the next was complete: `before` is TREE as it was then.
static void change_all_pages(yard *y, const char *knobs, kv_buf *before)
{
    bool did_work;
    yard_open(y, knobs);
    for (unsigned key = 0; key < 300; key++) yard_put(y, key, key + 1, 40);
    assert_ok(kv_settle(y->db));
    *before = read_file(y->disk, bt_file_name);
    for (unsigned key = 0; key < 300; key += 3) yard_put(y, key, key + 7, 40);
    assert_ok(kv_maintain(y->db, &did_work)); // begins a checkpoint
    assert_ok(kv_maintain(y->db, &did_work)); // writes the pages
    yard_kill(y);
}

// Every page has sectors of before and of after, in several patterns.
static void tear(yard *y, const kv_buf *before, unsigned pattern)
{
    for (size_t at = 2 * PAGE; at < before->len; at += SECTOR) {
        if ((at / SECTOR * 7 + pattern) % 3 != 0) continue;
        write_at(y->disk, bt_file_name, at, before->data + at, SECTOR);
    }
}

static void torn_pages_are_mended(void **state)
{
    (void)state;
    static const char *const knobs[] = {SMALL, SMALL ",torn_pages=images"};
    for (int i = 0; i < 4; i++) {
        for (unsigned pattern = 0; pattern < 3; pattern++) {
            yard y;
            kv_buf before = {0};
            change_all_pages(&y, knobs[i % 2], &before);
            y.memory_bytes = i < 2 ? 0 : LITTLE;
            tear(&y, &before, pattern);
            yard_reopen(&y);
            yard_compare(&y);
            yard_close(&y);
            kv_buf_free(&before);
        }
    }
}

// C29: what the mending is for.
static void without_mending_torn_pages_are_lost(void **state)
{
    (void)state;
    yard y;
    kv_buf before = {0};
    change_all_pages(&y, SMALL ",torn_pages=unsafe", &before);
    tear(&y, &before, 1);
    assert_status(try_open(&y), KV_CORRUPT);
    yard_close(&y);
    kv_buf_free(&before);
    // Without a torn page, the log is enough.
    change_all_pages(&y, SMALL ",torn_pages=unsafe", &before);
    yard_reopen(&y);
    yard_compare(&y);
    yard_close(&y);
    kv_buf_free(&before);
}

// Bytes that are neither of before nor of after: patches do not reach them all,
// and the checksum that should come out does not.
static void damage_is_not_taken_for_a_torn_page(void **state)
{
    (void)state;
    unsigned refused = 0;
    for (size_t at = 2 * PAGE; at < 12 * PAGE; at += 61) {
        yard y;
        kv_buf before = {0};
        change_all_pages(&y, SMALL, &before);
        kv_buf now = read_file(y.disk, bt_file_name);
        uint8_t bad = (uint8_t)(now.data[at] ^ 0x10);
        write_at(y.disk, bt_file_name, at, &bad, 1);
        y.memory_bytes = at % 2 == 0 ? 0 : LITTLE;
        kv_status st = try_open_or_leave(&y);
        if (st == KV_OK) st = yard_check(&y);
        refused += st == KV_CORRUPT;
        if (st == KV_OK) yard_compare(&y); // a patch went over it
        else assert_int_equal(st, KV_CORRUPT);
        yard_close(&y);
        kv_buf_free(&now);
        kv_buf_free(&before);
    }
    assert_true(refused > 20);
}

// Most pages are changed, and so many that redo has to write some back before
// it meets others.
static void make_much_to_redo(yard *y, const char *knobs)
{
    yard_open(y, knobs);
    for (unsigned key = 0; key < 600; key++) yard_put(y, key, key + 1, 200);
    assert_ok(kv_settle(y->db));
    for (unsigned key = 0; key < 600; key += 2) {
        yard_put(y, key * 7 % 600, key + 9, 200);
    }
    yard_kill(y);
    y->memory_bytes = LITTLE;
}

static void a_store_is_refused_before_it_is_changed(void **state)
{
    (void)state;
    unsigned refused = 0;
    yard y;
    make_much_to_redo(&y, SMALL);
    kv_buf tree = read_file(y.disk, bt_file_name);
    size_t pages = tree.len / PAGE;
    assert_true(pages > 130);
    for (size_t id = BT_FIRST_PAGE; id < pages; id += 7) {
        yard damaged = {.knobs = y.knobs, .memory_bytes = y.memory_bytes};
        damaged.disk = kv_disk_sim_kill(y.disk);
        uint8_t bad = (uint8_t)(tree.data[id * PAGE + 200] ^ 4);
        write_at(damaged.disk, bt_file_name, id * PAGE + 200, &bad, 1);
        refused += try_open_or_leave(&damaged) == KV_CORRUPT;
        yard_close(&damaged);
    }
    assert_true(refused > pages / 7 / 2);
    yard_reopen(&y);
    yard_compare(&y);
    yard_close(&y);
    kv_buf_free(&tree);
}

// In memory for few pages, redo writes some back and meets them again, of
// which many were newer on the disk than what the log begins with.
static void pages_newer_than_the_log_stay_whole(void **state)
{
    (void)state;
    static const char *const knobs[] = {SMALL, SMALL ",torn_pages=images",
                                        SMALL ",torn_pages=unsafe"};
    for (int i = 0; i < 3; i++) {
        yard y;
        bool did_work;
        yard_open(&y, knobs[i]);
        for (unsigned n = 0; n < 12000; n++) {
            unsigned key = n * 2654435761U % 599;
            if (n % 5 == 3) yard_del(&y, key);
            else yard_put(&y, key, n + 1, n * 7 % 230);
            if (n == 5000) assert_ok(kv_settle(y.db));
        }
        assert_ok(kv_maintain(y.db, &did_work)); // begins a checkpoint
        assert_ok(kv_maintain(y.db, &did_work)); // writes the pages
        yard_kill(&y);
        y.memory_bytes = LITTLE;
        yard_reopen(&y);
        yard_compare(&y);
        yard_close(&y);
    }
}

// What one setting left in the log, another writes back while it opens the
// store: until a power cut tears a page of it.
static void opening_otherwise_tears_no_page_for_good(void **state)
{
    (void)state;
    static const char *const knobs[] = {SMALL, SMALL ",torn_pages=images"};
    for (int i = 0; i < 4; i++) {
        yard left;
        make_much_to_redo(&left, knobs[i % 2]);
        for (int nth = 1; nth < 60; nth++) {
            char rule[40];
            kv_disk *sim = kv_disk_sim_kill(left.disk);
            yard y = left;
            y.knobs = knobs[i / 2];
            snprintf(rule, sizeof rule, "page:write:%d:torn", nth);
            assert_ok(kv_disk_open_fault(sim, rule, &y.disk));
            kv_status st = try_open(&y);
            if (st != KV_OK) {
                assert_status(st, KV_IO);
                assert_ok(kv_disk_fault_set(y.disk, ""));
                yard_reopen(&y);
            }
            yard_compare(&y);
            yard_close(&y);
        }
        kv_disk_close(left.disk);
    }
}

static void flip(kv_disk *disk, uint64_t at, size_t bit)
{
    kv_buf now = read_file(disk, bt_file_name);
    uint8_t bad = (uint8_t)(now.data[at] ^ 1u << bit);
    write_at(disk, bt_file_name, at, &bad, 1);
    kv_buf_free(&now);
}

// Opens a copy of a closed store that lost one superblock; and once more
// without the other one, because the close between the two mended the first.
static void look_without_superblock(const yard *closed, uint64_t slot,
                                    size_t bit)
{
    yard y = {.knobs = closed->knobs, .disk = kv_disk_sim_kill(closed->disk)};
    kv_buf value = {0};
    for (int i = 0; i < 2; i++, slot = 1 - slot) {
        flip(y.disk, slot * PAGE + bit / 8, bit % 8);
        assert_ok(try_open(&y));
        for (unsigned key = 1; key <= 3; key++) {
            char name[32];
            assert_ok(kv_get(y.db, yard_key(name, key), &value));
        }
        if (bit % 64 == 0) assert_ok(yard_check(&y));
        assert_ok(kv_close(y.db));
    }
    kv_buf_free(&value);
    kv_disk_close(y.disk);
}

// S3 of store.h: after a clean close each superblock can do without the other,
// down to the last commit.
static void either_superblock_is_enough_after_a_close(void **state)
{
    (void)state;
    static const char *const knobs[] = {SMALL, SMALL ",journal=cow"};
    for (size_t i = 0; i < 2; i++) {
        yard y;
        yard_open(&y, knobs[i]);
        for (unsigned key = 1; key <= 3; key++) yard_put(&y, key, key, 10);
        assert_ok(kv_close(y.db));
        y.db = NULL;
        for (uint64_t slot = 0; slot < 2; slot++) {
            for (size_t bit = 0; bit < BT_SUPER_BYTES * 8; bit++) {
                look_without_superblock(&y, slot, bit);
            }
        }
        yard_close(&y);
    }
}

// As a newer program leaves it, with a field that this one does not know.
static void renew_superblock(yard *y, uint64_t slot)
{
    kv_buf tree = read_file(y->disk, bt_file_name);
    uint8_t bytes[BT_SUPER_BYTES];
    bt_super super;
    kv_slice old = kv_slice_of(tree.data + slot * PAGE, sizeof bytes);
    assert_ok(bt_super_decode(old, slot * PAGE, &super));
    super.minor = BT_FORMAT_MINOR + 1;
    bt_super_encode(&super, bytes);
    bytes[112] = 7;
    size_t end = sizeof bytes - 4;
    kv_put_u32(bytes + end, kv_crc32c(0, kv_slice_of(bytes, end)));
    write_at(y->disk, bt_file_name, slot * PAGE, bytes, sizeof bytes);
    kv_buf_free(&tree);
}

static void a_newer_minor_format_is_only_read(void **state)
{
    (void)state;
    static const char *const knobs[] = {SMALL, SMALL ",journal=cow"};
    for (size_t i = 0; i < 2; i++) {
        yard y;
        yard_open(&y, knobs[i]);
        for (unsigned key = 1; key <= 3; key++) yard_put(&y, key, key, 10);
        assert_ok(kv_close(y.db));
        y.db = NULL;
        for (uint64_t slot = 0; slot < 2; slot++) renew_superblock(&y, slot);
        kv_buf before = read_file(y.disk, bt_file_name);
        assert_ok(try_open(&y));
        assert_status(kv_put(y.db, kv_str("key"), kv_str("v")), KV_READ_ONLY);
        yard_compare(&y);
        assert_ok(kv_close(y.db));
        y.db = NULL;
        kv_buf after = read_file(y.disk, bt_file_name);
        assert_true(
            kv_slice_equal(kv_buf_slice(&before), kv_buf_slice(&after)));
        kv_buf_free(&before);
        kv_buf_free(&after);
        yard_close(&y);
    }
}

// A page that is as it should be by itself, and wrong where it stands.
static void reseal(kv_disk *disk, uint64_t page, uint8_t *bytes, uint64_t id)
{
    bt_page_seal(bytes, id);
    write_at(disk, bt_file_name, page * PAGE, bytes, PAGE);
}

static uint64_t root_of(const kv_buf *tree, uint64_t *store_id)
{
    bt_super best = {0}, each;
    for (uint64_t at = 0; at <= PAGE; at += PAGE) {
        kv_slice bytes = kv_slice_of(tree->data + at, BT_SUPER_BYTES);
        if (bt_super_decode(bytes, at, &each) != KV_OK) continue;
        if (each.counter > best.counter) best = each;
    }
    *store_id = best.store_id;
    return best.root;
}

static void wild_and_circular_references_are_refused(void **state)
{
    (void)state;
    yard y;
    yard_open(&y, SMALL);
    for (unsigned key = 0; key < 500; key++) yard_put(&y, key, key + 1, 40);
    assert_ok(kv_settle(y.db));
    assert_ok(kv_close(y.db));
    y.db = NULL;
    kv_buf tree = read_file(y.disk, bt_file_name), value = {0};
    uint64_t store_id, root = root_of(&tree, &store_id);
    const uint64_t wild[] = {root, 1, 0, 99, UINT64_C(1) << 30, BT_PAGE_ID_MAX};
    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++) {
        uint8_t page[PAGE];
        memcpy(page, tree.data + root * PAGE, PAGE);
        bt_set_link(page, wild[i]); // the leftmost child
        reseal(y.disk, root, page, store_id);
        kv_status st = try_open(&y);
        char name[32];
        if (st == KV_OK) {
            assert_status(kv_get(y.db, yard_key(name, 0), &value), KV_CORRUPT);
            assert_status(kv_put(y.db, yard_key(name, 0), kv_str("v")),
                          KV_CORRUPT);
            assert_status(yard_check(&y), KV_CORRUPT);
            (void)kv_close(y.db);
            y.db = NULL;
        } else {
            assert_int_equal(st, KV_CORRUPT);
        }
    }
    kv_buf_free(&value);
    kv_buf_free(&tree);
    yard_close(&y);
}

static void a_missing_log_is_named(void **state)
{
    (void)state;
    yard y;
    kv_names names = {0};
    yard_open(&y, SMALL);
    yard_put(&y, 1, 1, 10);
    assert_ok(kv_close(y.db));
    y.db = NULL;
    assert_ok(kv_disk_list(y.disk, &names));
    for (size_t i = 0; i < names.count; i++) {
        if (strstr(names.name[i], ".wal") == NULL) continue;
        assert_ok(
            kv_disk_remove(y.disk, names.name[i], kv_for(KV_FOR_RECOVERY)));
    }
    kv_names_free(&names);
    assert_status(try_open(&y), KV_CORRUPT);
    assert_non_null(strstr(kv_last_error(), ".wal"));
    yard_close(&y);
}

static void a_file_that_ends_too_soon_is_refused(void **state)
{
    (void)state;
    for (uint64_t pages = 0; pages < 20; pages += 3) {
        yard y;
        kv_file *f = NULL;
        kv_why why = kv_for(KV_FOR_RECOVERY);
        yard_open(&y, SMALL);
        for (unsigned key = 0; key < 500; key++) yard_put(&y, key, 1, 40);
        assert_ok(kv_settle(y.db));
        assert_ok(kv_close(y.db));
        y.db = NULL;
        assert_ok(kv_file_open(y.disk, bt_file_name,
                               (kv_open_how){.mode = KV_OPEN_WRITE}, why, &f));
        assert_ok(kv_file_truncate(f, pages * PAGE + 100, why));
        kv_file_close(f);
        kv_status st = try_open(&y);
        if (st == KV_OK) st = yard_check(&y);
        assert_int_equal(st, KV_CORRUPT);
        yard_close(&y);
    }
}

// A store that only the logs tell of is not an empty one, not even to who only
// looks.
static void a_tree_that_is_gone_is_missed(void **state)
{
    (void)state;
    yard y = {0};
    yard_open(&y, SMALL);
    yard_put(&y, 1, 1, 40);
    assert_ok(kv_close(y.db));
    y.db = NULL;
    assert_ok(kv_disk_remove(y.disk, bt_file_name, kv_for(KV_FOR_META)));
    for (int read_only = 0; read_only < 2; read_only++) {
        assert_status(try_open_as(&y, read_only), KV_CORRUPT);
        assert_non_null(strstr(kv_last_error(), "000001.wal"));
        assert_non_null(strstr(kv_last_error(), bt_file_name));
    }
    yard_close(&y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torn_pages_are_mended),
        cmocka_unit_test(without_mending_torn_pages_are_lost),
        cmocka_unit_test(damage_is_not_taken_for_a_torn_page),
        cmocka_unit_test(a_store_is_refused_before_it_is_changed),
        cmocka_unit_test(pages_newer_than_the_log_stay_whole),
        cmocka_unit_test(opening_otherwise_tears_no_page_for_good),
        cmocka_unit_test(either_superblock_is_enough_after_a_close),
        cmocka_unit_test(a_newer_minor_format_is_only_read),
        cmocka_unit_test(wild_and_circular_references_are_refused),
        cmocka_unit_test(a_missing_log_is_named),
        cmocka_unit_test(a_file_that_ends_too_soon_is_refused),
        cmocka_unit_test(a_tree_that_is_gone_is_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
