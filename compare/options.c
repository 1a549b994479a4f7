// options.c -- see options.h.
// SPDX-License-Identifier: MIT

#include "compare/options.h"

#include <math.h>
#include <stdlib.h>

#include "common/cli/words.h"

const cmp_profile cmp_profiles[] = {
    {"smoke", 20000, 1, "does everything run? (seconds)"},
    {"ci", 100000, 3, "small, with the ratios of the large (minutes)"},
    {"full", 1000000, 3, "the reference: a million records"},
    {"big", 10000000, 3, "ten million records (an hour or more)"},
    {NULL, 0, 0, NULL}};

enum { THREADS_MAX = 64 };

// ---- values -----------------------------------------------------------------

static kv_status read_count(const char *text, uint64_t min, uint64_t max,
                            uint64_t *to)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    // Also 200k and 2M, as people say it.
    if (end != text && *end == 'k') n *= 1000, end++;
    else if (end != text && *end == 'M') n *= 1000000, end++;
    if (end == text || *end != '\0' || text[0] == '-' || n < min || n > max) {
        return kv_fail(KV_INVALID, "\"%s\" is not a number from %llu to %llu",
                       text, (unsigned long long)min, (unsigned long long)max);
    }
    *to = n;
    return KV_OK;
}

static const char *profile_name(size_t index)
{
    return cmp_profiles[index].name;
}

static kv_status set_profile(cmp_options *o, const char *text)
{
    for (const cmp_profile *p = cmp_profiles; p->name; p++) {
        if (strcmp(p->name, text) != 0) continue;
        o->profile = p;
        return KV_OK;
    }
    const char *nearest = kv_cli_nearest(text, profile_name);
    return kv_fail(KV_INVALID, "there is no profile \"%s\"; %s%s", text,
                   nearest ? "did you mean " : "smoke, ci, full or big",
                   nearest ? nearest : "");
}

// Calls `add` for each part of "a,b,c". A part may hold a comma of its own when
// what follows is not a name but a knob: log:read=map,background=0
static kv_status each(cmp_options *o, const char *text,
                      kv_status (*add)(cmp_options *, const char *))
{
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        while (text[len] == ',') {
            const char *next = text + len + 1;
            size_t word = strcspn(next, ",:=");
            if (next[word] != '=') break;
            len += 1 + strcspn(next, ",");
        }
        char part[512];
        if (len == 0 || len >= sizeof part) {
            return kv_fail(KV_INVALID, "\"%s\" is not a list of names", text);
        }
        memcpy(part, text, len);
        part[len] = '\0';
        KV_TRY(add(o, part));
        text += len + (text[len] == ',');
    }
    return KV_OK;
}

static kv_status add_engine(cmp_options *o, const char *spec)
{
    if (o->engine_count == CMP_LIST_MAX) {
        return kv_fail(KV_TOO_BIG, "more than %d engines", (int)CMP_LIST_MAX);
    }
    KV_TRY(cmp_engine_find(&o->engine[o->engine_count], spec));
    o->engine_count++;
    return KV_OK;
}

static kv_status set_engines(cmp_options *o, const char *text)
{
    return each(o, text, add_engine);
}

static kv_status set_data(cmp_options *o, const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    snprintf(o->data_name, sizeof o->data_name, "%.*s", (int)strcspn(name, "."),
             name);
    if (o->data_name[0] == '\0') snprintf(o->data_name, 5, "data");
    cmp_dataset_free(&o->data);
    return cmp_dataset_read(&o->data, path);
}

static kv_status set_memory(cmp_options *o, const char *text)
{
    return kv_parse_bytes(text, &o->setup.memory_bytes);
}

static kv_status set_sync(cmp_options *o, const char *text)
{
    static const char *const words[] = {[KV_SYNC_COMMIT] = "commit",
                                        [KV_SYNC_INTERVAL] = "interval",
                                        [KV_SYNC_NONE] = "none"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, words[i]) != 0) continue;
        o->setup.sync = (kv_sync_mode)i;
        return KV_OK;
    }
    return kv_fail(KV_INVALID, "--sync is commit, interval or none, not \"%s\"",
                   text);
}

static kv_status set_records(cmp_options *o, const char *text)
{
    uint64_t n;
    KV_TRY(read_count(text, 100, 500000000, &n));
    o->setup.records = (uint32_t)n;
    return KV_OK;
}

static kv_status set_key_bytes(cmp_options *o, const char *text)
{
    uint64_t n;
    KV_TRY(read_count(text, CMP_KEY_MIN, CMP_KEY_MAX, &n));
    o->setup.key_bytes = (size_t)n;
    return KV_OK;
}

static kv_status set_value_bytes(cmp_options *o, const char *text)
{
    uint64_t n;
    KV_TRY(read_count(text, 8, CMP_VALUE_MAX, &n));
    o->setup.value_bytes = (size_t)n;
    return KV_OK;
}

static kv_status set_operations(cmp_options *o, const char *text)
{
    char *end;
    double n = strtod(text, &end);
    if (end == text || *end != '\0' || !(n > 0 && n <= 1000)) {
        return kv_fail(KV_INVALID, "--operations is a number per record, above "
                                   "0 and up to 1000");
    }
    o->setup.operations = n;
    return KV_OK;
}

