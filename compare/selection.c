// selection.c -- see selection.h.
// SPDX-License-Identifier: MIT

#include "compare/selection.h"

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

kv_status cmp_select_engine(cmp_options *o, const char *spec)
{
    if (o->engine_count == CMP_LIST_MAX) {
        return kv_fail(KV_TOO_BIG, "more than %d engines", (int)CMP_LIST_MAX);
    }
    KV_TRY(cmp_engine_find(&o->engine[o->engine_count], spec));
    o->engine_count++;
    return KV_OK;
}

kv_status cmp_select_engines(cmp_options *o, const char *text)
{
    return each(o, text, cmp_select_engine);
}

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

// "twitter-*": all whose names begin so.
static kv_status add_workloads(cmp_options *o, const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || name[len - 1] != '*') return add_workload(o, name);
    size_t before = o->workload_count;
    const char *built_in;
    for (size_t i = 0; (built_in = cmp_workload_name(i)) != NULL; i++) {
        bool is_real = strncmp(built_in, "data-", 5) == 0;
        if (is_real && o->data_name[0] == '\0') continue;
        if (strncmp(built_in, name, len - 1) != 0) continue;
        KV_TRY(add_workload(o, built_in));
    }
    if (o->workload_count > before) return KV_OK;
    return kv_fail(KV_INVALID, "no workload's name begins with \"%.*s\"",
                   (int)len - 1, name);
}

static kv_status add_default_workloads(cmp_options *o)
{
    const char *name;
    for (size_t i = 0; (name = cmp_workload_name(i)) != NULL; i++) {
        bool is_real = strncmp(name, "data-", 5) == 0;
        if (is_real && o->data_name[0] == '\0') continue;
        KV_TRY(add_workload(o, name));
        // Only to be asked for by name.
        if (!o->workload[o->workload_count - 1].is_default) o->workload_count--;
    }
    return KV_OK;
}

kv_status cmp_select_workloads(cmp_options *o, const char *text)
{
    if (o->trace.count > 0) {
        cmp_workload_of_trace(&o->workload[o->workload_count++], o->trace_name,
                              &o->trace);
        if (text == NULL) return KV_OK;
    }
    return text != NULL ? each(o, text, add_workloads)
                        : add_default_workloads(o);
}

kv_status cmp_select_knob(cmp_options *o, const char *text)
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
