// test_view.c -- the gate through which readers come to a view, and what keeps
// a view: being read, being counted, being current.
// SPDX-License-Identifier: MIT

#include "common/hash.h"
#include "common/mem.h"

#include "tests/support/test.h"
#include "view.h"

// A view whose memtable has this number, and an entry with it as its sequence
// number: "k" is what readers look for.
static lsm_view *view_of(uint64_t number, lsm_attic *attic)
{
    lsm_memtable *m = lsm_memtable_new(number, 4096, (kv_slice){0}, attic);
    lsm_version *none = lsm_version_new();
    lsm_view *view = lsm_view_new(m, NULL, 0, none);
    lsm_entry entry = {kv_str("k"), kv_str("v"), number, LSM_PUT};
    lsm_memtable_add(m, &entry);
    lsm_memtable_unref(m); // the view's now
    lsm_version_unref(none);
    return view;
}

// The sequence number that a reader of the view finds. Memory that was given
// back would be found by the address sanitizer.
static uint64_t read_view(const lsm_view *view)
{
    lsm_entry found = {0};
    uint64_t hash = kv_hash(kv_str("k"), LSM_HASH_SEED);
    bool is_found =
        lsm_memtable_get(view->active, kv_str("k"), hash, LSM_SEQ_MAX, &found);
    return is_found ? found.seq : 0;
}

static size_t count_retired(const lsm_gate *g)
{
    size_t count = 0;
    for (lsm_view *v = g->retired; v != NULL; v = v->next_retired) count++;
    return count;
}

static void close_gate(lsm_gate *g)
{
    lsm_gate_close(g);
    kv_free_pages(g, sizeof *g);
}

static void a_view_on_a_board_stays(void **state)
{
    (void)state;
    lsm_gate *g = kv_alloc_pages(sizeof *g);
    uint64_t seq = 0;
    lsm_gate_switch(g, view_of(1, NULL));
    assert_int_equal(count_retired(g), 0);
    atomic_store(&g->seq, 17);
    lsm_view *seen = lsm_gate_enter(g, &seq);
    assert_int_equal(seq, 17);
    for (uint64_t n = 2; n < 5; n++) lsm_gate_switch(g, view_of(n, NULL));
    assert_int_equal(count_retired(g), 3);
    lsm_gate_reclaim(g);
    assert_int_equal(count_retired(g), 1); // W2
    assert_int_equal(read_view(seen), 1);
    lsm_gate_leave(g, seen);
    lsm_gate_reclaim(g);
    assert_int_equal(count_retired(g), 0);
    // What is kept for longer is counted, and outlives the gate's interest.
    lsm_view *kept = lsm_gate_view(g, NULL);
    lsm_gate_switch(g, view_of(5, NULL));
    lsm_gate_reclaim(g);
    assert_int_equal(count_retired(g), 0);
    assert_int_equal(read_view(kept), 4);
    lsm_view_unref(kept);
    close_gate(g);
}

// The last who holds a view gives back what is in it, and nobody before.
static void a_view_gives_back_what_it_holds(void **state)
{
    (void)state;
    lsm_attic attic = {.block = NULL};
    lsm_view *first = view_of(1, &attic);
    lsm_memtable *frozen[] = {first->active};
    uint64_t one = atomic_load(&attic.bytes);
    lsm_memtable *m = lsm_memtable_new(2, 4096, (kv_slice){0}, &attic);
    lsm_view *second = lsm_view_new(m, frozen, 1, first->version);
    lsm_memtable_unref(m);
    assert_int_equal(second->frozen_count, 1);
    lsm_view_unref(first);
    assert_int_equal(lsm_memtable_number(second->frozen[0]), 1);
    assert_int_equal(atomic_load(&attic.kept_bytes), 0);
    assert_true(atomic_load(&attic.bytes) > one);
    lsm_view_unref(lsm_view_ref(second));
    assert_int_equal(atomic_load(&attic.kept_bytes), 0);
    lsm_view_unref(second);
    assert_int_equal(atomic_load(&attic.kept_bytes), one); // it keeps one
    assert_int_equal(atomic_load(&attic.bytes), one);
    lsm_attic_empty(&attic);
    lsm_view_unref(NULL);
}

