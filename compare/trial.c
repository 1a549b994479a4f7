// trial.c -- see trial.h.
// SPDX-License-Identifier: MIT

#include "compare/trial.h"

#include <math.h>

#include "common/clock.h"
#include "common/mem.h"

#include "compare/ageing.h"
#include "compare/cage.h"
#include "compare/delays.h"
#include "compare/lab.h"
#include "compare/machine.h"

enum { SAMPLES = 200 };

// ---- playing ----------------------------------------------------------------

static void sample_space(void *arg)
{
    cmp_lab *lab = arg;
    const cmp_player *p = &lab->hands[0].player[CMP_RUN];
    if (p->operations < lab->scale.next_sample) return;
    lab->scale.next_sample = p->operations + lab->operations / SAMPLES + 1;
    const cmp_stream *s = &lab->hands[0].stream;
    cmp_scale_sample(&lab->scale, (uint64_t)s->live_bytes);
    if (lab->scale.disk_bytes == UINT64_MAX) return;
    fprintf(lab->out, "S\t%llu\t%llu\t%lld\n",
            (unsigned long long)lab->scale.user_bytes,
            (unsigned long long)lab->scale.disk_bytes,
            (long long)s->live_bytes);
}

static kv_status run_phase(cmp_lab *lab, const char *phase, cmp_part part)
{
    cmp_effort before = cmp_lab_effort(lab, part);
    KV_TRY(cmp_scale_begin(&lab->scale));
    KV_TRY(cmp_lab_play(lab, part));
    KV_TRY(cmp_scale_pause(&lab->scale));
    uint64_t from = kv_now_ns();
    KV_TRY(kv_settle(lab->db));
    uint64_t settle_ns = kv_now_ns() - from;
    KV_TRY(cmp_scale_end(&lab->scale));
    cmp_effort effort = cmp_lab_effort(lab, part);
    effort.user_bytes -= before.user_bytes;
    effort.settle_ns = settle_ns;
    lab->answers += effort.checked;
    return cmp_scale_tell(&lab->scale, phase, &effort, lab->trial->kind);
}

// ---- after the run ----------------------------------------------------------

static kv_status reopen(cmp_lab *lab)
{
    bool is_durable =
        (kv_describe(lab->engine.engine)->caps & KV_CAP_DURABLE) != 0;
    if (!is_durable) {
        if (lab->trial->kind == CMP_TIME) {
            cmp_scale_say(&lab->scale, "run", "reopen_s", NAN);
        }
        return KV_OK;
    }
    kv *db = lab->db;
    lab->db = NULL;
    KV_TRY(kv_close(db));
    uint64_t from = kv_now_ns();
    KV_TRY(cmp_lab_open(lab));
    double seconds = (double)(kv_now_ns() - from) / 1e9;
    if (lab->trial->kind == CMP_TIME) {
        cmp_scale_say(&lab->scale, "run", "reopen_s", seconds);
    }
    return KV_OK;
}

static kv_status verify_place(cmp_lab *lab, uint32_t place, uint8_t *scratch,
                              kv_buf *value)
{
    const cmp_records *r = &lab->records;
    cmp_expected there = cmp_stream_at(&lab->hands[0].stream, place);
    kv_slice key = cmp_records_key(r, place, scratch);
    kv_status st = kv_get(lab->db, key, value);
    if (st != KV_OK && st != KV_NOT_FOUND) return st;
    kv_quoted q;
    kv_quote(&q, key);
    lab->answers++;
    if (there.version == 0) {
        if (st == KV_NOT_FOUND) return KV_OK;
        return kv_fail(KV_CORRUPT,
                       "wrong: at the end, key \"%s\" is found, but "
                       "it was deleted or never written",
                       q.text);
    }
    kv_slice right = cmp_records_value(r, place, there.version, scratch);
    if (st == KV_OK && kv_slice_equal(right, kv_buf_slice(value))) return KV_OK;
    return kv_fail(KV_CORRUPT, "wrong: at the end, key \"%s\" %s", q.text,
                   st == KV_OK ? "has a value that is not the one last written"
                               : "is not found, but it is there");
}

// Every key that could be there, in the order of keys, whole values.
static kv_status verify_all(cmp_lab *lab)
{
    const cmp_records *r = &lab->records;
    uint8_t *scratch =
        kv_alloc(cmp_records_key_max(r) + cmp_records_value_max(r) + 8);
    kv_buf value = {0};
    kv_status st = KV_OK;
    for (uint32_t place = 0; place < r->count && st == KV_OK; place++) {
        st = verify_place(lab, place, scratch, &value);
    }
    kv_buf_free(&value);
    kv_free(scratch);
    return st;
}

// ---- the whole --------------------------------------------------------------

static uint64_t seed_of(const cmp_trial *trial)
{
    return trial->setup->seed + 1000 * (uint64_t)trial->rep;
}

// Nothing is settled: what deletions leave behind is in the way of the run.
static kv_status purge(cmp_lab *lab)
{
    static const cmp_workload deletions = {.name = "purge",
                                           .share = {[CMP_DELETE] = 1},
                                           .pattern = CMP_SEQUENTIAL,
                                           .group = 100};
    double count = lab->workload.purge * lab->loaded;
    for (uint32_t t = 0; t < lab->threads; t++) {
        cmp_stream_begin(&lab->hands[t].stream, &deletions, (uint64_t)count, 0);
    }
    return cmp_lab_play(lab, CMP_LOAD);
}

