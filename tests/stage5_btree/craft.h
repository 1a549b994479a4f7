// craft.h -- a closed store of this stage that is changed by hand and sealed
// again, as a bug of ours or somebody's tool might.
// SPDX-License-Identifier: MIT

#ifndef TESTS_STAGE5_CRAFT_H
#define TESTS_STAGE5_CRAFT_H

#include "common/disk_sim.h"

#include "format.h"
#include "page.h"

enum { PAGE = 512, KEYS = 500, LONG = 1300 };

// A store's TREE, in memory.
typedef struct craft {
    kv_disk *disk;
    const char *knobs;
    uint8_t *tree;
    uint64_t bytes;
    bool is_raw; // not to be sealed
    bt_super super;
    uint64_t root, inner[2], leaf[2]; // neighbours: the root's first children,
                                      // and those of the first of them
    uint64_t value[2][3];             // two chains
} craft;

// Three levels, the first two keys with values on chains, and free pages.
void craft_make(craft *c, const char *knobs);
void craft_free(craft *c);
uint8_t *craft_page(const craft *c, uint64_t id);
// Seals every page, and writes the file.
void craft_write(craft *c);

// What has to say KV_CORRUPT at once, asked about the first key; and what has
// to be refused.
enum { GETS = 1, SCANS = 2, PUTS = 4, REFUSED = 8 };

typedef struct wrong {
    const char *name;
    int (*apply)(craft *c); // returns what it asks for
} wrong;

// Pages that are good by themselves and do not fit together; and all else. The
// last one has no name.
extern const wrong craft_wrong_trees[], craft_wrong_pages[];

#endif
