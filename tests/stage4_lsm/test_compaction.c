// test_compaction.c -- what compaction puts out: where tables end, and what the
// filters of each level are worth.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "common/disk_sim.h"
#include "common/mem.h"
#include "common/rng.h"

#include "store.h"
#include "tests/support/test.h"

static const kv_explainer nobody = {0};

enum { KEY_BYTES = 8, VALUE_BYTES = 100, LAST = LSM_LEVELS - 1 };

// Eight digits.
static kv_slice key_of(char *text, uint64_t n)
{
    snprintf(text, KEY_BYTES + 1, "%08llu", (unsigned long long)n);
    return kv_slice_of(text, KEY_BYTES);
}

// ---- where tables end -------------------------------------------------------

enum { KEYS = 2000, FULL = 20000, BELOW_MAX = 500 };

// A level below whose tables hold `keys` keys and weigh `bytes` each: facts
// only, since nobody opens them.
typedef struct below {
    lsm_table *tables[BELOW_MAX + 1]; // and the input
    char first[BELOW_MAX][KEY_BYTES + 1], last[BELOW_MAX][KEY_BYTES + 1];
    size_t count;
} below;

static void make_below(below *b, uint64_t keys, uint64_t bytes, lsm_edit *edit)
{
    b->count = 0;
    for (uint64_t from = 0; from < KEYS; from += keys) {
        size_t i = b->count++;
        assert_true(i < BELOW_MAX);
        lsm_table *t = b->tables[i] = kv_zalloc(sizeof *t);
        t->refs = 1;
        t->id.number = 1000 + i;
        t->props =
            (lsm_properties){.file_bytes = bytes,
                             .entry_count = keys,
                             .first_key = key_of(b->first[i], from),
                             .last_key = key_of(b->last[i], from + keys - 1)};
        lsm_edit_table facts = lsm_table_facts(t, LAST, LSM_SORTED_RUN);
        lsm_edit_add(edit, &facts);
    }
}

// The input: one table of level 5 with all keys.
static lsm_table *make_input(const lsm_workshop *shop)
{
    lsm_table_id id = {shop->store_id, 1};
    lsm_builder b = {0};
    lsm_builder_config config = {.block_bytes = shop->block_bytes,
                                 .why = kv_for(KV_FOR_FLUSH)};
    char key[KEY_BYTES + 1], value[VALUE_BYTES] = {0};
    assert_ok(lsm_builder_open(&b, shop->home.disk, &id, &config));
    for (uint64_t n = 0; n < KEYS; n++) {
        lsm_entry e = {key_of(key, n), kv_slice_of(value, sizeof value), n + 1,
                       LSM_PUT};
        assert_ok(lsm_builder_add(&b, &e));
    }
    assert_ok(lsm_builder_finish(&b));
    lsm_builder_close(&b);
    lsm_table *t = NULL;
    assert_ok(lsm_table_open(&shop->home, &id, kv_for(KV_FOR_READ), &t));
    return t;
}

// The table below that holds the key.
static size_t home_of(const below *b, kv_slice key)
{
    size_t i = 0;
    while (kv_slice_cmp(b->tables[i]->props.last_key, key) < 0) i++;
    return i;
}

// Compacts the input into level 6, above `b`, and looks at the outputs.
// Returns how many there are, and how many tables one of them meets at most.
static size_t outputs_above(uint64_t keys, uint64_t bytes, size_t *meets)
{
    below *b = kv_zalloc(sizeof *b);
    _Atomic uint64_t next = 2;
    lsm_workshop shop = {.home = {.explain = &nobody},
                         .store_id = 1,
                         .next_number = &next,
                         .table_bytes = {[6] = FULL},
                         .block_bytes = 1024,
                         .bits_per_key = 10};
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &shop.home.disk));
    lsm_table *input = make_input(&shop);
    lsm_edit edit = {0};
    lsm_edit_table facts = lsm_table_facts(input, 5, LSM_SORTED_RUN);
    lsm_edit_add(&edit, &facts);
    make_below(b, keys, bytes, &edit);
    b->tables[b->count] = input;
    lsm_version *empty = lsm_version_new();
    lsm_version *v = lsm_version_after(empty, &edit, b->tables, b->count + 1);
    lsm_pick pick = {.version = v, // whose reference it takes over
                     .parts = kv_zalloc(sizeof *pick.parts),
                     .part_count = 1,
                     .target_level = 6,
                     .bounds = lsm_table_bounds(input),
                     .first_level = 5};
    pick.parts[0] = (lsm_pick_part){&v->runs[0], 0, 1};
    lsm_job job;
    kv_status st = KV_OK;
    lsm_job_compact(&job, &shop, &pick);
    while (st == KV_OK) st = lsm_job_run(&job, 1000);
    assert_status(st, KV_END);

    uint64_t entries = 0;
    *meets = 0;
    for (size_t i = 0; i < job.output_count; i++) {
        const lsm_properties *p = &job.outputs[i]->props;
        size_t from = home_of(b, p->first_key), to = home_of(b, p->last_key);
        entries += p->entry_count;
        if (to - from + 1 > *meets) *meets = to - from + 1;
        bool is_full = p->file_bytes >= FULL;
        if (i + 1 == job.output_count || is_full) continue;
        // One that is not full ends where a table below does.
        kv_slice next_key = job.outputs[i + 1]->props.first_key;
        assert_true(home_of(b, next_key) > to);
    }
    assert_int_equal(entries, KEYS);
    size_t count = job.output_count;
    lsm_job_free(&job);
    lsm_edit_free(&edit);
    lsm_version_unref(empty);
    for (size_t i = 0; i <= b->count; i++) lsm_table_unref(b->tables[i]);
    kv_disk_close(shop.home.disk);
    kv_free(b);
    return count;
}

