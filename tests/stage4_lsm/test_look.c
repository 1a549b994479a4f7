// test_look.c -- what a store tells of itself: its shape, its tables, the
// history of its manifest; and what a check finds.
// SPDX-License-Identifier: MIT

#include "common/disk_sim.h"
#include "common/mem.h"
#include "common/rng.h"

#include "look.h"
#include "stores.h"
#include "tables.h"
#include "tests/support/test.h"

static const kv_why why = {KV_FOR_READ, false};

// ---- a store ----------------------------------------------------------------

typedef struct shop {
    kv_disk *disk;
    lsm_store store;
} shop;

static void shop_reopen(shop *s, bool is_new)
{
    static const kv_explainer nobody;
    lsm_config config = small_store(s->disk, is_new);
    config.memory_bytes = 4 << 20;
    s->store = (lsm_store){0};
    assert_ok(lsm_store_open(&s->store, &config, &nobody));
}

static void shop_open(shop *s)
{
    *s = (shop){0};
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &s->disk));
    shop_reopen(s, true);
}

static void shop_close(shop *s)
{
    assert_ok(lsm_store_close(&s->store));
    kv_disk_close(s->disk);
}

static void write_one(shop *s, kv_change_kind kind, const char *key,
                      const char *value)
{
    kv_change change = {kind, kv_str(key), kv_str(value)};
    assert_ok(lsm_store_write(&s->store, &change, 1));
}

static void flush(shop *s)
{
    assert_ok(
        kv_commit_exclusive(&s->store.line, lsm_store_freeze_all, &s->store));
    assert_ok(lsm_store_flush(&s->store, 0));
}

// Two runs in level 0: numbers 1 and 2 are the first log's and
// the first manifest's.
static void shop_fill(shop *s)
{
    write_one(s, KV_PUT, "cat", "meow");
    write_one(s, KV_PUT, "dog", "woof");
    flush(s);
    write_one(s, KV_PUT, "eel", "slip");
    write_one(s, KV_DEL, "cat", "");
    flush(s);
}

// ---- what it says -----------------------------------------------------------

static kv_status look(shop *s, const char *what, kv_buf *text)
{
    kv_report report = {0};
    kv_buf_clear(text);
    kv_status st = lsm_look_inspect(&s->store, what, &report);
    kv_report_draw_text(&report, text);
    kv_report_free(&report);
    kv_buf_append(text, kv_slice_of("", 1));
    return st;
}

static void expect_text(const kv_buf *text, const char *wanted)
{
    if (strcmp((const char *)text->data, wanted) == 0) return;
    fprintf(stderr, "wanted:\n%s\ngot:\n%s\n", wanted,
            (const char *)text->data);
    fail();
}

static void inspect_draws_the_levels(void **state)
{
    (void)state;
    shop s;
    kv_buf text = {0};
    shop_open(&s);
    shop_fill(&s);
    write_one(&s, KV_PUT, "fox", "yelp");
    assert_ok(look(&s, NULL, &text));
    expect_text(&text,
                "active memtable\n"
                "  entries                1\n"
                "  range tombstones       0\n"
                "  bytes                  64 B\n"
                "  log                    000006.log\n"
                "first key                cat\n"
                "last key                 eel\n"
                "level 0 run 7\n"
                "  keys                   "
                "########################################################\n"
                "  tables                 1\n"
                "  bytes                  161 B\n"
                "  entries                2\n"
                "  tombstones             1\n"
                "level 0 run 4\n"
                "  keys                   "
                "#############################...........................\n"
                "  tables                 1\n"
                "  bytes                  165 B\n"
                "  entries                2\n"
                "  tombstones             0\n"
                "to compact               0 B\n");
    assert_ok(look(&s, "level 0", &text));
    expect_text(&text, "table 8\n"
                       "  bytes                  161 B\n"
                       "  first key              cat\n"
                       "  last key               eel\n"
                       "table 5\n"
                       "  bytes                  165 B\n"
                       "  first key              cat\n"
                       "  last key               dog\n"
                       "tables                   2\n");
    assert_ok(look(&s, "table 8", &text));
    assert_non_null(strstr((char *)text.data, "entries                  2\n"
                                              "tombstones               1\n"));
    assert_ok(lsm_store_compact(&s.store, (kv_slice){0}, (kv_slice){0}));
    assert_ok(look(&s, "level 0", &text)); // now empty
    expect_text(&text, "tables                   0\n");
    kv_buf_free(&text);
    shop_close(&s);
}