static kv_status load(cmp_lab *lab)
{
    for (uint32_t t = 0; t < lab->threads; t++) {
        cmp_stream_load(&lab->hands[t].stream, lab->loaded, &cmp_lab_load);
    }
    if (lab->loaded == 0) return KV_OK;
    KV_TRY(run_phase(lab, "load", CMP_LOAD));
    bool ages = lab->trial->setup->ages || lab->workload.ages;
    if (ages && lab->workload.trace == NULL) KV_TRY(cmp_age(lab));
    return lab->workload.purge > 0 ? purge(lab) : KV_OK;
}

// A tenth of the reads, after the engine and the kernel forgot everything.
static kv_status read_cold(cmp_lab *lab)
{
    unsigned caps = kv_describe(lab->engine.engine)->caps;
    if ((caps & KV_CAP_DURABLE) == 0 || !cmp_lab_only_reads(lab)) return KV_OK;
    kv *db = lab->db;
    lab->db = NULL;
    KV_TRY(kv_close(db));
    cmp_forget_files(lab->trial->dir);
    KV_TRY(cmp_lab_open(lab));
    cmp_lab_begin(lab, lab->operations / 10 + 1, seed_of(lab->trial) + 1);
    return run_phase(lab, "cold", CMP_COLD);
}

static kv_status load_and_run(cmp_lab *lab)
{
    const cmp_trial *trial = lab->trial;
    KV_TRY(load(lab));
    cmp_lab_begin(lab, lab->operations, seed_of(trial));
    if (trial->kind == CMP_COUNT) {
        lab->hands[0].player[CMP_RUN].between = sample_space;
        lab->hands[0].player[CMP_RUN].arg = lab;
    } else if (lab->delays != NULL) {
        cmp_delays_watch(lab);
    }
    KV_TRY(run_phase(lab, "run", CMP_RUN));
    if (lab->delays != NULL) {
        cmp_delays_tell(lab);
        return KV_OK;
    }
    KV_TRY(reopen(lab));
    KV_TRY(read_cold(lab));
    return trial->kind == CMP_COUNT ? verify_all(lab) : KV_OK;
}

uint32_t cmp_setup_writers(const cmp_setup *s, const cmp_workload *w)
{
    return s->writers > 0 || s->readers > 0 ? s->writers : w->writers;
}

uint32_t cmp_setup_threads(const cmp_setup *s, const cmp_workload *w)
{
    uint32_t writers = cmp_setup_writers(s, w);
    if (s->readers > 0) return s->readers + writers;
    if (s->writers > 0) return writers;
    return s->threads + writers;
}

static kv_status refuse(const cmp_lab *lab)
{
    const cmp_workload *w = lab->trial->workload;
    unsigned caps = kv_describe(lab->trial->engine->engine)->caps;
    bool scans = w->share[CMP_SCAN] > 0;
    const cmp_setup *setup = lab->trial->setup;
    if (w->trace != NULL && setup->readers + setup->writers > 0) {
        return kv_fail(KV_UNSUPPORTED, "n/a: the threads of a trace both read "
                                       "and write");
    }
    if (scans && (caps & KV_CAP_ORDERED) == 0) {
        return kv_fail(KV_UNSUPPORTED, "n/a: the workload scans in order, and "
                                       "this engine keeps none");
    }
    if (!scans && w->pattern != CMP_RANGES) return KV_OK;
    if (cmp_setup_threads(setup, w) == 1) return KV_OK;
    return kv_fail(KV_UNSUPPORTED, "n/a: scans and hot ranges can be checked "
                                   "with one thread only");
}

// Counters do not depend on what the kernel keeps in memory.
static kv_status enter_cage(const cmp_trial *trial)
{
    const char *cage = trial->setup->cage;
    if (cage == NULL || trial->kind == CMP_COUNT) return KV_OK;
    return cmp_cage_enter(cage);
}

static void tell_failure(cmp_lab *lab, kv_status st)
{
    char reason[400];
    cmp_lab_word_failure(lab, st, reason, sizeof reason);
    kv_buf line = {0};
    kv_escape(&line, kv_str(reason));
    // What an engine refuses to do at all is no failure of its.
    fprintf(lab->out, "%s%.*s\n", st == KV_UNSUPPORTED ? "N\tn/a: " : "V\t",
            (int)line.len, (char *)line.data);
    kv_buf_free(&line);
}

void cmp_trial_run(FILE *out, void *arg)
{
    cmp_lab lab = {.trial = arg, .out = out};
    kv_status st = refuse(&lab);
    if (st != KV_OK) {
        fprintf(out, "N\t%s\nD\n", kv_last_error());
        return;
    }
    cmp_lab_prepare(&lab);
    lab.scale = (cmp_scale){.out = out,
                            .engine = &lab.engine,
                            .db = &lab.db,
                            .dir = lab.trial->dir,
                            .resident_before = cmp_resident_bytes()};
    st = enter_cage(lab.trial);
    if (st == KV_OK) st = cmp_lab_open(&lab);
    if (st == KV_OK) st = load_and_run(&lab);
    if (st == KV_OK) {
        kv *db = lab.db;
        lab.db = NULL;
        st = kv_close(db);
    }
    if (st != KV_OK) tell_failure(&lab, st);
    fprintf(out, "A\t%llu\nD\n", (unsigned long long)lab.answers);
}