static void outputs_end_where_tables_below_do(void **state)
{
    (void)state;
    enum { ENTRY_BYTES = KEY_BYTES + VALUE_BYTES };
    size_t meets, least = KEYS * ENTRY_BYTES / FULL;
    // Tables below of two thirds of an output: each output ends with one.
    uint64_t keys = FULL * 2 / 3 / ENTRY_BYTES;
    size_t count = outputs_above(keys, FULL, &meets);
    assert_int_equal(meets, 1);
    assert_int_equal(count, (KEYS + keys - 1) / keys);
    // One table below everything: outputs end where they are full.
    count = outputs_above(KEYS, FULL, &meets);
    assert_int_equal(meets, 1);
    assert_in_range(count, least, least + 2);
    // A dense level below: an output ends with about ten of its tables, long
    // before it is half full.
    count = outputs_above(4, FULL, &meets);
    print_message("dense: %zu outputs that meet %zu at most\n", count, meets);
    assert_in_range(meets, 10, 11);
    assert_in_range(count, KEYS / 4 / 11, KEYS / 4 / 10 + 1);
    // The same tables, a tenth as heavy, do not matter before it is half full.
    count = outputs_above(4, FULL / 10, &meets);
    assert_in_range(count, least, 2 * least + 2);
}

// ---- filters ----------------------------------------------------------------

enum { RECORDS = 30 * 1000, ABSENT = 60 * 1000, BITS = 5 };

static lsm_config filter_config(kv_disk *disk, bool allots_bits)
{
    return (lsm_config){
        .disk = disk,
        .store_id = 1,
        .is_new = true,
        .steps_inline = true,
        .memtable_bytes = 64 << 10,
        .memory_bytes = 16 << 20,
        .frozen_max = 2,
        .manifest_bytes = 1 << 20,
        .parallel = 1,
        .shape = {.size_ratio = 4, .level0_runs = 2, .base_bytes = 128 << 10},
        .table_bytes = 64 << 10,
        .block_bytes = 4096,
        .bits_per_key = BITS,
        .allots_bits = allots_bits};
}

// Even numbers, each once, in no order.
static void load(lsm_store *s)
{
    char key[KEY_BYTES + 1], value[VALUE_BYTES] = {0};
    for (uint64_t i = 0; i < RECORDS; i++) {
        kv_change change = {KV_PUT, key_of(key, i * 7919 % RECORDS * 2),
                            kv_slice_of(value, sizeof value)};
        assert_ok(lsm_store_write(s, &change, 1));
    }
}

typedef struct level_rate {
    double asked, expected, wrong; // gets of absent keys
} level_rate;

// Odd numbers, then even ones with something behind.
static kv_slice absent_key(char *text, uint64_t i)
{
    if (i < RECORDS) return key_of(text, i * 2 + 1);
    (void)key_of(text, (i - RECORDS) * 2);
    text[KEY_BYTES] = 'a';
    return kv_slice_of(text, KEY_BYTES + 1);
}

// Gets that a level's filters let through for nothing.
static double wrong_in(lsm_store *s, int level)
{
    double sum = 0;
    for (unsigned i = 0; i < KV_THREAD_SLOTS; i++) {
        sum += (double)s->gets[i].steps[level][LSM_STEP_BLOCK];
    }
    return sum;
}

// Asks for absent keys, and adds up what each table's filter should let
// through, by its bits.
static void ask_absent(lsm_store *s, level_rate *rates)
{
    char key[KEY_BYTES + 1];
    kv_buf value = {0};
    const lsm_version *v = s->gate.current->version;
    for (int level = 0; level < LSM_LEVELS; level++) {
        rates[level].wrong = -wrong_in(s, level);
    }
    for (uint64_t i = 0; i < ABSENT; i++) {
        kv_slice k = absent_key(key, i);
        assert_status(lsm_store_get(s, k, &value), KV_NOT_FOUND);
        for (size_t r = 0; r < v->run_count; r++) {
            const lsm_table *t = lsm_run_find(&v->runs[r], k);
            if (t == NULL) continue;
            double bits =
                (double)t->filter.bit_count / (double)t->props.entry_count;
            level_rate *rate = &rates[v->runs[r].level];
            rate->asked++;
            rate->expected += t->filter.probes > 0 ? lsm_filter_rate(bits) : 1;
        }
    }
    for (int level = 0; level < LSM_LEVELS; level++) {
        rates[level].wrong += wrong_in(s, level);
    }
    kv_buf_free(&value);
}