static kv_status set_reps(cmp_options *o, const char *text)
{
    uint64_t n;
    KV_TRY(read_count(text, 1, 100, &n));
    o->reps = (unsigned)n;
    return KV_OK;
}

static kv_status set_threads(cmp_options *o, const char *text)
{
    uint64_t n;
    KV_TRY(read_count(text, 1, THREADS_MAX, &n));
    o->setup.threads = (uint32_t)n;
    return KV_OK;
}

static kv_status set_seed(cmp_options *o, const char *text)
{
    return read_count(text, 0, UINT64_MAX / 4, &o->setup.seed);
}

static kv_status set_limit(cmp_options *o, const char *text)
{
    uint64_t n;
    KV_TRY(read_count(text, 1, 86400, &n));
    o->limit_s = (unsigned)n;
    return KV_OK;
}

static kv_status set_out(cmp_options *o, const char *text)
{
    o->out = text;
    return KV_OK;
}

static kv_status set_no_progress(cmp_options *o, const char *text)
{
    (void)text;
    o->no_progress = true;
    return KV_OK;
}

static kv_status set_no_page(cmp_options *o, const char *text)
{
    (void)text;
    o->no_page = true;
    return KV_OK;
}

// Names are kept until the data's name is known.
static const char *workloads_text, *sets[CMP_LIST_MAX];
static size_t set_count;

static kv_status set_workloads(cmp_options *o, const char *text)
{
    (void)o;
    workloads_text = text;
    return KV_OK;
}

static kv_status set_knob(cmp_options *o, const char *text)
{
    (void)o;
    if (set_count == CMP_LIST_MAX) return kv_fail(KV_TOO_BIG, "too many --set");
    sets[set_count++] = text;
    return KV_OK;
}

// ---- names ------------------------------------------------------------------

static const struct option {
    const char *name, *value, *help;
    kv_status (*set)(cmp_options *, const char *);
} options[] = {
    {"--profile", "NAME", "smoke, ci, full or big: how many records (smoke)",
     set_profile},
    {"--engines", "LIST", "engines, with knobs if you like: hash,log:read=map",
     set_engines},
    {"--engine", "SPEC", "one more; ./mine.so or cmd:./mine is your own",
     add_engine},
    {"--workloads", "LIST", "names, or paths to YCSB property files",
     set_workloads},
    {"--workload", "NAME", "the same, for one", set_workloads},
    {"--data", "FILE", "real records: KEY, a tab, VALUE on each line",
     set_data},
    {"--set", "E:K=V", "turn a knob of an engine: log:segment_bytes=1MiB",
     set_knob},
    {"--records", "N", "made-up records, instead of the profile's number",
     set_records},
    {"--operations", "N", "operations per record, instead of the workload's",
     set_operations},
    {"--key-bytes", "N", "of made-up records (16)", set_key_bytes},
    {"--value-bytes", "N", "of made-up records (112)", set_value_bytes},
    {"--memory", "SIZE", "the budget of each engine (64MiB)", set_memory},
    {"--sync", "WHEN", "commit, interval or none (none)", set_sync},
    {"--threads", "N", "that call the store at once, in timed runs (1)",
     set_threads},
    {"--reps", "N", "timed runs of each trial", set_reps},
    {"--seed", "N", "what is random comes from it (1)", set_seed},
    {"--time-limit", "SECONDS", "after which a trial counts as hung (600)",
     set_limit},
    {"--out", "DIR", "where the results go (report)", set_out},
    {"--no-progress", NULL, "plain lines only", set_no_progress},
    {"--no-page", NULL, "the tables only, no charts and page", set_no_page},
};

enum { OPTIONS = sizeof options / sizeof *options };

static const char *option_name(size_t index)
{
    return index < OPTIONS ? options[index].name : NULL;
}

static kv_status read_option(cmp_options *o, char **argv, int argc, int *i)
{
    const char *text = argv[*i];
    size_t len = strcspn(text, "=");
    for (size_t k = 0; k < OPTIONS; k++) {
        const struct option *option = &options[k];
        if (strlen(option->name) != len ||
            strncmp(option->name, text, len) != 0) {
            continue;
        }
        if (option->value == NULL) return option->set(o, NULL);
        if (text[len] == '=') return option->set(o, text + len + 1);
        if (*i + 1 == argc) {
            return kv_fail(KV_INVALID, "%s needs a value: %s", text,
                           option->help);
        }
        return option->set(o, argv[++*i]);
    }
    const char *nearest = kv_cli_nearest(text, option_name);
    return kv_fail(KV_INVALID, "there is no option \"%s\"%s%s", text,
                   nearest ? "; did you mean " : " (compare help)",
                   nearest ? nearest : "");
}

void cmp_options_help(FILE *to)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        char left[40];
        snprintf(left, sizeof left, "%s %s", options[i].name,
                 options[i].value ? options[i].value : "");
        fprintf(to, "  %-22s  %s\n", left, options[i].help);
    }
}

