// cache.c -- see cache.h.
// SPDX-License-Identifier: MIT

#include <assert.h>
#include <inttypes.h>

#include "common/mem.h"

#include "frame.h"

enum {
    LARGE_FROM = 1 << 20, // bytes of pages that tiny stores do with
    GROWTH = 16,          // addresses for so many budgets of versions
    CLEAN_PART = 32,      // of the frames, and
    CLEAN_MIN = 256,      // so many, but no more than an eighth: not dirty
};

// ---- open and close ---------------------------------------------------------

void bt_cache_open(bt_cache *c, const bt_cache_config *config)
{
    c->config = *config;
    while (1u << c->shift < config->page_bytes) c->shift++;
    // The rest is for the table and for what is on its way to the file.
    uint64_t for_frames = config->memory_bytes - config->memory_bytes / 16;
    size_t budget =
        (size_t)(for_frames / (config->page_bytes + sizeof(bt_frame)));
    c->frames_budget = budget > BT_FRAMES_MIN ? budget : BT_FRAMES_MIN;
    c->frames_max = c->frames_budget * GROWTH + (1 << 16);
    c->sweep_at = BT_SWEEP_MIN;
    c->table = kv_reserve(BT_PAGES_MAX * sizeof *c->table);
    c->written = kv_reserve(BT_PAGES_MAX * sizeof *c->written);
    c->frames = kv_reserve(c->frames_max * sizeof *c->frames);
    c->used = kv_reserve(c->frames_max);
    c->pages = kv_reserve(c->frames_max << c->shift);
    kv_reserve_large(c->pages + LARGE_FROM,
                     (c->frames_max << c->shift) - LARGE_FROM);
    bt_epochs_init(&c->epochs);
    kv_mutex_init(&c->lock);
    for (int i = 0; i < BT_LOADING_LOCKS; i++) kv_mutex_init(&c->loading[i]);
    c->has_locks = true;
}

void bt_cache_close(bt_cache *c)
{
    if (!c->has_locks) return;
    kv_unreserve(c->table, BT_PAGES_MAX * sizeof *c->table);
    kv_unreserve(c->written, BT_PAGES_MAX * sizeof *c->written);
    kv_unreserve(c->frames, c->frames_max * sizeof *c->frames);
    kv_unreserve(c->used, c->frames_max);
    kv_unreserve(c->pages, c->frames_max << c->shift);
    bt_epochs_free(&c->epochs);
    bt_ids_free(&c->ready);
    kv_mutex_free(&c->lock);
    for (int i = 0; i < BT_LOADING_LOCKS; i++) kv_mutex_free(&c->loading[i]);
    c->has_locks = false;
    c->table = NULL;
}

// ---- reading ----------------------------------------------------------------

bt_seen bt_cache_see_private(const bt_cache *c, uint64_t id, uint64_t snapshot,
                             uintptr_t entry, const uint8_t **page)
{
    bt_frame *base = atomic_load(&bt_frame_at(c, entry)->older);
    // Still private: publishing, which may take versions out of the chain, has
    // not begun when `older` was read.
    if (base == NULL || atomic_load(&c->table[id]) != entry) return BT_CHANGED;
    if (bt_lsn(bt_frame_bytes(c, base)) > snapshot) return BT_CHANGED;
    *page = bt_frame_bytes(c, base);
    return BT_SEEN;
}

bt_seen bt_cache_see_at(const bt_cache *c, uint64_t id, uint64_t snapshot,
                        const uint8_t **page)
{
    if (id >= BT_PAGES_MAX) return BT_ABSENT;
    uintptr_t entry = atomic_load(&c->table[id]);
    if (entry == 0) return BT_ABSENT;
    bt_frame *f = bt_frame_at(c, entry);
    if (entry & 1) f = atomic_load(&f->older);
    while (f != NULL && bt_lsn(bt_frame_bytes(c, f)) > snapshot) {
        f = atomic_load(&f->older);
    }
    if (f == NULL) return BT_CHANGED;
    atomic_store_explicit(&c->used[f - c->frames], 1, memory_order_relaxed);
    *page = bt_frame_bytes(c, f);
    return BT_SEEN;
}

static kv_status read_page(bt_cache *c, uint64_t id, uint8_t *to, kv_why why)
{
    const bt_cache_config *config = &c->config;
    if (id < BT_FIRST_PAGE || id >= BT_PAGES_MAX) {
        return bt_page_bad(id, config->page_bytes,
                           "is referred to, and cannot be");
    }
    KV_TRY(kv_file_read_all(config->file, id << c->shift, to,
                            config->page_bytes, why));
    KV_TRY(bt_page_verify(to, config->page_bytes, id, config->store_id));
    if (bt_lsn(to) <= bt_cache_visible(c) || c->is_recovering) return KV_OK;
    return bt_page_bad(id, config->page_bytes,
                       "is of commit %" PRIu64 ", which has not been yet",
                       bt_lsn(to));
}

// K6. Wants the lock. Halves of numbers are compared by their difference: newer
// is what a commit that failed left on a page that is free.
static kv_status expect_written(const bt_cache *c, uint64_t id,
                                const uint8_t *page)
{
    uint32_t written = c->written[id];
    if (written == 0 || (uint32_t)bt_lsn(page) - written <= INT32_MAX) {
        return KV_OK;
    }
    return kv_fail(KV_IO,
                   "%s: page %" PRIu64 " at byte %" PRIu64
                   " reads as it was before it was last written: the disk has "
                   "lost a write; reopen the store, whose log has it",
                   bt_file_name, id, id << c->shift);
}

