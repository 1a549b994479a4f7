// look.c -- see look.h.
// SPDX-License-Identifier: MIT

#include "look.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/mem.h"

#include "chain.h"
#include "draw.h"
#include "freelist.h"

// ---- a walk over everything -------------------------------------------------

typedef struct level_facts {
    uint64_t pages, used_bytes, slots;
} level_facts;

typedef struct walk {
    bt_store *store;
    uint8_t *is_known; // a bit per page
    bool checks_disk;
    kv_report *tree;    // a branch for every page, or NULL
    kv_report *drawing; // for Graphviz, or NULL
    unsigned levels;
    level_facts level[BT_LEVEL_MAX + 1];
    uint64_t keys, chain_pages, free_pages, list_pages;
    uint64_t neighbours, last_leaf; // leaves that follow each other in the file
    uint8_t *scratch;
} walk;

// Every page is met once: F1.
static kv_status meet(walk *w, uint64_t id)
{
    uint64_t count = w->store->shape.page_count;
    uint32_t page_bytes = w->store->config.page_bytes;
    if (id < BT_FIRST_PAGE || id >= count) {
        return bt_page_bad(id, page_bytes,
                           "is referred to, and there are %" PRIu64 " pages",
                           count);
    }
    if (w->is_known[id / 8] >> id % 8 & 1) {
        return bt_page_bad(id, page_bytes, "is referred to twice");
    }
    w->is_known[id / 8] |= (uint8_t)(1 << id % 8);
    return KV_OK;
}

// A page that is clean in memory has to be good in the file, too.
static kv_status check_on_disk(walk *w, uint64_t id)
{
    bt_store *s = w->store;
    uint32_t page_bytes = s->config.page_bytes;
    if (!w->checks_disk || bt_cache_copy_dirty(&s->cache, id, w->scratch)) {
        return KV_OK;
    }
    KV_TRY(kv_file_read_all(s->file, id * page_bytes, w->scratch, page_bytes,
                            kv_for(KV_FOR_READ)));
    return bt_page_verify(w->scratch, page_bytes, id, s->config.store_id);
}

static kv_status visit_page(walk *w, uint64_t id, const uint8_t **page)
{
    KV_TRY(meet(w, id));
    KV_TRY(bt_tx_read(&w->store->tx, id, page));
    KV_TRY(bt_page_check(*page, w->store->config.page_bytes, id));
    return check_on_disk(w, id);
}

static kv_status walk_chain(walk *w, const bt_cell *cell)
{
    uint64_t rest = cell->value_bytes;
    const uint8_t *page;
    for (uint64_t id = cell->page_id; rest > 0; id = bt_link(page)) {
        KV_TRY(visit_page(w, id, &page));
        KV_TRY(bt_chain_expect(page, rest));
        rest -= bt_overflow_bytes(page).len;
        w->chain_pages++;
    }
    return KV_OK;
}

// B2: all keys of the page are within its bounds; an empty one is none.
static kv_status check_bounds(const uint8_t *page, kv_slice low, kv_slice high)
{
    size_t count = bt_count(page);
    if (count == 0) return KV_OK;
    bool is_in =
        (low.data == NULL || bt_page_compare(page, 0, low) >= 0) &&
        (high.data == NULL || bt_page_compare(page, count - 1, high) < 0);
    if (is_in) return KV_OK;
    return bt_page_bad(bt_page_id(page), bt_page_bytes(page),
                       "has keys outside of what leads to it");
}

static void note_page(walk *w, const uint8_t *page)
{
    level_facts *facts = &w->level[bt_level(page)];
    facts->pages++;
    facts->used_bytes += bt_page_used(page);
    facts->slots += bt_count(page);
    if (bt_level(page) == 0) {
        w->neighbours += bt_page_id(page) == w->last_leaf + 1;
        w->last_leaf = bt_page_id(page);
    }
    if (w->drawing != NULL) bt_draw_page(w->drawing, page);
    if (w->tree == NULL) return;
    size_t capacity = bt_page_capacity(bt_page_bytes(page));
    kv_report_begin(w->tree, "page %" PRIu64, bt_page_id(page));
    kv_report_text(w->tree, "kind", "%s",
                   bt_level(page) == 0 ? "leaf" : "inner");
    kv_report_count(w->tree, bt_level(page) == 0 ? "keys" : "separators",
                    bt_count(page));
    kv_report_share(w->tree, "fill",
                    (double)bt_page_used(page) / (double)capacity);
}

static kv_status walk_tree(walk *w, uint64_t id, unsigned level, kv_slice low,
                           kv_slice high);

