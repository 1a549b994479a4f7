// workload.c -- see workload.h.
// SPDX-License-Identifier: MIT

#include "compare/workload.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cli/words.h"

const char *cmp_call_word(cmp_call call)
{
    static const char *const words[] = {
#define X(code, word) word,
        CMP_CALL_LIST(X)
#undef X
    };
    return words[call];
}

// ---- one property -----------------------------------------------------------

static const struct {
    const char *name;
    cmp_call call;
} shares[] = {
    {"readproportion", CMP_READ},
    {"updateproportion", CMP_UPDATE},
    {"insertproportion", CMP_INSERT},
    {"scanproportion", CMP_SCAN},
    {"readmodifywriteproportion", CMP_MODIFY},
    {"kv.missingproportion", CMP_MISS},
    {"kv.deleteproportion", CMP_DELETE},
};

static const struct {
    const char *word;
    cmp_pattern pattern;
} patterns[] = {
    {"uniform", CMP_UNIFORM},   {"zipfian", CMP_YCSB_ZIPF},
    {"zipf", CMP_ZIPF},         {"latest", CMP_LATEST},
    {"hotspot", CMP_HOTSPOT},   {"sequential", CMP_SEQUENTIAL},
    {"hot-ranges", CMP_RANGES}, {"ycsb-zipf", CMP_YCSB_ZIPF},
};

// Those that are a number and nothing else.
static const struct {
    const char *name;
    size_t offset;
    double min, max;
} numbers[] = {
    {"hotspotdatafraction", offsetof(cmp_workload, hot_data), 0, 1},
    {"hotspotopnfraction", offsetof(cmp_workload, hot_requests), 0, 1},
    {"kv.operations", offsetof(cmp_workload, operations), 0.0001, 1000},
    {"kv.records", offsetof(cmp_workload, records), 0.0001, 1},
    {"kv.zipf", offsetof(cmp_workload, zipf), 0.01, 10},
    {"kv.purge", offsetof(cmp_workload, purge), 0, 1},
};

static const struct {
    const char *name;
    size_t offset;
    uint32_t max;
} lengths[] = {
    {"minscanlength", offsetof(cmp_workload, scan_min), 1000000},
    {"maxscanlength", offsetof(cmp_workload, scan_max), 1000000},
    {"kv.group", offsetof(cmp_workload, group), 1024},
    {"kv.writers", offsetof(cmp_workload, writers), 16},
};

static const struct {
    const char *word;
    cmp_order order;
} orders[] = {
    {"hashed", CMP_SHUFFLED},
    {"ordered", CMP_SORTED},
    {"filed", CMP_AS_FILED},
};

static kv_status read_number(const char *value, double min, double max,
                             double *to)
{
    char *end;
    double n = strtod(value, &end);
    if (end == value || *end != '\0' || !(n >= min && n <= max)) {
        return kv_fail(KV_INVALID, "\"%s\" is not a number from %g to %g",
                       value, min, max);
    }
    *to = n;
    return KV_OK;
}

static kv_status read_length(const char *value, uint32_t max, uint32_t *to)
{
    double n;
    KV_TRY(read_number(value, 1, max, &n));
    *to = (uint32_t)n;
    return KV_OK;
}

static kv_status read_pattern(const char *value, cmp_pattern *to)
{
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        if (strcmp(value, patterns[i].word) != 0) continue;
        *to = patterns[i].pattern;
        return KV_OK;
    }
    return kv_fail(KV_UNSUPPORTED,
                   "there is no distribution \"%s\" here: uniform zipfian zipf "
                   "ycsb-zipf latest hotspot sequential hot-ranges",
                   value);
}

static kv_status read_order(const char *value, cmp_order *to)
{
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        if (strcmp(value, orders[i].word) != 0) continue;
        *to = orders[i].order;
        return KV_OK;
    }
    return kv_fail(KV_INVALID,
                   "an order is hashed, ordered or filed, not "
                   "\"%s\"",
                   value);
}

static kv_status read_size(const char *value, size_t min, size_t max,
                           size_t *to)
{
    double n;
    KV_TRY(read_number(value, (double)min, (double)max, &n));
    *to = (size_t)n;
    return KV_OK;
}

static kv_status read_pareto(const char *value, cmp_pareto *to)
{
    int used = 0;
    int cells =
        sscanf(value, "pareto %lf %lf%n", &to->shape, &to->scale, &used);
    if (cells == 2 && value[used] == '\0' && to->shape > 0 && to->scale > 0) {
        return KV_OK;
    }
    return kv_fail(KV_INVALID,
                   "sizes are \"pareto SHAPE SCALE\", both above 0");
}

