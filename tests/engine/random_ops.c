// random_ops.c -- random operations beside the model, with every setting.
// SPDX-License-Identifier: MIT
//
//     random_ops [--engine NAME|FILE.so] [--setting KNOBS] [--seed N]
//                [--scale N]
//
// A failing run is shrunk and printed as a script for the repl. The seed that
// the first line shows brings the whole back.

#include "common/mem.h"
#include "common/rng.h"

#include "tests/engine/ops.h"

enum { RUNS_PER_SETTING = 4, OPS_PER_RUN = 400, RUNS_MIN = 40 };

// Some of the numbers small, some words: what subject_settings turns one at a
// time, turned together.
static void mix_setting(const kv_engine_info *info, kv_rng *rng, kv_buf *to)
{
    for (size_t i = 0; i < info->knob_count; i++) {
        const kv_knob *knob = &info->knobs[i];
        if (kv_rng_below(rng, 3) == 0) continue; // the default
        uint64_t least = knob->min > 0 ? knob->min : 1;
        if (strstr(knob->name, "_bytes") != NULL) least |= 1024;
        uint64_t value = least << kv_rng_below(rng, 8);
        if (value < knob->min || value > knob->max) value = knob->min;
        if (knob->words != NULL) {
            value = kv_rng_below(rng, subject_word_count(knob));
        }
        if (to->len > 0) kv_buf_append(to, kv_str(","));
        kv_knob_print(knob, value, to);
    }
    kv_buf_append(to, kv_slice_of("", 1));
}

static void report_failure(run *r, uint64_t seed, const arguments *args,
                           kv_buf *message)
{
    const char *name = kv_describe(r->engine)->name;
    size_t count = r->count;
    printf("FAILED: %.*s\n", (int)message->len, (const char *)message->data);
    if (args->shrink == 0) return;
    printf("shrinking %zu operations …\n", count);
    fflush(stdout);
    size_t attempts = ops_shrink(r, message);
    kv_buf script = {0};
    ops_print_script(r, &script);
    printf("%zu of them are enough (%zu attempts): %.*s\n", r->count, attempts,
           (int)message->len, (const char *)message->data);
    printf("engine %s, --set '%s', --sync %s, --memory %llu; as a script for "
           "the repl:\n\n%.*s\n",
           name, r->knobs,
           r->sync == KV_SYNC_COMMIT     ? "commit"
           : r->sync == KV_SYNC_INTERVAL ? "interval"
                                         : "none",
           (unsigned long long)r->memory_bytes, (int)script.len,
           (const char *)script.data);
    printf("again: random_ops --engine %s --setting '%s' --seed %llu\n",
           args->engine != NULL ? args->engine : name, r->knobs,
           (unsigned long long)seed);
    kv_buf_free(&script);
}

// Returns whether it passed. One run follows from one seed.
static bool run_one(const kv_engine *engine, const char *setting, uint64_t seed,
                    const arguments *args)
{
    run r;
    kv_buf message = {0};
    ops_generate(&r, engine, setting, seed, OPS_PER_RUN);
    bool failed = ops_fail(&r, &message);
    if (failed) report_failure(&r, seed, args, &message);
    kv_buf_free(&message);
    ops_free(&r);
    return !failed;
}

// Returns the number of runs, or 0 when one failed.
static size_t run_engine(const kv_engine *engine, const arguments *args)
{
    kv_names settings = {0};
    kv_rng rng;
    kv_rng_seed(&rng, args->seed);
    if (args->setting != NULL) kv_names_add(&settings, args->setting);
    else subject_settings(engine, &settings);
    size_t runs = settings.count * RUNS_PER_SETTING;
    if (runs < RUNS_MIN) runs = RUNS_MIN;
    runs *= args->scale;
    bool passed = true;
    for (size_t i = 0; i < runs && passed; i++) {
        kv_buf mixed = {0};
        const char *setting = settings.name[i / 2 % settings.count];
        if (i % 2 == 1 && args->setting == NULL) {
            mix_setting(kv_describe(engine), &rng, &mixed);
            setting = (const char *)mixed.data;
        }
        passed = run_one(engine, setting, args->seed + i, args);
        kv_buf_free(&mixed);
    }
    kv_names_free(&settings);
    return passed ? runs : 0;
}

int main(int argc, char **argv)
{
    arguments args = subject_arguments(argc, argv);
    const kv_engine *engines[16];
    subject_engines(&args, engines);
    printf("seed %llu\n", (unsigned long long)args.seed);
    size_t done = 0;
    for (size_t i = 0; engines[i] != NULL; i++) {
        size_t runs = run_engine(engines[i], &args);
        if (runs == 0) return 1;
        printf("%s: %zu runs of %d operations agree with the model\n",
               kv_describe(engines[i])->name, runs, OPS_PER_RUN);
        test_figure("R11", kv_describe(engines[i])->name, "random operations",
                    runs * OPS_PER_RUN);
        done += runs;
    }
    return done == 0; // a suite that ran nothing has not passed
}