// A copy is walked: what loads its children may let go of the page itself.
static kv_status walk_children(walk *w, const uint8_t *page, kv_slice low,
                               kv_slice high)
{
    size_t count = bt_count(page);
    kv_buf left = {0}, right = {0};
    kv_buf_append(&left, low);
    kv_status st = KV_OK;
    for (size_t i = 0; i <= count && st == KV_OK; i++) {
        kv_slice above = high;
        if (i < count) {
            bt_page_key(page, i, &right);
            above = kv_buf_slice(&right);
        }
        kv_slice below = i == 0 ? low : kv_buf_slice(&left);
        if (w->drawing != NULL) {
            bt_draw_child(w->drawing, bt_page_id(page), bt_page_child(page, i),
                          i == 0 ? (kv_slice){0} : below);
        }
        st = walk_tree(w, bt_page_child(page, i), bt_level(page) - 1, below,
                       above);
        kv_buf_set(&left, kv_buf_slice(&right));
    }
    kv_buf_free(&left);
    kv_buf_free(&right);
    return st;
}

static kv_status walk_leaf(walk *w, const uint8_t *page)
{
    for (size_t i = 0; i < bt_count(page); i++) {
        bt_cell cell;
        bt_cell_read(page, i, &cell);
        w->keys++;
        if (cell.page_id != 0) KV_TRY(walk_chain(w, &cell));
    }
    return KV_OK;
}

static kv_status check_count(const walk *w, const uint8_t *page)
{
    bool is_root = bt_page_id(page) == w->store->shape.root;
    bool is_leaf = bt_level(page) == 0;
    if (bt_count(page) > 0 || (is_root && is_leaf)) return KV_OK;
    return bt_page_bad(bt_page_id(page), bt_page_bytes(page),
                       "is empty"); // B3
}

static kv_status walk_tree(walk *w, uint64_t id, unsigned level, kv_slice low,
                           kv_slice high)
{
    const uint8_t *page;
    KV_TRY(visit_page(w, id, &page));
    KV_TRY(bt_tree_expect(page, level)); // B1
    KV_TRY(check_count(w, page));
    KV_TRY(check_bounds(page, low, high));
    note_page(w, page);
    uint8_t *copy = kv_alloc(bt_page_bytes(page));
    memcpy(copy, page, bt_page_bytes(page));
    kv_status st =
        level > 0 ? walk_children(w, copy, low, high) : walk_leaf(w, copy);
    kv_free(copy);
    if (w->tree != NULL) kv_report_end(w->tree);
    // Between pages nothing is held: what was retired can be reused.
    bt_epochs_leave(&w->store->cache.epochs);
    bt_epochs_enter(&w->store->cache.epochs);
    return st;
}

static kv_status meet_free(void *arg, uint64_t id, bool is_own)
{
    walk *w = arg;
    if (is_own) w->list_pages++;
    else w->free_pages++;
    return meet(w, id);
}

static kv_status walk_all(walk *w)
{
    bt_store *s = w->store;
    const uint8_t *root;
    kv_slice none = {0};
    bt_tx_begin(&s->tx, s->seq + 1, &s->shape);
    KV_TRY(bt_tx_read(&s->tx, s->shape.root, &root));
    w->levels = bt_level(root) + 1u;
    KV_TRY(walk_tree(w, s->shape.root, bt_level(root), none, none));
    return bt_freelist_walk(&s->tx, meet_free, w);
}

static kv_status walk_store(walk *w)
{
    bt_store *s = w->store;
    // Memory for pages that are met, however many a superblock tells of.
    size_t known_bytes = (size_t)s->shape.page_count / 8 + 1;
    w->is_known = kv_reserve(known_bytes);
    w->scratch = kv_alloc(s->config.page_bytes);
    bt_epochs_enter(&s->cache.epochs);
    kv_status st = walk_all(w);
    bt_epochs_leave(&s->cache.epochs);
    kv_unreserve(w->is_known, known_bytes);
    kv_free(w->scratch);
    return st;
}

// ---- check ------------------------------------------------------------------

static kv_status check_sums(const walk *w)
{
    const bt_shape *shape = &w->store->shape;
    uint32_t page_bytes = w->store->config.page_bytes;
    uint64_t pages =
        BT_FIRST_PAGE + w->chain_pages + w->free_pages + w->list_pages;
    for (unsigned i = 0; i < w->levels; i++) pages += w->level[i].pages;
    if (w->keys != shape->key_count) {
        return bt_page_bad(shape->root, page_bytes,
                           "leads to %" PRIu64 " keys, and should to %" PRIu64,
                           w->keys, shape->key_count);
    }
    if (pages == shape->page_count) return KV_OK;
    return bt_page_bad(shape->root, page_bytes,
                       "leads to %" PRIu64 " of %" PRIu64
                       " pages, superblocks and free ones included",
                       pages, shape->page_count);
}