static void the_history_tells_each_edit(void **state)
{
    (void)state;
    shop s;
    kv_buf text = {0};
    shop_open(&s);
    shop_fill(&s);
    assert_ok(lsm_store_compact(&s.store, (kv_slice){0}, (kv_slice){0}));
    assert_ok(look(&s, "history", &text));
    expect_text(
        &text,
        "edit 0\n"
        "  what                   all there is\n"
        "  tables in levels 0 and up 0 0 0 0 0 0 0 0\n"
        "  first log needed       000001.log\n"
        "edit 1\n"
        "  what                   flush\n"
        "  plus                   table 5 in level 0, run 4: 2 entries, 165 "
        "bytes, cat to dog\n"
        "  tables in levels 0 and up 1 0 0 0 0 0 0 0\n"
        "  first log needed       000003.log\n"
        "edit 2\n"
        "  what                   flush\n"
        "  plus                   table 8 in level 0, run 7: 2 entries, 161 "
        "bytes, cat to eel\n"
        "  tables in levels 0 and up 2 0 0 0 0 0 0 0\n"
        "  first log needed       000006.log\n"
        "edit 3\n"
        "  what                   compact\n"
        "  minus                  table 8 of level 0\n"
        "  minus                  table 5 of level 0\n"
        "  plus                   table 9 in level 7, run 0: 2 entries, 165 "
        "bytes, dog to eel\n"
        "  tables in levels 0 and up 0 0 0 0 0 0 0 1\n"
        "  first log needed       000006.log\n");
    kv_buf_free(&text);
    shop_close(&s);
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *what, *sentence;
    } cases[] = {
        {"", "there is no part \"\""},
        {"bogus", "there is no part \"bogus\""},
        {"level", "there is no part \"level\""},
        {"level x", "there is no part \"level x\""},
        {"level 8", "there is no part \"level 8\""},
        {"level -1", "there is no part \"level -1\""},
        {"level 0 and 1", "there is no part \"level 0 and 1\""},
        {"table 18446744073709551617", // 1, if it were cut to fit
         "there is no part \"table 18446744073709551617\""},
        {"table 5x", "there is no part \"table 5x\""},
        {"table 99", "there is no table 99"},
        {"metrics 1", "there is no part \"metrics 1\""},
    };
    shop s;
    kv_buf text = {0};
    shop_open(&s);
    shop_fill(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_status(look(&s, cases[i].what, &text), KV_INVALID);
        if (strstr(kv_last_error(), cases[i].sentence) == NULL) {
            fail_msg("%s: %s", cases[i].what, kv_last_error());
        }
    }
    kv_buf_free(&text);
    shop_close(&s);
}

// ---- bars -------------------------------------------------------------------