// The index of a word in a list that NULL ends.
static kv_status read_word(const char *value, const char *const *words, int *to)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(value, words[i]) != 0) continue;
        *to = i;
        return KV_OK;
    }
    return kv_fail(KV_INVALID, "\"%s\" is not one of its words: %s, %s ...",
                   value, words[0], words[1]);
}

static kv_status set_ours(cmp_workload *w, const char *name, const char *value)
{
    static const char *const extents[] = {"some", "all", "all-reversed", NULL};
    static const char *const syncs[] = {"commit", "interval", "none", NULL};
    int word = 0;
    if (strcmp(name, "load") == 0) {
        w->loads = strcmp(value, "none") != 0;
    } else if (strcmp(name, "about") == 0) {
        snprintf(w->about, sizeof w->about, "%s", value);
    } else if (strcmp(name, "core") == 0) {
        w->is_core = strcmp(value, "yes") == 0;
    } else if (strcmp(name, "default") == 0) {
        w->is_default = strcmp(value, "no") != 0;
    } else if (strcmp(name, "age") == 0) {
        w->ages = strcmp(value, "no") != 0;
    } else if (strcmp(name, "paced") == 0) {
        w->paced = strcmp(value, "no") != 0;
    } else if (strcmp(name, "keybytes") == 0) {
        return read_size(value, CMP_KEY_MIN, CMP_KEY_MAX, &w->key_bytes);
    } else if (strcmp(name, "valuebytes") == 0) {
        return read_size(value, 1, CMP_VALUE_MAX, &w->value_bytes);
    } else if (strcmp(name, "valuesizes") == 0) {
        return read_pareto(value, &w->value_sizes);
    } else if (strcmp(name, "scansizes") == 0) {
        return read_pareto(value, &w->scan_sizes);
    } else if (strcmp(name, "scan") == 0) {
        KV_TRY(read_word(value, extents, &word));
        w->extent = (cmp_extent)word;
    } else if (strcmp(name, "sync") == 0) {
        KV_TRY(read_word(value, syncs, &word));
        w->sync = (kv_sync_mode)word;
        w->has_sync = true;
    } else {
        return kv_fail(KV_INVALID, "there is no property \"kv.%s\"", name);
    }
    return KV_OK;
}

static kv_status set(cmp_workload *w, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        if (strcmp(name, shares[i].name) != 0) continue;
        return read_number(value, 0, 1, &w->share[shares[i].call]);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(name, numbers[i].name) != 0) continue;
        void *to = (char *)w + numbers[i].offset;
        return read_number(value, numbers[i].min, numbers[i].max, to);
    }
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        if (strcmp(name, lengths[i].name) != 0) continue;
        void *to = (char *)w + lengths[i].offset;
        return read_length(value, lengths[i].max, to);
    }
    if (strcmp(name, "requestdistribution") == 0) {
        return read_pattern(value, &w->pattern);
    }
    if (strcmp(name, "insertorder") == 0) return read_order(value, &w->order);
    return strncmp(name, "kv.", 3) == 0 ? set_ours(w, name + 3, value) : KV_OK;
}

// ---- a file of them ---------------------------------------------------------

static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1])) *--end = '\0';
    return text;
}

static kv_status read_line(cmp_workload *w, kv_slice line)
{
    char buf[512];
    if (line.len >= sizeof buf || memchr(line.data, 0, line.len) != NULL) {
        return kv_fail(KV_INVALID, "not a line of text below %zu bytes",
                       sizeof buf);
    }
    memcpy(buf, line.data, line.len);
    buf[line.len] = '\0';
    char *name = trim(buf);
    if (*name == '\0' || *name == '#' || *name == '!') return KV_OK;
    char *equals = strchr(name, '=');
    if (equals == NULL || equals == name) {
        kv_quoted q;
        return kv_fail(KV_INVALID, "\"%s\" is not NAME=VALUE",
                       kv_quote(&q, kv_str(name)));
    }
    *equals = '\0';
    return set(w, trim(name), trim(equals + 1));
}

static kv_status finish(cmp_workload *w)
{
    double sum = 0;
    for (int i = 0; i < CMP_CALLS; i++) sum += w->share[i];
    if (!(sum > 0)) {
        return kv_fail(KV_INVALID, "%s: no operation has a share", w->name);
    }
    for (int i = 0; i < CMP_CALLS; i++) w->share[i] /= sum;
    if (w->scan_min > w->scan_max) {
        return kv_fail(KV_INVALID, "%s: minscanlength is above maxscanlength",
                       w->name);
    }
    if (w->group > 1 && (w->share[CMP_SCAN] > 0 || w->share[CMP_MODIFY] > 0)) {
        return kv_fail(KV_UNSUPPORTED, "%s: scans cannot come in groups",
                       w->name);
    }
    if (!w->loads && w->share[CMP_INSERT] < 1) {
        return kv_fail(KV_INVALID,
                       "%s: without kv.load every operation is an insert",
                       w->name);
    }
    return KV_OK;
}