// ---- more threads than places -----------------------------------------------

enum { CROWD = KV_THREAD_SLOTS + 8 };

typedef struct crowd {
    lsm_gate *gate;
    _Atomic unsigned inside, found;
    _Atomic bool may_leave;
} crowd;

static void *read_one(void *arg)
{
    crowd *c = arg;
    uint64_t seq;
    lsm_view *view = lsm_gate_enter(c->gate, &seq);
    atomic_fetch_add(&c->inside, 1);
    while (!atomic_load(&c->may_leave)) kv_thread_yield();
    if (read_view(view) == 1) atomic_fetch_add(&c->found, 1);
    lsm_gate_leave(c->gate, view);
    return NULL;
}

// Those without a place on the board are counted: the view stays for them too.
static void a_crowd_of_readers_keeps_its_view(void **state)
{
    (void)state;
    kv_thread threads[CROWD];
    crowd c = {.gate = kv_alloc_pages(sizeof *c.gate)};
    lsm_gate_switch(c.gate, view_of(1, NULL));
    for (int i = 0; i < CROWD; i++) {
        kv_thread_start(&threads[i], read_one, &c);
    }
    while (atomic_load(&c.inside) < CROWD) kv_thread_yield();
    lsm_gate_switch(c.gate, view_of(2, NULL));
    lsm_gate_reclaim(c.gate);
    atomic_store(&c.may_leave, true);
    for (int i = 0; i < CROWD; i++) kv_thread_join(&threads[i]);
    assert_int_equal(atomic_load(&c.found), CROWD);
    lsm_gate_reclaim(c.gate);
    assert_int_equal(count_retired(c.gate), 0);
    close_gate(c.gate);
}

// ---- readers beside a switch ------------------------------------------------

enum { READERS = 3, SWITCHES = 10000 };

typedef struct race {
    lsm_gate *gate;
    _Atomic bool is_over;
    _Atomic uint64_t wrong, reads;
} race;

// View n has the entry of number n, and becomes current before the number does:
// who is told number n reads view n, or the next one already (W3).
static void *read_on(void *arg)
{
    race *r = arg;
    while (!atomic_load(&r->is_over)) {
        uint64_t seq;
        lsm_view *view = lsm_gate_enter(r->gate, &seq);
        uint64_t found = read_view(view);
        if (found != seq && found != seq + 1) atomic_fetch_add(&r->wrong, 1);
        if (found != lsm_memtable_number(view->active)) {
            atomic_fetch_add(&r->wrong, 1);
        }
        lsm_gate_leave(r->gate, view);
        atomic_fetch_add(&r->reads, 1);
    }
    return NULL;
}

static void readers_see_one_moment(void **state)
{
    (void)state;
    kv_thread threads[READERS];
    race r = {.gate = kv_alloc_pages(sizeof *r.gate)};
    lsm_gate_switch(r.gate, view_of(1, NULL));
    atomic_store(&r.gate->seq, 1);
    for (int i = 0; i < READERS; i++) kv_thread_start(&threads[i], read_on, &r);
    while (atomic_load(&r.reads) == 0) kv_thread_yield();
    for (uint64_t n = 2; n < 2 + SWITCHES; n++) {
        lsm_gate_switch(r.gate, view_of(n, NULL));
        atomic_store(&r.gate->seq, n);
        lsm_gate_reclaim(r.gate);
        assert_true(count_retired(r.gate) <= READERS); // no more are kept
    }
    atomic_store(&r.is_over, true);
    for (int i = 0; i < READERS; i++) kv_thread_join(&threads[i]);
    assert_int_equal(atomic_load(&r.wrong), 0);
    lsm_gate_reclaim(r.gate);
    assert_int_equal(count_retired(r.gate), 0);
    close_gate(r.gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_on_a_board_stays),
        cmocka_unit_test(a_view_gives_back_what_it_holds),
        cmocka_unit_test(a_crowd_of_readers_keeps_its_view),
        cmocka_unit_test(readers_see_one_moment),
    };
    return cmocka_run_group_tests_name("stage4.view", tests, NULL, NULL);
}
