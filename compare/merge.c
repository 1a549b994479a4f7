// merge.c -- see merge.h.
// SPDX-License-Identifier: MIT

#include "compare/merge.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"

#include "compare/compare.h"
#include "compare/facts.h"
#include "compare/machine.h"

// ---- what a share says of itself --------------------------------------------

struct fact {
    char *key, *value; // escaped, as in the file
};

struct share {
    const char *dir;
    struct fact *fact;
    size_t fact_count, fact_cap;
    unsigned index, of; // 2 of 5
};

static const char *value_of(const struct share *s, const char *key)
{
    for (size_t i = 0; i < s->fact_count; i++) {
        if (strcmp(s->fact[i].key, key) == 0) return s->fact[i].value;
    }
    return NULL;
}

static void take_fact(void *arg, char *row)
{
    struct share *s = arg;
    if (s->fact_count == s->fact_cap) {
        s->fact_cap = 2 * s->fact_cap + 64;
        s->fact = kv_realloc(s->fact, s->fact_cap * sizeof *s->fact);
    }
    size_t len = strcspn(row, "\t");
    const char *value = row + len + (row[len] == '\t');
    struct fact *f = &s->fact[s->fact_count++];
    f->value = kv_strdup(value);
    row[len] = '\0';
    f->key = kv_strdup(row);
}

static kv_status read_share(struct share *s, const char *dir)
{
    *s = (struct share){.dir = dir};
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/manifest.tsv%c", dir, '\0');
    bool is_run = cmp_file_is_there((char *)path.data);
    kv_buf_free(&path);
    if (!is_run) {
        return kv_fail(KV_INVALID, "%s is no run: it has no manifest.tsv", dir);
    }
    KV_TRY(cmp_results_each(dir, CMP_MANIFEST, take_fact, s));
    const char *share = value_of(s, "share");
    if (share == NULL || !cmp_share_read(share, &s->index, &s->of)) {
        return kv_fail(KV_INVALID,
                       "%s: its manifest does not say which share it is; "
                       "an older program wrote it, or it is no run",
                       dir);
    }
    cmp_facts done = {0};
    const char *steps = value_of(s, "done");
    if (steps == NULL) {
        return kv_fail(KV_INVALID,
                       "%s: its run did not come to an end; run --only %u/%u "
                       "again",
                       dir, s->index, s->of);
    }
    cmp_facts_take(&done, "done", steps);
    if (done.steps < done.steps_due) {
        return kv_fail(KV_INVALID,
                       "%s: its run was stopped after %s; run --only %u/%u "
                       "again",
                       dir, steps, s->index, s->of);
    }
    for (int t = CMP_MEASURES; t < CMP_TABLES; t++) {
        KV_TRY(cmp_results_each(dir, (cmp_table)t, NULL, NULL));
    }
    return KV_OK;
}

static void free_share(struct share *s)
{
    for (size_t i = 0; i < s->fact_count; i++) {
        kv_free(s->fact[i].key);
        kv_free(s->fact[i].value);
    }
    kv_free(s->fact);
}

// ---- are they one run? ------------------------------------------------------

// Facts of a machine and a moment, and how the whole tells them.
enum manner { DISTINCT, SPAN, LARGEST, ANEW };
static const struct {
    const char *key;
    enum manner manner;
} apart[] = {
    {"git", DISTINCT}, // of where it was started; `program` says what ran
    {"host", DISTINCT}, {"kernel", DISTINCT},
    {"cpu", DISTINCT},  {"nproc", DISTINCT},
    {"date", SPAN},     {"memory_total_bytes", DISTINCT},
    {"share", ANEW},    {"filesystem", DISTINCT},
    {"command", ANEW},  {"harness_ns_per_op", LARGEST},
};
enum { APART = sizeof apart / sizeof *apart };

static size_t find_apart(const char *key)
{
    size_t i = 0;
    while (i < APART && strcmp(apart[i].key, key) != 0) i++;
    return i;
}

static const char *hint_of(const char *key)
{
    static const char *const hints[][2] = {
        {"program", ": every machine runs the same file of the program"},
        {"inputs", ": workload files, --operations, --data or --trace differ"},
        {"engines", ": an engine that one machine has and another has not"},
    };
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        if (strcmp(hints[i][0], key) == 0) return hints[i][1];
    }
    return "";
}

// Every fact of `a` is the same in `b`.
static kv_status check_alike(const struct share *a, const struct share *b)
{
    cmp_facts ignored = {0};
    for (size_t i = 0; i < a->fact_count; i++) {
        const struct fact *f = &a->fact[i];
        if (find_apart(f->key) < APART) continue;
        if (cmp_facts_take(&ignored, f->key, f->value)) continue;
        const char *other = value_of(b, f->key);
        if (other != NULL && strcmp(other, f->value) == 0) continue;
        return kv_fail(KV_INVALID,
                       "%s and %s are not shares of one run: %s is \"%.90s\" "
                       "in the first and \"%.90s\" in the second%s",
                       a->dir, b->dir, f->key, f->value,
                       other != NULL ? other : "not there", hint_of(f->key));
    }
    return KV_OK;
}

