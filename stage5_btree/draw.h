// draw.h -- the tree as a graph that Graphviz draws.
// SPDX-License-Identifier: MIT
//
//     digraph tree {                  stage5_btree DIR inspect graphviz |
//     node          [shape=box ...]     dot -Tsvg > tree.svg
//     page4         [label="page 4\n1 separator\n3 % full" ...]
//     page4 -> page3
//     page4 -> page5   [label="key19"]        from this key on
//     ...
//     }
//
// Each line is a fact, so that it is a report like every other; its text, as it
// is drawn for the terminal, is in Graphviz' language (and with --json the one
// string that jq -r gives back). The fuller a page is the darker.
//
// Book: "B-Trees" (the figures of a tree)

#ifndef BT_DRAW_H
#define BT_DRAW_H

#include "common/report.h"

#include "page.h"

void bt_draw_begin(kv_report *r);
void bt_draw_page(kv_report *r, const uint8_t *page);
// From a page to its child, which has the keys from `low` on; empty for the
// leftmost one.
void bt_draw_child(kv_report *r, uint64_t page_id, uint64_t child,
                   kv_slice low);
void bt_draw_end(kv_report *r);

#endif
