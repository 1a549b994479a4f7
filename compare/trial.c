// trial.c -- see trial.h.
// SPDX-License-Identifier: MIT

#include "compare/trial.h"

#include <math.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/thread.h"

#include "compare/machine.h"
#include "compare/player.h"
#include "compare/scale.h"

enum { SAMPLES = 200 };

// One thread's part.
struct hand {
    const struct lab *lab;
    cmp_stream stream;
    cmp_player load, run;
    cmp_player *playing;
    kv_thread thread;
    kv_status st;
    char sentence[400]; // of st
};

struct lab {
    const cmp_trial *trial;
    FILE *out;
    cmp_engine engine; // with the knobs of this kind of trial
    kv *db;
    cmp_records records;
    uint32_t *state;
    uint32_t threads;
    uint32_t loaded; // records inserted before the run
    uint64_t operations;
    struct hand *hands;
    cmp_histogram *delays; // [threads][CMP_CALLS]
    cmp_scale scale;
    uint64_t answers;
};

// ---- making ready -----------------------------------------------------------

// In batches: the load is not what is measured, and takes half the time so.
static const cmp_workload load_workload = {
    .name = "load", .share = {[CMP_INSERT] = 1}, .group = 100};

// background=0 where the knob exists and the user has not turned it.
static void choose_knobs(struct lab *lab)
{
    lab->engine = *lab->trial->engine;
    bool is_ours = strstr(lab->engine.knobs, "background=") != NULL;
    if (lab->trial->kind != CMP_COUNT || is_ours) return;
    if (cmp_engine_knob(&lab->engine, "background", UINT64_MAX) == UINT64_MAX) {
        return;
    }
    // A knob that exists takes its 0: nothing here can fail.
    if (cmp_engine_set(&lab->engine, "background=0") != KV_OK) return;
}

static void prepare_records(struct lab *lab)
{
    const cmp_setup *setup = lab->trial->setup;
    const cmp_workload *w = lab->trial->workload;
    const cmp_dataset *data = w->is_real ? setup->data : NULL;
    uint32_t count = data ? data->count : setup->records;
    double per_record =
        setup->operations > 0 ? setup->operations : w->operations;
    lab->operations = (uint64_t)(per_record * count);
    if (!w->loads) lab->operations = count;
    if (lab->operations == 0) lab->operations = 1;
    lab->loaded = w->loads ? count : 0;
    uint32_t places = count;
    if (w->loads && data == NULL) {
        // Room for the inserts, which are a share of the operations by chance.
        double inserts = w->share[CMP_INSERT] * (double)lab->operations;
        places += (uint32_t)(1.02 * inserts + 8 * sqrt(inserts));
    }
    cmp_records_init(&lab->records,
                     (cmp_records){.seed = setup->seed,
                                   .count = places,
                                   .key_bytes = setup->key_bytes,
                                   .value_bytes = setup->value_bytes,
                                   .data = data},
                     w->order);
    lab->state = kv_zalloc(places * sizeof *lab->state);
}

static void prepare_hands(struct lab *lab)
{
    const cmp_workload *w = lab->trial->workload;
    lab->threads =
        lab->trial->kind == CMP_COUNT ? 1 : lab->trial->setup->threads;
    lab->hands = kv_zalloc(lab->threads * sizeof *lab->hands);
    if (lab->trial->kind == CMP_DELAY) {
        lab->delays = kv_zalloc(lab->threads * CMP_CALLS * sizeof *lab->delays);
    }
    for (uint32_t t = 0; t < lab->threads; t++) {
        struct hand *hand = &lab->hands[t];
        hand->lab = lab;
        hand->stream = (cmp_stream){.records = &lab->records,
                                    .state = lab->state,
                                    .thread = t,
                                    .threads = lab->threads};
        hand->load.stream = hand->run.stream = &hand->stream;
        cmp_player_init(&hand->load, &lab->records, &load_workload);
        cmp_player_init(&hand->run, &lab->records, w);
        if (lab->delays != NULL) {
            hand->run.delays = lab->delays + (size_t)t * CMP_CALLS;
        }
    }
}

static kv_status open_store(struct lab *lab)
{
    const cmp_setup *setup = lab->trial->setup;
    const kv_engine *engine = lab->engine.engine;
    bool is_durable = (kv_describe(engine)->caps & KV_CAP_DURABLE) != 0;
    kv_options options = {
        .path = is_durable ? lab->trial->dir : NULL,
        .knobs = lab->engine.knobs[0] ? lab->engine.knobs : NULL,
        .sync = setup->sync,
        .memory_bytes = setup->memory_bytes,
        .seed = setup->seed + 1, // 0 would be chance
        .create = true,
    };
    cmp_engine_prepare(&lab->engine);
    return kv_open(engine, &options, &lab->db);
}

