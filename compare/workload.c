// workload.c -- see workload.h.
// SPDX-License-Identifier: MIT

#include "compare/workload.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
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
    {"uniform", CMP_UNIFORM}, {"zipfian", CMP_YCSB_ZIPF},
    {"zipf", CMP_ZIPF},       {"latest", CMP_LATEST},
    {"hotspot", CMP_HOTSPOT}, {"sequential", CMP_SEQUENTIAL},
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
                   "latest hotspot sequential",
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

static kv_status set(cmp_workload *w, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        if (strcmp(name, shares[i].name) != 0) continue;
        return read_number(value, 0, 1, &w->share[shares[i].call]);
    }
    if (strcmp(name, "requestdistribution") == 0) {
        return read_pattern(value, &w->pattern);
    }
    if (strcmp(name, "hotspotdatafraction") == 0) {
        return read_number(value, 0, 1, &w->hot_data);
    }
    if (strcmp(name, "hotspotopnfraction") == 0) {
        return read_number(value, 0, 1, &w->hot_requests);
    }
    if (strcmp(name, "minscanlength") == 0) {
        return read_length(value, 1000000, &w->scan_min);
    }
    if (strcmp(name, "maxscanlength") == 0) {
        return read_length(value, 1000000, &w->scan_max);
    }
    if (strcmp(name, "insertorder") == 0) return read_order(value, &w->order);
    if (strcmp(name, "kv.group") == 0) {
        return read_length(value, 1024, &w->group);
    }
    if (strcmp(name, "kv.operations") == 0) {
        return read_number(value, 0.0001, 1000, &w->operations);
    }
    if (strcmp(name, "kv.load") == 0) {
        w->loads = strcmp(value, "none") != 0;
    } else if (strcmp(name, "kv.about") == 0) {
        snprintf(w->about, sizeof w->about, "%s", value);
    } else if (strncmp(name, "kv.", 3) == 0) {
        return kv_fail(KV_INVALID, "there is no property \"%s\"", name);
    }
    return KV_OK;
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

// ---- by name ----------------------------------------------------------------

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
        if (strcmp(f->name, name) != 0) continue;
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
