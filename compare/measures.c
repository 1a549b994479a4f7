// measures.c -- see measures.h.
// SPDX-License-Identifier: MIT

#include "compare/measures.h"

#include <stddef.h>

const cmp_measure cmp_measures[] = {
#define X(name, unit, better, kind, definition)                                \
    {name, unit, better, kind, definition},
    CMP_MEASURE_LIST(X)
#undef X
        {NULL, NULL, CMP_LOWER, CMP_COUNT, NULL}};
