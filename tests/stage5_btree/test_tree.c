// test_tree.c -- the tree beside an array: random puts and dels on tiny pages,
// values of all sizes, checked as it goes; and what it does at its edges.
// SPDX-License-Identifier: MIT

#include "common/disk_sim.h"
#include "common/rng.h"

#include "tests/stage5_btree/yard.h"
#include "tests/support/test.h"

static const char *const settings[] = {
    "page_bytes=512,background=0,checkpoint_bytes=4KiB",
    "page_bytes=512,background=0,journal=cow",
    "page_bytes=1KiB,background=0,torn_pages=images",
};

enum { SETTINGS = sizeof settings / sizeof settings[0], OPS = 1500 };

// Mostly small, some that fill a third of a page, some that need a chain.
static uint32_t some_size(kv_rng *rng)
{
    uint64_t n = kv_rng_below(rng, 20);
    if (n < 14) return (uint32_t)kv_rng_below(rng, 40);
    if (n < 19) return (uint32_t)kv_rng_below(rng, 160);
    return (uint32_t)kv_rng_below(rng, 5000);
}

static void random_run(const char *knobs, uint64_t seed)
{
    yard y;
    kv_rng rng;
    print_message("%s, seed %llu\n", knobs, (unsigned long long)seed);
    kv_rng_seed(&rng, seed);
    yard_open(&y, knobs);
    for (uint32_t i = 1; i <= OPS; i++) {
        // First it grows, then it shrinks, then it grows again.
        bool shrinks = i > OPS / 3 && i < OPS / 3 * 2;
        unsigned key = (unsigned)kv_rng_below(&rng, 300);
        if (kv_rng_below(&rng, 10) < (shrinks ? 8 : 2)) yard_del(&y, key);
        else yard_put(&y, key, i, some_size(&rng));
        if (i % 100 == 0) assert_ok(yard_check(&y));
        if (i % 300 == 0) yard_compare(&y);
        if (i % 700 == 0) yard_reopen(&y);
    }
    yard_compare(&y);
    for (unsigned key = 0; key < 300; key++) yard_del(&y, key);
    yard_compare(&y);
    assert_true(yard_fact(&y, "level 0", "pages") == 1);
    yard_close(&y);
}

static void random_changes_leave_what_they_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTINGS; i++) {
        for (uint64_t seed = 1; seed <= 3; seed++) {
            random_run(settings[i], seed);
        }
    }
}

// Some ascending keys from anywhere, of which a put need not go down again, and
// now and then one that lies elsewhere, a key twice, a del that merges leaves.
static void add_run(yard *y, kv_rng *rng, uint32_t seed)
{
    unsigned key = (unsigned)kv_rng_below(rng, YARD_KEYS);
    unsigned step = 1 + (unsigned)kv_rng_below(rng, 3);
    bool deletes = kv_rng_below(rng, 3) == 0;
    for (unsigned i = 0; i < 30 && key < YARD_KEYS; i++, key += step) {
        unsigned other = (unsigned)kv_rng_below(rng, YARD_KEYS);
        uint64_t n = kv_rng_below(rng, 12);
        if (n == 0) yard_put(y, other, seed, some_size(rng));
        if (n == 1) yard_del(y, other);
        if (n == 2) yard_put(y, key, seed + 1, some_size(rng));
        if (deletes) yard_del(y, key);
        else yard_put(y, key, seed, some_size(rng));
    }
}

static void ascending_runs_in_a_batch_go_where_they_belong(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTINGS; i++) {
        yard y;
        kv_rng rng;
        kv_rng_seed(&rng, 11 + i);
        print_message("%s, seed %zu\n", settings[i], 11 + i);
        yard_open(&y, settings[i]);
        for (uint32_t batch = 1; batch <= 40; batch++) {
            yard_begin_batch(&y);
            for (uint32_t run = 0; run < 4; run++) {
                add_run(&y, &rng, batch * 100 + run);
            }
            yard_end_batch(&y);
            if (batch % 8 == 0) yard_compare(&y);
        }
        yard_close(&y);
    }
}

// Up, down, and from the middle outwards: splits at both edges.
static void every_order_of_insertion_works(void **state)
{
    (void)state;
    for (int order = 0; order < 3; order++) {
        yard y;
        yard_open(&y, settings[0]);
        for (unsigned i = 0; i < YARD_KEYS; i++) {
            unsigned key = i;
            if (order == 1) key = YARD_KEYS - 1 - i;
            if (order == 2) {
                key = i % 2 == 0 ? YARD_KEYS / 2 + i / 2
                                 : YARD_KEYS / 2 - 1 - i / 2;
            }
            yard_put(&y, key, i + 1, 20);
        }
        yard_compare(&y);
        assert_true(yard_fact(&y, "level 2", "pages") == 1);
        // And away again, from the other end.
        for (unsigned i = 0; i < YARD_KEYS; i++) {
            yard_del(&y, order == 1 ? i : YARD_KEYS - 1 - i);
            if (i % 400 == 399) assert_ok(yard_check(&y));
        }
        yard_compare(&y);
        yard_close(&y);
    }
}

