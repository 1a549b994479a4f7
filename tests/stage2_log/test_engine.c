// test_engine.c -- the engine as a whole: threads, backup, a full disk's words,
// what it tells about itself.
// SPDX-License-Identifier: MIT

#include "common/rng.h"
#include "common/thread.h"

#include "shop.h"

// ---- threads ----------------------------------------------------------------

enum { KEYS = 200, WRITERS = 2, READERS = 2, ROUNDS = 4000 };

typedef struct crew {
    shop *s;
    unsigned id;
    _Atomic bool *stop;
} crew;

// A value is its key, a round, and the key again: torn ones would show.
static void *write_some(void *arg)
{
    crew *c = arg;
    kv_rng rng;
    kv_rng_seed(&rng, c->id + 1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        char key[16], value[64];
        unsigned k = (unsigned)kv_rng_below(&rng, KEYS) * WRITERS + c->id;
        snprintf(key, sizeof key, "k%u", k);
        snprintf(value, sizeof value, "%s %u %s", key, round, key);
        if (round % 9 == 8) shop_del(c->s, key);
        else shop_put(c->s, key, value);
    }
    return NULL;
}

static void *read_some(void *arg)
{
    crew *c = arg;
    kv_rng rng;
    kv_rng_seed(&rng, c->id + 100);
    kv_buf value = {0};
    while (!atomic_load(c->stop)) {
        char key[16], text[64];
        unsigned k = (unsigned)kv_rng_below(&rng, KEYS * WRITERS);
        snprintf(key, sizeof key, "k%u", k);
        kv_status st = kv_get(c->s->db, kv_str(key), &value);
        if (st == KV_NOT_FOUND) continue;
        assert_ok(st);
        unsigned round;
        assert_true(value.len < sizeof text);
        memcpy(text, value.data, value.len);
        text[value.len] = '\0';
        const char *space = strchr(text, ' ');
        assert_non_null(space);
        assert_int_equal(sscanf(space, "%u", &round), 1);
        assert_int_equal(strncmp(text, key, strlen(key)), 0);
        assert_string_equal(strrchr(text, ' ') + 1, key);
    }
    kv_buf_free(&value);
    return NULL;
}

static void *scan_some(void *arg)
{
    crew *c = arg;
    while (!atomic_load(c->stop)) {
        kv_cursor *cursor = NULL;
        kv_slice key, value;
        assert_ok(kv_scan(c->s->db, (kv_range){0}, &cursor));
        while (kv_cursor_next(cursor, &key, &value) == KV_OK) {
            assert_int_equal(memcmp(key.data, value.data, key.len), 0);
        }
        kv_cursor_close(cursor);
        assert_ok(kv_sync(c->s->db));
        kv_stats stats;
        kv_stats_read(c->s->db, &stats);
    }
    return NULL;
}

static void readers_go_on_beside_writers_and_merges(void **state)
{
    (void)state;
    static const char *const knobs[] = {
        "segment_bytes=16KiB,background=1",
        "segment_bytes=16KiB,background=2,read=map",
        "segment_bytes=16KiB,background=1,format=text,merge=all"};
    for (int k = 0; k < 3; k++) {
        shop s = shop_new(knobs[k]);
        shop_open(&s);
        _Atomic bool stop = false;
        crew crews[WRITERS + READERS + 1];
        kv_thread threads[WRITERS + READERS + 1];
        for (unsigned i = 0; i < WRITERS + READERS + 1; i++) {
            crews[i] = (crew){&s, i, &stop};
            kv_thread_start(&threads[i],
                            i < WRITERS             ? write_some
                            : i < WRITERS + READERS ? read_some
                                                    : scan_some,
                            &crews[i]);
        }
        for (unsigned i = 0; i < WRITERS; i++) kv_thread_join(&threads[i]);
        atomic_store(&stop, true);
        for (unsigned i = WRITERS; i < WRITERS + READERS + 1; i++) {
            kv_thread_join(&threads[i]);
        }
        kv_stats stats;
        kv_stats_read(s.db, &stats);
        shop_expect_sound(&s, (unsigned)stats.key_count);
        unsigned count = (unsigned)stats.key_count;
        shop_kill(&s);
        shop_open(&s);
        shop_expect_sound(&s, count);
        shop_free(&s);
    }
}