static kv_status check_super(bt_store *s, uint64_t page_id)
{
    uint8_t bytes[BT_SUPER_BYTES];
    bt_super super;
    uint64_t at = page_id * s->config.page_bytes;
    KV_TRY(kv_file_read_all(s->file, at, bytes, sizeof bytes,
                            kv_for(KV_FOR_READ)));
    return bt_super_decode(kv_slice_of(bytes, sizeof bytes), at, &super);
}

// What is behind a superblock in its page is 0 (F6).
static kv_status check_behind_super(bt_store *s, uint64_t page_id)
{
    uint32_t page_bytes = s->config.page_bytes;
    uint64_t at = page_id * page_bytes;
    uint8_t *page = kv_alloc(page_bytes);
    kv_status st =
        kv_file_read_all(s->file, at, page, page_bytes, kv_for(KV_FOR_READ));
    for (size_t i = BT_SUPER_BYTES; i < page_bytes && st == KV_OK; i++) {
        if (page[i] == 0) continue;
        st = kv_fail(KV_CORRUPT,
                     "%s: page %" PRIu64 ": byte %" PRIu64
                     ", behind the superblock, should be 0",
                     bt_file_name, page_id, at + i);
    }
    kv_free(page);
    return st;
}

// The store needs one. That the other is bad is told and is no damage: a crash
// may have torn it, and the next checkpoint or close writes it anew.
static kv_status check_supers(bt_store *s, kv_report *report)
{
    if (s->file == NULL) return KV_OK;
    uint64_t used = s->super.counter % 2;
    KV_TRY(check_super(s, used));
    for (uint64_t id = 0; id < BT_FIRST_PAGE; id++) {
        bool is_known = s->super.minor <= BT_FORMAT_MINOR;
        if (is_known) KV_TRY(check_behind_super(s, id));
    }
    kv_status st = check_super(s, 1 - used);
    if (st == KV_OK || st == KV_IO) return st;
    kv_report_text(report, "superblocks",
                   "only the one at byte %" PRIu64 " is good",
                   used * s->config.page_bytes);
    return KV_OK;
}

static kv_status check_log(bt_store *s)
{
    kv_file *file = NULL;
    if (s->wal.log.file == NULL) return KV_OK;
    uint64_t number = s->wal.log.id.number;
    kv_recordlog_id expect = bt_wal_id(s->config.store_id, number);
    bt_wal_name name = bt_wal_name_of(number);
    kv_status st = kv_file_open(s->config.disk, name.text,
                                (kv_open_how){.mode = KV_OPEN_READ},
                                kv_for(KV_FOR_READ), &file);
    if (st == KV_NOT_FOUND) {
        return kv_fail(KV_CORRUPT, "%s: is gone", name.text);
    }
    KV_TRY(st);
    kv_recovery found;
    st = kv_recordlog_recover(file, &expect, NULL, NULL, kv_for(KV_FOR_READ),
                              &found);
    kv_file_close(file);
    return st;
}

typedef struct look {
    bt_store *store;
    const char *what;
    kv_report *report;
} look;

static kv_status check_quietly(void *arg)
{
    look *l = arg;
    bt_store *s = l->store;
    walk w = {.store = s, .checks_disk = s->file != NULL};
    kv_mutex_lock(&s->work);
    kv_status st = walk_store(&w);
    if (st == KV_OK) st = check_sums(&w);
    if (st == KV_OK) st = check_supers(s, l->report);
    if (st == KV_OK) st = check_log(s);
    kv_mutex_unlock(&s->work);
    kv_report_count(l->report, "levels", w.levels);
    kv_report_count(l->report, "keys", w.keys);
    kv_report_count(l->report, "leaves", w.level[0].pages);
    kv_report_count(l->report, "pages of long values", w.chain_pages);
    kv_report_count(l->report, "free pages", w.free_pages + w.list_pages);
    return st;
}

kv_status bt_look_check(bt_store *s, kv_report *report)
{
    look l = {s, NULL, report};
    return kv_commit_exclusive(&s->line, check_quietly, &l);
}

// ---- inspect ----------------------------------------------------------------

static void report_levels(const walk *w, kv_report *report)
{
    size_t capacity = bt_page_capacity(w->store->config.page_bytes);
    for (unsigned level = w->levels; level-- > 0;) {
        const level_facts *f = &w->level[level];
        kv_report_begin(report, "level %u", level);
        kv_report_count(report, "pages", f->pages);
        kv_report_ratio(report,
                        level == 0 ? "keys a page" : "separators a page",
                        (double)f->slots / (double)f->pages);
        kv_report_share(report, "fill",
                        (double)f->used_bytes / (double)(f->pages * capacity));
        if (level == 0 && f->pages > 1) {
            kv_report_share(report, "next to each other in the file",
                            (double)w->neighbours / (double)(f->pages - 1));
        }
        kv_report_end(report);
    }
}

