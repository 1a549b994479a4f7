// claims.c -- see claims.h.
// SPDX-License-Identifier: MIT

#include "compare/claims/claims.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"

#include "compare/child.h"
#include "compare/claims/claim.h"
#include "compare/compare.h"
#include "compare/machine.h"
#include "compare/options.h"

enum { DONE = 0, USAGE = 2, FAILED = 3 };

static const char *claim_id(size_t index)
{
    const cmp_claim *claim = cmp_claim_at(index);
    return claim != NULL ? claim->id : NULL;
}

// ---- what was asked for -----------------------------------------------------

struct request {
    cmp_options options;
    const char **ids;
    size_t id_count;
    char **rest; // the command line without the ids
    int rest_count;
};

// C07 is a claim, S04 a study (claim.h): 7 of 'C'. 0 is none.
static unsigned long number_of(const char *word, char *letter)
{
    *letter = word[0] == 's' || word[0] == 'S' ? 'S' : 'C';
    bool is_id =
        strchr("CcSs", word[0]) != NULL && word[1] >= '0' && word[1] <= '9';
    return is_id ? strtoul(word + 1, NULL, 10) : 0;
}

// c7 is C07. Of what is not there, the next lower one of its kind is named.
static const char *find_id(const char *word)
{
    const char *below = NULL;
    char letter;
    unsigned long wanted = number_of(word, &letter);
    for (size_t i = 0; claim_id(i) != NULL && wanted > 0; i++) {
        const char *id = claim_id(i);
        unsigned long number = strtoul(id + 1, NULL, 10);
        if (id[0] != letter || number > wanted) continue;
        if (number == wanted) return id;
        below = id; // they are in the order of their numbers
    }
    kv_fail(KV_INVALID, "there is no claim \"%s\"%s%s%s (compare list claims)",
            word, below ? "; did you mean " : "", below ? below : "",
            below ? "?" : "");
    return NULL;
}

// An option's value is not an id, whatever it looks like; any other word is.
static kv_status part_words(struct request *r, int argc, char **argv)
{
    r->ids = kv_zalloc((size_t)argc * sizeof *r->ids);
    r->rest = kv_zalloc((size_t)argc * sizeof *r->rest);
    for (int i = 0; i < argc; i++) {
        bool is_value = i > 2 && strncmp(argv[i - 1], "--", 2) == 0 &&
                        strncmp(argv[i - 1], "--no-", 5) != 0;
        if (i < 2 || is_value || argv[i][0] == '-') {
            r->rest[r->rest_count++] = argv[i];
            continue;
        }
        const char *id = find_id(argv[i]);
        if (id == NULL) return KV_INVALID;
        r->ids[r->id_count++] = id;
    }
    return KV_OK;
}

static bool is_wanted(const struct request *r, const cmp_claim *claim)
{
    for (size_t i = 0; i < r->id_count; i++) {
        if (strcmp(r->ids[i], claim->id) == 0) return true;
    }
    return r->id_count == 0;
}

// ---- trying -----------------------------------------------------------------

struct tables {
    FILE *claims, *checks, *points;
};

static FILE *begin_table(const char *dir, const char *name, const char *columns)
{
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/%s.tsv%c", dir, name, '\0');
    FILE *file = fopen((char *)path.data, "w");
    if (file == NULL) {
        kv_fail(KV_IO, "%s cannot be written", (char *)path.data);
    } else {
        fprintf(file, "%s\n", columns);
    }
    kv_buf_free(&path);
    return file;
}

static kv_status begin_tables(struct tables *t, const char *dir)
{
    KV_TRY(cmp_make_dir(dir));
    t->claims = begin_table(dir, "claims",
                            "claim\tverdict\ttext\tfirst\tsecond\tsetup\tx\ty"
                            "\tcounted\trecords\tseed");
    t->checks = begin_table(dir, "checks",
                            "claim\twhat\tmeasured\trelation\texpected"
                            "\tverdict");
    t->points = begin_table(dir, "points", "claim\tseries\tx\ty\ttheory");
    return t->claims && t->checks && t->points ? KV_OK : KV_IO;
}

static bool end_table(FILE *file)
{
    if (file == NULL) return true;
    bool is_written = ferror(file) == 0;
    return fclose(file) == 0 && is_written;
}

static kv_status end_tables(struct tables *t)
{
    bool is_written = end_table(t->claims);
    is_written = end_table(t->checks) && is_written;
    is_written = end_table(t->points) && is_written;
    if (is_written) return KV_OK;
    return kv_fail(KV_IO, "the tables could not be written whole");
}

static const char *verdict_of(const cmp_bench *b, kv_status st)
{
    if (st == KV_NOT_FOUND) return "not tried";
    if (st != KV_OK) return "failed";
    if (b->failed > 0) return "contradicted";
    if (b->held + b->conditions == 0) return "measured";
    return b->conditions > 0 ? "depends" : "confirmed";
}