// ---- figures ----------------------------------------------------------------

static void a_fill_writes_little_more_than_its_bytes(void **state)
{
    (void)state;
    shop s = shop_new("background=0");
    shop_open(&s);
    char key[17];
    uint8_t value[100] = {0};
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "%016x", i);
        assert_ok(kv_put(s.db, kv_str(key), kv_slice_of(value, 100)));
    }
    kv_stats stats;
    kv_stats_read(s.db, &stats);
    uint64_t written = 0;
    for (int i = 0; i < KV_REASONS; i++) written += stats.disk[i].write_bytes;
    assert_true(written * 100 <= stats.user_write_bytes * 112);
    assert_int_equal(stats.disk[KV_FOR_DATA].reads, 0); // new keys cost none
    shop_free(&s);
}

static void steady_overwriting_keeps_the_space_bounded(void **state)
{
    (void)state;
    shop s = shop_new("background=0,segment_bytes=64KiB");
    shop_open(&s);
    kv_rng rng;
    kv_rng_seed(&rng, 3);
    print_message("seed 3\n");
    uint8_t value[100] = {0};
    uint64_t worst = 0;
    for (unsigned i = 0; i < 120000; i++) {
        char key[17];
        unsigned k = i < 20000 ? i : (unsigned)kv_rng_below(&rng, 20000);
        snprintf(key, sizeof key, "%016x", k);
        assert_ok(kv_put(s.db, kv_str(key), kv_slice_of(value, 100)));
        kv_stats stats;
        if (i < 40000 || i % 1000 > 0) continue;
        kv_stats_read(s.db, &stats);
        if (stats.disk_bytes > worst) worst = stats.disk_bytes;
    }
    // Small segments waste part of their last block.
    assert_true(worst * 10 <= (uint64_t)20000 * 116 * 17);
    shop_expect_sound(&s, 20000);
    shop_free(&s);
}

// What suits a store grows with it, also while a segment is being written that
// was given its addresses for less.
static void places_stay_within_their_segment(void **state)
{
    (void)state;
    enum { VALUE = 1 << 20, COUNT = 40 };
    shop s = shop_new("background=0");
    shop_open(&s);
    log_store *store = shop_store(&s);
    shop_put(&s, "first", "value");
    assert_ok(kv_commit_exclusive(&store->line, log_seal_newest, store));
    shop_put(&s, "second", "value"); // begins a segment of the smallest size
    log_segment *first = store->segments.list[0];
    uint64_t size = atomic_load(&first->size);
    atomic_store(&first->size, (uint64_t)4 << 30); // as if the store were large
    kv_buf value = {0}, got = {0};
    kv_buf_reserve(&value, VALUE);
    value.len = VALUE;
    char key[24];
    for (int i = 0; i < COUNT; i++) {
        snprintf(key, sizeof key, "large %d", i);
        memset(value.data, i, VALUE);
        assert_ok(kv_put(s.db, kv_str(key), kv_buf_slice(&value)));
    }
    atomic_store(&first->size, size);
    for (int i = 0; i < COUNT; i++) {
        snprintf(key, sizeof key, "large %d", i);
        assert_ok(kv_get(s.db, kv_str(key), &got));
        assert_int_equal(got.len, VALUE);
        assert_int_equal(got.data[VALUE - 1], i);
    }
    for (size_t i = 0; i < store->segments.count; i++) {
        log_segment *segment = store->segments.list[i];
        uint64_t owned = (uint64_t)segment->chunk_count << LOG_CHUNK_SHIFT;
        assert_true(atomic_load(&segment->size) <= owned);
    }
    kv_buf_free(&value);
    kv_buf_free(&got);
    shop_kill(&s);
    shop_open(&s);
    shop_expect_sound(&s, COUNT + 2);
    shop_free(&s);
}

// ---- the rest ---------------------------------------------------------------

