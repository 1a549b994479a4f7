// test_memtable.c -- spans and the memtable: order, versions, range tombstones,
// and readers that go on while one writer adds.
// SPDX-License-Identifier: MIT

#include "common/hash.h"
#include "common/rng.h"
#include "common/thread.h"

#include "head.h"
#include "memtable.h"
#include "tests/support/test.h"

static const uint64_t seed = 4;

// ---- spans ------------------------------------------------------------------

enum { LETTERS = 26 };

static kv_slice letter(unsigned i)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    return kv_slice_of(letters + i, 1);
}

// A range of letters and what it covers, one number for each letter and one
// for what lies behind the last.
static lsm_range_tombstone random_range(kv_rng *rng, uint64_t seq,
                                        uint64_t *covered)
{
    unsigned from = (unsigned)kv_rng_below(rng, LETTERS + 1);
    unsigned to = (unsigned)kv_rng_below(rng, LETTERS + 1);
    lsm_range_tombstone r = {.seq = seq};
    // One too high is no bound at that end.
    if (from < LETTERS) r.from = letter(from);
    if (to < LETTERS) r.to = letter(to);
    unsigned first = from < LETTERS ? from : 0;
    unsigned limit = to < LETTERS ? to : LETTERS + 1;
    for (unsigned i = first; i < limit; i++) {
        if (seq > covered[i]) covered[i] = seq;
    }
    return r;
}

static void check_order(const lsm_spans *s)
{
    for (size_t i = 0; i + 1 < s->count; i++) { // N1
        assert_true(s->at[i].to.len > 0);
        assert_true(kv_slice_cmp(s->at[i].from, s->at[i].to) < 0);
        assert_true(kv_slice_cmp(s->at[i].to, s->at[i + 1].from) <= 0);
    }
}

static void check_spans(const lsm_spans *s, const uint64_t *covered)
{
    for (unsigned i = 0; i < LETTERS; i++) {
        assert_int_equal(lsm_spans_seq(s, letter(i)), covered[i]);
    }
    assert_int_equal(lsm_spans_seq(s, kv_str("zz")), covered[LETTERS - 1]);
    check_order(s);
}

// The stretch around a letter: the letter is in it, and one number is over all.
static void check_stretch(const lsm_layer *top, unsigned i,
                          const uint64_t *covered)
{
    lsm_range_tombstone stretch = {0};
    lsm_layers_cut(top, letter(i), &stretch);
    assert_true(lsm_range_covers(&stretch, letter(i)));
    for (unsigned j = 0; j < LETTERS; j++) {
        if (!lsm_range_covers(&stretch, letter(j))) continue;
        assert_int_equal(covered[j], stretch.seq);
    }
}

static void check_layers(const lsm_layer *top, const uint64_t *covered)
{
    for (unsigned i = 0; i < LETTERS; i++) {
        assert_int_equal(lsm_layers_seq(top, letter(i)), covered[i]);
        check_stretch(top, i, covered);
    }
    for (const lsm_layer *l = top; l != NULL; l = l->below) {
        check_order(&l->spans);
        if (l->below == NULL) continue;
        assert_true(l->spans.count < l->below->spans.count); // N3
        assert_true(l->seq >= l->below->seq);
    }
    lsm_spans all = lsm_layers_join(top);
    check_spans(&all, covered);
    lsm_spans_free(&all);
}

enum { RANGES = 24 };

static void layers_are_what_covers_each_key_at_each_moment(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, seed);
    for (int round = 0; round < 150; round++) {
        lsm_layer *top = NULL;
        uint64_t covered[RANGES + 1][LETTERS + 1] = {{0}};
        for (uint64_t i = 1; i <= RANGES; i++) {
            memcpy(covered[i], covered[i - 1], sizeof covered[i]);
            lsm_range_tombstone r = random_range(&rng, i, covered[i]);
            top = lsm_layer_add(top, &r);
        }
        assert_null(lsm_layer_at(top, 0));
        for (uint64_t i = 0; i <= RANGES; i++) {
            check_layers(lsm_layer_at(top, i), covered[i]);
        }
        lsm_layers_free(top);
    }
}

