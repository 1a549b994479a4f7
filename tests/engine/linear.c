// linear.c -- what four threads saw of a few keys could have happened one call
// after the other (history.h).
// SPDX-License-Identifier: MIT
//
// A history is short, and there are many: each has keys of its own, written,
// deleted and read by all threads at once, before and after the store was
// reopened. Other keys are written meanwhile, so that there is housekeeping.

#include <stdatomic.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/rng.h"
#include "common/thread.h"

#include "tests/engine/history.h"
#include "tests/engine/subject.h"

enum {
    THREADS = 4,
    KEYS = 3,
    HALVES = 2,        // before and after reopening
    CALLS_PER_KEY = 8, // of a thread, in each half
    HISTORIES = 9,     // of a setting
};

_Static_assert(THREADS *CALLS_PER_KEY *HALVES <= HISTORY_MAX, "one word");

static uint64_t scale, histories_done;

typedef struct table {
    subject *s;
    unsigned number;       // of the history
    _Atomic uint64_t tick; // now
    _Atomic unsigned here; // threads that wait for the start
    _Atomic bool failed;
    // A thread's calls of one key in one half stand together.
    history_call calls[KEYS][HALVES * THREADS * CALLS_PER_KEY];
} table;

typedef struct member {
    kv_thread thread;
    table *t;
    unsigned number, half;
} member;

static kv_slice key_of(char to[40], const table *t, unsigned key)
{
    snprintf(to, 40, "history%u-key%u", t->number, key);
    return kv_str(to);
}

// The number, and so many bytes that follow from it.
static kv_slice value_of(char to[200], uint32_t value)
{
    int digits = snprintf(to, 200, "%u ", value);
    size_t more = value * 31 % 150;
    memset(to + digits, 'a' + (int)(value % 26), more);
    return kv_slice_of(to, (size_t)digits + more);
}

static uint32_t number_in(kv_slice bytes)
{
    char want[200];
    uint32_t n = 0;
    for (size_t i = 0; i < bytes.len && i < 9; i++) {
        if (bytes.data[i] < '0' || bytes.data[i] > '9') break;
        n = n * 10 + (uint32_t)(bytes.data[i] - '0');
    }
    return kv_slice_equal(bytes, value_of(want, n)) ? n : UINT32_MAX;
}

static kv_status write_one(kv *db, kv_slice key, uint32_t value, unsigned toss)
{
    char bytes[200];
    kv_batch batch = {0};
    if (value == 0) return kv_del(db, key);
    if (toss % 2 == 0) return kv_put(db, key, value_of(bytes, value));
    kv_batch_del(&batch, key);
    kv_batch_put(&batch, key, value_of(bytes, value));
    kv_status st = kv_write(db, &batch);
    kv_batch_free(&batch);
    return st;
}

static kv_status read_one(kv *db, kv_slice key, unsigned toss, kv_buf *bytes,
                          uint32_t *value)
{
    bool found = true;
    kv_status st = toss % 2 == 0 ? kv_get(db, key, bytes)
                                 : kv_get_many(db, 1, &key, bytes, &found);
    *value = 0;
    if (st == KV_NOT_FOUND || (st == KV_OK && !found)) return KV_OK;
    if (st == KV_OK) *value = number_in(kv_buf_slice(bytes));
    return st;
}

static void make_call(member *m, kv_rng *rng, unsigned key, unsigned n,
                      kv_buf *bytes)
{
    char name[40];
    table *t = m->t;
    unsigned row = m->half * THREADS + m->number;
    unsigned toss = (unsigned)kv_rng_below(rng, 4);
    history_call *c = &t->calls[key][row * CALLS_PER_KEY + n];
    kv_slice k = key_of(name, t, key);
    kv_status st;
    c->is_write = kv_rng_below(rng, 2) == 0;
    c->value = kv_rng_below(rng, 5) == 0 ? 0 : row * CALLS_PER_KEY + n + 1;
    c->begin = atomic_fetch_add(&t->tick, 1);
    if (c->is_write) st = write_one(t->s->db, k, c->value, toss);
    else st = read_one(t->s->db, k, toss, bytes, &c->value);
    c->end = atomic_fetch_add(&t->tick, 1);
    if (st != KV_OK) atomic_store(&t->failed, true);
}

static void *run_member(void *arg)
{
    member *m = arg;
    kv_rng rng;
    kv_buf bytes = {0};
    unsigned done[KEYS] = {0};
    char name[40];
    kv_rng_seed(&rng, m->t->number * 100u + m->half * 10 + m->number);
    atomic_fetch_add(&m->t->here, 1);
    while (atomic_load(&m->t->here) < THREADS) kv_sleep_ns(1000);
    for (unsigned left = KEYS * CALLS_PER_KEY; left > 0; left--) {
        unsigned key = (unsigned)kv_rng_below(&rng, KEYS);
        while (done[key] == CALLS_PER_KEY) key = (key + 1) % KEYS;
        make_call(m, &rng, key, done[key]++, &bytes);
        if (left % 5 != 0) continue;
        snprintf(name, sizeof name, "other%u-%u", m->number, left);
        kv_status st = kv_put(m->t->s->db, kv_str(name), kv_str(name));
        if (st != KV_OK) atomic_store(&m->t->failed, true);
    }
    kv_buf_free(&bytes);
    return NULL;
}

static void run_half(table *t, unsigned half)
{
    member members[THREADS];
    atomic_store(&t->here, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        members[i] = (member){.t = t, .number = i, .half = half};
        kv_thread_start(&members[i].thread, run_member, &members[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) kv_thread_join(&members[i].thread);
    if (atomic_load(&t->failed)) fail_msg("a call failed: %s", kv_last_error());
}

static void print_history(const table *t, unsigned key, size_t count)
{
    print_error("history %u, key %u, is not linear:\n", t->number, key);
    for (size_t i = 0; i < count; i++) {
        const history_call *c = &t->calls[key][i];
        print_error("  thread %zu, ticks %3llu to %3llu: %s %u\n",
                    i / CALLS_PER_KEY % THREADS, (unsigned long long)c->begin,
                    (unsigned long long)c->end, c->is_write ? "write" : "read",
                    c->value);
    }
}

static void histories_are_linear(subject *s)
{
    // What an engine keeps nothing of cannot be looked at twice.
    unsigned halves = subject_can(s, KV_CAP_DURABLE) ? HALVES : 1;
    table *t = kv_zalloc(sizeof *t);
    size_t count = halves * THREADS * CALLS_PER_KEY;
    for (unsigned n = 0; n < HISTORIES * scale; n++) {
        memset(t, 0, sizeof *t);
        t->s = s;
        t->number = n;
        for (unsigned half = 0; half < halves; half++) {
            run_half(t, half);
            if (half + 1 < halves) subject_reopen(s);
        }
        for (unsigned key = 0; key < KEYS; key++) {
            if (history_is_linear(t->calls[key], count)) continue;
            print_history(t, key, count);
            fail();
        }
        histories_done++;
    }
    kv_free(t);
}

int main(int argc, char **argv)
{
    static const law laws[] = {LAW(histories_are_linear)};
    arguments args = subject_arguments(argc, argv);
    scale = args.scale;
    int failed = subject_run_laws(&args, laws, 1);
    test_figure("R14", args.engine != NULL ? args.engine : "all", "histories",
                histories_done);
    return failed > 0;
}
