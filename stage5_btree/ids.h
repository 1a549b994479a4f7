// ids.h -- a growing list of page ids.
// SPDX-License-Identifier: MIT

#ifndef BT_IDS_H
#define BT_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Zeroes are an empty list.
typedef struct bt_ids {
    uint64_t *id;
    size_t count, cap;
} bt_ids;

void bt_ids_add(bt_ids *ids, uint64_t id);
bool bt_ids_has(const bt_ids *ids, uint64_t id); // looks at all
void bt_ids_sort(bt_ids *ids);                   // ascending
void bt_ids_free(bt_ids *ids);

#endif
