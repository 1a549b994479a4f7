// claims_recovery.c -- claims about logs after a crash.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <string.h>

#include "common/crash/crash.h"
#include "common/disk_sim.h"
#include "common/disk_trace.h"

#include "compare/claims/claim.h"

// ---- C10 --------------------------------------------------------------------

enum { SYNCED = 20, VALUE_BYTES = 40, SAMPLES = 150 };

// Where the last record went.
struct tail {
    char name[64];
    uint64_t offset;
    size_t len;
};

static void watch(void *arg, const kv_trace_event *event)
{
    struct tail *tail = arg;
    if (event->kind != KV_TRACE_WRITE) return;
    snprintf(tail->name, sizeof tail->name, "%s", event->name);
    tail->offset = event->offset;
    tail->len = event->bytes.len;
}

// What a killed process left: all but the last record were synced.
struct wreck {
    cmp_specimen *s; // for its engine, its records, and the right values
    kv_disk *image;
    struct tail tail;
};

// What came of opening a damaged copy of it.
struct outcome {
    bool is_told;  // the store, or a get, said that bytes are corrupt
    unsigned kept; // of the synced records
    bool has_last; // the last one is there
    unsigned lies; // answers that are wrong
};

// Cuts the log at an offset if `bits` is 0, else turns these bits over there.
static kv_status damage(kv_disk *disk, const char *name, uint64_t offset,
                        uint8_t bits)
{
    kv_file *file = NULL;
    kv_why why = kv_for(KV_FOR_WAL);
    uint8_t byte = 0;
    KV_TRY(kv_file_open(disk, name, (kv_open_how){.mode = KV_OPEN_WRITE}, why,
                        &file));
    kv_status st = KV_OK;
    if (bits == 0) {
        st = kv_file_truncate(file, offset, why);
    } else {
        st = kv_file_read_all(file, offset, &byte, 1, why);
        byte ^= bits;
        if (st == KV_OK) {
            st = kv_file_write(file, offset, kv_slice_of(&byte, 1), why);
        }
    }
    kv_status closed = kv_file_close(file);
    return st != KV_OK ? st : closed;
}

static kv_status read_back(cmp_specimen *s, kv *db, struct outcome *out)
{
    for (uint32_t number = 0; number <= SYNCED; number++) {
        uint32_t place = cmp_records_place(&s->records, number);
        kv_slice key = cmp_records_key(&s->records, place, s->key);
        kv_status st = kv_get(db, key, &s->value);
        if (st == KV_CORRUPT) out->is_told = true;
        if (st == KV_CORRUPT || st == KV_NOT_FOUND) continue;
        KV_TRY(st);
        kv_slice right = cmp_records_value(&s->records, place, 1, s->scratch);
        if (kv_slice_cmp(kv_buf_slice(&s->value), right) != 0) out->lies++;
        else if (number == SYNCED) out->has_last = true;
        else out->kept++;
    }
    return KV_OK;
}

static kv_status try_damaged(struct wreck *w, uint64_t offset, uint8_t bits,
                             struct outcome *out)
{
    kv *db = NULL;
    kv_options options = w->s->options;
    *out = (struct outcome){0};
    options.disk = kv_disk_sim_kill(w->image);
    options.create = false;
    kv_status st = damage(options.disk, w->tail.name, offset, bits);
    if (st == KV_OK) st = kv_open(w->s->engine.engine, &options, &db);
    if (st == KV_CORRUPT) out->is_told = true;
    if (st == KV_OK) st = read_back(w->s, db, out);
    kv_close(db); // which may find the damage as well
    kv_disk_close(options.disk);
    return st == KV_CORRUPT ? KV_OK : st;
}

// Sums over all engines.
struct tally {
    unsigned cuts, believed, lost;     // of the last record, cut
    unsigned tail_flips, tail_noticed; // in it
    unsigned early_flips, early_told;  // before it
    unsigned lies;
};

