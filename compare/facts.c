// facts.c -- see facts.h.
// SPDX-License-Identifier: MIT

#include "compare/facts.h"

#include <stdlib.h>

#include "common/clock.h"

#include "compare/harness_cost.h"
#include "compare/machine.h"
#include "compare/plan.h"

static void write_machine(cmp_results *r, const char *dir)
{
    cmp_machine m;
    cmp_machine_read(&m, dir);
    cmp_results_fact(r, "format", "1");
    cmp_results_fact(r, "version", "%s", CMP_VERSION);
    cmp_results_fact(r, "program", "%016llx", (unsigned long long)m.program);
    cmp_results_fact(r, "git", "%s", m.commit);
    cmp_results_fact(r, "date", "%s", m.date);
    cmp_results_fact(r, "host", "%s", m.host);
    cmp_results_fact(r, "kernel", "%s", m.kernel);
    cmp_results_fact(r, "cpu", "%s", m.processor);
    cmp_results_fact(r, "nproc", "%u", m.processors);
    cmp_results_fact(r, "memory_total_bytes", "%llu",
                     (unsigned long long)m.memory_bytes);
    cmp_results_fact(r, "filesystem", "%s", m.filesystem);
    cmp_results_fact(r, "compiler", "%s", CMP_COMPILER);
    cmp_results_fact(r, "build", "%s", CMP_BUILD);
}

static void write_setup(cmp_results *r, const cmp_options *o)
{
    static const char *const sync[] = {[KV_SYNC_COMMIT] = "commit",
                                       [KV_SYNC_INTERVAL] = "interval",
                                       [KV_SYNC_NONE] = "none"};
    const cmp_setup *s = &o->setup;
    cmp_results_fact(r, "command", "%s", o->command);
    cmp_results_fact(r, "share", "%u/%u", o->share, o->shares);
    cmp_results_fact(r, "profile", "%s", o->profile->name);
    cmp_results_fact(r, "seed", "%llu", (unsigned long long)s->seed);
    cmp_results_fact(r, "records", "%u", (unsigned)s->records);
    cmp_results_fact(r, "key_bytes", "%zu", s->key_bytes);
    cmp_results_fact(r, "value_bytes", "%zu", s->value_bytes);
    cmp_results_fact(r, "memory_bytes", "%llu",
                     (unsigned long long)s->memory_bytes);
    if (s->cage != NULL) {
        cmp_results_fact(r, "real_memory", "%llu bytes in timed runs",
                         (unsigned long long)s->real_memory_bytes);
    } else {
        cmp_results_fact(r, "real_memory", "%s",
                         s->real_memory_bytes > 0 ? "asked for, not to be had"
                                                  : "all there is");
    }
    cmp_results_fact(r, "sync", "%s", sync[s->sync]);
    cmp_results_fact(r, "threads", "%u", (unsigned)s->threads);
    cmp_results_fact(r, "readers", "%u", (unsigned)s->readers);
    cmp_results_fact(r, "writers", "%u", (unsigned)s->writers);
    cmp_results_fact(r, "age", "%s", s->ages ? "yes" : "no");
    cmp_results_fact(r, "reps", "%u", o->reps);
    kv_buf rates = {0};
    for (size_t i = 0; i < o->rate_count; i++) {
        kv_buf_printf(&rates, "%s%.6g", i ? "," : "", o->rate[i] * 100);
    }
    cmp_results_fact(r, "rates", "%.*s", (int)rates.len, (char *)rates.data);
    kv_buf_free(&rates);
    cmp_results_fact(r, "open_seconds", "%.6g", o->open_s);
    cmp_results_fact(r, "trials", "%u", cmp_plan_trials(o));
    cmp_results_fact(r, "inputs", "%016llx",
                     (unsigned long long)cmp_plan_inputs(o));
    if (o->data_name[0] == '\0') return;
    char key[64];
    snprintf(key, sizeof key, "data.%s", o->data_name);
    cmp_results_fact(r, "data", "%s", o->data_name);
    cmp_results_fact(r, key, "%u records, %llu bytes of keys, %llu of values",
                     (unsigned)o->data.count,
                     (unsigned long long)o->data.key_bytes,
                     (unsigned long long)o->data.value_bytes);
}

static void write_engine(cmp_results *r, const cmp_engine *e)
{
    char key[128];
    kv_buf text = {0};
    cmp_engine_title(e, &text);
    snprintf(key, sizeof key, "engine.%s", e->label);
    cmp_results_fact(r, key, "%.*s", (int)text.len, (char *)text.data);
    kv_buf_clear(&text);
    cmp_engine_caps(e, &text);
    snprintf(key, sizeof key, "caps.%s", e->label);
    cmp_results_fact(r, key, "%.*s", (int)text.len, (char *)text.data);
    snprintf(key, sizeof key, "bytes.%s", e->label);
    cmp_results_fact(r, key, "%s", cmp_bytes_word(cmp_engine_bytes(e)));
    snprintf(key, sizeof key, "knobs.%s", e->label);
    cmp_results_fact(r, key, "%s", e->knobs);
    kv_buf_free(&text);
}