static void two_lists_become_one(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, seed);
    for (int round = 0; round < 500; round++) {
        lsm_layer *tops[2] = {NULL, NULL};
        uint64_t covered[LETTERS + 1] = {0};
        // The numbers of neither are all above the other's.
        for (uint64_t i = 1; i <= RANGES / 2; i++) {
            lsm_layer **top = &tops[kv_rng_below(&rng, 2)];
            lsm_range_tombstone r = random_range(&rng, i, covered);
            *top = lsm_layer_add(*top, &r);
        }
        lsm_spans a = lsm_layers_join(tops[0]), b = lsm_layers_join(tops[1]);
        lsm_spans both = lsm_spans_join(&a, &b);
        check_spans(&both, covered);
        lsm_spans_free(&a);
        lsm_spans_free(&b);
        lsm_spans_free(&both);
        lsm_layers_free(tops[0]);
        lsm_layers_free(tops[1]);
    }
}

// Twenty thousand, in one memtable: it grows by what log2(n) copies are, and
// a get searches in so many layers at most.
static void many_range_tombstones_cost_little(void **state)
{
    (void)state;
    enum { MANY = 20 * 1000, LAYERS = 15 };
    lsm_memtable *m = lsm_memtable_new(7, 1 << 20, (kv_slice){0}, NULL);
    for (unsigned i = 0; i < MANY; i++) {
        char from[16], to[16];
        unsigned at = i * 7919 % MANY;
        snprintf(from, sizeof from, "%05u2", at);
        snprintf(to, sizeof to, "%05u5", at);
        lsm_range_tombstone r = {kv_str(from), kv_str(to), i + 1};
        lsm_memtable_add_range(m, &r);
    }
    assert_in_range(lsm_memtable_bytes(m), 1,
                    (uint64_t)MANY * LAYERS * 2 * sizeof(lsm_range_tombstone));
    const lsm_layer *top = lsm_memtable_ranges(m, LSM_SEQ_MAX);
    size_t layers = 0;
    for (const lsm_layer *l = top; l != NULL; l = l->below) layers++;
    assert_in_range(layers, 1, LAYERS);
    for (unsigned i = 0; i < MANY; i++) {
        char key[16];
        unsigned at = i * 7919 % MANY;
        snprintf(key, sizeof key, "%05u4", at);
        assert_int_equal(lsm_layers_seq(top, kv_str(key)), i + 1);
        key[5] = '5';
        assert_int_equal(lsm_layers_seq(top, kv_str(key)), 0);
    }
    lsm_memtable_unref(m);
}

// ---- heads ------------------------------------------------------------------

static void a_head_never_falls(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "", "a", "b", "ba", "ba\1", "baa", "babcdefgh", "babcdefgi", "bb", "c"};
    static const char *const prefixes[] = {"", "b", "ba", "bab", "zzz"};
    for (size_t p = 0; p < 5; p++) {
        for (size_t i = 0; i + 1 < sizeof keys / sizeof *keys; i++) {
            assert_true(lsm_head(kv_str(prefixes[p]), kv_str(keys[i])) <=
                        lsm_head(kv_str(prefixes[p]), kv_str(keys[i + 1])));
        }
    }
}

// ---- the memtable -----------------------------------------------------------

enum { KEYS = 300, ADDS = 4000 };

static kv_slice key_of(char *room, unsigned i)
{
    snprintf(room, 32, "key%05u", i * 37 % KEYS);
    return kv_str(room);
}

// Entry i of a run: key i * 37 % KEYS, number i, a value that says so.
static void add(lsm_memtable *m, unsigned i)
{
    char key[32], value[32];
    snprintf(value, sizeof value, "value %u", i);
    lsm_entry e = {.key = key_of(key, i), .seq = i};
    if (i % 5 == 0) e.kind = LSM_DEL;
    else e.value = kv_str(value);
    lsm_memtable_add(m, &e);
}

