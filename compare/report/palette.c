// palette.c -- see palette.h.
// SPDX-License-Identifier: MIT

#include "compare/report/palette.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct entry {
    const char *engine;
    cmp_look look;
    const char *shape; // of the point, in a box of 12 by 12
} entry;

#define SQUARE   "M2 2H10V10H2Z"
#define CIRCLE   "M6 1.5A4.5 4.5 0 1 1 6 10.5A4.5 4.5 0 1 1 6 1.5Z"
#define UP       "M6 1.5L10.8 10H1.2Z"
#define DOWN     "M6 10.5L1.2 2H10.8Z"
#define DIAMOND  "M6 .8L11.2 6L6 11.2L.8 6Z"
#define PENTAGON "M6 1L10.8 4.5L9 10.2H3L1.2 4.5Z"

static const entry stages[] = {
    {"hash", {1, "#000000", false}, SQUARE},
    {"log", {2, "#E69F00", false}, CIRCLE},
    {"sst", {3, "#56B4E9", false}, UP},
    {"lsm", {4, "#009E73", false}, DOWN},
    {"bt", {6, "#D55E00", false}, DIAMOND},
};

static const entry yardsticks[] = {
    {"tkrzw", {11, "#555555", true}, CIRCLE},
    {"kyoto", {12, "#777777", true}, SQUARE},
    {"glib", {13, "#555555", true}, UP},
    {"leveldb", {14, "#777777", true}, DOWN},
    {"lmdb", {15, "#555555", true}, DIAMOND},
    {"rocksdb", {16, "#777777", true}, PENTAGON},
    {"sqlite", {17, "#555555", true}, SQUARE},
    {"berkeley", {18, "#777777", true}, CIRCLE},
    {"wiredtiger", {19, "#555555", true}, DOWN},
};

static const entry others[] = {
    {"", {21, "#0072B2", false}, PENTAGON},
    {"", {22, "#CC79A7", false}, DIAMOND},
    {"", {23, "#0072B2", false}, SQUARE},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const entry *named(const entry *entries, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].engine, name) == 0) return &entries[i];
    }
    return NULL;
}

// How many engines of the same kind, without a look of their own, are listed
// before this one: so that two of them differ.
static size_t turn_of(const cmp_rundir *r, const char *engine, bool yardstick)
{
    size_t turn = 0;
    for (size_t i = 0; i < r->engines.count; i++) {
        const char *name = r->engines.names[i];
        if (strcmp(name, engine) == 0) break;
        if (named(stages, COUNT(stages), name) != NULL) continue;
        if (named(yardsticks, COUNT(yardsticks), name) != NULL) continue;
        turn += cmp_rundir_is_yardstick(r, name) == yardstick;
    }
    return turn;
}

cmp_look cmp_look_of(const cmp_rundir *r, const char *engine)
{
    const entry *e = named(stages, COUNT(stages), engine);
    if (e == NULL) e = named(yardsticks, COUNT(yardsticks), engine);
    if (e != NULL) return e->look;
    bool yardstick = cmp_rundir_is_yardstick(r, engine);
    size_t turn = turn_of(r, engine, yardstick);
    return yardstick ? yardsticks[3 + turn % 3].look : others[turn % 3].look;
}

static const char *shape_of(int linetype)
{
    const entry *tables[] = {stages, yardsticks, others};
    const size_t counts[] = {COUNT(stages), COUNT(yardsticks), COUNT(others)};
    for (size_t t = 0; t < COUNT(tables); t++) {
        for (size_t i = 0; i < counts[t]; i++) {
            if (tables[t][i].look.linetype == linetype) {
                return tables[t][i].shape;
            }
        }
    }
    return CIRCLE;
}

void cmp_look_draw(cmp_look look, kv_buf *to)
{
    kv_buf_printf(to,
                  "<svg class=\"dot\" viewBox=\"0 0 12 12\" aria-hidden="
                  "\"true\"><path d=\"%s\" fill=\"%s\" stroke=\"%s\" "
                  "stroke-width=\"1.6\"/></svg>",
                  shape_of(look.linetype),
                  look.is_hollow ? "#fff" : look.colour, look.colour);
}

// ---- colours ----------------------------------------------------------------

static unsigned channel(const char *colour, int index)
{
    char digits[3] = {colour[1 + 2 * index], colour[2 + 2 * index], '\0'};
    return (unsigned)strtoul(digits, NULL, 16);
}

void cmp_look_tint(cmp_look look, double share, char text[8])
{
    unsigned mixed[3];
    assert(share >= 0 && share <= 1);
    for (int i = 0; i < 3; i++) {
        unsigned c = channel(look.colour, i);
        mixed[i] = c + (unsigned)((255 - c) * share);
    }
    snprintf(text, 8, "#%02X%02X%02X", mixed[0] & 255, mixed[1] & 255,
             mixed[2] & 255);
}

const char *cmp_ink_on(const char colour[8])
{
    unsigned light =
        3 * channel(colour, 0) + 6 * channel(colour, 1) + channel(colour, 2);
    return light > 1300 ? "#000000" : "#FFFFFF"; // of 2550
}