static kv_status damage_tail(cmp_bench *b, const char *engine, struct wreck *w,
                             struct tally *t)
{
    struct outcome out;
    for (size_t i = 0; i <= w->tail.len; i++) {
        KV_TRY(try_damaged(w, w->tail.offset + i, 0, &out));
        cmp_note(b, engine, (double)i, out.kept + out.has_last,
                 i < w->tail.len ? SYNCED : SYNCED + 1);
        t->cuts++;
        t->lies += out.lies;
        if (out.has_last != (i == w->tail.len)) t->believed++;
        if (out.kept != SYNCED) t->lost++;
    }
    for (size_t i = 0; i < w->tail.len; i++) {
        uint8_t bit = (uint8_t)(1 << kv_rng_below(&w->s->rng, 8));
        KV_TRY(try_damaged(w, w->tail.offset + i, bit, &out));
        t->tail_flips++;
        t->lies += out.lies;
        if (!out.has_last || out.is_told) t->tail_noticed++;
        if (out.kept != SYNCED && !out.is_told) t->lost++;
    }
    return KV_OK;
}

static kv_status damage_before(struct wreck *w, struct tally *t)
{
    struct outcome out;
    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t at = kv_rng_below(&w->s->rng, w->tail.offset);
        uint8_t bit = (uint8_t)(1 << kv_rng_below(&w->s->rng, 8));
        KV_TRY(try_damaged(w, at, bit, &out));
        t->early_flips++;
        t->lies += out.lies;
        if (out.is_told) t->early_told++;
    }
    return KV_OK;
}

static kv_status wreck_one(cmp_bench *b, const char *engine, kv_disk *sim,
                           kv_disk *traced, struct wreck *w, struct tally *t)
{
    cmp_specimen s;
    cmp_shape shape = {.records = SYNCED + 1,
                       .value_bytes = VALUE_BYTES,
                       .memory_bytes = 1 << 20,
                       .disk = traced};
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, SYNCED);
    if (st == KV_OK) st = kv_sync(s.db);
    if (st == KV_OK) st = cmp_specimen_fill(&s, 1);
    if (st == KV_OK) {
        struct tail tail = w->tail;
        *w = (struct wreck){&s, kv_disk_sim_kill(sim), tail};
        st = damage_tail(b, engine, w, t);
        if (st == KV_OK) st = damage_before(w, t);
        kv_disk_close(w->image);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status wreck_store(cmp_bench *b, const char *engine, struct tally *t)
{
    kv_disk *sim = NULL, *traced = NULL;
    struct wreck w = {0};
    KV_TRY(kv_disk_open_sim(&(kv_sim_options){0}, &sim));
    kv_status st = kv_disk_open_trace(sim, watch, &w.tail, &traced);
    if (st == KV_OK) st = wreck_one(b, engine, sim, traced, &w, t);
    kv_disk_close(traced != NULL ? traced : sim);
    return st;
}

static kv_status checksums_find_damage(cmp_bench *b)
{
    static const char *const engines[] = {"log", "sst", "lsm", "bt"};
    struct tally t = {0};
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
        KV_TRY(wreck_store(b, engines[i], &t));
    }
    cmp_check_at_most(b,
                      "cuts after which the record was there, or whole and not",
                      t.believed, 0);
    cmp_check_at_most(b, "cuts and flips that took other records with them",
                      t.lost, 0);
    cmp_check_near(b, "bits turned over in the last record: share noticed",
                   (double)t.tail_noticed / t.tail_flips, 1, 0);
    cmp_check_near(b, "bits turned over before it: share reported as damage",
                   (double)t.early_told / t.early_flips, 1, 0);
    cmp_check_at_most(b, "wrong values", t.lies, 0);
    return KV_OK;
}

// ---- C16 --------------------------------------------------------------------

enum { CRASH_OPS = 40, CRASH_STATES = 150, MEMTABLES = 20, LOOKS = 400 };

static kv_status crash(cmp_bench *b, const char *engine,
                       kv_crash_result *result)
{
    static const kv_crash_model models[] = {KV_CRASH_KILL, KV_CRASH_EXT4,
                                            KV_CRASH_POSIX};
    cmp_engine e;
    KV_TRY(cmp_engine_find(&e, engine));
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        kv_crash_result one = {0};
        kv_crash_options options = {.model = models[i],
                                    .sync = KV_SYNC_COMMIT,
                                    .seed = b->seed,
                                    .ops = CRASH_OPS,
                                    .states_max = CRASH_STATES};
        KV_TRY(kv_crash_explore(e.engine, &options, NULL, &one));
        result->distinct += one.distinct;
        result->violations += one.violations;
    }
    return KV_OK;
}