static bool get(const lsm_memtable *m, kv_slice key, uint64_t most,
                lsm_entry *out)
{
    return lsm_memtable_get(m, key, kv_hash(key, LSM_HASH_SEED), most, out);
}

// The number of the newest add up to `most` of the key that add `i` wrote.
static unsigned newest(unsigned i, unsigned most)
{
    unsigned place = i % KEYS;
    if (place > most) return 0;
    return most - (most - place) % KEYS;
}

static void every_version_is_found(void **state)
{
    (void)state;
    lsm_attic attic = {.block =
                           NULL}; // old bytes in a used arena do not matter
    char key[32], value[32];
    static const char *const prefixes[] = {"", "key0", "kez", "key00000000"};
    for (size_t p = 0; p < 4; p++) {
        lsm_memtable *m =
            lsm_memtable_new(7, 4096, kv_str(prefixes[p]), &attic);
        for (unsigned i = 1; i <= ADDS; i++) add(m, i);
        assert_ok(lsm_memtable_check(m));
        assert_int_equal(lsm_memtable_count(m), ADDS);
        for (unsigned most = 1; most <= ADDS; most += 97) {
            for (unsigned i = 1; i <= KEYS; i++) {
                lsm_entry e;
                unsigned want = newest(i, most);
                bool is_found = get(m, key_of(key, i), most, &e);
                assert_int_equal(is_found, want > 0);
                if (!is_found) continue;
                assert_int_equal(e.seq, want);
                snprintf(value, sizeof value, "value %u", want);
                if (want % 5 != 0) assert_slice(e.value, value);
            }
        }
        lsm_memtable_unref(m);
    }
    lsm_attic_empty(&attic);
}

// One that is still read keeps its arena; the next gets one that nobody reads.
static void an_arena_serves_one_memtable_at_a_time(void **state)
{
    (void)state;
    lsm_attic attic = {.block = NULL};
    lsm_entry first, second, third;
    kv_slice none = {0}, key = kv_str("key");
    lsm_entry e = {key, kv_str("old"), 1, LSM_PUT};
    lsm_memtable *a = lsm_memtable_new(1, 4096, none, &attic);
    lsm_memtable *b = lsm_memtable_new(2, 4096, none, &attic);
    lsm_memtable_add(a, &e);
    lsm_memtable_add(b, &e);
    assert_true(get(a, key, 1, &first));
    assert_true(get(b, key, 1, &second));
    assert_ptr_not_equal(first.key.data, second.key.data);
    lsm_memtable_unref(a);
    lsm_memtable *c = lsm_memtable_new(3, 4096, none, &attic);
    assert_false(get(c, key, 1, &third));
    lsm_memtable_add(c, &e);
    assert_true(get(c, key, 1, &third));
    assert_ptr_equal(first.key.data, third.key.data);
    lsm_memtable_unref(b);
    lsm_memtable_unref(c);                       // the attic has room for one
    c = lsm_memtable_new(4, 8192, none, &attic); // too small for this one
    lsm_memtable_unref(c);
    lsm_attic_empty(&attic);
}

static void a_walk_is_the_order_both_ways(void **state)
{
    (void)state;
    lsm_memtable *m = lsm_memtable_new(7, 1024, (kv_slice){0}, NULL);
    for (unsigned i = 1; i <= ADDS; i++) add(m, i);
    uint64_t most = ADDS / 2;
    lsm_iter *it = lsm_memtable_iter(m, most);
    lsm_memtable_unref(m); // the walk's reference keeps it
    static uint64_t seen[ADDS];
    size_t count = 0;
    lsm_entry before = {0};
    for (assert_ok(it->ops->first(it)); it->is_valid;
         assert_ok(it->ops->next(it))) {
        assert_true(it->entry.seq <= most);
        if (count > 0) assert_true(lsm_entry_cmp(&before, &it->entry) < 0);
        before = it->entry;
        seen[count++] = it->entry.seq;
    }
    assert_int_equal(count, most);
    for (assert_ok(it->ops->last(it)); it->is_valid;
         assert_ok(it->ops->prev(it))) {
        assert_int_equal(it->entry.seq, seen[--count]);
    }
    assert_int_equal(count, 0);
    assert_ok(it->ops->seek_before(it, kv_str("key00100")));
    assert_slice(it->entry.key, "key00099");
    assert_ok(it->ops->seek(it, kv_str("key00100")));
    assert_slice(it->entry.key, "key00100");
    assert_ok(it->ops->seek(it, kv_str("kez")));
    assert_false(it->is_valid);
    it->ops->free(it);
}

