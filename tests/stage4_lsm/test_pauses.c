// test_pauses.c -- how often and how long a store makes others wait: writers
// who are ahead of compaction, and compactions of a limited rate.
// SPDX-License-Identifier: MIT
//
// Nobody waits here: time is what was asked for. The linker puts our wait and
// our clock in the place of the real ones (--wrap, in CMakeLists.txt).

#include <math.h>

#include "common/clock.h"
#include "common/disk_sim.h"
#include "common/rng.h"

#include "stores.h"
#include "tests/support/test.h"

// Names that the linker makes, hence reserved.
// NOLINTNEXTLINE
bool __wrap_kv_cond_wait_for(kv_cond *c, kv_mutex *m, uint64_t ns);
// NOLINTNEXTLINE
uint64_t __wrap_kv_now_ns(void);

static uint64_t waits, longest_ns;
static lsm_store *relieved; // the store whose pressure falls after so many
static uint64_t relief_after;

bool __wrap_kv_cond_wait_for(kv_cond *c, kv_mutex *m, uint64_t ns)
{
    (void)c;
    (void)m;
    waits++;
    if (ns > longest_ns) longest_ns = ns;
    if (relieved != NULL && waits == relief_after) relieved->pressure = 1;
    return false;
}

static uint64_t clock_ns;

uint64_t __wrap_kv_now_ns(void) { return clock_ns; }

static int forget_waits(void **state)
{
    (void)state;
    waits = longest_ns = 0;
    clock_ns = 1;
    relieved = NULL;
    return 0;
}

// ---- writers ----------------------------------------------------------------

enum { PAUSE_NS_MAX = 2 * 1000 * 1000 };

static char said[100]; // last

static void hear(void *arg, const char *sentence)
{
    (void)arg;
    snprintf(said, sizeof said, "%s", sentence);
}

static const kv_explainer listener = {.listener = hear};

static void open_gate(lsm_store *s, uint32_t pressure)
{
    *s = (lsm_store){.pressure = pressure, .explain = &listener};
    kv_mutex_init(&s->work);
    kv_cond_init(&s->progress);
}

static void close_gate(lsm_store *s)
{
    kv_cond_free(&s->progress);
    kv_mutex_free(&s->work);
}

// One pause for each credit that is used up, and none that is long.
static void a_writer_pauses_once_for_each_credit(void **state)
{
    (void)state;
    enum { PAUSES = 10, PUT_BYTES = 100 };
    static const uint32_t pressures[] = {1, 2, 30, 50, 99, 100};
    for (size_t i = 0; i < sizeof pressures / sizeof *pressures; i++) {
        lsm_store s;
        open_gate(&s, pressures[i]);
        forget_waits(NULL);
        uint64_t bytes = PAUSES * lsm_credit_bytes(pressures[i]);
        for (uint64_t at = 0; at < bytes; at += PUT_BYTES) {
            uint64_t before = waits;
            lsm_store_delay(&s, PUT_BYTES);
            assert_true(waits - before <= 1);
            assert_int_equal(said[0] != '\0', waits > before);
            said[0] = '\0';
        }
        assert_in_range(waits, PAUSES, PAUSES + 1); // the first at once
        assert_int_equal(s.delays, waits);
        assert_int_equal(s.stops, 0);
        assert_true(longest_ns <= PAUSE_NS_MAX);
        close_gate(&s);
    }
}

// A full store stops a writer until it is less full, then lets it go on for a
// credit.
static void a_full_store_stops_until_there_is_room(void **state)
{
    (void)state;
    lsm_store s;
    open_gate(&s, LSM_FULL);
    relieved = &s;
    relief_after = 7;
    lsm_store_delay(&s, 100);
    assert_int_equal(waits, relief_after);
    assert_string_equal(said, "compaction is behind: waited, at a pressure of "
                              "1000 percent");
    assert_int_equal(s.stops, 1);
    assert_int_equal(s.delays, 0);
    lsm_store_delay(&s, lsm_credit_bytes(1));
    assert_int_equal(waits, relief_after);
    lsm_store_delay(&s, 1);
    assert_int_equal(waits, relief_after + 1);
    close_gate(&s);
}

// ---- compactions ------------------------------------------------------------

enum { PUTS = 2048, VALUE_BYTES = 1000 };

typedef struct merged {
    uint64_t bytes;   // that all compactions wrote
    uint64_t most;    // of them in one step
    double seconds;   // from the first until all are paid for
    double waited;    // of these, as the store says
    size_t most_jobs; // under way at once
} merged;

// What a worker does: it sleeps until there may be something to do.
static uint64_t sleeps_ns;

static void note_wake(void *arg, uint64_t in_ns)
{
    (void)arg;
    sleeps_ns = in_ns;
}

static uint64_t written_below(const lsm_store *s)
{
    uint64_t bytes = 0;
    for (size_t i = 1; i < LSM_LEVELS; i++) bytes += s->levels[i].bytes_out;
    for (size_t i = 0; i < s->job_count; i++) {
        bytes += lsm_job_written(s->jobs[i]);
    }
    return bytes;
}

static void do_what_there_is(lsm_store *s, uint32_t pressure, merged *sum)
{
    bool did_work = true;
    do {
        if (pressure > 0) s->pressure = pressure;
        uint64_t before = written_below(s);
        sleeps_ns = 0;
        assert_ok(lsm_store_paced_step(s, &did_work));
        uint64_t bytes = written_below(s) - before;
        if (bytes > sum->most) sum->most = bytes;
        if (s->job_count > sum->most_jobs) sum->most_jobs = s->job_count;
        clock_ns += did_work ? 0 : sleeps_ns;
        // A memtable that waits is flushed whatever the compactions owe.
        assert_true(did_work || s->gate.current->frozen_count == 0);
    } while (did_work || sleeps_ns > 0);
}