static void a_backup_is_a_store(void **state)
{
    (void)state;
    shop s = shop_new("segment_bytes=4096,background=0");
    shop_open(&s);
    shop_fill(&s, 200, 100, 1);
    char *beside = test_make_dir();
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/copy%c", beside, '\0');
    assert_ok(kv_backup(s.db, (const char *)path.data));
    shop_fill(&s, 200, 100, 2);
    assert_ok(kv_settle(s.db));
    shop copy = {.path = (char *)path.data, .knobs = s.knobs};
    shop_open(&copy);
    shop_expect_fill(&copy, 200, 100, 1);
    shop_expect_sound(&copy, 200);
    shop_put(&copy, "new", "in the copy");
    shop_expect(&s, "new", NULL);
    shop_close(&copy);
    kv_buf_free(&path);
    test_remove_dir(beside);
    shop_free(&s);
}

static void hear(void *arg, const char *sentence)
{
    snprintf(arg, 200, "%s", sentence);
}

static void it_explains_where_a_value_is(void **state)
{
    (void)state;
    char heard[200] = "";
    shop s = shop_new("background=0");
    shop_open(&s);
    kv_explain(s.db, hear, heard);
    shop_put(&s, "cat", "meow");
    assert_string_equal(heard,
                        "appended to segment 000001.seg at 52: 1 record, "
                        "17 bytes, 1 write");
    shop_expect(&s, "cat", "meow");
    assert_string_equal(
        heard, "index[cat] -> segment 000001.seg at 52; 1 read, 17 bytes");
    shop_expect(&s, "dog", NULL);
    assert_string_equal(heard, "index[dog]: no such hash; 0 reads");
    kv_explain(s.db, NULL, NULL);
    shop_free(&s);
}

static uint64_t bytes_read(kv *db)
{
    kv_stats stats;
    kv_stats_read(db, &stats);
    return stats.disk[KV_FOR_READ].read_bytes;
}

// A place knows a record's size to an eighth: a read may bring some of the next
// one along, and the sentence counts what the disk does.
static void it_explains_as_many_bytes_as_are_read(void **state)
{
    (void)state;
    char heard[200] = "", value[64] = "";
    shop s = shop_new("background=0");
    shop_open(&s);
    kv_explain(s.db, hear, heard);
    for (size_t len = 0; len < sizeof value - 1; len++) {
        shop_put(&s, "cat", value);
        shop_put(&s, "another", "that is read in part");
        uint64_t before = bytes_read(s.db);
        shop_expect(&s, "cat", value);
        unsigned bytes = 0;
        const char *said = strstr(heard, "1 read, ");
        assert_non_null(said);
        assert_int_equal(sscanf(said, "1 read, %u bytes", &bytes), 1);
        assert_int_equal(bytes, bytes_read(s.db) - before);
        value[len] = 'm';
    }
    kv_explain(s.db, NULL, NULL);
    shop_free(&s);
}

static void it_tells_of_its_parts(void **state)
{
    (void)state;
    shop s = shop_new("background=0");
    shop_open(&s);
    shop_put(&s, "cat", "meow");
    shop_put(&s, "cat", "purr");
    kv_report report = {0};
    kv_buf text = {0};
    assert_ok(kv_inspect(s.db, NULL, &report));
    kv_report_draw_text(&report, &text);
    kv_buf_append(&text, kv_slice_of("", 1));
    assert_non_null(strstr((char *)text.data, "segment 000001.seg"));
    assert_non_null(strstr((char *)text.data, "[#####.....] 50 %"));
    kv_report_free(&report);
    kv_buf_free(&text);
    report = (kv_report){0};
    assert_ok(kv_inspect(s.db, "000001.seg", &report));
    assert_ok(kv_inspect(s.db, "index", &report));
    assert_status(kv_inspect(s.db, "level 1", &report), KV_INVALID);
    kv_report_free(&report);
    shop_free(&s);
}

static void xray_of(const shop *s, const char *file, kv_xray *x)
{
    kv_disk *disk = NULL;
    x->limit = UINT64_MAX;
    assert_ok(kv_disk_open_real(s->path, false, &disk));
    assert_ok(kv_xray_file(&log_engine, disk, file, x));
    kv_buf_append(&x->text, kv_slice_of("", 1));
    kv_disk_close(disk);
}

