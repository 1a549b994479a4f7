// test_pauses.c -- how often and how long a store makes others wait: writers
// who are ahead of compaction, and compactions of a limited rate.
// SPDX-License-Identifier: MIT
//
// Nobody waits here: time is what was asked for. The linker puts our wait in
// the place of the real one (--wrap, in CMakeLists.txt).

#include "common/disk_sim.h"
#include "common/rng.h"

#include "stores.h"
#include "tests/support/test.h"

// Names that the linker makes, hence reserved.
// NOLINTNEXTLINE
bool __wrap_kv_cond_wait_for(kv_cond *c, kv_mutex *m, uint64_t ns);

static uint64_t waits, waited_ns, longest_ns;
static lsm_store *relieved; // the store whose pressure falls after so many
static uint64_t relief_after;

bool __wrap_kv_cond_wait_for(kv_cond *c, kv_mutex *m, uint64_t ns)
{
    (void)c;
    (void)m;
    waits++;
    waited_ns += ns;
    if (ns > longest_ns) longest_ns = ns;
    if (relieved != NULL && waits == relief_after) relieved->pressure = 1;
    return false;
}

static int forget_waits(void **state)
{
    (void)state;
    waits = waited_ns = longest_ns = 0;
    relieved = NULL;
    return 0;
}

// ---- writers ----------------------------------------------------------------

enum { PAUSE_NS_MAX = 2 * 1000 * 1000 };

static void open_gate(lsm_store *s, uint32_t pressure)
{
    *s = (lsm_store){.pressure = pressure};
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
    assert_int_equal(s.stops, 1);
    assert_int_equal(s.delays, 0);
    lsm_store_delay(&s, lsm_credit_bytes(1));
    assert_int_equal(waits, relief_after);
    lsm_store_delay(&s, 1);
    assert_int_equal(waits, relief_after + 1);
    close_gate(&s);
}

// ---- compactions ------------------------------------------------------------

enum { RATE = 1 << 20, PUTS = 4096, VALUE_BYTES = 1000 };

static void do_what_there_is(lsm_store *s, uint32_t pressure)
{
    for (bool did_work = true; did_work;) {
        if (pressure > 0) s->pressure = pressure;
        assert_ok(lsm_store_step(s, &did_work));
    }
}

// Writes some MiB, each memtable of which is flushed and merged with what was
// there; returns how many bytes were merged. Nobody is in the background: steps
// are taken here, as they would be there.
static uint64_t merge_some(uint64_t rate_bytes, uint32_t pressure)
{
    static const kv_explainer nobody = {0};
    kv_disk *disk = NULL;
    lsm_store s = {0};
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    lsm_config config = small_store(disk, true);
    config.steps_inline = false;
    config.memtable_bytes = 256 << 10;
    config.shape.level0_runs = 1;
    config.shape.base_bytes = 64 << 20;
    config.rate_bytes = rate_bytes;
    assert_ok(lsm_store_open(&s, &config, &nobody));
    static char value[VALUE_BYTES];
    for (uint64_t i = 0; i < PUTS; i++) {
        char key[17];
        snprintf(key, sizeof key, "%016llx", (unsigned long long)kv_mix64(i));
        kv_change change = {KV_PUT, kv_str(key),
                            kv_slice_of(value, sizeof value)};
        s.pressure = 0; // a writer's pauses are not what is counted
        assert_ok(lsm_store_write(&s, &change, 1));
        do_what_there_is(&s, pressure);
    }
    uint64_t bytes = 0;
    for (size_t i = 1; i < LSM_LEVELS; i++) bytes += s.levels[i].bytes_in;
    assert_true(bytes > PUTS * VALUE_BYTES);
    assert_ok(lsm_store_close(&s));
    kv_disk_close(disk);
    return bytes;
}

// What is merged at a limited rate takes as long as the rate says, in pauses of
// a tenth of a second at most. The last step of a merge has none.
static void a_compaction_keeps_its_rate(void **state)
{
    (void)state;
    uint64_t bytes = merge_some(RATE, 0);
    double seconds = (double)waited_ns / 1e9, wanted = (double)bytes / RATE;
    print_message("%llu bytes in %.2f s, %llu pauses\n",
                  (unsigned long long)bytes, seconds,
                  (unsigned long long)waits);
    assert_true(seconds > 0.7 * wanted && seconds < 1.1 * wanted);
    assert_true(longest_ns <= UINT64_C(100) * 1000 * 1000);
}

static void what_others_wait_for_does_not_wait(void **state)
{
    (void)state;
    (void)merge_some(RATE, 1);
    assert_int_equal(waits, 0);
    (void)merge_some(0, 0);
    assert_int_equal(waits, 0);
}

#define FROM_NOTHING(test) cmocka_unit_test_setup(test, forget_waits)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FROM_NOTHING(a_writer_pauses_once_for_each_credit),
        FROM_NOTHING(a_full_store_stops_until_there_is_room),
        FROM_NOTHING(a_compaction_keeps_its_rate),
        FROM_NOTHING(what_others_wait_for_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
