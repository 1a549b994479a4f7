// options.c -- see options.h.
// SPDX-License-Identifier: MIT

#include "compare/options.h"

#include <math.h>
#include <stdlib.h>

#include "common/cli/words.h"

#include "compare/selection.h"

const cmp_profile cmp_profiles[] = {
    {"smoke", 20000, 1, 0, {0}, "does everything run? (seconds)"},
    {"ci",
     100000,
     3,
     1,
     {0.7},
     "small, with the ratios of the large (minutes)"},
    {"full",
     1000000,
     3,
     5,
     {0.3, 0.5, 0.7, 0.8, 0.9, 0.95},
     "the reference: a million records (under an hour)"},
    {"big",
     10000000,
     3,
     30,
     {0.3, 0.5, 0.7, 0.8, 0.9, 0.95},
     "ten million records (hours)"},
    {NULL, 0, 0, 0, {0}, NULL}};

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

// "twitter/cluster12.tsv.zst" is the workload cluster12.
static kv_status set_trace(cmp_options *o, const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    if (strcmp(path, "-") == 0) name = "trace";
    snprintf(o->trace_name, sizeof o->trace_name, "%.*s",
             (int)strcspn(name, "."), name);
    if (o->trace_name[0] == '\0') snprintf(o->trace_name, 6, "trace");
    cmp_trace_free(&o->trace);
    return cmp_trace_read(&o->trace, path);
}

static kv_status set_memory(cmp_options *o, const char *text)
{
    return kv_parse_bytes(text, &o->setup.memory_bytes);
}

