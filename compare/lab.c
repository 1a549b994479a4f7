// lab.c -- see lab.h.
// SPDX-License-Identifier: MIT

#include "compare/lab.h"

#include <math.h>

#include "common/mem.h"

#include "compare/machine.h"

// ---- making ready -----------------------------------------------------------

// In batches: the load is not what is measured, and takes half the time so.
const cmp_workload cmp_lab_load = {
    .name = "load", .share = {[CMP_INSERT] = 1}, .group = 100};

// background=0 where the knob exists and the user has not turned it.
static void choose_knobs(cmp_lab *lab)
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

static uint32_t count_records(const cmp_lab *lab)
{
    const cmp_workload *w = &lab->workload;
    const cmp_setup *setup = lab->trial->setup;
    if (w->trace != NULL) return w->trace->key_count;
    if (w->is_real) return setup->data->count;
    uint32_t count = (uint32_t)(w->records * setup->records);
    return count > 0 ? count : 1;
}

static uint64_t count_operations(const cmp_lab *lab, uint32_t records)
{
    const cmp_workload *w = &lab->workload;
    double asked = lab->trial->setup->operations;
    if (w->trace != NULL) return w->trace->count;
    if (w->extent != CMP_SOME) return 1;
    if (!w->loads) return records;
    double exact = (asked > 0 ? asked : w->operations) * records;
    return exact > 1 ? (uint64_t)exact : 1;
}

static void prepare_records(cmp_lab *lab)
{
    const cmp_setup *setup = lab->trial->setup;
    cmp_workload *w = &lab->workload;
    *w = *lab->trial->workload;
    const cmp_dataset *data = w->is_real ? setup->data : NULL;
    uint32_t count = count_records(lab);
    if (w->extent != CMP_SOME) w->scan_min = w->scan_max = count;
    lab->operations = count_operations(lab, count);
    lab->loaded = w->loads ? count : 0;
    uint32_t places = count;
    if (w->loads && data == NULL && w->trace == NULL) {
        // Room for the inserts, which are a share of the operations by chance.
        double inserts = w->share[CMP_INSERT] * (double)lab->operations;
        places += (uint32_t)(1.02 * inserts + 8 * sqrt(inserts));
    }
    cmp_records_init(
        &lab->records,
        (cmp_records){
            .seed = setup->seed,
            .count = places,
            .key_bytes = w->key_bytes ? w->key_bytes : setup->key_bytes,
            .value_bytes = w->value_bytes ? w->value_bytes : setup->value_bytes,
            .sizes = w->value_sizes,
            .data = data,
            .trace = w->trace},
        w->order);
    lab->state = kv_zalloc(places * sizeof *lab->state);
}

static void prepare_hands(cmp_lab *lab)
{
    const cmp_workload *w = &lab->workload;
    lab->threads =
        lab->trial->kind == CMP_COUNT ? 1 : lab->trial->setup->threads;
    lab->hands = kv_zalloc(lab->threads * sizeof *lab->hands);
    if (lab->trial->kind == CMP_DELAY) {
        lab->delays = kv_zalloc(lab->threads * CMP_CALLS * sizeof *lab->delays);
    }
    for (uint32_t t = 0; t < lab->threads; t++) {
        cmp_hand *hand = &lab->hands[t];
        hand->lab = lab;
        hand->stream = (cmp_stream){.records = &lab->records,
                                    .state = lab->state,
                                    .thread = t,
                                    .threads = lab->threads};
        hand->load.stream = hand->run.stream = &hand->stream;
        cmp_player_init(&hand->load, &lab->records, &cmp_lab_load);
        cmp_player_init(&hand->run, &lab->records, w);
        if (lab->delays != NULL) {
            hand->run.delays = lab->delays + (size_t)t * CMP_CALLS;
        }
    }
}

kv_status cmp_lab_open(cmp_lab *lab)
{
    const cmp_setup *setup = lab->trial->setup;
    const kv_engine *engine = lab->engine.engine;
    bool is_durable = (kv_describe(engine)->caps & KV_CAP_DURABLE) != 0;
    kv_options options = {
        .path = is_durable ? lab->trial->dir : NULL,
        .knobs = lab->engine.knobs[0] ? lab->engine.knobs : NULL,
        .sync = lab->workload.has_sync ? lab->workload.sync : setup->sync,
        .memory_bytes = setup->memory_bytes,
        .seed = setup->seed + 1, // 0 would be chance
        .create = true,
    };
    cmp_engine_prepare(&lab->engine);
    return kv_open(engine, &options, &lab->db);
}

// Memory that an engine may want, twice the records, is made ready before it
// starts: otherwise whoever comes first pays for those who follow.
static void warm_memory(const cmp_lab *lab)
{
    const cmp_records *r = &lab->records;
    uint64_t bytes = (uint64_t)r->count * (r->key_bytes + r->value_bytes);
    for (uint32_t i = 0; r->data != NULL && i < r->count; i++) {
        bytes += r->data->key[i].len + r->data->value[i].len;
    }
    cmp_memory_warm(2 * bytes);
}

void cmp_lab_prepare(cmp_lab *lab)
{
    choose_knobs(lab);
    prepare_records(lab);
    prepare_hands(lab);
    warm_memory(lab);
}

// ---- playing ----------------------------------------------------------------

// The reason as void.tsv words it (results.h): the harness's own verdicts and
// what was worded before stay as they are. A module's sentences are in its own
// copy of common/status.c, and belong to the thread that failed; if it said
// nothing there, the front door did, here.
void cmp_lab_word_failure(const cmp_lab *lab, kv_status st, char *to,
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
    cmp_hand *hand = arg;
    hand->st = cmp_player_run(hand->playing);
    if (hand->st != KV_OK) {
        cmp_lab_word_failure(hand->lab, hand->st, hand->sentence,
                             sizeof hand->sentence);
    }
    return NULL;
}

kv_status cmp_lab_play(cmp_lab *lab, bool is_run)
{
    for (uint32_t t = 0; t < lab->threads; t++) {
        cmp_hand *hand = &lab->hands[t];
        hand->playing = is_run ? &hand->run : &hand->load;
        hand->playing->db = lab->db;
        if (lab->threads > 1) kv_thread_start(&hand->thread, play, hand);
    }
    if (lab->threads == 1) play(&lab->hands[0]);
    kv_status st = KV_OK;
    for (uint32_t t = 0; t < lab->threads; t++) {
        cmp_hand *hand = &lab->hands[t];
        if (lab->threads > 1) kv_thread_join(&hand->thread);
        if (hand->st == KV_OK || st != KV_OK) continue;
        st = kv_fail(hand->st, "%s", hand->sentence);
    }
    return st;
}

// The hands' work as one.
cmp_effort cmp_lab_effort(const cmp_lab *lab, bool is_run)
{
    cmp_effort sum = {0};
    for (uint32_t t = 0; t < lab->threads; t++) {
        const cmp_hand *hand = &lab->hands[t];
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
        sum.entries += p->entries;
        sum.ns = p->ns > sum.ns ? p->ns : sum.ns;
        sum.live_count += (uint64_t)hand->stream.live_count;
        sum.live_bytes += (uint64_t)hand->stream.live_bytes;
        sum.user_bytes += hand->stream.user_bytes;
    }
    return sum;
}