// ---- together ---------------------------------------------------------------

// A workload on the data is known by the data's name: wordnet-load.
static kv_status add_workload(cmp_options *o, const char *name)
{
    if (o->workload_count == CMP_LIST_MAX) {
        return kv_fail(KV_TOO_BIG, "more than %d workloads", (int)CMP_LIST_MAX);
    }
    cmp_workload *w = &o->workload[o->workload_count];
    char built_in[64];
    size_t stem = strlen(o->data_name);
    bool is_renamed =
        stem > 0 && strncmp(name, o->data_name, stem) == 0 && name[stem] == '-';
    snprintf(built_in, sizeof built_in, "%s%s", is_renamed ? "data" : "",
             is_renamed ? name + stem : name);
    if (strchr(name, '/') != NULL) {
        KV_TRY(cmp_workload_find(w, name));
    } else {
        KV_TRY(cmp_workload_find(w, built_in));
    }
    if (strncmp(w->name, "data-", 5) == 0) {
        if (stem == 0) {
            return kv_fail(KV_INVALID, "%s needs --data FILE", w->name);
        }
        char rest[sizeof w->name];
        snprintf(rest, sizeof rest, "%s", w->name + 4);
        snprintf(w->name, sizeof w->name, "%.24s%.20s", o->data_name, rest);
        w->is_real = true;
    }
    o->workload_count++;
    return KV_OK;
}

static kv_status add_default_workloads(cmp_options *o)
{
    const char *name;
    for (size_t i = 0; (name = cmp_workload_name(i)) != NULL; i++) {
        bool is_real = strncmp(name, "data-", 5) == 0;
        if (is_real && o->data_name[0] == '\0') continue;
        KV_TRY(add_workload(o, name));
    }
    return KV_OK;
}

static kv_status apply_knob(cmp_options *o, const char *text)
{
    const char *colon = strchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    bool is_known = false;
    for (size_t i = 0; i < o->engine_count && len > 0; i++) {
        const char *label = o->engine[i].label;
        if (strncmp(label, text, len) != 0) continue;
        if (label[len] != '\0' && label[len] != ':') continue;
        is_known = true;
        KV_TRY(cmp_engine_set(&o->engine[i], colon + 1));
    }
    if (is_known) return KV_OK;
    return kv_fail(KV_INVALID,
                   "--set is ENGINE:KNOB=VALUE for an engine of "
                   "the comparison, not \"%s\"",
                   text);
}

static kv_status fill_in(cmp_options *o, size_t engines)
{
    if (o->setup.records == 0) o->setup.records = o->profile->records;
    if (o->reps == 0) o->reps = o->profile->reps;
    bool takes_all = o->engine_count == 0 && engines == 0;
    const char *name;
    for (size_t i = 0; takes_all && (name = cmp_engine_name(i)) != NULL; i++) {
        if (cmp_engine_is_default(i)) KV_TRY(add_engine(o, name));
    }
    if (workloads_text != NULL) {
        KV_TRY(each(o, workloads_text, add_workload));
    } else {
        KV_TRY(add_default_workloads(o));
    }
    for (size_t i = 0; i < set_count; i++) KV_TRY(apply_knob(o, sets[i]));
    o->setup.data = &o->data;
    if (o->setup.threads > o->setup.records) {
        return kv_fail(KV_INVALID, "more threads than records");
    }
    // Twice the number, and as much again for inserts, has to fit in a key.
    if (4.0 * o->setup.records * 10 >= pow(10, (double)o->setup.key_bytes)) {
        return kv_fail(KV_INVALID, "%u records need longer keys than %zu bytes",
                       (unsigned)o->setup.records, o->setup.key_bytes);
    }
    return KV_OK;
}

kv_status cmp_options_read(cmp_options *o, int argc, char **argv,
                           size_t engines)
{
    *o = (cmp_options){.profile = &cmp_profiles[0],
                       .setup = {.seed = 1,
                                 .key_bytes = 16,
                                 .value_bytes = 112,
                                 .memory_bytes = KV_MEMORY_DEFAULT,
                                 .sync = KV_SYNC_NONE,
                                 .threads = 1},
                       .out = "report",
                       .limit_s = 600};
    size_t used = 0;
    for (int i = 0; i < argc && used < sizeof o->command; i++) {
        used += (size_t)snprintf(o->command + used, sizeof o->command - used,
                                 "%s%s", i ? " " : "", argv[i]);
    }
    workloads_text = NULL;
    set_count = 0;
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            KV_TRY(read_option(o, argv, argc, &i));
        } else if (o->engine_count < engines) {
            KV_TRY(add_engine(o, argv[i]));
        } else {
            return kv_fail(KV_INVALID, "\"%s\" is one word too many", argv[i]);
        }
    }
    if (o->engine_count < engines) {
        return kv_fail(KV_INVALID, "a duel needs two engines: compare duel "
                                   "log log:read=map --workload read-random");
    }
    return fill_in(o, engines);
}

void cmp_options_free(cmp_options *o)
{
    cmp_dataset_free(&o->data);
    o->data_name[0] = '\0';
}
