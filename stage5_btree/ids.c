// ids.c -- see ids.h.
// SPDX-License-Identifier: MIT

#include "ids.h"

#include <stdlib.h>

#include "common/mem.h"

void bt_ids_add(bt_ids *ids, uint64_t id)
{
    if (ids->count == ids->cap) {
        ids->cap = ids->cap == 0 ? 16 : ids->cap * 2;
        ids->id = kv_realloc(ids->id, ids->cap * sizeof *ids->id);
    }
    ids->id[ids->count++] = id;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void bt_ids_sort(bt_ids *ids)
{
    if (ids->count > 1) qsort(ids->id, ids->count, sizeof *ids->id, compare);
}

bool bt_ids_has(const bt_ids *ids, uint64_t id)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (ids->id[i] == id) return true;
    }
    return false;
}

void bt_ids_free(bt_ids *ids)
{
    kv_free(ids->id);
    *ids = (bt_ids){0};
}
