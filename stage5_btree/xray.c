// xray.c -- see xray.h.
// SPDX-License-Identifier: MIT

#include "xray.h"

#include <inttypes.h>

#include "page.h"

// A page on the table.
typedef struct film {
    kv_xray *x;
    const uint8_t *page;
    uint32_t page_bytes;
    uint64_t at; // its offset in the file
} film;

// A field of the page, `len` bytes from `from` on.
#define FIELD(f, from, len, ...)                                               \
    kv_xray_field((f)->x, (f)->at + (from),                                    \
                  kv_slice_of((f)->page + (from), (len)), __VA_ARGS__)

// ---- superblocks ------------------------------------------------------------

static void draw_super(film *f, const bt_super *s)
{
    FIELD(f, 0, 8, "magic", "good");
    FIELD(f, 8, 4, "version", "%u.%u", s->major, s->minor);
    FIELD(f, 12, 4, "page size", "%u", s->page_bytes);
    FIELD(f, 16, 8, "store", "%016" PRIx64, s->store_id);
    FIELD(f, 24, 8, "counter", "%" PRIu64, s->counter);
    FIELD(f, 32, 8, "root", "page %" PRIu64, s->root);
    FIELD(f, 40, 8, "pages", "%" PRIu64, s->page_count);
    FIELD(f, 48, 8, "free list",
          s->free_list > 0 ? "from page %" PRIu64 : "empty", s->free_list);
    FIELD(f, 56, 8, "free", "%" PRIu64 " pages", s->free_count);
    FIELD(f, 64, 8, "position", "%" PRIu64 ": all before it is in the pages",
          s->lsn);
    FIELD(f, 72, 8, "keys", "%" PRIu64, s->key_count);
    FIELD(f, 80, 4, "journal", s->journal == 0 ? "log" : "copy-on-write");
    FIELD(f, 88, 8, "log", "recovery begins with file %" PRIu64, s->log);
    FIELD(f, 96, 16, "closed",
          s->closed.log > 0 ? "with log %" PRIu64 " whole at %" PRIu64 " bytes"
                            : "no",
          s->closed.log, s->closed.bytes);
    FIELD(f, 124, 4, "checksum", "good");
}

static bool read_super(kv_slice file, uint64_t at, bt_super *out)
{
    if (at >= file.len) return false;
    kv_slice bytes = kv_slice_of(file.data + at, file.len - at);
    return bt_super_decode(bytes, at, out) == KV_OK;
}

// Superblock 1 stands where page 0 ends: if page 0 does not tell, at one of
// the sizes that a page may have.
static bool find_super(kv_slice file, bt_super *out)
{
    if (read_super(file, 0, out)) return true;
    for (uint32_t size = BT_PAGE_MIN; size <= BT_PAGE_MAX; size *= 2) {
        if (read_super(file, size, out) && out->page_bytes == size) return true;
    }
    return false;
}

static void draw_super_at(film *f, unsigned page_id)
{
    bt_super s;
    kv_slice bytes = kv_slice_of(f->page, f->page_bytes);
    kv_xray_title(f->x, f->at, "page %u: superblock", page_id);
    if (bt_super_decode(bytes, f->at, &s) == KV_OK) draw_super(f, &s);
    else kv_xray_damage(f->x, f->at, "%s", kv_last_error());
}

// ---- pages ------------------------------------------------------------------

static const char *kind_name(bt_kind kind)
{
    static const char *const names[] = {"no page", "leaf", "inner page",
                                        "overflow page", "free-list page"};
    return names[kind <= BT_FREE_LIST ? kind : 0];
}

static void draw_header(film *f, bool is_good)
{
    const uint8_t *page = f->page;
    FIELD(f, 0, 4, "checksum", is_good ? "good" : "does not match");
    FIELD(f, 4, 4, "kind", "%s, level %u, 2^%u bytes",
          kind_name(bt_kind_of(page)), bt_level(page), page[6]);
    FIELD(f, 8, 8, "page", "%" PRIu64, bt_page_id(page));
    FIELD(f, 16, 8, "position", "%" PRIu64 " in the log", bt_lsn(page));
    FIELD(f, 24, 8, "link",
          bt_kind_of(page) == BT_INNER ? "leftmost child: page %" PRIu64
          : bt_link(page) > 0          ? "next: page %" PRIu64
                                       : "none",
          bt_link(page));
}