// A cursor goes on through its own moment while the tree under it is taken
// apart and built again.
static void a_cursor_outlives_its_pages(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTINGS; i++) {
        yard y, then;
        yard_open(&y, settings[i]);
        for (unsigned key = 0; key < 400; key++) {
            yard_put(&y, key, key + 1, key % 50 == 0 ? 2000 : 30);
        }
        then = y;
        kv_cursor *cursor = NULL;
        kv_slice name, value;
        assert_ok(kv_scan(y.db, (kv_range){0}, &cursor));
        for (unsigned key = 0; key < 400; key++) {
            char want[32];
            assert_ok(kv_cursor_next(cursor, &name, &value));
            assert_slice(name, (yard_key(want, key), want));
            assert_int_equal(value.len, then.size[key]);
            yard_del(&y, 399 - key);
            yard_put(&y, 400 + key, 7, 100);
            if (key % 100 == 0) assert_ok(kv_settle(y.db));
        }
        assert_int_equal(kv_cursor_next(cursor, &name, &value), KV_END);
        kv_cursor_close(cursor);
        yard_compare(&y);
        yard_close(&y);
    }
}

// ---- a root of one child ----------------------------------------------------

static void count_drops(void *arg, const char *sentence)
{
    if (strstr(sentence, "one child left") != NULL) ++*(unsigned *)arg;
}

// Killed now, and after each step of the checkpoint that follows: the store is
// what it was.
static void kill_at_every_step(yard *y)
{
    bool did_work = true;
    for (int step = 0; did_work && step < 10; step++) {
        yard left = *y;
        left.db = NULL;
        left.disk = kv_disk_sim_kill(y->disk);
        yard_reopen(&left);
        yard_compare(&left);
        yard_del(&left, YARD_KEYS - 1); // it can be changed as well
        yard_close(&left);
        assert_ok(kv_maintain(y->db, &did_work));
    }
}

static void a_root_of_one_child_gives_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTINGS; i++) {
        yard y;
        unsigned drops = 0, seen = 0;
        yard_open(&y, settings[i]);
        for (unsigned key = 0; key < 600; key++) yard_put(&y, key, 1, 40);
        double root = yard_fact(&y, "level 2", "pages");
        if (i < 2) assert_true(root == 1);
        kv_explain(y.db, count_drops, &drops);
        for (unsigned key = 0; key < 600; key++) {
            yard_del(&y, key * 7 % 600);
            if (drops == seen) continue;
            seen = drops;
            kill_at_every_step(&y);
        }
        assert_int_equal(drops, root == 1 ? 2 : 1);
        kv_explain(y.db, NULL, NULL);
        yard_compare(&y);
        yard_close(&y);
    }
}

// ---- cursors that stay open -------------------------------------------------

enum { CURSORS = 150, ROUND_KEYS = YARD_KEYS, ROUND_BYTES = 140 };

// Changes a good part of all pages in one commit.
static kv_status write_round(yard *y, uint8_t round)
{
    kv_batch batch = {0};
    uint8_t value[ROUND_BYTES];
    char name[32];
    memset(value, round, sizeof value);
    for (unsigned key = 0; key < ROUND_KEYS; key++) {
        kv_batch_put(&batch, yard_key(name, key),
                     kv_slice_of(value, sizeof value));
    }
    kv_status st = kv_write(y->db, &batch);
    kv_batch_free(&batch);
    return st;
}

static void expect_round(kv_cursor *cursor, uint8_t round)
{
    kv_slice name, value;
    for (unsigned key = 0; key < ROUND_KEYS; key++) {
        assert_ok(kv_cursor_next(cursor, &name, &value));
        assert_int_equal(value.len, ROUND_BYTES);
        assert_int_equal(value.data[0], round);
    }
    assert_int_equal(kv_cursor_next(cursor, &name, &value), KV_END);
}

// Each keeps versions of all pages. When no more fit, the writer is told, all
// that is there can be read, and closing a few is enough.
static void forgotten_cursors_stop_writes_and_nothing_else(void **state)
{
    (void)state;
    yard y;
    kv_cursor *cursors[CURSORS];
    unsigned count = 0;
    kv_status st = KV_OK;
    yard_open(&y, "page_bytes=512,background=0,checkpoint_bytes=256KiB");
    y.memory_bytes = 32 << 10;
    yard_reopen(&y);
    while (count < CURSORS) {
        st = write_round(&y, (uint8_t)count);
        if (st != KV_OK) break;
        assert_ok(kv_scan(y.db, (kv_range){0}, &cursors[count++]));
    }
    assert_status(st, KV_NO_SPACE);
    assert_non_null(strstr(kv_last_error(), "close a cursor"));
    for (unsigned i = 0; i < count; i++) {
        expect_round(cursors[i], (uint8_t)i);
        kv_cursor_close(cursors[i]);
    }
    assert_ok(write_round(&y, 7));
    assert_ok(yard_check(&y));
    yard_close(&y);
}