static void put_some(lsm_store *s, uint64_t first)
{
    static char value[VALUE_BYTES];
    for (uint64_t i = first; i < first + PUTS / 16; i++) {
        char key[17];
        snprintf(key, sizeof key, "%016llx", (unsigned long long)kv_mix64(i));
        kv_change change = {KV_PUT, kv_str(key),
                            kv_slice_of(value, sizeof value)};
        s->pressure = 0; // a writer's pauses are not what is counted
        assert_ok(lsm_store_write(s, &change, 1));
    }
}

// Nobody is in the background: steps are taken here, as they would be there.
static void open_paced(lsm_store *s, uint64_t rate_bytes, size_t parallel)
{
    static const kv_explainer nobody = {0};
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    lsm_config config = small_store(disk, true);
    config.steps_inline = false;
    config.memtable_bytes = 256 << 10;
    config.table_bytes = 128 << 10;
    config.shape.level0_runs = 1;
    config.shape.size_ratio = 2;
    config.shape.base_bytes = 256 << 10;
    config.step_bytes = 16 << 10;
    config.parallel = parallel;
    config.rate_bytes = rate_bytes;
    config.wake = note_wake;
    *s = (lsm_store){0};
    assert_ok(lsm_store_open(s, &config, &nobody));
}

static void close_paced(lsm_store *s)
{
    kv_disk *disk = s->config.disk;
    assert_ok(lsm_store_close(s));
    kv_disk_close(disk);
}

// Writes some MiB, each memtable of which is flushed and merged with what was
// there.
static merged merge_some(uint64_t rate_bytes, size_t parallel,
                         uint32_t pressure)
{
    lsm_store s;
    merged sum = {0};
    open_paced(&s, rate_bytes, parallel);
    uint64_t begun = clock_ns;
    for (uint64_t i = 0; i < PUTS; i += PUTS / 16) {
        put_some(&s, i);
        do_what_there_is(&s, pressure, &sum);
    }
    sum.bytes = written_below(&s);
    sum.seconds = (double)(clock_ns - begun + kv_rate_wait_ns(&s.rate)) / 1e9;
    sum.waited = (double)s.rate.waited_ns / 1e9;
    assert_true(sum.bytes > PUTS * VALUE_BYTES);
    close_paced(&s);
    return sum;
}

// All that compactions write takes as long as the rate says, to the last step,
// be they small or large, one at a time or several at once.
static void compactions_keep_their_rate(void **state)
{
    (void)state;
    static const uint64_t rates[] = {1 << 10, UINT64_C(1) << 30};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        for (size_t parallel = 1; parallel <= LSM_JOBS_MAX; parallel += 3) {
            merged sum = merge_some(rates[i], parallel, 0);
            double wanted = (double)sum.bytes / (double)rates[i];
            print_message("%llu bytes a second, %zu at once: %llu bytes in "
                          "%.3f s, at most %llu in a step\n",
                          (unsigned long long)rates[i], sum.most_jobs,
                          (unsigned long long)sum.bytes, sum.seconds,
                          (unsigned long long)sum.most);
            assert_true(fabs(sum.seconds - wanted) < 1e-3 * wanted);
            assert_true(sum.waited <= sum.seconds &&
                        sum.waited > 0.9 * sum.seconds);
            assert_true(sum.most < 512 << 10);
            assert_true(parallel == 1 ? sum.most_jobs == 1 : sum.most_jobs > 1);
            assert_int_equal(waits, 0); // nobody has a worker meanwhile
        }
    }
}

static void what_others_wait_for_does_not_wait(void **state)
{
    (void)state;
    assert_true(merge_some(1 << 10, 1, 1).seconds == 0); // slow writers
    assert_true(merge_some(0, 1, 0).seconds == 0);       // no rate
}

// A store that owes for an hour: who wants it settled does what is left at
// once, and leaves nothing to wait for.
static void who_settles_does_not_wait(void **state)
{
    (void)state;
    lsm_store s;
    bool did_work = true;
    open_paced(&s, 1, 1);
    for (uint64_t i = 0; i < PUTS; i += PUTS / 16) {
        put_some(&s, i);
        for (did_work = true; did_work;) {
            sleeps_ns = 0;
            s.pressure = 0;
            assert_ok(lsm_store_paced_step(&s, &did_work));
        }
    }
    uint64_t owed_ns = kv_rate_wait_ns(&s.rate);
    assert_true(owed_ns > UINT64_C(3600) * 1000 * 1000 * 1000);
    assert_int_equal(sleeps_ns, owed_ns);
    uint64_t before = written_below(&s);
    for (did_work = true; did_work;) {
        assert_ok(lsm_store_settle_step(&s, &did_work));
    }
    assert_true(written_below(&s) > before + PUTS * VALUE_BYTES / 2);
    assert_int_equal(kv_rate_wait_ns(&s.rate), owed_ns);
    sleeps_ns = 0;
    assert_ok(lsm_store_paced_step(&s, &did_work));
    assert_false(did_work || sleeps_ns > 0);
    close_paced(&s);
}

#define FROM_NOTHING(test) cmocka_unit_test_setup(test, forget_waits)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FROM_NOTHING(a_writer_pauses_once_for_each_credit),
        FROM_NOTHING(a_full_store_stops_until_there_is_room),
        FROM_NOTHING(compactions_keep_their_rate),
        FROM_NOTHING(what_others_wait_for_does_not_wait),
        FROM_NOTHING(who_settles_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