// Memory that an engine may want, twice the records, is made ready before it
// starts: otherwise whoever comes first pays for those who follow.
static void warm_memory(const struct lab *lab)
{
    const cmp_records *r = &lab->records;
    uint64_t bytes = (uint64_t)r->count * (r->key_bytes + r->value_bytes);
    for (uint32_t i = 0; r->data != NULL && i < r->count; i++) {
        bytes += r->data->key[i].len + r->data->value[i].len;
    }
    cmp_memory_warm(2 * bytes);
}

// ---- playing ----------------------------------------------------------------

// The reason as void.tsv words it (results.h): the harness's own verdicts and
// what was worded before stay as they are. A module's sentences are in its own
// copy of common/status.c, and belong to the thread that failed; if it said
// nothing there, the front door did, here.
static void word_failure(const struct lab *lab, kv_status st, char *to,
                         size_t size)
{
    static const char *const fronts[] = {
        "wrong: ", "selfcheck: ", "failed: ", "full: "};
    const char *said = kv_last_error();
    for (size_t i = 0; i < sizeof fronts / sizeof *fronts; i++) {
        if (strncmp(said, fronts[i], strlen(fronts[i])) != 0) continue;
        snprintf(to, size, "%s", said);
        return;
    }
    const cmp_engine *e = &lab->engine;
    const char *theirs = e->last_error != NULL ? e->last_error() : "";
    if (theirs[0] != '\0') said = theirs;
    else if (e->is_module && e->last_error == NULL) said = kv_status_text(st);
    snprintf(to, size, "%s%s", st == KV_NO_SPACE ? "full: " : "failed: ", said);
}

static void *play(void *arg)
{
    struct hand *hand = arg;
    hand->st = cmp_player_run(hand->playing);
    if (hand->st != KV_OK) {
        word_failure(hand->lab, hand->st, hand->sentence,
                     sizeof hand->sentence);
    }
    return NULL;
}

static kv_status play_all(struct lab *lab, bool is_run)
{
    for (uint32_t t = 0; t < lab->threads; t++) {
        struct hand *hand = &lab->hands[t];
        hand->playing = is_run ? &hand->run : &hand->load;
        hand->playing->db = lab->db;
        if (lab->threads > 1) kv_thread_start(&hand->thread, play, hand);
    }
    if (lab->threads == 1) play(&lab->hands[0]);
    kv_status st = KV_OK;
    for (uint32_t t = 0; t < lab->threads; t++) {
        struct hand *hand = &lab->hands[t];
        if (lab->threads > 1) kv_thread_join(&hand->thread);
        if (hand->st == KV_OK || st != KV_OK) continue;
        st = kv_fail(hand->st, "%s", hand->sentence);
    }
    return st;
}

static void sample_space(void *arg)
{
    struct lab *lab = arg;
    const cmp_player *p = &lab->hands[0].run;
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

// The hands' work as one.
static cmp_effort sum_effort(const struct lab *lab, bool is_run)
{
    cmp_effort sum = {0};
    for (uint32_t t = 0; t < lab->threads; t++) {
        const struct hand *hand = &lab->hands[t];
        const cmp_player *p = is_run ? &hand->run : &hand->load;
        if (p->ns > 0) {
            sum.operations_per_s += (double)p->operations * 1e9 / (double)p->ns;
        }
        sum.operations += p->operations;
        sum.harness_cpu_ns += p->harness_cpu_ns;
        sum.hits += p->hits;
        sum.misses += p->calls[CMP_READ] + p->calls[CMP_MISS] +
                      p->calls[CMP_MODIFY] - p->hits;
        sum.scans += p->calls[CMP_SCAN];
        sum.checked += p->checked;
        sum.live_count += (uint64_t)hand->stream.live_count;
        sum.live_bytes += (uint64_t)hand->stream.live_bytes;
        sum.user_bytes += hand->stream.user_bytes;
    }
    return sum;
}

static kv_status run_phase(struct lab *lab, const char *phase, bool is_run)
{
    cmp_effort before = sum_effort(lab, is_run);
    KV_TRY(cmp_scale_begin(&lab->scale));
    KV_TRY(play_all(lab, is_run));
    KV_TRY(cmp_scale_pause(&lab->scale));
    uint64_t from = kv_now_ns();
    KV_TRY(kv_settle(lab->db));
    uint64_t settle_ns = kv_now_ns() - from;
    KV_TRY(cmp_scale_end(&lab->scale));
    cmp_effort effort = sum_effort(lab, is_run);
    effort.user_bytes -= before.user_bytes;
    effort.settle_ns = settle_ns;
    lab->answers += effort.checked;
    return cmp_scale_tell(&lab->scale, phase, &effort, lab->trial->kind);
}

// ---- after the run ----------------------------------------------------------

static void tell_delays(struct lab *lab)
{
    cmp_histogram all = {0};
    for (unsigned call = 0; call < CMP_CALLS; call++) {
        cmp_histogram one = {0};
        for (uint32_t t = 0; t < lab->threads; t++) {
            cmp_histogram_merge(&one, &lab->delays[t * CMP_CALLS + call]);
        }
        for (unsigned i = 0; i < CMP_HISTOGRAM_BUCKETS; i++) {
            if (one.bucket[i] == 0) continue;
            fprintf(lab->out, "L\t%s\t%llu\t%llu\n",
                    cmp_call_word((cmp_call)call),
                    (unsigned long long)cmp_histogram_edge(i),
                    (unsigned long long)one.bucket[i]);
        }
        cmp_histogram_merge(&all, &one);
    }
    static const struct {
        const char *measure;
        double share;
    } quantiles[] = {
        {"latency_p50_ns", 0.5},    {"latency_p99_ns", 0.99},
        {"latency_p999_ns", 0.999}, {"latency_p9999_ns", 0.9999},
        {"latency_max_ns", 1},
    };
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        cmp_scale_say(&lab->scale, "run", quantiles[i].measure,
                      (double)cmp_histogram_quantile(&all, quantiles[i].share));
    }
}