// Returns the false yeses of all levels for each absent key, and the filters'
// bits for each record.
static double rate_of_store(bool allots_bits, double *bits)
{
    kv_disk *disk = NULL;
    lsm_store s = {0};
    level_rate rates[LSM_LEVELS] = {0};
    char key[KEY_BYTES + 1];
    kv_buf value = {0};
    double wrong = 0;
    size_t levels = 0;
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    lsm_config config = filter_config(disk, allots_bits);
    assert_ok(lsm_store_open(&s, &config, &nobody));
    load(&s);
    for (uint64_t i = 0; i < RECORDS; i++) { // no false no (L1)
        assert_ok(lsm_store_get(&s, key_of(key, i * 2), &value));
    }
    ask_absent(&s, rates);
    *bits = 0;
    for (int level = 0; level < LSM_LEVELS; level++) {
        level_rate *r = &rates[level];
        if (r->asked == 0) continue;
        print_message("level %d: %.5f, in theory %.5f\n", level,
                      r->wrong / r->asked, r->expected / r->asked);
        double chance = 3 * sqrt(r->expected);
        assert_true(fabs(r->wrong - r->expected) <= 0.1 * r->expected + chance);
        double alike = lsm_filter_rate(BITS) * r->asked;
        if (!allots_bits) {
            assert_true(fabs(r->wrong - alike) <= 0.1 * alike + chance);
        }
        wrong += r->wrong;
        levels++;
    }
    assert_true(levels >= 3);
    const lsm_version *v = s.gate.current->version;
    for (size_t i = 0; i < v->table_count; i++) {
        *bits += v->tables[i]->filter.bit_count;
    }
    *bits /= RECORDS;
    kv_buf_free(&value);
    assert_ok(lsm_store_close(&s));
    kv_disk_close(disk);
    return wrong / ABSENT;
}

static void filters_are_worth_their_bits(void **state)
{
    (void)state;
    double uniform_bits, monkey_bits;
    double uniform = rate_of_store(false, &uniform_bits);
    double monkey = rate_of_store(true, &monkey_bits);
    print_message("uniform: %.4f with %.2f bits, allotted: %.4f with %.2f\n",
                  uniform, uniform_bits, monkey, monkey_bits);
    assert_true(fabs(uniform_bits - BITS) < 0.05 * BITS);
    assert_true(monkey_bits < 1.05 * BITS);
    assert_true(monkey < uniform);
}

// ---- the rate ---------------------------------------------------------------

// Into how many steps the same flush is cut.
static uint64_t steps_of_a_flush(uint64_t rate_bytes)
{
    kv_disk *disk = NULL;
    lsm_store s = {0};
    uint64_t steps = 0;
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    lsm_config config = filter_config(disk, false);
    config.memtable_bytes = config.memory_bytes = 64 << 20;
    config.rate_bytes = rate_bytes;
    assert_ok(lsm_store_open(&s, &config, &nobody));
    load(&s);
    for (bool did_work = true; did_work; steps++) {
        assert_ok(lsm_store_settle_step(&s, &did_work));
    }
    uint64_t bytes = s.gate.current->version->runs[0].bytes;
    print_message("%llu bytes in %llu steps\n", (unsigned long long)bytes,
                  (unsigned long long)steps);
    assert_true(bytes > RECORDS * VALUE_BYTES);
    assert_ok(lsm_store_close(&s));
    kv_disk_close(disk);
    return steps;
}

// Who limits the rate gets it in tenths of a second, but not below 16 KiB.
static void a_limited_rate_is_made_of_smaller_steps(void **state)
{
    (void)state;
    enum { BYTES = RECORDS * VALUE_BYTES };
    uint64_t any = steps_of_a_flush(0);
    uint64_t fast = steps_of_a_flush(UINT64_C(1) << 30);
    uint64_t slow = steps_of_a_flush(1 << 20);
    uint64_t slowest = steps_of_a_flush(1);
    assert_int_equal(fast, any); // a MiB at a time
    assert_true(any < BYTES / (1 << 20) + 10);
    assert_true(slow > BYTES / (210 << 10));
    assert_true(slowest > BYTES / (32 << 10));
    assert_true(any < slow && slow < slowest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_end_where_tables_below_do),
        cmocka_unit_test(filters_are_worth_their_bits),
        cmocka_unit_test(a_limited_rate_is_made_of_smaller_steps),
    };
    return cmocka_run_group_tests_name("stage4.compaction", tests, NULL, NULL);
}