// True unless it is contradicted or something broke.
static bool try_claim(cmp_bench *bench, struct tables *t,
                      const cmp_claim *claim)
{
    cmp_bench b = *bench;
    b.claim = claim->id;
    b.points = t->points;
    b.checks = t->checks;
    uint64_t from = kv_now_ns();
    kv_status st = claim->run(&b);
    // A claim without a check would hold whatever happened.
    bool is_claim = claim->id[0] == 'C';
    if (st == KV_OK && is_claim && b.held + b.failed + b.conditions == 0) {
        st = kv_fail(KV_INVALID, "%s checked nothing", claim->id);
    }
    const char *verdict = verdict_of(&b, st);
    fprintf(t->claims, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%u\t%llu\n",
            claim->id, verdict, claim->text, claim->first, claim->second,
            claim->setup, claim->x, claim->y, claim->is_counted,
            (unsigned)b.records, (unsigned long long)b.seed);
    printf("%s  %-12s  %s (%.1f s)\n", claim->id, verdict, claim->text,
           (double)(kv_now_ns() - from) / 1e9);
    if (st != KV_OK && st != KV_NOT_FOUND) printf("     %s\n", kv_last_error());
    fflush(stdout);
    return b.failed == 0 && (st == KV_OK || st == KV_NOT_FOUND);
}

// The checks as they are in the table, under the claims.
static void print_checks(const char *dir)
{
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/checks.tsv%c", dir, '\0');
    FILE *file = fopen((char *)path.data, "r");
    char line[512], claim[16], what[128], relation[32], verdict[16];
    double measured, expected;
    printf("\n");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%15[^\t]\t%127[^\t]\t%lf\t%31[^\t]\t%lf\t%15s", claim,
                   what, &measured, relation, &expected, verdict) != 6) {
            continue; // the line of column names
        }
        printf("%s  %-7s  %s: %.5g, %s %.5g\n", claim, verdict, what, measured,
               relation, expected);
    }
    if (file != NULL) fclose(file);
    kv_buf_free(&path);
}

// The page of the run in the same directory, if there was one.
static kv_status draw_page(const struct request *r)
{
    kv_buf manifest = {0};
    kv_buf_printf(&manifest, "%s/manifest.tsv%c", r->options.out, '\0');
    bool has_run = cmp_file_is_there((char *)manifest.data);
    kv_buf_free(&manifest);
    if (!has_run || r->options.no_page) return KV_OK;
    return cmp_report(r->options.out);
}

// Counters do not depend on what a disk is made of: where only they count, the
// stores are kept in memory, if there is room, and no sync waits for a device.
static kv_status try_one(struct request *r, struct tables *t,
                         const cmp_claim *claim, bool *all_well)
{
    enum { BYTES_PER_RECORD = 8192 };
    kv_buf dir = {0};
    uint64_t records = r->options.setup.records;
    bool is_in_memory = claim->is_counted &&
                        cmp_memory_scratch(&dir, records * BYTES_PER_RECORD);
    if (!is_in_memory) kv_buf_printf(&dir, "%s/bench", r->options.out);
    kv_buf_append(&dir, kv_slice_of("", 1));
    cmp_bench bench = {.dir = (char *)dir.data,
                       .records = (uint32_t)records,
                       .seed = r->options.setup.seed};
    kv_status st = cmp_make_dir(bench.dir);
    if (st == KV_OK) *all_well = try_claim(&bench, t, claim) && *all_well;
    cmp_remove_tree(bench.dir);
    kv_buf_free(&dir);
    return st;
}

static int try_all(struct request *r)
{
    struct tables tables = {0};
    const char *dir = r->options.out;
    bool all_well = true;
    cmp_catch_stop(); // between two claims, so that no store is left behind
    kv_status st = begin_tables(&tables, dir);
    for (size_t i = 0; st == KV_OK && cmp_claim_at(i) != NULL; i++) {
        if (!is_wanted(r, cmp_claim_at(i))) continue;
        st = try_one(r, &tables, cmp_claim_at(i), &all_well);
        if (st == KV_OK && cmp_was_stopped()) {
            st = kv_fail(KV_INVALID, "stopped after %s", cmp_claim_at(i)->id);
        }
    }
    kv_status last = end_tables(&tables);
    if (st == KV_OK) st = last;
    if (st != KV_OK) {
        fprintf(stderr, "compare: %s\n", kv_last_error());
        return FAILED;
    }
    print_checks(dir);
    if (draw_page(r) != KV_OK) {
        fprintf(stderr, "compare: %s\n", kv_last_error());
        return FAILED;
    }
    return all_well ? DONE : FAILED;
}

int cmp_claims(int argc, char **argv)
{
    static struct request r; // too large for a stack
    int code = USAGE;
    kv_status st = part_words(&r, argc, argv);
    if (st == KV_OK) {
        st = cmp_options_read(&r.options, r.rest_count, r.rest, 0);
    }
    if (st == KV_OK) code = try_all(&r);
    else fprintf(stderr, "compare: %s\n", kv_last_error());
    cmp_options_free(&r.options);
    kv_free(r.ids);
    kv_free(r.rest);
    return code;
}