static kv_status set_real_memory(cmp_options *o, const char *text)
{
    return kv_parse_bytes(text, &o->setup.real_memory_bytes);
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

static kv_status set_readers(cmp_options *o, const char *text)
{
    uint64_t n;
    KV_TRY(read_count(text, 1, THREADS_MAX, &n));
    o->setup.readers = (uint32_t)n;
    return KV_OK;
}

static kv_status set_writers(cmp_options *o, const char *text)
{
    uint64_t n;
    KV_TRY(read_count(text, 1, THREADS_MAX, &n));
    o->setup.writers = (uint32_t)n;
    return KV_OK;
}

// "50,70,95" of a hundred.
static kv_status set_rates(cmp_options *o, const char *text)
{
    enum { RATES = sizeof o->rate / sizeof *o->rate };
    o->rate_count = 0;
    o->paces_all = true;
    for (const char *at = text; *at != '\0';) {
        char *end;
        double percent = strtod(at, &end);
        bool is_rate = end > at && percent > 0 && percent <= 200 &&
                       (*end == ',' || *end == '\0');
        if (!is_rate || o->rate_count == RATES) {
            return kv_fail(KV_INVALID, "--rates is up to eight numbers above 0 "
                                       "and up to 200, in percent: 50,70,95");
        }
        o->rate[o->rate_count++] = percent / 100;
        at = end + (*end == ',');
    }
    return KV_OK;
}

static kv_status set_open_seconds(cmp_options *o, const char *text)
{
    char *end;
    o->open_s = strtod(text, &end);
    if (end != text && *end == '\0' && o->open_s > 0 && o->open_s <= 3600) {
        return KV_OK;
    }
    return kv_fail(KV_INVALID, "--open-seconds is above 0 and up to 3600");
}

static kv_status set_age(cmp_options *o, const char *text)
{
    (void)text;
    o->setup.ages = true;
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

bool cmp_share_read(const char *text, unsigned *share, unsigned *shares)
{
    size_t first = strspn(text, "0123456789");
    if (first == 0 || first > 6 || text[first] != '/') return false;
    const char *rest = text + first + 1;
    size_t second = strspn(rest, "0123456789");
    if (second == 0 || second > 6 || rest[second] != '\0') return false;
    *share = (unsigned)strtoul(text, NULL, 10);
    *shares = (unsigned)strtoul(rest, NULL, 10);
    return *share > 0 && *share <= *shares;
}

static kv_status set_only(cmp_options *o, const char *text)
{
    unsigned share, shares;
    if (!cmp_share_read(text, &share, &shares)) {
        return kv_fail(KV_INVALID,
                       "--only %s: that is no share; 2/5 is the second of "
                       "five, 1/5 the first, 5/5 the last",
                       text);
    }
    o->share = share;
    o->shares = shares;
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
     cmp_select_engines},
    {"--engine", "SPEC", "one more; ./mine.so or cmd:./mine is your own",
     cmp_select_engine},
    {"--workloads", "LIST", "names, or paths to YCSB property files",
     set_workloads},
    {"--workload", "NAME", "the same, for one", set_workloads},
    {"--data", "FILE", "real records: KEY, a tab, VALUE on each line",
     set_data},
    {"--trace", "FILE",
     "what a real program asked (replay FILE says it shorter)", set_trace},
    {"--set", "E:K=V", "turn a knob of an engine: log:segment_bytes=1MiB",
     set_knob},
    {"--records", "N", "made-up records, instead of the profile's number",
     set_records},
    {"--operations", "N", "operations per record, instead of the workload's",
     set_operations},
    {"--key-bytes", "N", "of made-up records (16)", set_key_bytes},
    {"--value-bytes", "N", "of made-up records (112)", set_value_bytes},
    {"--memory", "SIZE", "the budget of each engine (64MiB)", set_memory},
    {"--real-memory", "SIZE",
     "hold timed runs to it, page cache and all (takes root)", set_real_memory},
    {"--sync", "WHEN", "commit, interval or none (none)", set_sync},
    {"--threads", "N", "that call the store at once, in timed runs (1)",
     set_threads},
    {"--readers", "N", "threads that only read, in timed runs", set_readers},
    {"--writers", "N", "threads that only write, beside them", set_writers},
    {"--age", NULL, "update each loaded store until it is steady", set_age},
    {"--rates", "LIST", "open loops at these percents of full speed: 50,70,95",
     set_rates},
    {"--open-seconds", "S", "how long each of them lasts", set_open_seconds},
    {"--reps", "N", "timed runs of each trial", set_reps},
    {"--seed", "N", "what is random comes from it (1)", set_seed},
    {"--time-limit", "SECONDS", "after which a trial counts as hung (600)",
     set_limit},
    {"--only", "I/N",
     "share I of N of the trials, for N machines (compare merge)", set_only},
    {"--out", "DIR", "where the results go (report)", set_out},
    {"--no-progress", NULL, "plain lines only", set_no_progress},
    {"--no-page", NULL, "the tables only, no charts and page", set_no_page},
};

enum { OPTIONS = sizeof options / sizeof *options };

// Without the hyphens: alike as they are, they would make short names alike.
static const char *option_name(size_t index)
{
    return index < OPTIONS ? options[index].name + 2 : NULL;
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
    const char *nearest = kv_cli_nearest(text + 2, option_name);
    return kv_fail(KV_INVALID, "there is no option \"%s\"%s%s", text,
                   nearest ? "; did you mean --" : " (compare help)",
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

static kv_status fill_in(cmp_options *o, size_t engines)
{
    if (o->setup.records == 0) o->setup.records = o->profile->records;
    if (o->reps == 0) o->reps = o->profile->reps;
    if (o->open_s == 0)
        o->open_s = o->profile->open_s > 0 ? o->profile->open_s : 1;
    for (size_t i = 0; !o->paces_all && o->profile->rates[i] > 0; i++) {
        o->rate[o->rate_count++] = o->profile->rates[i];
    }
    bool takes_all = o->engine_count == 0 && engines == 0;
    const char *name;
    for (size_t i = 0; takes_all && (name = cmp_engine_name(i)) != NULL; i++) {
        KV_TRY(cmp_select_engine(o, name));
    }
    o->spares_guests = takes_all;
    KV_TRY(cmp_select_workloads(o, workloads_text));
    bool is_named = workloads_text != NULL || o->trace.count > 0;
    for (size_t i = 0; is_named && i < o->workload_count; i++) {
        o->workload[i].is_core = true; // whoever names one wants it of all
    }
    for (size_t i = 0; i < set_count; i++) KV_TRY(cmp_select_knob(o, sets[i]));
    o->setup.data = &o->data;
    uint32_t most = o->setup.threads + o->setup.readers + o->setup.writers;
    if (most > o->setup.records) {
        return kv_fail(KV_INVALID, "more threads than records");
    }
    if (o->setup.real_memory_bytes > 0 &&
        o->setup.real_memory_bytes <= o->setup.memory_bytes) {
        return kv_fail(KV_INVALID, "--real-memory has to hold more than the "
                                   "engine's own budget (--memory)");
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
    bool is_plan = argc > 1 && strcmp(argv[1], "plan") == 0;
    *o = (cmp_options){.profile = &cmp_profiles[0],
                       .setup = {.seed = 1,
                                 .key_bytes = 16,
                                 .value_bytes = 112,
                                 .memory_bytes = KV_MEMORY_DEFAULT,
                                 .sync = KV_SYNC_NONE,
                                 .threads = 1},
                       .out = is_plan ? NULL : "report",
                       .share = 1,
                       .shares = 1,
                       .limit_s = 600};
    size_t used = 0;
    for (int i = 0; i < argc && used < sizeof o->command; i++) {
        used += (size_t)snprintf(o->command + used, sizeof o->command - used,
                                 "%s%s", i ? " " : "", argv[i]);
    }
    workloads_text = NULL;
    set_count = 0;
    bool has_trace = argc > 1 && strcmp(argv[1], "replay") == 0;
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            KV_TRY(read_option(o, argv, argc, &i));
        } else if (o->engine_count < engines) {
            KV_TRY(cmp_select_engine(o, argv[i]));
        } else if (has_trace && o->trace.count == 0) {
            KV_TRY(set_trace(o, argv[i]));
        } else {
            return kv_fail(KV_INVALID, "\"%s\" is one word too many", argv[i]);
        }
    }
    if (has_trace && o->trace.count == 0) {
        return kv_fail(KV_INVALID, "a replay needs a trace: compare replay "
                                   "FILE --engines log,lsm");
    }
    if (o->engine_count < engines) {
        return kv_fail(KV_INVALID, "a duel needs two engines: compare duel "
                                   "log log:read=map --workload read-random");
    }
    if (engines > 0 && o->shares > 1) {
        return kv_fail(KV_INVALID, "--only is for run and replay: a duel's "
                                   "engines take turns on one machine");
    }
    return fill_in(o, engines);
}

void cmp_options_free(cmp_options *o)
{
    cmp_dataset_free(&o->data);
    cmp_trace_free(&o->trace);
    o->data_name[0] = '\0';
}
