// command.c -- see crash.h: the knobs to try, and the command line's door.
// SPDX-License-Identifier: MIT

#include <inttypes.h>
#include <stdlib.h>

#include "common/crash/crash.h"

// ---- knobs ------------------------------------------------------------------

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), tail = strlen(end);
    return len >= tail && strcmp(text + len - tail, end) == 0;
}

static void add_setting(kv_buf *to, const kv_knob *knob, uint64_t value)
{
    if (to->len > 0) kv_buf_printf(to, ",");
    kv_knob_print(knob, value, to);
}

// How many threads of its own the engine has.
static bool is_background(const kv_knob *knob)
{
    return strcmp(knob->name, "background") == 0;
}

// Where a size of 0 means that the engine chooses.
enum { SIZE_TINY = 1024 };

// Every size at its minimum, no threads, and `other` at `value`.
static void smallest(const kv_engine_info *info, const kv_knob *other,
                     uint64_t value, kv_names *names)
{
    kv_buf text = {0};
    for (size_t i = 0; i < info->knob_count; i++) {
        const kv_knob *knob = &info->knobs[i];
        bool is_size = ends_with(knob->name, "_bytes");
        uint64_t least = knob->min > 0 ? knob->min : SIZE_TINY;
        if (knob == other) add_setting(&text, knob, value);
        else if (is_size) add_setting(&text, knob, least);
        else if (is_background(knob)) add_setting(&text, knob, 0);
    }
    kv_buf_append(&text, kv_slice_of("", 1));
    kv_names_add(names, (const char *)text.data);
    kv_buf_free(&text);
}

// The nth of some words that are separated by spaces.
static bool is_word(const char *words, uint64_t n, const char *word)
{
    while (n-- > 0) words += strcspn(words, " ") + 1;
    size_t len = strlen(word);
    return strncmp(words, word, len) == 0 &&
           (words[len] == ' ' || words[len] == '\0');
}

void kv_crash_knobs(const kv_engine *engine, kv_names *names)
{
    const kv_engine_info *info = kv_describe(engine);
    smallest(info, NULL, 0, names);
    for (size_t i = 0; i < info->knob_count; i++) {
        const kv_knob *knob = &info->knobs[i];
        if (knob->words == NULL) continue;
        for (uint64_t n = knob->min; n <= knob->max; n++) {
            // "unsafe" promises nothing.
            if (is_word(knob->words, n, "unsafe")) continue;
            if (n != knob->value) smallest(info, knob, n, names);
        }
    }
}

// ---- words ------------------------------------------------------------------

typedef struct request {
    kv_crash_options options;
    unsigned models, syncs; // bits
} request;

static kv_status parse_choice(const char *word, const char *const *words,
                              unsigned count, unsigned *bits)
{
    if (strcmp(word, "all") == 0) {
        *bits = (1u << count) - 1;
        return KV_OK;
    }
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(word, words[i]) != 0) continue;
        *bits = 1u << i;
        return KV_OK;
    }
    return kv_fail(KV_INVALID, "\"%s\" is none of %s, %s, %s and all", word,
                   words[0], words[1], words[2]);
}

static kv_status parse_number(const char *word, const char *text, uint64_t max,
                              uint64_t *out)
{
    char *end = NULL;
    unsigned long long n = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || n > max) {
        return kv_fail(KV_INVALID,
                       "%s takes a number up to %" PRIu64 ", not \"%s\"", word,
                       max, text);
    }
    *out = n;
    return KV_OK;
}

// Enough to see what can go wrong, within seconds.
enum { STATES_DEFAULT = 5000 };

static const char *const model_words[] = {"kill", "ext4", "posix"};
static const char *const sync_words[] = {"commit", "interval", "none"};

static kv_status parse_flag(const char *flag, const char *text, request *r)
{
    kv_crash_options *o = &r->options;
    uint64_t n = 0;
    if (strcmp(flag, "--model") == 0) {
        return parse_choice(text, model_words, KV_CRASH_MODELS, &r->models);
    }
    if (strcmp(flag, "--sync") == 0) {
        return parse_choice(text, sync_words, 3, &r->syncs);
    }
    if (strcmp(flag, "--knobs") == 0) {
        o->knobs = text;
        return KV_OK;
    }
    if (strcmp(flag, "--seed") == 0) {
        return parse_number(flag, text, UINT64_MAX, &o->seed);
    }
    if (strcmp(flag, "--states") == 0) {
        return parse_number(flag, text, UINT64_MAX, &o->states_max);
    }
    if (strcmp(flag, "--ops") == 0) {
        KV_TRY(parse_number(flag, text, 100000, &n));
        o->ops = (uint32_t)n;
        return KV_OK;
    }
    if (strcmp(flag, "--sector") == 0) {
        KV_TRY(parse_number(flag, text, 1 << 20, &n));
        o->sector = (uint32_t)n;
        return KV_OK;
    }
    return kv_fail(KV_INVALID,
                   "crash explore knows --model --sync --ops --seed --sector "
                   "--knobs --states, not \"%s\"",
                   flag);
}