static void an_xray_names_fields_and_damage(void **state)
{
    (void)state;
    static const char *const formats[] = {"format=binary", "format=text"};
    for (int f = 0; f < 2; f++) {
        shop s = shop_new(formats[f]);
        shop_open(&s);
        shop_put(&s, "cat", "meow");
        shop_del(&s, "cat");
        shop_close(&s);
        kv_xray x = {0};
        xray_of(&s, "000001.seg", &x);
        assert_int_equal(x.damage_count, 0);
        assert_non_null(strstr((char *)x.text.data, "cat"));
        assert_non_null(strstr((char *)x.text.data, "tombstone"));
        kv_buf_free(&x.text);
        x = (kv_xray){0};
        xray_of(&s, "index.hint", &x);
        assert_int_equal(x.damage_count, 0);
        kv_buf_free(&x.text);
        shop_flip(&s, "000001.seg", shop_size(&s, "000001.seg") / 2 + 10);
        shop_flip(&s, "index.hint", 40);
        x = (kv_xray){0};
        xray_of(&s, "000001.seg", &x);
        assert_true(x.damage_count > 0);
        kv_buf_free(&x.text);
        x = (kv_xray){0};
        xray_of(&s, "index.hint", &x);
        assert_true(x.damage_count > 0);
        kv_buf_free(&x.text);
        test_remove_dir(s.path);
    }
}

static void many_openings_leave_few_files(void **state)
{
    (void)state;
    shop s = shop_new("background=0");
    for (int i = 0; i < 60; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        shop_open(&s);
        shop_put(&s, key, "v");
        if (i % 2) assert_ok(kv_settle(s.db));
        if (i % 3) shop_close(&s);
        else shop_kill(&s);
    }
    shop_open(&s);
    assert_true(shop_count_files(&s, ".seg") < 25);
    shop_expect_sound(&s, 60);
    shop_free(&s);
}

// ---- check ------------------------------------------------------------------

// A disk whose next read writes to the store before it reads: if a check kept
// writers out, it would wait for itself.
static struct {
    const kv_disk_ops *real;
    kv_disk_ops ops;
    kv *db; // NULL: do nothing
} meddler;

static kv_status write_and_read(kv_file *f, uint64_t offset, void *to,
                                size_t len, size_t *got, kv_why why)
{
    kv *db = meddler.db;
    meddler.db = NULL;
    if (db != NULL) assert_ok(kv_put(db, kv_str("key 1"), kv_str("new")));
    return meddler.real->read(f, offset, to, len, got, why);
}

// The put kills a record of the segment that is about to be read.
static void writers_go_on_during_a_check(void **state)
{
    (void)state;
    char *dir = test_make_dir();
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_real(dir, true, &disk));
    meddler.real = disk->ops;
    meddler.ops = *disk->ops;
    meddler.ops.read = write_and_read;
    disk->ops = &meddler.ops;
    kv *db = NULL;
    kv_options options = {.disk = disk,
                          .path = dir,
                          .create = true,
                          .sync = KV_SYNC_NONE,
                          .knobs = "background=0,merge=never"};
    assert_ok(kv_open(&log_engine, &options, &db));
    for (unsigned i = 1; i <= 100; i++) {
        char key[16];
        snprintf(key, sizeof key, "key %u", i);
        assert_ok(kv_put(db, kv_str(key), kv_str("before")));
    }
    assert_ok(kv_close(db));
    assert_ok(kv_open(&log_engine, &options, &db));
    kv_report report = {0};
    meddler.db = db;
    assert_ok(kv_check(db, &report));
    assert_null(meddler.db);
    kv_buf value = {0};
    assert_ok(kv_get(db, kv_str("key 1"), &value));
    assert_slice(kv_buf_slice(&value), "new");
    kv_buf_free(&value);
    assert_ok(kv_check(db, &report));
    kv_report_free(&report);
    assert_ok(kv_close(db));
    kv_disk_close(disk);
    test_remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_go_on_beside_writers_and_merges),
        cmocka_unit_test(a_fill_writes_little_more_than_its_bytes),
        cmocka_unit_test(steady_overwriting_keeps_the_space_bounded),
        cmocka_unit_test(places_stay_within_their_segment),
        cmocka_unit_test(a_backup_is_a_store),
        cmocka_unit_test(it_explains_where_a_value_is),
        cmocka_unit_test(it_explains_as_many_bytes_as_are_read),
        cmocka_unit_test(it_tells_of_its_parts),
        cmocka_unit_test(an_xray_names_fields_and_damage),
        cmocka_unit_test(many_openings_leave_few_files),
        cmocka_unit_test(writers_go_on_during_a_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