static void draw_cell(film *f, size_t i, kv_buf *key)
{
    const uint8_t *page = f->page, *slot = bt_slot(page, i);
    size_t offset = bt_slot_offset(slot), size = bt_cell_size(page, i);
    bt_cell cell;
    kv_quoted k, v;
    bt_page_key(page, i, key);
    bt_cell_read(page, i, &cell);
    kv_quote(&k, kv_buf_slice(key));
    FIELD(f, (size_t)(slot - page), BT_SLOT_BYTES, "slot",
          "%zu: head %08" PRIx32 ", cell at %zu", i, cell.head, offset);
    if (bt_kind_of(page) == BT_INNER) {
        FIELD(f, offset, size, "cell", "from %s on: page %" PRIu64, k.text,
              cell.page_id);
    } else if (cell.page_id != 0) {
        FIELD(f, offset, size, "cell", "%s = %u bytes from page %" PRIu64 " on",
              k.text, cell.value_bytes, cell.page_id);
    } else {
        FIELD(f, offset, size, "cell", "%s = %s", k.text,
              kv_quote(&v, cell.value));
    }
}

static void draw_tree_page(film *f)
{
    const uint8_t *page = f->page;
    kv_buf key = {0};
    kv_quoted q;
    size_t prefix = bt_prefix_bytes(page), from, limit;
    bt_page_hole(page, &from, &limit);
    FIELD(f, 32, 8, "shape", "%zu slots, prefix %zu, heap %zu, dead %zu",
          bt_count(page), prefix, bt_heap_bytes(page), bt_dead_bytes(page));
    if (prefix > 0) {
        FIELD(f, BT_HEADER_BYTES, prefix, "prefix", "%s",
              kv_quote(&q, kv_slice_of(bt_prefix(page), prefix)));
    }
    for (size_t i = 0; i < bt_count(page); i++) draw_cell(f, i, &key);
    if (limit > from) {
        FIELD(f, from, limit - from, "unused", "%zu bytes", limit - from);
    }
    kv_buf_free(&key);
}

static void draw_free_list(film *f)
{
    FIELD(f, 32, 8, "count", "%zu", bt_count(f->page));
    for (size_t i = 0; i < bt_count(f->page); i++) {
        FIELD(f, BT_HEADER_BYTES + 8 * i, 8, "free", "page %" PRIu64,
              bt_free_get(f->page, i));
    }
}

static void draw_overflow(film *f)
{
    kv_slice here = bt_overflow_bytes(f->page);
    kv_quoted q;
    FIELD(f, 32, 8, "lengths", "%zu bytes here, %u from here to the end",
          here.len, bt_overflow_rest(f->page));
    FIELD(f, BT_HEADER_BYTES, here.len, "value", "%s", kv_quote(&q, here));
}

static bool is_blank(const film *f)
{
    for (size_t i = 0; i < f->page_bytes; i++) {
        if (f->page[i] != 0) return false;
    }
    return true;
}

static void draw_page(film *f, uint64_t page_id, uint64_t store_id)
{
    if (is_blank(f)) {
        kv_xray_title(f->x, f->at, "page %" PRIu64 ": never written", page_id);
        return;
    }
    kv_status st = bt_page_check(f->page, f->page_bytes, page_id);
    bt_kind kind = bt_kind_of(f->page);
    kv_xray_title(f->x, f->at, "page %" PRIu64 ": %s", page_id,
                  kind_name(kind));
    bool is_good = kv_get_u32(f->page) ==
                   bt_page_checksum(f->page, f->page_bytes, store_id);
    draw_header(f, is_good);
    if (!is_good) kv_xray_damage(f->x, f->at, "a bad checksum");
    if (st != KV_OK) kv_xray_damage(f->x, f->at, "%s", kv_last_error());
    else if (kind == BT_OVERFLOW) draw_overflow(f);
    else if (kind == BT_FREE_LIST) draw_free_list(f);
    else draw_tree_page(f);
}

static bool is_in_window(const film *f)
{
    return f->at < f->x->limit && f->at + f->page_bytes > f->x->from;
}

void bt_xray_pages(kv_slice file, kv_xray *x)
{
    bt_super super;
    if (!find_super(file, &super)) {
        kv_xray_damage(x, 0,
                       "neither superblock is one: nothing says how long "
                       "a page is");
        return;
    }
    film f = {.x = x, .page_bytes = super.page_bytes};
    for (uint64_t id = 0; f.at < file.len; id++, f.at += f.page_bytes) {
        f.page = file.data + f.at;
        if (file.len - f.at < f.page_bytes) {
            kv_xray_damage(x, f.at, "the file ends within page %" PRIu64, id);
            return;
        }
        if (!is_in_window(&f)) continue;
        if (id < BT_FIRST_PAGE) draw_super_at(&f, (unsigned)id);
        else draw_page(&f, id, super.store_id);
    }
}