static int by_index(const void *a, const void *b)
{
    const struct share *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

// Puts them in order. Every one from 1 to n, once.
static kv_status check_whole(struct share *s, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (s[i].of == s[0].of) continue;
        return kv_fail(
            KV_INVALID, "%s is share %u/%u and %s is %u/%u: of how many?",
            s[0].dir, s[0].index, s[0].of, s[i].dir, s[i].index, s[i].of);
    }
    qsort(s, count, sizeof *s, by_index);
    for (size_t i = 0; i < s[0].of; i++) {
        if (i > 0 && i < count && s[i].index == s[i - 1].index) {
            return kv_fail(KV_INVALID, "%s and %s are both share %u/%u",
                           s[i - 1].dir, s[i].dir, s[i].index, s[i].of);
        }
        if (i < count && s[i].index == i + 1) continue;
        return kv_fail(KV_INVALID,
                       "share %zu/%u is missing: none of the %zu directories "
                       "holds it (%s is %u/%u)",
                       i + 1, s[0].of, count, s[0].dir, s[0].index, s[0].of);
    }
    if (count > s[0].of) {
        return kv_fail(KV_INVALID, "%s and %s are both share %u/%u",
                       s[count - 2].dir, s[count - 1].dir, s[count - 1].index,
                       s[count - 1].of);
    }
    return KV_OK;
}

static kv_status check(struct share *s, size_t count, const char *out)
{
    for (size_t i = 0; i < count; i++) {
        if (!cmp_is_same_directory(s[i].dir, out)) continue;
        return kv_fail(KV_INVALID,
                       "--out %s is one of the shares (%s), which stay as they "
                       "are: name another directory",
                       out, s[i].dir);
    }
    for (size_t i = 1; i < count; i++) {
        KV_TRY(check_alike(&s[0], &s[i]));
        KV_TRY(check_alike(&s[i], &s[0]));
    }
    return check_whole(s, count);
}

// ---- the manifest of the whole ----------------------------------------------

// What the shares say, each thing once.
static void tell_distinct(const struct share *s, size_t count, const char *key,
                          kv_buf *to)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = value_of(&s[i], key);
        bool is_new = value != NULL;
        for (size_t j = 0; is_new && j < i; j++) {
            const char *before = value_of(&s[j], key);
            is_new = before == NULL || strcmp(before, value) != 0;
        }
        if (is_new) kv_buf_printf(to, "%s%s", to->len ? " / " : "", value);
    }
}

// Dates, which sort as text.
static void tell_span(const struct share *s, size_t count, const char *key,
                      kv_buf *to)
{
    const char *first = value_of(&s[0], key), *last = first;
    for (size_t i = 1; i < count; i++) {
        const char *value = value_of(&s[i], key);
        if (strcmp(value, first) < 0) first = value;
        if (strcmp(value, last) > 0) last = value;
    }
    kv_buf_printf(to, "%s", first);
    if (strcmp(first, last) != 0) kv_buf_printf(to, " to %s", last);
}

static void tell_largest(const struct share *s, size_t count, const char *key,
                         kv_buf *to)
{
    const char *largest = value_of(&s[0], key);
    for (size_t i = 1; i < count; i++) {
        const char *value = value_of(&s[i], key);
        if (strtod(value, NULL) > strtod(largest, NULL)) largest = value;
    }
    kv_buf_printf(to, "%s", largest);
}

static void tell_anew(const struct share *s, size_t count, const char *key,
                      const char *command, kv_buf *to)
{
    if (strcmp(key, "share") == 0) {
        kv_buf_printf(to, "1/1");
        return;
    }
    kv_buf_printf(to, "%s", value_of(&s[0], key));
    if (count > 1) kv_buf_printf(to, " (and so on to %zu/%zu)", count, count);
    kv_buf_printf(to, "; %s", command);
}

static void write_row(cmp_results *r, const char *key, const kv_buf *value)
{
    kv_buf row = {0};
    kv_buf_printf(&row, "%s\t%.*s%c", key, (int)value->len, (char *)value->data,
                  '\0');
    cmp_results_row(r, CMP_MANIFEST, (char *)row.data);
    kv_buf_free(&row);
}

static void write_fact(const struct share *s, size_t count,
                       const struct fact *f, const char *command,
                       cmp_results *r)
{
    kv_buf value = {0};
    size_t i = find_apart(f->key);
    if (i == APART) kv_buf_printf(&value, "%s", f->value);
    else if (apart[i].manner == DISTINCT)
        tell_distinct(s, count, f->key, &value);
    else if (apart[i].manner == SPAN) tell_span(s, count, f->key, &value);
    else if (apart[i].manner == LARGEST) tell_largest(s, count, f->key, &value);
    else tell_anew(s, count, f->key, command, &value);
    write_row(r, f->key, &value);
    kv_buf_free(&value);
}

