// test_crafted.c -- pages of good checksums that do not fit together: said,
// never followed into a circle or a crash.
// SPDX-License-Identifier: MIT
//
// A closed store is changed by hand and sealed again, as a bug of ours or
// somebody's tool might. Either it is refused, or kv_check says KV_CORRUPT, all
// else ends with KV_OK or KV_CORRUPT, and what a put said KV_OK to is there.
// Whoever says KV_CORRUPT says which file, and where in it.

#include "tests/stage5_btree/craft.h"
#include "tests/stage5_btree/yard.h"
#include "tests/support/test.h"

// Says which file, and where in it.
static kv_status located(kv_status st)
{
    const char *text = kv_last_error();
    if (st != KV_CORRUPT) return st;
    bool is_located =
        strstr(text, bt_file_name) != NULL &&
        (strstr(text, " offset ") != NULL || strstr(text, " byte ") != NULL);
    if (!is_located) fail_msg("where? %s", text);
    return st;
}

static kv_status try_open(const craft *c, kv_disk **disk, kv **db)
{
    *db = NULL;
    *disk = kv_disk_sim_kill(c->disk);
    kv_options options = {.path = "craft",
                          .knobs = "background=0", // the rest the store knows
                          .disk = *disk,
                          .sync = KV_SYNC_NONE,
                          .seed = 1};
    return located(kv_open(test_engine("bt"), &options, db));
}

static kv *open_copy(const craft *c, kv_disk **disk)
{
    kv *db;
    assert_ok(try_open(c, disk, &db));
    return db;
}

static void expect_refusal(const craft *c)
{
    kv_disk *disk;
    kv *db;
    kv_status st = try_open(c, &disk, &db);
    assert_true(st == KV_CORRUPT || st == KV_UNSUPPORTED);
    assert_true(strlen(kv_last_error()) > 20);
    kv_disk_close(disk);
}

static void close_copy(kv *db, kv_disk *disk)
{
    (void)kv_close(db);
    kv_disk_close(disk);
}

static void expect_lawful(kv_status st)
{
    (void)located(st);
    assert_true(st == KV_OK || st == KV_CORRUPT);
}

static kv_status scan_all(kv *db, bool reverse)
{
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    kv_status st = kv_scan(db, (kv_range){.reverse = reverse}, &cursor);
    unsigned seen = 0;
    while (st == KV_OK) {
        st = kv_cursor_next(cursor, &key, &value);
        assert_true(seen++ < 10 * KEYS); // else it is a circle
    }
    kv_cursor_close(cursor);
    return st == KV_END ? KV_OK : st;
}

static void put_is_there(kv *db, unsigned key, size_t bytes)
{
    char name[32];
    kv_buf value = {0};
    static const uint8_t zeroes[LONG];
    kv_status st = kv_put(db, yard_key(name, key), kv_slice_of(zeroes, bytes));
    expect_lawful(st);
    if (st == KV_OK) {
        expect_lawful(kv_get(db, yard_key(name, key), &value));
    }
    kv_buf_free(&value);
}

// Splits, merges, chains and free pages, wherever the damage is.
static void write_much(kv *db)
{
    char name[32];
    for (unsigned key = 0; key < KEYS + 100; key += 7) {
        put_is_there(db, key, key % 3 == 0 ? LONG : 60);
    }
    for (unsigned key = 0; key < KEYS; key++) {
        if (key % 9 != 0) expect_lawful(kv_del(db, yard_key(name, key)));
    }
    expect_lawful(kv_settle(db));
    for (unsigned key = 0; key < 300; key++) put_is_there(db, key, 50);
    expect_lawful(kv_settle(db));
}

static kv_status check(kv *db)
{
    kv_report report = {0};
    kv_status st = kv_check(db, &report);
    kv_report_free(&report);
    return located(st);
}

// Every part of it, and every page.
static void inspect(const craft *c, kv *db)
{
    static const char *const parts[] = {NULL, "tree", "graphviz"};
    char part[32];
    kv_report report = {0};
    for (size_t i = 0; i < 3; i++) {
        expect_lawful(kv_inspect(db, parts[i], &report));
        kv_report_free(&report);
    }
    for (uint64_t id = BT_FIRST_PAGE; id < c->super.page_count; id++) {
        snprintf(part, sizeof part, "page %u", (unsigned)id);
        expect_lawful(kv_inspect(db, part, &report));
        kv_report_free(&report);
    }
}