// Bytes of the logs that are there.
static kv_status count_log_bytes(kv_disk *disk, uint64_t *sum)
{
    kv_names names = {0};
    kv_why why = kv_for(KV_FOR_READ);
    *sum = 0;
    kv_status st = kv_disk_list(disk, &names);
    for (size_t i = 0; i < names.count && st == KV_OK; i++) {
        const char *dot = strrchr(names.name[i], '.');
        if (dot == NULL || strcmp(dot, ".log") != 0) continue;
        kv_file *file = NULL;
        uint64_t size = 0;
        st = kv_file_open(disk, names.name[i],
                          (kv_open_how){.mode = KV_OPEN_READ}, why, &file);
        if (st == KV_OK) st = kv_file_size(file, &size);
        kv_file_close(file);
        *sum += size;
    }
    kv_names_free(&names);
    return st;
}

static double memtable_bytes(const cmp_specimen *s)
{
    double active = cmp_specimen_fact(s, "active memtable", "bytes");
    double frozen = cmp_specimen_fact(s, "frozen memtable", "bytes");
    return active + (isnan(frozen) ? 0 : frozen);
}

// The logs' bytes while records come in, and the most by which they exceed what
// is in memory; in memtables.
static kv_status watch_logs(cmp_bench *b, const char *word, kv_disk *disk,
                            double *excess, double *written)
{
    cmp_specimen s;
    char engine[64];
    double memtable = b->records * 128.0 / MEMTABLES;
    uint32_t each = b->records / LOOKS;
    cmp_shape shape = {.records = each * LOOKS,
                       .memory_bytes = (uint64_t)memtable * 8,
                       .disk = disk};
    snprintf(engine, sizeof engine, "%s:memtable_bytes=%.0f", word, memtable);
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    for (int i = 1; i <= LOOKS && st == KV_OK; i++) {
        uint64_t bytes = 0;
        st = cmp_specimen_fill(&s, each);
        if (st == KV_OK) st = count_log_bytes(disk, &bytes);
        double more = ((double)bytes - memtable_bytes(&s)) / memtable;
        *excess = cmp_worse(*excess, more);
        cmp_note(b, word, (double)i * each, (double)bytes / memtable, NAN);
    }
    *written = (double)cmp_specimen_written_for(&s, KV_FOR_WAL) / memtable;
    cmp_specimen_close(&s);
    return st;
}

static kv_status a_log_restores_the_memtable(cmp_bench *b)
{
    static const char *const engines[] = {"sst", "lsm"};
    kv_crash_result crashes = {0};
    double excess = -INFINITY, written = 0;
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
        kv_disk *disk = NULL;
        KV_TRY(crash(b, engines[i], &crashes));
        KV_TRY(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
        kv_status st = watch_logs(b, engines[i], disk, &excess, &written);
        kv_disk_close(disk);
        KV_TRY(st);
    }
    cmp_check_at_least(b, "disks that a crash could leave, opened again",
                       (double)crashes.distinct, CRASH_STATES);
    cmp_check_at_most(b, "of them, those that lack what was synced, or lie",
                      (double)crashes.violations, 0);
    cmp_check_at_most(b, "bytes of logs beyond those in memory, in memtables",
                      excess, 1);
    cmp_check_at_least(b, "bytes of logs written in all, in memtables", written,
                       MEMTABLES / 2);
    return KV_OK;
}

// ---- the claims -------------------------------------------------------------

const cmp_claim cmp_claims_of_recovery[] = {
    {.id = "C10",
     .text = "Checksums expose records that were written half.",
     .first = "Hash Indexes",
     .second = "Constructing and merging SSTables",
     .setup = "20 records that were synced and one that was not, in the logs "
              "of four engines; the last one cut at every byte, a bit turned "
              "over in each of its bytes, and in 150 places before it.",
     .x = "bytes of the last record",
     .y = "records after reopening",
     .is_counted = true,
     .run = checksums_find_damage},
    {.id = "C16",
     .text = "A log of recent writes brings the memtable back after a crash, "
             "and can go when that was written out.",
     .first = "Constructing and maintaining SSTables",
     .second = "Constructing and merging SSTables",
     .setup = "Small stores with crashes at every call that changes the disk, "
              "by three models of what is left; then twenty memtables of "
              "records, and the bytes of the logs that are there.",
     .x = "records inserted",
     .y = "bytes of logs / bytes of a memtable",
     .is_counted = true,
     .run = a_log_restores_the_memtable},
    {0}};