static kv_status parse_request(int argc, char **argv, request *r)
{
    *r = (request){.models = 7, .syncs = 1};
    r->options =
        (kv_crash_options){.seed = 1, .depth = 2, .states_max = STATES_DEFAULT};
    for (int i = 1; i < argc; i++) {
        char flag[32]; // --ops 10 and --ops=10 are the same
        size_t len = strcspn(argv[i], "=");
        snprintf(flag, sizeof flag, "%.*s", (int)len, argv[i]);
        const char *text = argv[i][len] == '=' ? argv[i] + len + 1
                           : i + 1 < argc      ? argv[++i]
                                               : NULL;
        if (text == NULL) {
            return kv_fail(KV_INVALID, "%s wants a word after it", flag);
        }
        KV_TRY(parse_flag(flag, text, r));
    }
    return KV_OK;
}

// ---- the table --------------------------------------------------------------

static kv_status explore_one(const kv_engine *engine,
                             const kv_crash_options *options, FILE *out,
                             kv_crash_result *sum)
{
    kv_crash_result r;
    KV_TRY(kv_crash_explore(engine, options, out, &r));
    fprintf(out,
            "%-6s %-9s %8" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64
            " %9" PRIu64 " %11" PRIu64 "\n",
            model_words[options->model], sync_words[options->sync], r.epochs,
            r.pending_max, r.states, r.distinct, r.nested, r.violations);
    sum->violations += r.violations;
    sum->distinct += r.distinct;
    return KV_OK;
}

static void print_head(const kv_crash_options *options, FILE *out)
{
    if (options->states_max > 0) {
        fprintf(out,
                "a sample: about %" PRIu64 " disks a row, and those of second "
                "crashes; --states 0 judges all\n",
                options->states_max);
    }
    fprintf(out, "%-6s %-9s %8s %9s %9s %9s %9s %11s\n", "model", "sync",
            "moments", "pending", "states", "distinct", "nested", "violations");
}

// Refuses what cannot be explored, before the table has a head.
static kv_status check_knobs(const kv_engine_info *info, const char *knobs)
{
    uint64_t values[KV_KNOBS_MAX];
    KV_TRY(kv_knobs_parse(info->knobs, info->knob_count, knobs, values));
    for (size_t i = 0; i < info->knob_count; i++) {
        if (!is_background(&info->knobs[i]) || values[i] == 0) continue;
        return kv_fail(KV_INVALID,
                       "crash explore wants background=0: a thread that goes "
                       "on working while the disk is crashed and judged would "
                       "make a difference that no crash made");
    }
    return KV_OK;
}

static kv_status explore_all(const kv_engine *engine, request *r, FILE *out,
                             kv_crash_result *sum)
{
    const kv_engine_info *info = kv_describe(engine);
    KV_TRY(check_knobs(info, r->options.knobs));
    if (info->caps & KV_CAP_DURABLE) print_head(&r->options, out);
    for (unsigned model = 0; model < KV_CRASH_MODELS; model++) {
        for (unsigned sync = 0; sync < 3; sync++) {
            if (!(r->models >> model & 1) || !(r->syncs >> sync & 1)) continue;
            r->options.model = (kv_crash_model)model;
            r->options.sync = (kv_sync_mode)sync;
            KV_TRY(explore_one(engine, &r->options, out, sum));
        }
    }
    if (sum->distinct > 0) return KV_OK;
    return kv_fail(KV_INVALID, "no disk was judged: the sample of --states is "
                               "too small");
}

// The knobs of the request, behind the smallest sizes: of two settings of one
// knob the later counts.
static kv_status explore_command(const kv_engine *engine, request *r, FILE *out,
                                 kv_crash_result *sum)
{
    kv_names smallest = {0};
    kv_buf knobs = {0};
    kv_crash_knobs(engine, &smallest);
    kv_buf_printf(&knobs, "%s", smallest.name[0]);
    const char *changed = r->options.knobs;
    kv_buf_printf(&knobs, ",%s%c", changed != NULL ? changed : "", '\0');
    r->options.knobs = (const char *)knobs.data;
    kv_status st = explore_all(engine, r, out, sum);
    kv_names_free(&smallest);
    kv_buf_free(&knobs);
    return st;
}

int kv_crash_command(const kv_engine *engine, int argc, char **argv, FILE *out)
{
    if (argc == 3 && strcmp(argv[0], "replay") == 0) {
        if (kv_crash_replay(engine, argv[1], argv[2]) != KV_OK) return 2;
        fprintf(out, "the disk of that crash is in %s\n", argv[2]);
        return 0;
    }
    if (argc < 1 || strcmp(argv[0], "explore") != 0) {
        (void)kv_fail(KV_INVALID, "say crash explore, with --model --sync "
                                  "--ops --seed --sector --knobs --states, or "
                                  "crash replay STATE DIR");
        return 2;
    }
    request r;
    kv_crash_result sum = {0};
    if (parse_request(argc, argv, &r) != KV_OK) return 2;
    if (explore_command(engine, &r, out, &sum) != KV_OK) return 2;
    return sum.violations == 0 ? 0 : 1;
}