static void write_lists(cmp_results *r, const cmp_options *o)
{
    kv_buf names = {0};
    for (size_t i = 0; i < o->engine_count; i++) {
        if (o->engine[i].engine == NULL) continue;
        kv_buf_printf(&names, "%s%s", names.len ? " " : "", o->engine[i].label);
        write_engine(r, &o->engine[i]);
    }
    cmp_results_fact(r, "engines", "%.*s", (int)names.len, (char *)names.data);
    kv_buf_clear(&names);
    for (size_t i = 0; i < o->workload_count; i++) {
        const cmp_workload *w = &o->workload[i];
        char key[64];
        snprintf(key, sizeof key, "workload.%s", w->name);
        cmp_results_fact(r, key, "%s", w->about);
        kv_buf_printf(&names, "%s%s", names.len ? " " : "", w->name);
    }
    cmp_results_fact(r, "workloads", "%.*s", (int)names.len,
                     (char *)names.data);
    kv_buf_free(&names);
}

void cmp_facts_write_begin(cmp_facts *f, const cmp_options *o, cmp_results *r)
{
    *f = (cmp_facts){.start_ns = kv_now_ns()};
    for (cmp_step s = {0}; cmp_plan_next(o, &s);) f->steps_due++;
    write_machine(r, o->out);
    write_setup(r, o);
    write_lists(r, o);
    cmp_results_fact(r, "harness_ns_per_op", "%.1f",
                     cmp_harness_cost(&o->setup));
}

static const struct {
    const char *name, *meaning;
} checks[CMP_CHECKS] = {
    {"write_bytes", ": counters equal wchar"},
    {"read_bytes", ": counters equal rchar"},
    {"mappings", ": no file was mapped unseen"},
    {"disk_bytes", ": the ledger equals the files' blocks"},
    {"parts", ": no part of a counter exceeds it"},
    {"user_bytes", ""},
    {"key_count", ""},
};

void cmp_facts_note_check(cmp_facts *f, const char *what)
{
    for (int i = 0; i < CMP_CHECKS; i++) {
        f->checks[i] += strcmp(what, checks[i].name) == 0;
    }
}

void cmp_facts_note_failure(cmp_facts *f, const char *reason)
{
    if (strncmp(reason, "wrong: ", 7) == 0) f->wrong_answers++;
    else if (strncmp(reason, "selfcheck: ", 11) == 0) f->failed_checks++;
    else f->other_failures++;
}

void cmp_facts_write_end(const cmp_facts *f, cmp_results *r)
{
    const char *bad =
        f->failed_checks > 0 ? "failed, see void.tsv; held" : "passed:";
    cmp_results_fact(r, "check.answers",
                     "%s %llu answers agree with the oracle",
                     f->wrong_answers > 0 ? "failed, see void.tsv;" : "passed:",
                     (unsigned long long)f->answers);
    for (int i = 0; i < CMP_CHECKS; i++) {
        char key[32];
        snprintf(key, sizeof key, "check.%s", checks[i].name);
        cmp_results_fact(r, key, "%s in %u phases%s", bad, f->checks[i],
                         checks[i].meaning);
    }
    cmp_results_fact(r, "trials_failed", "%u",
                     f->wrong_answers + f->failed_checks + f->other_failures);
    cmp_results_fact(r, "trials_wrong", "%u", f->wrong_answers);
    cmp_results_fact(r, "trials_miscounted", "%u", f->failed_checks);
    cmp_results_fact(r, "done", "%u of %u steps", f->steps, f->steps_due);
    cmp_results_fact(r, "elapsed_s", "%.1f",
                     (double)(kv_now_ns() - f->start_ns) / 1e9);
}

// ---- joined -----------------------------------------------------------------

// The first number in a sentence.
static unsigned long long first_number(const char *text)
{
    return strtoull(text + strcspn(text, "0123456789"), NULL, 10);
}

bool cmp_facts_take(cmp_facts *f, const char *key, const char *value)
{
    unsigned long long n = first_number(value);
    const struct {
        const char *key;
        unsigned *to;
    } counts[] = {
        {"trials_failed", &f->other_failures}, // less those told below it
        {"trials_wrong", &f->wrong_answers},
        {"trials_miscounted", &f->failed_checks},
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        if (strcmp(key, counts[i].key) != 0) continue;
        *counts[i].to += (unsigned)n;
        bool is_part = counts[i].to == &f->wrong_answers ||
                       counts[i].to == &f->failed_checks;
        if (is_part) f->other_failures -= (unsigned)n;
        return true;
    }
    for (int i = 0; i < CMP_CHECKS; i++) {
        bool is_check = strncmp(key, "check.", 6) == 0;
        if (!is_check || strcmp(key + 6, checks[i].name) != 0) continue;
        f->checks[i] += (unsigned)n;
        return true;
    }
    if (strcmp(key, "check.answers") == 0) {
        f->answers += n;
        return true;
    }
    if (strcmp(key, "done") == 0) {
        const char *due = strstr(value, " of ");
        f->steps += (unsigned)n;
        f->steps_due += due != NULL ? (unsigned)first_number(due) : 0;
        return true;
    }
    if (strcmp(key, "elapsed_s") != 0) return false;
    // The seconds since a start so much earlier, whatever the clock shows.
    f->start_ns -= (uint64_t)(strtod(value, NULL) * 1e9);
    return true;
}