static kv_status reopen(struct lab *lab)
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
    KV_TRY(open_store(lab));
    double seconds = (double)(kv_now_ns() - from) / 1e9;
    if (lab->trial->kind == CMP_TIME) {
        cmp_scale_say(&lab->scale, "run", "reopen_s", seconds);
    }
    return KV_OK;
}

static kv_status verify_place(struct lab *lab, uint32_t place, uint8_t *scratch,
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
static kv_status verify_all(struct lab *lab)
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

static kv_status load_and_run(struct lab *lab)
{
    const cmp_trial *trial = lab->trial;
    for (uint32_t t = 0; t < lab->threads; t++) {
        cmp_stream_load(&lab->hands[t].stream, lab->loaded, &load_workload);
    }
    if (lab->loaded > 0) KV_TRY(run_phase(lab, "load", false));
    uint64_t seed = trial->setup->seed + 1000 * (uint64_t)trial->rep;
    for (uint32_t t = 0; t < lab->threads; t++) {
        cmp_stream_begin(&lab->hands[t].stream, trial->workload,
                         lab->operations, seed);
    }
    if (trial->kind == CMP_COUNT) {
        lab->hands[0].run.between = sample_space;
        lab->hands[0].run.arg = lab;
    }
    KV_TRY(run_phase(lab, "run", true));
    if (lab->delays != NULL) tell_delays(lab);
    if (trial->kind == CMP_DELAY) return KV_OK;
    KV_TRY(reopen(lab));
    return trial->kind == CMP_COUNT ? verify_all(lab) : KV_OK;
}

static kv_status refuse(const struct lab *lab)
{
    const cmp_workload *w = lab->trial->workload;
    unsigned caps = kv_describe(lab->engine.engine)->caps;
    if (w->share[CMP_SCAN] == 0) return KV_OK;
    if ((caps & KV_CAP_ORDERED) == 0) {
        return kv_fail(KV_UNSUPPORTED, "n/a: the workload scans in order, and "
                                       "this engine keeps none");
    }
    if (lab->trial->setup->threads == 1) return KV_OK;
    return kv_fail(KV_UNSUPPORTED,
                   "n/a: scans can be checked with one thread only");
}

static void tell_failure(struct lab *lab, kv_status st)
{
    char reason[400];
    word_failure(lab, st, reason, sizeof reason);
    kv_buf line = {0};
    kv_escape(&line, kv_str(reason));
    fprintf(lab->out, "V\t%.*s\n", (int)line.len, (char *)line.data);
    kv_buf_free(&line);
}

void cmp_trial_run(FILE *out, void *arg)
{
    struct lab lab = {.trial = arg, .out = out};
    choose_knobs(&lab);
    kv_status st = refuse(&lab);
    if (st != KV_OK) {
        fprintf(out, "N\t%s\nD\n", kv_last_error());
        return;
    }
    prepare_records(&lab);
    prepare_hands(&lab);
    warm_memory(&lab);
    lab.scale = (cmp_scale){.out = out,
                            .engine = &lab.engine,
                            .db = &lab.db,
                            .dir = lab.trial->dir,
                            .resident_before = cmp_resident_bytes()};
    st = open_store(&lab);
    if (st == KV_OK) st = load_and_run(&lab);
    if (st == KV_OK) {
        kv *db = lab.db;
        lab.db = NULL;
        st = kv_close(db);
    }
    if (st != KV_OK) tell_failure(&lab, st);
    fprintf(out, "A\t%llu\nD\n", (unsigned long long)lab.answers);
}