kv_status cmp_workload_parse(cmp_workload *w, const char *name, kv_slice text)
{
    // What YCSB's code assumes where a file is silent.
    *w = (cmp_workload){.share = {[CMP_READ] = 0.95, [CMP_UPDATE] = 0.05},
                        .pattern = CMP_UNIFORM,
                        .hot_data = 0.2,
                        .hot_requests = 0.8,
                        .scan_min = 1,
                        .scan_max = 1000,
                        .order = CMP_SHUFFLED,
                        .group = 1,
                        .loads = true,
                        .is_default = true,
                        .zipf = CMP_THETA,
                        .records = 1,
                        .operations = 1};
    snprintf(w->name, sizeof w->name, "%s", name);
    unsigned number = 1;
    for (size_t at = 0; at < text.len; number++) {
        const uint8_t *from = text.data + at;
        const uint8_t *end = memchr(from, '\n', text.len - at);
        size_t len = end ? (size_t)(end - from) : text.len - at;
        kv_status st = read_line(w, kv_slice_of(from, len));
        if (st != KV_OK) {
            char why[200];
            snprintf(why, sizeof why, "%s", kv_last_error());
            return kv_fail(st, "workload %s, line %u: %s", name, number, why);
        }
        at += len + 1;
    }
    return finish(w);
}

void cmp_workload_of_trace(cmp_workload *w, const char *name,
                           const cmp_trace *trace)
{
    static const cmp_call calls[CMP_VERBS] = {[CMP_VERB_GET] = CMP_READ,
                                              [CMP_VERB_PUT] = CMP_UPDATE,
                                              [CMP_VERB_DEL] = CMP_DELETE,
                                              [CMP_VERB_SCAN] = CMP_SCAN};
    *w = (cmp_workload){.scan_min = 1,
                        .scan_max = trace->scan_max,
                        .order = CMP_SORTED,
                        .group = 1,
                        .loads = trace->loaded_count > 0,
                        .records = 1,
                        .operations = 1,
                        .trace = trace};
    for (int i = 0; i < CMP_VERBS; i++) {
        w->share[calls[i]] = (double)trace->verbs[i] / trace->count;
    }
    snprintf(w->name, sizeof w->name, "%s", name);
    snprintf(w->about, sizeof w->about,
             "replay of a trace: %u operations on %u keys, %u of them there "
             "before",
             (unsigned)trace->count, (unsigned)trace->key_count,
             (unsigned)trace->loaded_count);
}

// ---- by name ----------------------------------------------------------------

// fillseq is fill-seq and fill100K fill-100k: db_bench's names do.
static bool is_name(const char *name, const char *wanted)
{
    for (;; name++, wanted++) {
        while (*name == '-') name++;
        while (*wanted == '-') wanted++;
        int left = tolower((unsigned char)*name);
        if (left != tolower((unsigned char)*wanted)) return false;
        if (left == '\0') return true;
    }
}

const char *cmp_workload_name(size_t index)
{
    return cmp_workload_files[index].name;
}

static kv_status read_path(cmp_workload *w, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return kv_fail(KV_INVALID, "workload %s: %s", path, strerror(errno));
    }
    static char text[64 << 10];
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    if (len == sizeof text) {
        return kv_fail(KV_TOO_BIG, "workload %s: over 64 KiB", path);
    }
    const char *slash = strrchr(path, '/');
    return cmp_workload_parse(w, slash ? slash + 1 : path,
                              kv_slice_of(text, len));
}

kv_status cmp_workload_find(cmp_workload *w, const char *name)
{
    for (const cmp_workload_file *f = cmp_workload_files; f->name; f++) {
        if (!is_name(f->name, name)) continue;
        return cmp_workload_parse(w, f->name, kv_str(f->text));
    }
    if (strchr(name, '/') != NULL) return read_path(w, name);
    const char *nearest = kv_cli_nearest(name, cmp_workload_name);
    return kv_fail(KV_INVALID, "there is no workload \"%s\"%s%s%s", name,
                   nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                   nearest ? "\"?"
                           : " (compare list names them; a path to a "
                             "property file needs a slash)");
}