static void long_values_come_back_whole(void **state)
{
    (void)state;
    yard y;
    yard_open(&y, settings[0]);
    for (uint32_t i = 0; i < 12; i++) yard_put(&y, i, i + 1, 1u << i << 8);
    yard_compare(&y);
    yard_reopen(&y);
    yard_compare(&y);
    for (uint32_t i = 0; i < 12; i++) yard_put(&y, i, i + 9, 1u << (11 - i));
    yard_compare(&y);
    yard_close(&y);
}

// In memory or not, long values and short ones, more keys than go together and
// keys that are not there: what as many gets say.
static void get_many_finds_what_get_finds(void **state)
{
    (void)state;
    enum { MOST = 50 };
    for (size_t i = 0; i < SETTINGS; i++) {
        yard y;
        char text[MOST][32];
        kv_slice keys[MOST];
        kv_buf values[MOST] = {{0}}, value = {0};
        bool found[MOST];
        yard_open(&y, settings[i]);
        for (unsigned key = 0; key < YARD_KEYS; key += 2) {
            yard_put(&y, key, key + 1, key % 14 == 0 ? 1500 : key % 60);
        }
        yard_reopen(&y);
        kv_rng rng;
        kv_rng_seed(&rng, 5);
        for (size_t round = 0; round < 200; round++) {
            size_t count = 1 + kv_rng_below(&rng, MOST);
            for (size_t k = 0; k < count; k++) {
                unsigned key = (unsigned)kv_rng_below(&rng, YARD_KEYS);
                keys[k] = yard_key(text[k], key);
            }
            assert_ok(kv_get_many(y.db, count, keys, values, found));
            for (size_t k = 0; k < count; k++) {
                kv_status st = kv_get(y.db, keys[k], &value);
                assert_status(st, found[k] ? KV_OK : KV_NOT_FOUND);
                assert_true(kv_slice_equal(kv_buf_slice(&values[k]),
                                           kv_buf_slice(&value)));
            }
        }
        for (size_t k = 0; k < MOST; k++) kv_buf_free(&values[k]);
        kv_buf_free(&value);
        yard_close(&y);
    }
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)) != NULL; text++) count++;
    return count;
}

// What Graphviz is given has each page once, each but the root below another,
// and no string that a key ends early.
static void the_drawing_has_every_page(void **state)
{
    (void)state;
    yard y;
    kv_report report = {0};
    kv_buf drawn = {0};
    yard_open(&y, settings[0]);
    for (unsigned i = 0; i < 400; i++) {
        uint8_t key[] = {(uint8_t)(i % 2 ? '"' : '\\'), (uint8_t)(i / 2), '"'};
        assert_ok(kv_put(y.db, kv_slice_of(key, 3), kv_str("value")));
    }
    assert_ok(kv_inspect(y.db, "graphviz", &report));
    kv_report_draw_text(&report, &drawn);
    kv_buf_append(&drawn, kv_slice_of("", 1));
    size_t pages = (size_t)(yard_fact(&y, "level 0", "pages") +
                            yard_fact(&y, "level 1", "pages"));
    assert_true(yard_fact(&y, "level 2", "pages") < 0 && pages > 10);
    size_t quotes = 0;
    for (const uint8_t *at = drawn.data; *at != 0; at++) {
        if (*at == '\\') at++; // and what it escapes
        else if (*at == '"') quotes++;
        if (*at == '\n') assert_int_equal(quotes % 2, 0);
    }
    kv_buf json = {0}, string = {0};
    kv_report_draw_json(&report, &json);
    kv_json_string(&string, kv_slice_of(drawn.data, drawn.len - 1));
    kv_buf_append(&string, kv_str("\n"));
    assert_true(kv_slice_equal(kv_buf_slice(&json), kv_buf_slice(&string)));
    kv_buf_free(&json);
    kv_buf_free(&string);
    const char *text = (const char *)drawn.data;
    assert_int_equal(count_of(text, "[label=\"page "), pages);
    assert_int_equal(count_of(text, " -> page"), pages - 1);
    assert_status(kv_inspect(y.db, "graphvi", &report), KV_INVALID);
    assert_status(kv_inspect(y.db, "page 18446744073709551617", &report),
                  KV_INVALID);
    assert_non_null(strstr(kv_last_error(), "18446744073709551617"));
    kv_report_free(&report);
    kv_buf_free(&drawn);
    yard_close(&y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_leave_what_they_should),
        cmocka_unit_test(ascending_runs_in_a_batch_go_where_they_belong),
        cmocka_unit_test(every_order_of_insertion_works),
        cmocka_unit_test(a_cursor_outlives_its_pages),
        cmocka_unit_test(a_root_of_one_child_gives_way),
        cmocka_unit_test(forgotten_cursors_stop_writes_and_nothing_else),
        cmocka_unit_test(long_values_come_back_whole),
        cmocka_unit_test(get_many_finds_what_get_finds),
        cmocka_unit_test(the_drawing_has_every_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
