// threads.c -- laws for many threads: readers, writers, batches, scans and
// housekeeping at once.
// SPDX-License-Identifier: MIT
//
// Every value begins with a version that its one writer only raises. A reader
// that ever sees a version fall, or half of a batch, has found a bug; so has
// the sanitizer for threads, under which this is run, too.

#include "common/clock.h"
#include "common/mem.h"
#include "common/rng.h"
#include "common/thread.h"

#include "tests/engine/subject.h"

enum {
    WRITERS = 3,
    READERS = 3,
    KEYS_PER_WRITER = 20,
    PAIRS = 8,
    // A crowd goes home after this, though not before a tenth of its rounds:
    // with tables of a single record a round takes a hundred times longer.
    SECONDS_MAX = 8,
};

typedef struct crowd {
    subject *s;
    uint64_t rounds;  // of each writer
    uint64_t home_ns; // when it is late
    _Atomic unsigned writers_left;
    _Atomic bool failed;
    char why[200];
    kv_mutex lock;                                   // around why
    uint64_t last_version[WRITERS][KEYS_PER_WRITER]; // written; at the end
    bool is_deleted[WRITERS][KEYS_PER_WRITER];       // at the end
    uint64_t pair_version[PAIRS];                    // at the end
} crowd;

typedef struct member {
    kv_thread thread;
    crowd *crowd;
    unsigned number;
} member;

static void complain(crowd *c, const char *what)
{
    kv_mutex_lock(&c->lock);
    if (!atomic_load(&c->failed)) {
        snprintf(c->why, sizeof c->why, "%s (last error: %s)", what,
                 kv_last_error());
    }
    atomic_store(&c->failed, true);
    kv_mutex_unlock(&c->lock);
}

static bool must(crowd *c, kv_status st, const char *what)
{
    if (st != KV_OK) complain(c, what);
    return st == KV_OK;
}

static uint64_t scale = 1;

static crowd *new_crowd(subject *s, uint64_t rounds, unsigned writers)
{
    crowd *c = kv_zalloc(sizeof *c);
    c->s = s;
    c->rounds = rounds * scale;
    c->home_ns = kv_now_ns() + SECONDS_MAX * scale * 1000000000;
    atomic_store(&c->writers_left, writers);
    kv_mutex_init(&c->lock);
    return c;
}

static void free_crowd(crowd *c)
{
    kv_mutex_free(&c->lock);
    kv_free(c);
}

static bool is_on(crowd *c, uint64_t round)
{
    if (atomic_load(&c->failed) || round > c->rounds) return false;
    return round <= c->rounds / 10 || kv_now_ns() < c->home_ns;
}

static kv_slice key_of(char to[32], unsigned writer, unsigned n)
{
    snprintf(to, 32, "w%u-%03u", writer, n);
    return kv_str(to);
}

static kv_slice half_of(char to[32], unsigned pair, char side)
{
    snprintf(to, 32, "pair%u-%c", pair, side);
    return kv_str(to);
}

// A version, then bytes that follow from it: a torn value does not pass.
static size_t fill_value(uint8_t to[400], uint64_t version)
{
    size_t len = 8 + version * 37 % 390;
    memcpy(to, &version, 8);
    memset(to + 8, (int)(version % 251), len - 8);
    return len;
}

static bool read_value(kv_slice value, uint64_t *version)
{
    uint8_t want[400];
    if (value.len < 8) return false;
    memcpy(version, value.data, 8);
    size_t len = fill_value(want, *version);
    return kv_slice_equal(value, kv_slice_of(want, len));
}

// ---- writers ----------------------------------------------------------------

static void write_once(crowd *c, unsigned me, kv_rng *rng, uint64_t version)
{
    char name[32];
    uint8_t value[400];
    unsigned n = (unsigned)kv_rng_below(rng, KEYS_PER_WRITER);
    kv_slice key = key_of(name, me, n);
    bool is_del = version % 9 == 0;
    kv_slice bytes = kv_slice_of(value, fill_value(value, version));
    kv_status st =
        is_del ? kv_del(c->s->db, key) : kv_put(c->s->db, key, bytes);
    if (!must(c, st, "a write failed")) return;
    c->last_version[me][n] = version;
    c->is_deleted[me][n] = is_del;
}

// Both halves of a pair get the same version, in one batch. Each pair has one
// writer.
static void write_pair(crowd *c, unsigned me, kv_rng *rng, uint64_t version)
{
    char left[32], right[32];
    uint8_t value[400];
    unsigned pair = (unsigned)kv_rng_below(rng, PAIRS);
    pair -= pair % WRITERS;
    pair += me;
    if (pair >= PAIRS) return;
    kv_slice bytes = kv_slice_of(value, fill_value(value, version));
    kv_batch batch = {0};
    kv_batch_put(&batch, half_of(left, pair, 'a'), bytes);
    kv_batch_put(&batch, half_of(right, pair, 'b'), bytes);
    kv_status st = kv_write(c->s->db, &batch);
    kv_batch_free(&batch);
    if (must(c, st, "a batch failed")) c->pair_version[pair] = version;
}

