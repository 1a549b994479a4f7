// draw.c -- see draw.h.
// SPDX-License-Identifier: MIT

#include "draw.h"

#include <inttypes.h>
#include <stdio.h>

enum { SHADES = 6, KEY_SHOWN = 24 }; // bytes

void bt_draw_begin(kv_report *r)
{
    r->is_drawing = true;
    kv_report_text(r, "digraph tree {", "%s", "");
    kv_report_text(r, "node", "%s",
                   "[shape=box style=filled fontname=\"sans-serif\"]");
    kv_report_text(r, "edge", "%s", "[fontname=\"sans-serif\" fontsize=10]");
}

void bt_draw_end(kv_report *r) { kv_report_text(r, "}", "%s", ""); }

void bt_draw_page(kv_report *r, const uint8_t *page)
{
    char name[32];
    bool is_leaf = bt_kind_of(page) == BT_LEAF;
    size_t used = bt_page_used(page), count = bt_count(page);
    size_t capacity = bt_page_capacity(bt_page_bytes(page));
    snprintf(name, sizeof name, "page%" PRIu64, bt_page_id(page));
    kv_report_text(r, name,
                   "[label=\"page %" PRIu64 "\\n%zu %s%s\\n%zu %% full\" "
                   "fillcolor=\"/greens9/%zu\"]",
                   bt_page_id(page), count, is_leaf ? "key" : "separator",
                   count == 1 ? "" : "s", (200 * used / capacity + 1) / 2,
                   1 + SHADES * used / capacity);
}

// The key as a string of Graphviz: escaped, and what that escaped with.
static void put_label(kv_buf *to, kv_slice key)
{
    kv_buf text = {0};
    bool is_cut = key.len > KEY_SHOWN;
    kv_escape(&text, kv_slice_of(key.data, is_cut ? KEY_SHOWN : key.len));
    for (size_t i = 0; i < text.len; i++) {
        bool is_special = text.data[i] == '\\' || text.data[i] == '"';
        if (is_special) kv_buf_append(to, kv_str("\\"));
        kv_buf_append(to, kv_slice_of(&text.data[i], 1));
    }
    if (is_cut) kv_buf_append(to, kv_str("..."));
    kv_buf_free(&text);
}

void bt_draw_child(kv_report *r, uint64_t page_id, uint64_t child, kv_slice low)
{
    char name[64];
    kv_buf label = {0};
    snprintf(name, sizeof name, "page%" PRIu64 " -> page%" PRIu64, page_id,
             child);
    if (low.len > 0) {
        kv_buf_append(&label, kv_str("[label=\""));
        put_label(&label, low);
        kv_buf_append(&label, kv_str("\"]"));
    }
    kv_buf_append(&label, kv_slice_of("", 1));
    kv_report_text(r, name, "%s", (const char *)label.data);
    kv_buf_free(&label);
}