static kv_status load_locked(bt_cache *c, uint64_t id, kv_why why)
{
    if (atomic_load(&c->table[id]) != 0) return KV_OK; // somebody else did
    kv_mutex_lock(&c->lock);
    bt_frame *f = bt_frame_take(c, id, BT_FRAME_LIMBO);
    kv_mutex_unlock(&c->lock);
    if (f == NULL) return kv_fail(KV_NO_SPACE, "no frame for a page");
    kv_status st = read_page(c, id, bt_frame_bytes(c, f), why);
    kv_mutex_lock(&c->lock);
    if (st == KV_OK) st = expect_written(c, id, bt_frame_bytes(c, f));
    if (st == KV_OK) {
        c->loaded++;
        f->state = BT_FRAME_CURRENT;
        atomic_store(&c->table[id], bt_frame_entry(c, f));
    } else {
        bt_frame_release(c, f);
    }
    kv_mutex_unlock(&c->lock);
    return st;
}

kv_status bt_cache_load(bt_cache *c, uint64_t id, kv_why why)
{
    uint8_t none;
    if (id >= BT_PAGES_MAX) return read_page(c, id, &none, why);
    kv_mutex *loading = &c->loading[id % BT_LOADING_LOCKS];
    kv_mutex_lock(loading);
    kv_status st = load_locked(c, id, why);
    kv_mutex_unlock(loading);
    return st;
}

// ---- writing back -----------------------------------------------------------

size_t bt_cache_dirty_max(const bt_cache *c)
{
    size_t frames = bt_frame_allowance(c) - bt_frame_pinned(c);
    size_t clean = frames / CLEAN_PART;
    if (clean < CLEAN_MIN) clean = CLEAN_MIN;
    return frames - (clean < frames / 8 ? clean : frames / 8);
}

void bt_cache_shrink(bt_cache *c)
{
    kv_mutex_lock(&c->lock);
    bt_frame_shrink(c);
    kv_mutex_unlock(&c->lock);
}

static void list_frames(bt_cache *c, bool is_all, bt_ids *ids)
{
    for (size_t i = 0; i < c->frames_made; i++) {
        const bt_frame *f = &c->frames[i];
        if (is_all ? f->is_dirty : f->is_wanted) bt_ids_add(ids, f->page_id);
    }
}

void bt_cache_dirty_ids(bt_cache *c, bt_ids *ids)
{
    kv_mutex_lock(&c->lock);
    list_frames(c, true, ids);
    assert(ids->count == atomic_load(&c->dirty_count));
    kv_mutex_unlock(&c->lock);
    bt_ids_sort(ids);
}

void bt_cache_wanted_ids(bt_cache *c, size_t count, bt_ids *ids)
{
    kv_mutex_lock(&c->lock);
    bt_frame_want(c, count);
    list_frames(c, false, ids);
    kv_mutex_unlock(&c->lock);
    bt_ids_sort(ids);
}

// The newest version that was published, or NULL. Wants the lock.
static bt_frame *published(bt_cache *c, uint64_t id)
{
    uintptr_t entry = atomic_load(&c->table[id]);
    if (entry == 0) return NULL;
    bt_frame *f = bt_frame_at(c, entry);
    return entry & 1 ? atomic_load(&f->older) : f;
}

bool bt_cache_copy_dirty(bt_cache *c, uint64_t id, uint8_t *to)
{
    kv_mutex_lock(&c->lock);
    const bt_frame *f = published(c, id);
    bool is_dirty = f != NULL && f->is_dirty;
    if (is_dirty) memcpy(to, bt_frame_bytes(c, f), c->config.page_bytes);
    kv_mutex_unlock(&c->lock);
    return is_dirty;
}

void bt_cache_written(bt_cache *c, uint64_t id, uint64_t lsn)
{
    kv_mutex_lock(&c->lock);
    bt_frame *f = published(c, id);
    if (f != NULL && f->is_dirty && bt_lsn(bt_frame_bytes(c, f)) == lsn) {
        c->written[id] = (uint32_t)lsn;
        if (f->is_wanted) bt_ids_add(&c->ready, id);
        bt_frame_clean(c, f);
        atomic_fetch_sub(&c->dirty_count, 1);
    }
    kv_mutex_unlock(&c->lock);
}

uint64_t bt_cache_memory(bt_cache *c)
{
    kv_mutex_lock(&c->lock);
    uint64_t bytes = c->frames_held * c->config.page_bytes +
                     c->frames_made * (sizeof(bt_frame) + sizeof *c->used) +
                     c->ids_limit * (sizeof *c->table + sizeof *c->written);
    kv_mutex_unlock(&c->lock);
    return bytes;
}

void bt_cache_read_stats(bt_cache *c, bt_cache_stats *out)
{
    kv_mutex_lock(&c->lock);
    *out = (bt_cache_stats){
        .loaded = c->loaded,
        .evicted = c->evicted,
        .frames_held = c->frames_held,
        .frames_budget = c->frames_budget,
        .dirty_count = atomic_load(&c->dirty_count),
        .oldest_seq = c->oldest != NULL ? c->oldest->seq : c->visible,
        .kept_count = atomic_load(&c->kept_count),
    };
    for (bt_snapshot *s = c->oldest; s != NULL; s = s->next) out->snapshots++;
    kv_mutex_unlock(&c->lock);
}