static void compact_some(crowd *c, unsigned me, kv_rng *rng)
{
    if (!subject_can(c->s, KV_CAP_COMPACT)) return;
    char from[32], to[32];
    unsigned n = (unsigned)kv_rng_below(rng, KEYS_PER_WRITER);
    kv_slice low = key_of(from, me, n), high = key_of(to, me, n + 8);
    must(c, kv_compact(c->s->db, low, high), "compact");
}

static void *run_writer(void *arg)
{
    member *m = arg;
    crowd *c = m->crowd;
    kv_rng rng;
    kv_rng_seed(&rng, m->number);
    for (uint64_t i = 1; is_on(c, i); i++) {
        if (i % 4 == 0) write_pair(c, m->number, &rng, i);
        else write_once(c, m->number, &rng, i);
        bool did_work;
        if (i % 97 == 0) must(c, kv_maintain(c->s->db, &did_work), "maintain");
        if (i % 211 == 0) must(c, kv_sync(c->s->db), "sync");
        if (i % 389 == 0) compact_some(c, m->number, &rng);
    }
    atomic_fetch_sub(&c->writers_left, 1);
    return NULL;
}

// ---- readers ----------------------------------------------------------------

typedef struct memory {
    uint64_t seen[WRITERS][KEYS_PER_WRITER];
    uint64_t pair_seen[PAIRS];
    kv_buf value, value2;
} memory;

static void read_one(crowd *c, kv_rng *rng, memory *m)
{
    char name[32];
    unsigned w = (unsigned)kv_rng_below(rng, WRITERS);
    unsigned n = (unsigned)kv_rng_below(rng, KEYS_PER_WRITER);
    kv_status st = kv_get(c->s->db, key_of(name, w, n), &m->value);
    if (st == KV_NOT_FOUND) return;
    uint64_t version = 0;
    if (!must(c, st, "a get failed")) return;
    if (!read_value(kv_buf_slice(&m->value), &version)) {
        complain(c, "a get shows a value that nobody wrote");
    } else if (version < m->seen[w][n]) {
        complain(c, "a key's version went back");
    }
    m->seen[w][n] = version;
}

// A batch is seen whole: whoever saw its first half sees its second.
static void read_pair(crowd *c, kv_rng *rng, memory *m)
{
    char left[32], right[32];
    unsigned pair = (unsigned)kv_rng_below(rng, PAIRS);
    bool is_swapped = kv_rng_below(rng, 2) == 1;
    kv_slice first = half_of(left, pair, is_swapped ? 'b' : 'a');
    kv_slice second = half_of(right, pair, is_swapped ? 'a' : 'b');
    kv_status st = kv_get(c->s->db, first, &m->value);
    if (st == KV_NOT_FOUND) return;
    uint64_t version = 0, version2 = 0;
    if (!must(c, st, "a get of a pair failed") ||
        !must(c, kv_get(c->s->db, second, &m->value2),
              "half of a batch is missing")) {
        return;
    }
    if (!read_value(kv_buf_slice(&m->value), &version) ||
        !read_value(kv_buf_slice(&m->value2), &version2)) {
        complain(c, "a pair shows a value that nobody wrote");
    } else if (version2 < version) {
        complain(c, "half of a batch was seen before the other");
    }
}

static void read_many(crowd *c, memory *m)
{
    char left[PAIRS][32], right[PAIRS][32];
    kv_slice keys[2 * PAIRS];
    kv_buf values[2 * PAIRS] = {{0}};
    bool found[2 * PAIRS];
    for (unsigned i = 0; i < PAIRS; i++) {
        keys[i] = half_of(left[i], i, 'a');
        keys[PAIRS + i] = half_of(right[i], i, 'b');
    }
    if (must(c, kv_get_many(c->s->db, 2 * PAIRS, keys, values, found),
             "get_many failed")) {
        for (unsigned i = 0; i < 2 * PAIRS; i++) {
            uint64_t version = 0;
            if (!found[i]) continue;
            if (!read_value(kv_buf_slice(&values[i]), &version)) {
                complain(c, "get_many shows a value that nobody wrote");
            }
            if (version < m->pair_seen[i % PAIRS] && i < PAIRS) {
                complain(c, "get_many: a version went back");
            }
            if (i < PAIRS) m->pair_seen[i] = version;
        }
    }
    for (unsigned i = 0; i < 2 * PAIRS; i++) kv_buf_free(&values[i]);
}

