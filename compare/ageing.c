// ageing.c -- see ageing.h.
// SPDX-License-Identifier: MIT

#include "compare/ageing.h"

#include <math.h>

enum {
    PER_RECORD = 4,
    LEAST = 3 * PER_RECORD,
    MOST = 8 * PER_RECORD,
    LAST = 5
};

static const cmp_workload updates = {
    .name = "age", .share = {[CMP_UPDATE] = 1}, .group = 100};

static double mean_of(const double *numbers, unsigned count)
{
    double sum = 0;
    for (unsigned i = 0; i < count; i++) sum += numbers[i];
    return sum / count;
}

// True if the last windows vary by less than 5 % of their mean, and that mean
// is the one of the last half of all windows.
static bool is_steady(const double *wa, unsigned count)
{
    if (count < 2 * LAST) return false;
    const double *last = wa + count - LAST;
    double mean = mean_of(last, LAST), squares = 0;
    for (unsigned i = 0; i < LAST; i++) {
        squares += (last[i] - mean) * (last[i] - mean);
    }
    double half = mean_of(wa + count / 2, count - count / 2);
    return mean > 0 && sqrt(squares / LAST) < 0.05 * mean &&
           fabs(half - mean) < 0.1 * mean;
}

static kv_status age_window(cmp_lab *lab, unsigned window, double *wa)
{
    uint64_t seed = lab->trial->setup->seed + 7919 * (uint64_t)(window + 1);
    for (uint32_t t = 0; t < lab->threads; t++) {
        cmp_stream_begin(&lab->hands[t].stream, &updates,
                         lab->loaded / PER_RECORD + 1, seed);
    }
    uint64_t before = cmp_lab_effort(lab, CMP_LOAD).user_bytes;
    KV_TRY(cmp_scale_begin(&lab->scale));
    KV_TRY(cmp_lab_play(lab, CMP_LOAD));
    cmp_effort after = cmp_lab_effort(lab, CMP_LOAD);
    KV_TRY(cmp_scale_window(&lab->scale, after.user_bytes - before, wa));
    if (lab->trial->kind != CMP_COUNT || !isfinite(*wa)) return KV_OK;
    fprintf(lab->out, "W\t%u\t%g\t%.12g", window, (window + 1.0) / PER_RECORD,
            *wa);
    uint64_t disk_bytes = lab->scale.pause.disk_bytes;
    if (disk_bytes == UINT64_MAX) fprintf(lab->out, "\tNA");
    else fprintf(lab->out, "\t%llu", (unsigned long long)disk_bytes);
    fprintf(lab->out, "\t%llu\n", (unsigned long long)after.live_bytes);
    return KV_OK;
}

kv_status cmp_age(cmp_lab *lab)
{
    double wa[MOST];
    unsigned count = 0;
    bool steady = false;
    // No figure that could settle: the least has to do.
    cmp_bytes bytes = cmp_engine_bytes(&lab->engine);
    bool is_known = bytes != CMP_BYTES_MAPPED && bytes != CMP_BYTES_NONE;
    unsigned most = is_known ? MOST : LEAST;
    while (count < most && !(steady && count >= LEAST)) {
        KV_TRY(age_window(lab, count, &wa[count]));
        count++;
        steady = is_known && is_steady(wa, count);
    }
    if (lab->trial->kind == CMP_COUNT) {
        cmp_scale_say(&lab->scale, "age", "age_updates",
                      (double)count / PER_RECORD);
        cmp_scale_say(&lab->scale, "age", "age_steady",
                      is_known ? (double)steady : NAN);
    }
    return kv_settle(lab->db);
}