static void report_rest(const walk *w, kv_report *report)
{
    const bt_store *s = w->store;
    kv_report_count(report, "pages", s->shape.page_count);
    kv_report_bytes(report, "page size", s->config.page_bytes);
    kv_report_count(report, "keys", s->shape.key_count);
    kv_report_count(report, "pages of long values", w->chain_pages);
    kv_report_count(report, "free pages", w->free_pages + w->list_pages);
    kv_report_count(report, "commits", s->seq);
    kv_report_text(report, "journal", "%s", s->config.is_cow ? "cow" : "log");
    kv_report_begin(report, "squeezed since it was opened");
    kv_report_count(report, "pages merged", s->squeeze.merged);
    kv_report_count(report, "pages moved", s->squeeze.moved);
    kv_report_end(report);
    kv_report_begin(report, "cache");
    kv_report_count(report, "frames", atomic_load(&s->cache.frames_held));
    kv_report_count(report, "of so many", s->cache.frames_budget);
    kv_report_count(report, "dirty pages", atomic_load(&s->cache.dirty_count));
    kv_report_count(report, "versions kept", atomic_load(&s->cache.kept_count));
    kv_report_end(report);
    if (s->wal.log.file == NULL) return;
    kv_report_begin(report, "log");
    kv_report_text(report, "file", "%s", bt_wal_name_of(s->log_number).text);
    kv_report_bytes(report, "bytes", s->wal.log.size);
    kv_report_text(report, "recovery begins with", "%s",
                   bt_wal_name_of(s->super.log).text);
    kv_report_end(report);
}

static kv_status report_page(bt_store *s, uint64_t id, kv_report *report)
{
    const uint8_t *page;
    kv_buf key = {0};
    if (id < BT_FIRST_PAGE || id >= s->shape.page_count) {
        return kv_fail(KV_INVALID, "there is no page %" PRIu64, id);
    }
    KV_TRY(bt_tx_read(&s->tx, id, &page));
    bt_kind kind = bt_kind_of(page);
    static const char *const words[] = {"?", "leaf", "inner", "overflow",
                                        "free list"};
    kv_report_text(report, "kind", "%s", words[kind]);
    kv_report_count(report, "commit", bt_lsn(page));
    if (kind == BT_OVERFLOW) {
        kv_report_bytes(report, "of a value", bt_overflow_bytes(page).len);
        return KV_OK;
    }
    kv_report_count(report, "entries", bt_count(page));
    if (kind == BT_FREE_LIST) return KV_OK;
    kv_report_share(report, "fill",
                    (double)bt_page_used(page) /
                        (double)bt_page_capacity(bt_page_bytes(page)));
    for (size_t i = 0; i < bt_count(page); i++) {
        bt_page_key(page, i, &key);
        kv_report_key(report, kind == BT_LEAF ? "key" : "separator",
                      kv_buf_slice(&key));
    }
    kv_buf_free(&key);
    return KV_OK;
}

static kv_status inspect_page(bt_store *s, uint64_t id, kv_report *report)
{
    bt_tx_begin(&s->tx, s->seq + 1, &s->shape);
    bt_epochs_enter(&s->cache.epochs);
    kv_status st = report_page(s, id, report);
    bt_epochs_leave(&s->cache.epochs);
    return st;
}

// Everything, by a walk over it: as figures, as an outline, or as a drawing.
static kv_status inspect_all(bt_store *s, const char *what, kv_report *report)
{
    walk w = {.store = s};
    if (what != NULL && strcmp(what, "tree") == 0) w.tree = report;
    if (what != NULL && strcmp(what, "graphviz") == 0) w.drawing = report;
    if (w.drawing != NULL) bt_draw_begin(report);
    kv_mutex_lock(&s->work);
    kv_status st = walk_store(&w);
    if (st == KV_OK && what == NULL) {
        report_levels(&w, report);
        report_rest(&w, report);
    }
    kv_mutex_unlock(&s->work);
    if (w.drawing != NULL) bt_draw_end(report);
    return st;
}

static kv_status inspect_quietly(void *arg)
{
    look *l = arg;
    uint64_t id = 0;
    int end = 0; // 19 digits always fit
    if (l->what != NULL &&
        sscanf(l->what, "page %19" SCNu64 "%n", &id, &end) == 1 &&
        l->what[end] == '\0') {
        return inspect_page(l->store, id, l->report);
    }
    if (l->what != NULL && strcmp(l->what, "tree") != 0 &&
        strcmp(l->what, "graphviz") != 0) {
        return kv_fail(KV_INVALID,
                       "there is no part \"%s\": ask for tree, graphviz, "
                       "metrics, or page N",
                       l->what);
    }
    return inspect_all(l->store, l->what, l->report);
}

kv_status bt_look_inspect(bt_store *s, const char *what, kv_report *report)
{
    look l = {s, what, report};
    return kv_commit_exclusive(&s->line, inspect_quietly, &l);
}