// A scan that comes to its end saw one moment: the halves of pairs are equal.
static void scan_pairs(crowd *c)
{
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    uint64_t versions[PAIRS][2] = {{0}};
    if (!must(c, kv_scan(c->s->db, (kv_range){0}, &cursor), "scan failed")) {
        return;
    }
    kv_status st;
    while ((st = kv_cursor_next(cursor, &key, &value)) == KV_OK) {
        uint64_t version = 0;
        if (!read_value(value, &version)) {
            complain(c, "a scan shows a value that nobody wrote");
        }
        if (key.data[0] != 'p') continue;
        unsigned pair = key.data[4] - (unsigned)'0';
        versions[pair % PAIRS][key.data[6] == 'b'] = version;
    }
    kv_cursor_close(cursor);
    if (st == KV_STALE && !subject_can(c->s, KV_CAP_SNAPSHOT)) return;
    if (st != KV_END) complain(c, "a scan failed");
    for (unsigned i = 0; i < PAIRS; i++) {
        if (versions[i][0] != versions[i][1]) {
            complain(c, "a scan shows half of a batch");
        }
    }
}

static void *run_reader(void *arg)
{
    member *m = arg;
    crowd *c = m->crowd;
    kv_rng rng;
    kv_rng_seed(&rng, 100 + m->number);
    memory *seen = kv_zalloc(sizeof *seen);
    while (atomic_load(&c->writers_left) > 0 && !atomic_load(&c->failed)) {
        for (int i = 0; i < 20; i++) read_one(c, &rng, seen);
        for (int i = 0; i < 5; i++) read_pair(c, &rng, seen);
        read_many(c, seen);
        scan_pairs(c);
        kv_stats stats;
        kv_stats_read(c->s->db, &stats);
    }
    kv_buf_free(&seen->value);
    kv_buf_free(&seen->value2);
    kv_free(seen);
    return NULL;
}

// ---- the laws ---------------------------------------------------------------

// What the crowd wrote last has to be what the store holds.
static void compare(crowd *c)
{
    char name[32];
    uint8_t value[400];
    for (unsigned w = 0; w < WRITERS; w++) {
        for (unsigned n = 0; n < KEYS_PER_WRITER; n++) {
            uint64_t version = c->last_version[w][n];
            if (version == 0 || c->is_deleted[w][n]) continue;
            model_put(&c->s->model, key_of(name, w, n),
                      kv_slice_of(value, fill_value(value, version)));
        }
    }
    for (unsigned i = 0; i < PAIRS; i++) {
        if (c->pair_version[i] == 0) continue;
        kv_slice bytes =
            kv_slice_of(value, fill_value(value, c->pair_version[i]));
        model_put(&c->s->model, half_of(name, i, 'a'), bytes);
        model_put(&c->s->model, half_of(name, i, 'b'), bytes);
    }
    subject_compare(c->s);
}

static uint64_t crowd_ns; // of all members of all crowds together

static void run_crowd(subject *s, uint64_t rounds)
{
    member members[WRITERS + READERS];
    crowd *c = new_crowd(s, rounds, WRITERS);
    uint64_t start = kv_now_ns();
    for (unsigned i = 0; i < WRITERS + READERS; i++) {
        members[i].crowd = c;
        members[i].number = i;
        kv_thread_start(&members[i].thread,
                        i < WRITERS ? run_writer : run_reader, &members[i]);
    }
    for (unsigned i = 0; i < WRITERS + READERS; i++) {
        kv_thread_join(&members[i].thread);
    }
    crowd_ns += (kv_now_ns() - start) * (WRITERS + READERS);
    if (atomic_load(&c->failed)) fail_msg("%s", c->why);
    compare(c);
    subject_reopen(s);
    subject_compare(s);
    free_crowd(c);
}

static void nobody_sees_time_go_back(subject *s) { run_crowd(s, 1500); }

static void the_same_when_every_write_is_synced(subject *s)
{
    subject_close(s);
    s->options.sync = KV_SYNC_COMMIT;
    subject_open(s);
    run_crowd(s, 60);
}

static void the_same_with_a_ticking_sync(subject *s)
{
    subject_close(s);
    s->options.sync = KV_SYNC_INTERVAL;
    s->options.interval_ms = 1;
    subject_open(s);
    run_crowd(s, 300);
}

