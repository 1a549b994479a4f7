// looks.c -- see looks.h.
// SPDX-License-Identifier: MIT

#include "compare/charts/looks.h"

#include <stdio.h>

#include "compare/report/palette.h"

// What claims call the engines in words, and the looks of variants that have
// their own.
static const struct alias {
    const char *word;
    int linetype;
} aliases[] = {
    {"LSM-tree", 4}, {"leveled", 4},       {"tiered", 5},
    {"B-tree", 6},   {"copy-on-write", 7},
};

int cmp_linetype_named(const cmp_rundir *r, const char *word)
{
    static const char *const stages[] = {"hash", "log", "sst", "lsm", "bt"};
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strcmp(aliases[i].word, word) == 0) return aliases[i].linetype;
    }
    bool is_engine = cmp_list_find(&r->engines, word) < r->engines.count;
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        is_engine = is_engine || strcmp(stages[i], word) == 0;
    }
    return is_engine ? cmp_look_of(r, word).linetype : 0;
}

void cmp_series_engine(const char *series, char *to, size_t size)
{
    snprintf(to, size, "%.*s", (int)strcspn(series, ",:"), series);
}

// Dashes come round after four variants, points after seven: together they
// tell twenty-eight apart.
static void vary(cmp_line_look *look, size_t variant)
{
    static const char *const dashes[] = {"", " dt (8,4)", " dt (2,3)",
                                         " dt (8,3,2,3)"};
    static const char *const marks[] = {"",      "",       " pt 1", " pt 2",
                                        " pt 3", " pt 12", " pt 4"};
    // Of each stage's linetype; tiered has its own hollow triangle.
    static const int hollow[] = {5, 4, 6, 8, 8, 14, 12, 4};
    bool is_stage = look->linetype < 8;
    snprintf(look->line, sizeof look->line, "lt %d%s", look->linetype,
             dashes[variant % 4]);
    snprintf(look->mark, sizeof look->mark, "%s", marks[variant % 7]);
    if (variant % 7 == 1) {
        snprintf(look->mark, sizeof look->mark, " pt %d",
                 is_stage ? hollow[look->linetype] : 6);
    }
}

cmp_line_look cmp_look_among(const cmp_rundir *r, const cmp_list *series,
                             size_t index)
{
    static const int free_looks[] = {21, 22, 23, 24, 25, 26, 27};
    char word[64], other[64];
    size_t variant = 0;
    cmp_series_engine(series->names[index], word, sizeof word);
    for (size_t i = 0; i < index; i++) {
        cmp_series_engine(series->names[i], other, sizeof other);
        variant += strcmp(word, other) == 0;
    }
    cmp_line_look look = {.linetype = cmp_linetype_named(r, word)};
    if (look.linetype == 0) look.linetype = free_looks[index % 7], variant = 0;
    vary(&look, variant);
    return look;
}