static void a_bar_shows_where_tables_lie(void **state)
{
    (void)state;
    static const struct {
        const char *keys; // first and last of each table; '-': no end
        const char *bar;
    } cases[] = {
        {"", "........."},       {"08", "#########"}, {"02467-", "###.===##"},
        {"00888-", "#.......#"}, {"44", "....#...."}, {"0123", "##==....."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lsm_table fakes[3], *tables[3];
        lsm_run run = {.tables = tables, .count = strlen(cases[i].keys) / 2};
        char bar[10];
        memset(fakes, 0, sizeof fakes);
        for (size_t j = 0; j < run.count; j++) {
            const char *keys = cases[i].keys + 2 * j;
            fakes[j].props.first_key = kv_slice_of(keys, 1);
            fakes[j].props.last_key = kv_slice_of(keys + 1, keys[1] != '-');
            tables[j] = &fakes[j];
        }
        lsm_draw_bar(&run, kv_str("0"), kv_str("8"), 9, bar);
        assert_string_equal(bar, cases[i].bar);
    }
}

// ---- history, at random -----------------------------------------------------

// The last "tables in levels 0 and up" of the history is what there is.
static void expect_last_levels(shop *s)
{
    const lsm_version *v = s->store.gate.current->version;
    uint64_t count[LSM_LEVELS] = {0};
    const char *said = NULL;
    kv_report report = {0};
    kv_buf wanted = {0};
    for (size_t i = 0; i < v->run_count; i++) {
        count[v->runs[i].level] += v->runs[i].count;
    }
    for (size_t i = 0; i < LSM_LEVELS; i++) {
        kv_buf_printf(&wanted, "%s%llu", i > 0 ? " " : "",
                      (unsigned long long)count[i]);
    }
    assert_ok(lsm_look_history(&s->store, &report));
    for (size_t i = 0; i < report.count; i++) {
        const kv_fact *f = &report.facts[i];
        if (f->name != NULL && strncmp(f->name, "tables in", 9) == 0) {
            said = f->text;
        }
    }
    assert_non_null(said);
    assert_slice(kv_buf_slice(&wanted), said);
    kv_buf_free(&wanted);
    kv_report_free(&report);
}

static void the_history_ends_where_the_store_is(void **state)
{
    (void)state;
    enum { SEED = 5, OPS = 200 };
    shop s;
    kv_rng rng;
    print_message("seed %d\n", SEED);
    kv_rng_seed(&rng, SEED);
    shop_open(&s);
    s.store.config.shape.level0_runs = 2;
    s.store.config.manifest_bytes = 600;
    write_one(&s, KV_PUT, "key", "value");
    flush(&s);
    for (int i = 0; i < OPS; i++) {
        char key[8], end[8];
        bool did_work;
        uint64_t n = kv_rng_below(&rng, 50);
        snprintf(key, sizeof key, "%02u", (unsigned)n);
        snprintf(end, sizeof end, "%02u", (unsigned)n + 9);
        switch (kv_rng_below(&rng, 8)) {
        case 0:
            flush(&s);
            break;
        case 1:
            assert_ok(lsm_store_step(&s.store, &did_work));
            break;
        case 2:
            assert_ok(lsm_store_compact(&s.store, kv_str(key), kv_str(end)));
            break;
        case 3:
            write_one(&s, KV_DEL, key, "");
            break;
        default:
            write_one(&s, KV_PUT, key, "value");
        }
        expect_last_levels(&s);
    }
    shop_close(&s);
}

// A store that has flushed nothing may have no manifest yet: no history.
static void no_history_is_no_error(void **state)
{
    (void)state;
    shop s;
    kv_buf text = {0};
    shop_open(&s);
    kv_status st = kv_disk_remove(s.disk, lsm_manifest_name, why);
    assert_true(st == KV_OK || st == KV_NOT_FOUND);
    assert_ok(look(&s, "history", &text));
    expect_text(&text, "");
    kv_buf_free(&text);
    shop_close(&s);
}

// ---- damage -----------------------------------------------------------------

// With a bit of the manifest turned the history is told or refused, and a
// refusal has a sentence; what was synced before an edit is never told wrong.
static void a_damaged_manifest_is_said(void **state)
{
    (void)state;
    shop s;
    kv_buf text = {0}, whole = {0};
    shop_open(&s);
    shop_fill(&s);
    assert_ok(look(&s, "history", &whole));
    kv_buf bytes = file_read(s.disk, lsm_manifest_name);
    bytes.len = s.store.manifest.log.size; // reserved space follows
    unsigned refused = 0;
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        file_write(s.disk, lsm_manifest_name, kv_buf_slice(&bytes));
        kv_status st = look(&s, "history", &text);
        if (st == KV_OK) { // the last edit, whose sync no mark shows
            assert_true(text.len < whole.len);
            assert_memory_equal(text.data, whole.data, text.len - 1);
        } else {
            assert_status(st, KV_CORRUPT);
            assert_non_null(strstr(kv_last_error(), lsm_manifest_name));
            refused++;
        }
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(refused > bytes.len * 4);
    for (size_t len = 0; len < bytes.len; len++) {
        file_write(s.disk, lsm_manifest_name, kv_slice_of(bytes.data, len));
        if (look(&s, "history", &text) != KV_OK) continue;
        assert_memory_equal(text.data, whole.data, text.len - 1);
    }
    file_write(s.disk, lsm_manifest_name, kv_buf_slice(&bytes));
    kv_buf_free(&bytes);
    kv_buf_free(&text);
    kv_buf_free(&whole);
    shop_close(&s);
}

static kv_status check(shop *s, kv_buf *text)
{
    kv_report report = {0};
    kv_buf_clear(text);
    kv_status st = lsm_look_check(&s->store, &report);
    kv_report_draw_text(&report, text);
    kv_buf_append(text, kv_slice_of("", 1));
    kv_report_free(&report);
    return st;
}

static void expect_damage(shop *s, const char *sentence)
{
    kv_buf text = {0};
    assert_status(check(s, &text), KV_CORRUPT);
    if (strstr(kv_last_error(), sentence) == NULL) {
        fail_msg("wanted \"%s\", got \"%s\"", sentence, kv_last_error());
    }
    kv_buf_free(&text);
}

static void a_check_counts_what_is_there(void **state)
{
    (void)state;
    shop s;
    kv_buf text = {0};
    shop_open(&s);
    shop_fill(&s);
    write_one(&s, KV_PUT, "fox", "yelp");
    file_write(s.disk, "notes.txt", kv_str("not ours"));
    assert_ok(check(&s, &text));
    expect_text(&text, "tables                   2\n"
                       "runs                     2\n"
                       "entries in them          4\n"
                       "live keys                3\n"
                       "files of strangers       1\n");
    kv_buf_free(&text);
    shop_close(&s);
}

// Each file in its turn is taken away, and given back.
static void a_check_misses_what_is_gone(void **state)
{
    (void)state;
    shop s;
    kv_buf text = {0};
    shop_open(&s);
    shop_fill(&s);
    write_one(&s, KV_PUT, "fox", "yelp");
    static const char *const names[] = {"MANIFEST", "000006.log"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char sentence[40];
        snprintf(sentence, sizeof sentence, "%s: is gone", names[i]);
        kv_buf bytes = file_read(s.disk, names[i]);
        assert_ok(kv_disk_remove(s.disk, names[i], why));
        expect_damage(&s, sentence);
        file_write(s.disk, names[i], kv_buf_slice(&bytes));
        assert_ok(check(&s, &text));
        kv_buf_free(&bytes);
    }
    kv_buf_free(&text);
    shop_close(&s);
}

// The manifest of a moment ago names other tables than there are.
static void a_check_compares_the_manifest(void **state)
{
    (void)state;
    shop s;
    shop_open(&s);
    write_one(&s, KV_PUT, "cat", "meow");
    flush(&s);
    kv_buf before = file_read(s.disk, lsm_manifest_name);
    write_one(&s, KV_PUT, "dog", "woof");
    flush(&s);
    kv_buf now = file_read(s.disk, lsm_manifest_name);
    file_write(s.disk, lsm_manifest_name, kv_buf_slice(&before));
    expect_damage(&s, "MANIFEST: names 1 tables, not 2");
    file_write(s.disk, lsm_manifest_name, kv_buf_slice(&now));
    kv_buf_free(&before);
    kv_buf_free(&now);
    shop_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inspect_draws_the_levels),
        cmocka_unit_test(the_history_tells_each_edit),
        cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(a_bar_shows_where_tables_lie),
        cmocka_unit_test(the_history_ends_where_the_store_is),
        cmocka_unit_test(no_history_is_no_error),
        cmocka_unit_test(a_damaged_manifest_is_said),
        cmocka_unit_test(a_check_counts_what_is_there),
        cmocka_unit_test(a_check_misses_what_is_gone),
        cmocka_unit_test(a_check_compares_the_manifest),
    };
    return cmocka_run_group_tests_name("stage4.look", tests, NULL, NULL);
}