static void *make_backups(void *arg)
{
    member *m = arg;
    crowd *c = m->crowd;
    for (unsigned i = 0; atomic_load(&c->writers_left) > 0; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s/copy%u", c->s->parent, i);
        if (!must(c, kv_backup(c->s->db, path), "a backup failed")) break;
        kv_options options = c->s->options;
        options.path = path;
        kv *copy = NULL;
        if (!must(c, kv_open(c->s->engine, &options, &copy),
                  "a backup does not open")) {
            break;
        }
        for (unsigned pair = 0; pair < PAIRS; pair++) {
            char left[32], right[32];
            kv_buf a = {0}, b = {0};
            kv_status st = kv_get(copy, half_of(left, pair, 'a'), &a);
            kv_status st2 = kv_get(copy, half_of(right, pair, 'b'), &b);
            if (st != st2 ||
                !kv_slice_equal(kv_buf_slice(&a), kv_buf_slice(&b)))
                complain(c, "a backup holds half of a batch");
            kv_buf_free(&a);
            kv_buf_free(&b);
        }
        must(c, kv_close(copy), "a backup does not close");
    }
    return NULL;
}

static void backups_hold_one_moment_each(subject *s)
{
    if (!subject_can(s, KV_CAP_BACKUP)) return;
    member writer[WRITERS], copier;
    crowd *c = new_crowd(s, 500, WRITERS);
    copier.crowd = c;
    kv_thread_start(&copier.thread, make_backups, &copier);
    for (unsigned i = 0; i < WRITERS; i++) {
        writer[i].crowd = c;
        writer[i].number = i;
        kv_thread_start(&writer[i].thread, run_writer, &writer[i]);
    }
    for (unsigned i = 0; i < WRITERS; i++) kv_thread_join(&writer[i].thread);
    kv_thread_join(&copier.thread);
    if (atomic_load(&c->failed)) fail_msg("%s", c->why);
    compare(c);
    free_crowd(c);
}

// ---- a batch of many keys ---------------------------------------------------

enum { WIDE_KEYS = 200 };

// One writer raises all keys of a batch together. It takes long to apply, so
// that a reader who goes from one end of it to the other meets a half, if
// there is one to be met.
static void *write_wide(void *arg)
{
    crowd *c = ((member *)arg)->crowd;
    kv_batch batch = {0};
    uint8_t value[400];
    char name[32];
    for (uint64_t i = 1; is_on(c, i); i++) {
        kv_slice bytes = kv_slice_of(value, fill_value(value, i));
        kv_batch_clear(&batch);
        for (unsigned k = 0; k < WIDE_KEYS; k++) {
            kv_batch_put(&batch, key_of(name, 0, k), bytes);
        }
        must(c, kv_write(c->s->db, &batch), "a wide batch failed");
    }
    kv_batch_free(&batch);
    atomic_fetch_sub(&c->writers_left, 1);
    return NULL;
}

static uint64_t wide_version(crowd *c, unsigned key, kv_buf *value)
{
    char name[32];
    uint64_t version = 0;
    kv_status st = kv_get(c->s->db, key_of(name, 0, key), value);
    if (st == KV_NOT_FOUND) return 0;
    if (!must(c, st, "a get of a wide batch failed")) return 0;
    if (!read_value(kv_buf_slice(value), &version)) {
        complain(c, "a wide batch shows a value that nobody wrote");
    }
    return version;
}

static void a_wide_batch_is_seen_whole(subject *s)
{
    member writer;
    kv_buf value = {0};
    crowd *c = new_crowd(s, 300, 1);
    writer.crowd = c;
    kv_thread_start(&writer.thread, write_wide, &writer);
    while (atomic_load(&c->writers_left) > 0 && !atomic_load(&c->failed)) {
        for (unsigned k = 0; k < WIDE_KEYS / 2; k++) {
            unsigned other = WIDE_KEYS - 1 - k;
            uint64_t one = wide_version(c, k, &value);
            if (wide_version(c, other, &value) < one) {
                complain(c, "the end of a batch was seen after its beginning");
            }
        }
    }
    kv_thread_join(&writer.thread);
    if (atomic_load(&c->failed)) fail_msg("%s", c->why);
    kv_buf_free(&value);
    free_crowd(c);
}

int main(int argc, char **argv)
{
    static const law laws[] = {
        LAW(nobody_sees_time_go_back),
        LAW(the_same_when_every_write_is_synced),
        LAW(the_same_with_a_ticking_sync),
        LAW(backups_hold_one_moment_each),
        LAW(a_wide_batch_is_seen_whole),
    };
    arguments args = subject_arguments(argc, argv);
    scale = args.scale;
    int failed = subject_run_laws(&args, laws, sizeof laws / sizeof laws[0]);
    test_figure("R13", args.engine != NULL ? args.engine : "all",
                "thread seconds", crowd_ns / 1000000000);
    return failed > 0;
}