// One line on who ran a share, and when.
static void write_share(const struct share *s, cmp_results *r)
{
    static const char *const words[][2] = {
        {"host", ": "},   {"cpu", ", "},        {"nproc", " processors, "},
        {"kernel", ", "}, {"filesystem", ", "}, {"date", "; "},
        {"done", " in "}, {"elapsed_s", " s"},
    };
    kv_buf value = {0};
    char key[40];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *said = value_of(s, words[i][0]);
        kv_buf_printf(&value, "%s%s", said != NULL ? said : "unknown",
                      words[i][1]);
    }
    snprintf(key, sizeof key, "share.%u/%u", s->index, s->of);
    write_row(r, key, &value);
    kv_buf_free(&value);
}

// ---- joining ----------------------------------------------------------------

struct copying {
    cmp_results *to;
    cmp_table table;
    bool is_first; // of the shares
};

static void copy_row(void *arg, char *row)
{
    const struct copying *c = arg;
    // What is true of all workloads (an engine that is not built) every share
    // says again.
    const char *workload = row + strcspn(row, "\t");
    if (c->table == CMP_VOID && !c->is_first &&
        strncmp(workload, "\t*\t", 3) == 0) {
        return;
    }
    cmp_results_row(c->to, c->table, row);
}

static kv_status write_all(const struct share *s, size_t count,
                           const char *command, cmp_facts *sum, cmp_results *r)
{
    for (size_t i = 0; i < s[0].fact_count; i++) {
        const struct fact *f = &s[0].fact[i];
        if (cmp_facts_take(sum, f->key, f->value)) continue;
        write_fact(s, count, f, command, r);
    }
    for (size_t i = 1; i < count; i++) {
        for (size_t k = 0; k < s[i].fact_count; k++) {
            cmp_facts_take(sum, s[i].fact[k].key, s[i].fact[k].value);
        }
    }
    for (size_t i = 0; i < count; i++) write_share(&s[i], r);
    cmp_facts_write_end(sum, r);
    kv_status st = KV_OK;
    for (int t = CMP_MEASURES; t < CMP_TABLES; t++) {
        for (size_t i = 0; i < count && st == KV_OK; i++) {
            struct copying c = {r, (cmp_table)t, i == 0};
            st = cmp_results_each(s[i].dir, c.table, copy_row, &c);
        }
    }
    return st;
}

struct merge {
    struct share *share;
    size_t count;
    const char *out;
    bool no_page;
    kv_buf command; // the whole line, a NUL at the end
};

static int join(const struct merge *m)
{
    cmp_results results;
    cmp_facts sum = {.start_ns = kv_now_ns()};
    kv_status st = cmp_results_open(&results, m->out);
    if (st == KV_OK) {
        st = write_all(m->share, m->count, (char *)m->command.data, &sum,
                       &results);
        kv_status closed = cmp_results_close(&results);
        if (st == KV_OK) st = closed;
    }
    if (st == KV_OK && !m->no_page) st = cmp_report(m->out);
    if (st != KV_OK) {
        fprintf(stderr, "compare: %s\n", kv_last_error());
        return 3;
    }
    bool failed =
        sum.wrong_answers + sum.failed_checks + sum.other_failures > 0;
    printf("%s: %s\n", failed ? "some of it failed" : "all is there", m->out);
    return failed ? 3 : 0;
}

// ---- the command ------------------------------------------------------------

static kv_status read_word(struct merge *m, char **argv, int argc, int *i)
{
    char *word = argv[*i];
    if (strcmp(word, "--no-page") == 0) {
        m->no_page = true;
    } else if (strncmp(word, "--out=", 6) == 0) {
        m->out = word + 6;
    } else if (strcmp(word, "--out") == 0 && *i + 1 < argc) {
        m->out = argv[++*i];
    } else if (strncmp(word, "--", 2) == 0) {
        return kv_fail(KV_INVALID,
                       "merge does not know %s so: compare merge DIR... --out "
                       "DIR [--no-page]",
                       word);
    } else {
        return read_share(&m->share[m->count++], word);
    }
    return KV_OK;
}

static kv_status read_words(struct merge *m, int argc, char **argv)
{
    kv_buf_printf(&m->command, "compare");
    for (int i = 1; i < argc; i++) kv_buf_printf(&m->command, " %s", argv[i]);
    kv_buf_append(&m->command, kv_slice_of("", 1));
    for (int i = 2; i < argc; i++) KV_TRY(read_word(m, argv, argc, &i));
    if (m->count > 0 && m->out != NULL) return KV_OK;
    return kv_fail(KV_INVALID, "merge needs the shares' directories and a new "
                               "one: compare merge DIR... --out DIR");
}

int cmp_merge(int argc, char **argv)
{
    struct merge m = {.share = kv_alloc((size_t)argc * sizeof *m.share)};
    kv_status st = read_words(&m, argc, argv);
    if (st == KV_OK) st = check(m.share, m.count, m.out);
    int code = 2;
    if (st == KV_OK) code = join(&m);
    else fprintf(stderr, "compare: %s\n", kv_last_error());
    for (size_t i = 0; i < m.count; i++) free_share(&m.share[i]);
    kv_free(m.share);
    kv_buf_free(&m.command);
    return code;
}