static void xray(const craft *c)
{
    kv_xray x = {.limit = UINT64_MAX};
    expect_lawful(kv_xray_file(test_engine("bt"), c->disk, bt_file_name, &x));
    kv_buf_free(&x.text);
}

static void ask(const craft *c, int asks)
{
    xray(c);
    if (asks & REFUSED) {
        expect_refusal(c);
        return;
    }
    kv_disk *disk;
    char name[32];
    kv_buf value = {0};
    kv *db = open_copy(c, &disk);
    assert_status(check(db), KV_CORRUPT);
    inspect(c, db);
    kv_status got = kv_get(db, yard_key(name, 0), &value);
    if (asks & GETS) assert_status(got, KV_CORRUPT);
    for (int reverse = 0; reverse < 2; reverse++) {
        kv_status scanned = scan_all(db, reverse);
        expect_lawful(scanned);
        if (asks & SCANS) assert_status(scanned, KV_CORRUPT);
    }
    if (got != KV_NOT_FOUND) expect_lawful(got);
    kv_status put = kv_put(db, yard_key(name, 0), kv_str("new"));
    if (asks & PUTS) assert_status(put, KV_CORRUPT);
    expect_lawful(put);
    close_copy(db, disk);
    db = open_copy(c, &disk);
    write_much(db);
    expect_lawful(scan_all(db, false));
    expect_lawful(scan_all(db, true));
    close_copy(db, disk);
    kv_buf_free(&value);
}

static void try_all(const wrong *all)
{
    static const char *const knobs[] = {
        "page_bytes=512,background=0",
        "page_bytes=512,background=0,journal=cow",
    };
    for (size_t i = 0; i < 2; i++) {
        for (const wrong *each = all; each->name != NULL; each++) {
            craft c;
            craft_make(&c, knobs[i]);
            print_message("%s: %s\n", c.knobs, each->name);
            int asks = each->apply(&c);
            craft_write(&c);
            ask(&c, asks);
            craft_free(&c);
        }
    }
}

static void what_does_not_fit_is_said(void **state)
{
    (void)state;
    try_all(craft_wrong_trees);
}

static void what_is_no_page_is_said(void **state)
{
    (void)state;
    try_all(craft_wrong_pages);
}

// The store needs one superblock; that the other is bad is no damage, but told.
static void a_bad_superblock_is_told(void **state)
{
    (void)state;
    static const char *const knobs[] = {
        "page_bytes=512,background=0",
        "page_bytes=512,background=0,journal=cow",
    };
    for (size_t i = 0; i < 4; i++) {
        craft c;
        kv *db;
        kv_report report = {0};
        kv_buf text = {0};
        craft_make(&c, knobs[i / 2]);
        c.is_raw = true;
        c.tree[i % 2 * PAGE + 30] ^= 1;
        craft_write(&c);
        kv_options options = {
            .path = "craft", .disk = c.disk, .read_only = true};
        assert_ok(kv_open(test_engine("bt"), &options, &db));
        assert_ok(kv_check(db, &report));
        kv_report_draw_text(&report, &text);
        kv_buf_append(&text, kv_slice_of("", 1));
        const char *good = strstr((const char *)text.data, "only the one at");
        assert_non_null(good);
        unsigned at = 0;
        assert_int_equal(sscanf(good, "only the one at byte %u ", &at), 1);
        assert_int_equal(at, (1 - i % 2) * PAGE);
        kv_report_free(&report);
        kv_buf_free(&text);
        assert_ok(kv_close(db));
        craft_free(&c);
    }
}

// Nobody reads them, and yet they have one value that is right.
static void bytes_behind_a_superblock_are_checked(void **state)
{
    (void)state;
    static const unsigned places[] = {128, PAGE - 1, PAGE + 300, 2 * PAGE - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        craft c;
        kv *db;
        kv_report report = {0};
        char place[32];
        craft_make(&c, "page_bytes=512,background=0");
        c.is_raw = true;
        c.tree[places[i]] = 1;
        craft_write(&c);
        kv_options options = {
            .path = "craft", .disk = c.disk, .read_only = true};
        assert_ok(kv_open(test_engine("bt"), &options, &db));
        assert_status(kv_check(db, &report), KV_CORRUPT);
        snprintf(place, sizeof place, "byte %u,", places[i]);
        assert_non_null(strstr(kv_last_error(), place));
        kv_report_free(&report);
        assert_ok(kv_close(db));
        craft_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_said),
        cmocka_unit_test(what_is_no_page_is_said),
        cmocka_unit_test(a_bad_superblock_is_told),
        cmocka_unit_test(bytes_behind_a_superblock_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