static void an_older_reader_sees_older_ranges(void **state)
{
    (void)state;
    lsm_memtable *m = lsm_memtable_new(7, 1024, (kv_slice){0}, NULL);
    lsm_range_tombstone wide = {kv_str("b"), kv_str("y"), 5};
    lsm_range_tombstone all = {kv_str(""), kv_str(""), 9};
    lsm_memtable_add_range(m, &wide);
    lsm_memtable_add_range(m, &all);
    assert_int_equal(lsm_memtable_range_seq(m, kv_str("c"), 4), 0);
    assert_int_equal(lsm_memtable_range_seq(m, kv_str("c"), 8), 5);
    assert_int_equal(lsm_memtable_range_seq(m, kv_str("a"), 8), 0);
    assert_int_equal(lsm_memtable_range_seq(m, kv_str("c"), 9), 9);
    assert_int_equal(lsm_memtable_range_seq(m, kv_str("zz"), 9), 9);
    assert_int_equal(lsm_memtable_range_count(m), 2);
    lsm_memtable_unref(m);
}

// ---- one writer, many readers -----------------------------------------------

typedef struct crowd {
    lsm_memtable *m;
    _Atomic unsigned done; // adds that readers may count on
    _Atomic unsigned wrong;
} crowd;

static void *write_all(void *arg)
{
    crowd *c = arg;
    for (unsigned i = 1; i <= ADDS; i++) {
        add(c->m, i);
        atomic_store(&c->done, i);
    }
    return NULL;
}

// A reader finds exactly what was there at its moment, never what is newer.
static void *read_all(void *arg)
{
    crowd *c = arg;
    char key[32];
    unsigned most;
    do {
        most = atomic_load(&c->done);
        for (unsigned i = 1; i <= KEYS; i += 7) {
            lsm_entry e;
            unsigned want = newest(i, most);
            bool is_found = get(c->m, key_of(key, i), most, &e);
            if (is_found != (want > 0) || (is_found && e.seq != want)) {
                atomic_fetch_add(&c->wrong, 1);
            }
        }
        lsm_iter *it = lsm_memtable_iter(c->m, most);
        unsigned count = 0;
        for (assert_ok(it->ops->first(it)); it->is_valid;
             assert_ok(it->ops->next(it))) {
            count++;
        }
        if (count != most) atomic_fetch_add(&c->wrong, 1);
        it->ops->free(it);
    } while (most < ADDS);
    return NULL;
}

static void readers_see_their_moment_while_one_writes(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        crowd c = {.m = lsm_memtable_new(7, 1024, kv_str("key"), NULL)};
        kv_thread writer, readers[2];
        kv_thread_start(&readers[0], read_all, &c);
        kv_thread_start(&readers[1], read_all, &c);
        kv_thread_start(&writer, write_all, &c);
        kv_thread_join(&writer);
        kv_thread_join(&readers[0]);
        kv_thread_join(&readers[1]);
        assert_int_equal(c.wrong, 0);
        lsm_memtable_unref(c.m);
    }
}

int main(void)
{
    printf("seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_what_covers_each_key_at_each_moment),
        cmocka_unit_test(two_lists_become_one),
        cmocka_unit_test(many_range_tombstones_cost_little),
        cmocka_unit_test(a_head_never_falls),
        cmocka_unit_test(every_version_is_found),
        cmocka_unit_test(an_arena_serves_one_memtable_at_a_time),
        cmocka_unit_test(a_walk_is_the_order_both_ways),
        cmocka_unit_test(an_older_reader_sees_older_ranges),
        cmocka_unit_test(readers_see_their_moment_while_one_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
