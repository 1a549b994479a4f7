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
    const cmp_trial *trial = lab->trial;
    if (trial->rate > 0) return (uint64_t)(trial->rate * trial->seconds) + 1;
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

static const cmp_call reading[] = {CMP_READ, CMP_MISS, CMP_SCAN};

static double share_of_reads(const cmp_workload *w)
{
    double sum = 0;
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++) {
        sum += w->share[reading[i]];
    }
    return sum;
}

bool cmp_lab_only_reads(const cmp_lab *lab)
{
    bool has_writers = lab->trial->kind != CMP_COUNT &&
                       cmp_setup_writers(lab->trial->setup, &lab->workload) > 0;
    return !has_writers && share_of_reads(&lab->workload) > 1 - 1e-9;
}

// A thread that only reads (only writes) does the reads (the writes) of the
// workload and nothing else; plain ones if it has none.
static void assign(cmp_hand *hand, const cmp_workload *w)
{
    hand->workload = *w;
    if (hand->duty == CMP_ALL_DUTIES) return;
    cmp_workload *own = &hand->workload;
    double reads = share_of_reads(w);
    double kept = hand->duty == CMP_READS ? reads : 1 - reads;
    for (unsigned call = 0; call < CMP_CALLS; call++) {
        bool is_read = call == CMP_READ || call == CMP_MISS || call == CMP_SCAN;
        bool keeps = kept > 1e-9 && is_read == (hand->duty == CMP_READS);
        own->share[call] = keeps ? own->share[call] / kept : 0;
    }
    if (kept > 1e-9) return;
    own->share[hand->duty == CMP_READS ? CMP_READ : CMP_UPDATE] = 1;
}

// The first threads read, the others write; or each does all.
static cmp_duty duty_of(const cmp_lab *lab, uint32_t thread)
{
    const cmp_setup *setup = lab->trial->setup;
    uint32_t writers = cmp_setup_writers(setup, &lab->workload);
    if (lab->trial->kind == CMP_COUNT) return CMP_ALL_DUTIES;
    if (writers == 0 && setup->readers == 0) return CMP_ALL_DUTIES;
    return thread < lab->threads - writers ? CMP_READS : CMP_WRITES;
}

static void prepare_hand(cmp_lab *lab, uint32_t t)
{
    cmp_hand *hand = &lab->hands[t];
    hand->lab = lab;
    hand->duty = duty_of(lab, t);
    assign(hand, &lab->workload);
    hand->stream = (cmp_stream){.records = &lab->records,
                                .state = lab->state,
                                .thread = t,
                                .threads = lab->threads};
    for (int part = 0; part < CMP_PARTS; part++) {
        const cmp_workload *w =
            part == CMP_LOAD ? &cmp_lab_load : &hand->workload;
        hand->player[part].stream = &hand->stream;
        if (part == CMP_COLD && !cmp_lab_only_reads(lab)) continue;
        cmp_player_init(&hand->player[part], &lab->records, w);
    }
    if (lab->delays == NULL) return;
    cmp_player *run = &hand->player[CMP_RUN];
    run->delays = lab->delays + (size_t)t * CMP_CALLS;
    run->gap_ns =
        lab->trial->rate > 0 ? 1e9 * lab->threads / lab->trial->rate : 0;
}

static void prepare_hands(cmp_lab *lab)
{
    bool is_counted = lab->trial->kind == CMP_COUNT;
    lab->threads =
        is_counted ? 1 : cmp_setup_threads(lab->trial->setup, &lab->workload);
    lab->hands = kv_zalloc(lab->threads * sizeof *lab->hands);
    if (lab->trial->kind >= CMP_DELAY) {
        lab->delays = kv_zalloc(lab->threads * CMP_CALLS * sizeof *lab->delays);
    }
    uint32_t readers = 0;
    for (uint32_t t = 0; t < lab->threads; t++) {
        prepare_hand(lab, t);
        readers += lab->hands[t].duty == CMP_READS;
    }
    if (readers == 0 || readers == lab->threads) return;
    lab->reading = readers;
    for (uint32_t t = readers; t < lab->threads; t++) {
        // Who writes beside readers goes on as long as they do.
        lab->hands[t].player[CMP_RUN].is_over = &lab->readers_are_done;
    }
}

void cmp_lab_begin(cmp_lab *lab, uint64_t operations, uint64_t seed)
{
    for (uint32_t t = 0; t < lab->threads; t++) {
        cmp_hand *hand = &lab->hands[t];
        cmp_stream_begin(&hand->stream, &hand->workload, operations, seed);
        if (hand->player[CMP_RUN].is_over == NULL) continue;
        hand->stream.left = UINT64_MAX / 2;
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
    hand->st = cmp_player_run(&hand->player[hand->playing]);
    if (hand->st != KV_OK) {
        cmp_lab_word_failure(hand->lab, hand->st, hand->sentence,
                             sizeof hand->sentence);
    }
    return NULL;
}

static void *play_beside(void *arg)
{
    cmp_hand *hand = arg;
    cmp_lab *lab = hand->beside;
    play(hand);
    bool reads = hand->duty == CMP_READS;
    if (reads && atomic_fetch_sub(&lab->reading, 1) == 1) {
        atomic_store(&lab->readers_are_done, true);
    }
    return NULL;
}

kv_status cmp_lab_play(cmp_lab *lab, cmp_part part)
{
    bool is_parted = part == CMP_RUN && lab->reading > 0;
    for (uint32_t t = 0; t < lab->threads; t++) {
        cmp_hand *hand = &lab->hands[t];
        hand->playing = part;
        hand->beside = lab;
        hand->player[part].db = lab->db;
        if (lab->threads == 1) continue;
        kv_thread_start(&hand->thread, is_parted ? play_beside : play, hand);
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
cmp_effort cmp_lab_effort(const cmp_lab *lab, cmp_part part)
{
    cmp_effort sum = {0};
    for (uint32_t t = 0; t < lab->threads; t++) {
        const cmp_hand *hand = &lab->hands[t];
        const cmp_player *p = &hand->player[part];
        double rate =
            p->ns > 0 ? (double)p->operations * 1e9 / (double)p->ns : 0;
        sum.operations_per_s += rate;
        if (hand->duty == CMP_READS) sum.reads_per_s += rate;
        if (hand->duty == CMP_WRITES) sum.writes_per_s += rate;
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
