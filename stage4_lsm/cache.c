// cache.c -- see cache.h.
// SPDX-License-Identifier: MIT

#include "cache.h"

#include <assert.h>

#include "common/mem.h"
#include "common/rng.h"
#include "common/thread.h"

enum {
    SHARDS_MAX = 16,
    SHARD_BYTES_MIN = 4 << 20, // at most; fewer shards for a small cache
    BATCH = 64,                // frames given up in one hold of a lock
    PROBATION_SHARE = 8,       // of the budget: an eighth
    LARGE_SHARE = 4,           // a block over a quarter of its shard is large
    USES_MAX = 3,
};

// In a frame's pins: the one who set it has the frame to himself. Set only
// under the shard's lock, or by the owner of a frame that is not published.
#define CLAIMED 0x80000000u

// A slot's word names a frame, or has a mark in its low bits. A ghost's other
// bits are its shard's evictions when it went.
static lsm_frame *frame_of(uint64_t word)
{
    bool is_frame = word != 0 && (word & LSM_SLOT_MARKS) == 0;
    return is_frame ? (lsm_frame *)(uintptr_t)word : NULL;
}

typedef struct ring {
    lsm_frame *oldest, *newest;
    size_t count;
    uint64_t bytes;
} ring;

typedef struct lsm_shard {
    _Alignas(64) kv_mutex lock; // of all but frames' atomic fields
    ring probation, protected;
    // Frames not in use: with a page that was touched, with one that is no
    // memory now, and without one. Behind `fresh` there are frames with a page
    // that were never used.
    lsm_frame *idle, *cold, *bare;
    size_t fresh, fresh_limit;
    uint64_t bytes;      // of all frames in use
    uint64_t held_bytes; // and of the idle ones
    uint64_t budget_bytes;
    uint64_t evictions;
} lsm_shard;

struct lsm_cache {
    lsm_shard shards[SHARDS_MAX];
    size_t shard_count;
    // The frames that have a page, and the pages: huge ones of the system's, so
    // that a hit costs no miss in the translation of addresses. Both are
    // reserved: what was never used is no memory.
    lsm_frame *frames;
    uint8_t *pages;
    size_t frame_count, page_bytes;
    uint64_t most_bytes;
    lsm_unpacker unpacker;
    void (*lacks)(void *arg); // or NULL
    void *lacks_arg;
    _Alignas(64) _Atomic uint64_t lost_bytes; // since patience was asked for
    _Atomic uint64_t patience_bytes;
    struct {
        _Alignas(64) _Atomic uint64_t hits;
        _Atomic uint64_t misses;
    } counts[KV_THREAD_SLOTS];
};

// ---- rings ------------------------------------------------------------------

static ring *ring_of(lsm_frame *f)
{
    return f->is_protected ? &f->shard->protected : &f->shard->probation;
}

static void push(lsm_frame *f, bool is_protected)
{
    f->is_protected = is_protected;
    ring *r = ring_of(f);
    f->next = NULL;
    f->prev = r->newest;
    *(r->newest != NULL ? &r->newest->next : &r->oldest) = f;
    r->newest = f;
    r->count++;
    r->bytes += f->size;
}

static void pull(lsm_frame *f)
{
    ring *r = ring_of(f);
    *(f->prev != NULL ? &f->prev->next : &r->oldest) = f->next;
    *(f->next != NULL ? &f->next->prev : &r->newest) = f->prev;
    r->count--;
    r->bytes -= f->size;
}

// ---- idle frames ------------------------------------------------------------

static uint64_t weight(size_t bytes) { return bytes + sizeof(lsm_frame); }

static void add_to(lsm_frame **list, lsm_frame *f)
{
    f->next = *list;
    *list = f;
}

static lsm_frame *take_from(lsm_frame **list)
{
    lsm_frame *f = *list;
    if (f != NULL) *list = f->next;
    return f;
}

static lsm_frame *take_fresh(lsm_cache *c, lsm_shard *s)
{
    if (s->fresh >= s->fresh_limit) return NULL;
    size_t i = s->fresh++ * c->shard_count + (size_t)(s - c->shards);
    lsm_frame *f = &c->frames[i];
    f->page = c->pages + i * c->page_bytes;
    f->shard = s;
    atomic_store(&f->pins, CLAIMED);
    return f;
}

// A frame with a page, if there is one: best with one that is memory already.
static lsm_frame *take_paged(lsm_cache *c, lsm_shard *s)
{
    lsm_frame *f = take_from(&s->idle);
    if (f != NULL) {
        s->held_bytes -= weight(c->page_bytes); // will count as in use
        return f;
    }
    f = take_from(&s->cold);
    return f != NULL ? f : take_fresh(c, s);
}

// Gives up the memory of an idle frame. False: there is none.
static bool chill(lsm_cache *c, lsm_shard *s)
{
    lsm_frame *f = take_from(&s->idle);
    if (f == NULL) return false;
    kv_reserve_forget(f->page, c->page_bytes);
    s->held_bytes -= weight(c->page_bytes);
    add_to(&s->cold, f);
    return true;
}

// ---- eviction ---------------------------------------------------------------

// Makes the frame, which nobody else has, one without bytes.
static void retire(lsm_shard *s, lsm_frame *f)
{
    s->bytes -= weight(f->size);
    // A page stays memory, for the next block.
    if (f->page == NULL) {
        s->held_bytes -= weight(f->size);
        kv_free(f->bytes);
    }
    f->bytes = NULL;
    f->size = 0;
    add_to(f->page != NULL ? &s->idle : &s->bare, f);
}

static bool try_claim(lsm_frame *f, uint32_t pins)
{
    return atomic_compare_exchange_strong(&f->pins, &pins, CLAIMED);
}

// Takes a published frame, which is claimed, out of its slot and ring.
static void unpublish(lsm_shard *s, lsm_frame *f, uint64_t word)
{
    atomic_store(&atomic_load(&f->home)->word, word);
    atomic_store(&f->home, NULL);
    pull(f);
    retire(s, f);
}

// Evicts one frame of the ring, oldest first, and true; those that were hit
// get another round, in the other ring if this is probation.
static bool evict_from(lsm_shard *s, ring *r)
{
    for (size_t tries = r->count * (USES_MAX + 1); tries > 0; tries--) {
        lsm_frame *f = r->oldest;
        if (f == NULL) return false;
        uint32_t uses = atomic_load_explicit(&f->uses, memory_order_relaxed);
        if (uses == 0 && try_claim(f, 0)) {
            s->evictions++;
            unpublish(s, f,
                      f->is_protected ? 0 : s->evictions << 2 | LSM_SLOT_GHOST);
            return true;
        }
        pull(f);
        push(f, f->is_protected || uses > 0);
        if (uses > 0) {
            atomic_store_explicit(&f->uses, uses - 1, memory_order_relaxed);
        }
    }
    return false;
}

static bool evict(lsm_shard *s)
{
    bool long_probation =
        s->probation.bytes > s->budget_bytes / PROBATION_SHARE;
    ring *first = long_probation ? &s->probation : &s->protected;
    ring *second = long_probation ? &s->protected : &s->probation;
    return evict_from(s, first) || evict_from(s, second);
}

// ---- claiming and publishing ------------------------------------------------

static lsm_shard *shard_of(lsm_cache *c, lsm_slot *slot)
{
    return &c->shards[kv_mix64((uintptr_t)slot) % c->shard_count];
}

static lsm_frame *new_frame(void)
{
    lsm_frame *f = kv_alloc_pages(sizeof *f);
    atomic_store(&f->pins, CLAIMED);
    return f;
}

static lsm_frame *private_frame(size_t bytes)
{
    lsm_frame *f = new_frame();
    f->bytes = kv_alloc(bytes);
    f->size = bytes;
    atomic_store(&f->pins, 1);
    return f;
}

// Evicts what would be over the budget with so many bytes more. Returns how
// many that were.
static uint64_t make_room(lsm_shard *s, uint64_t bytes)
{
    uint64_t before = s->bytes;
    while (s->bytes + bytes > s->budget_bytes && evict(s)) {
    }
    return before - s->bytes;
}

// Of all threads, the one whose loss goes beyond what was to be borne says so.
static void note_loss(lsm_cache *c, uint64_t bytes)
{
    if (bytes == 0 || c->lacks == NULL) return;
    uint64_t patience = atomic_load(&c->patience_bytes);
    uint64_t before = atomic_fetch_add(&c->lost_bytes, bytes);
    if (before < patience && before + bytes >= patience) c->lacks(c->lacks_arg);
}

lsm_frame *lsm_cache_claim(lsm_cache *c, lsm_slot *slot, size_t bytes)
{
    if (c == NULL) return private_frame(bytes);
    lsm_shard *s = shard_of(c, slot);
    bool fits_page = bytes <= c->page_bytes;
    size_t size = fits_page ? c->page_bytes : bytes;
    kv_mutex_lock(&s->lock);
    if (weight(size) > s->budget_bytes / LARGE_SHARE) {
        kv_mutex_unlock(&s->lock);
        return private_frame(bytes);
    }
    uint64_t lost_bytes = make_room(s, weight(size));
    lsm_frame *f = fits_page ? take_paged(c, s) : NULL;
    if (f == NULL) f = take_from(&s->bare);
    s->bytes += weight(size);
    s->held_bytes += weight(size);
    while (s->held_bytes > s->budget_bytes && chill(c, s)) {
    }
    kv_mutex_unlock(&s->lock);
    note_loss(c, lost_bytes);
    if (f == NULL) {
        // For good: who follows an old slot may read it at any time.
        f = new_frame();
        f->shard = s;
    }
    f->bytes = f->page != NULL ? f->page : kv_alloc(size);
    f->size = size;
    atomic_store(&f->uses, 0);
    atomic_store(&f->pins, 1);
    return f;
}

// Gives a frame that was not published back. Somebody who followed an old slot
// may have it pinned for the moment it takes to see that: wait.
static void discard(lsm_frame *f)
{
    while (!try_claim(f, 1)) {
    }
    lsm_shard *s = f->shard;
    if (s == NULL) {
        kv_free(f->bytes);
        kv_free_pages(f, sizeof *f);
        return;
    }
    kv_mutex_lock(&s->lock);
    retire(s, f);
    kv_mutex_unlock(&s->lock);
}

lsm_frame *lsm_cache_publish(lsm_frame *f, lsm_slot *slot)
{
    lsm_shard *s = f->shard;
    if (s == NULL) return f;
    kv_mutex_lock(&s->lock);
    uint64_t there = atomic_load(&slot->word);
    lsm_frame *other = frame_of(there);
    if (other != NULL) {
        // Frames leave their slot only under the lock that we hold.
        atomic_fetch_add(&other->pins, 1);
    } else {
        bool is_back = (there & LSM_SLOT_MARKS) == LSM_SLOT_GHOST &&
                       s->evictions - (there >> 2) <= s->protected.count;
        atomic_store(&f->home, slot);
        atomic_store(&slot->word, (uint64_t)(uintptr_t)f);
        push(f, is_back);
    }
    kv_mutex_unlock(&s->lock);
    if (other == NULL) return f;
    discard(f);
    return other;
}

// ---- hits -------------------------------------------------------------------

// Pins the frame if it still has its home there.
static bool try_pin(lsm_frame *f, const lsm_slot *slot)
{
    uint32_t pins = atomic_load_explicit(&f->pins, memory_order_relaxed);
    do {
        if ((pins & CLAIMED) != 0) return false;
    } while (!atomic_compare_exchange_weak_explicit(
        &f->pins, &pins, pins + 1, memory_order_acquire, memory_order_relaxed));
    if (atomic_load_explicit(&f->home, memory_order_acquire) == slot) {
        return true;
    }
    atomic_fetch_sub_explicit(&f->pins, 1, memory_order_release);
    return false;
}

lsm_frame *lsm_cache_pin(lsm_cache *c, lsm_slot *slot)
{
    if (c == NULL) return NULL;
    unsigned thread = kv_thread_slot();
    lsm_frame *f =
        frame_of(atomic_load_explicit(&slot->word, memory_order_acquire));
    if (f == NULL || !try_pin(f, slot)) {
        kv_count(&c->counts[thread].misses, thread, 1);
        return NULL;
    }
    uint32_t uses = atomic_load_explicit(&f->uses, memory_order_relaxed);
    if (uses < USES_MAX) { // not exact if threads meet; it need not be
        atomic_store_explicit(&f->uses, uses + 1, memory_order_relaxed);
    }
    kv_count(&c->counts[thread].hits, thread, 1);
    return f;
}

void lsm_frame_unpin(lsm_frame *f)
{
    if (f == NULL) return;
    // While we have it pinned, nobody but us can change whether it is
    // published.
    if (atomic_load_explicit(&f->home, memory_order_relaxed) == NULL) {
        discard(f);
    } else {
        atomic_fetch_sub_explicit(&f->pins, 1, memory_order_release);
    }
}

void lsm_cache_forget(lsm_slot *slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        lsm_frame *f = frame_of(atomic_load(&slots[i].word));
        if (f == NULL) continue;
        lsm_shard *s = f->shard;
        kv_mutex_lock(&s->lock);
        if (frame_of(atomic_load(&slots[i].word)) == f) {
            while (!try_claim(f, 0)) {
            }
            unpublish(s, f, 0);
        }
        kv_mutex_unlock(&s->lock);
    }
}

// ---- the whole --------------------------------------------------------------

// Reserves the pages; frame i is the shard's whose number is i modulo theirs.
static void make_pages(lsm_cache *c)
{
    size_t page_bytes = c->page_bytes;
    c->frame_count = (size_t)(c->most_bytes / weight(page_bytes));
    if (c->frame_count == 0) return;
    c->frames = kv_reserve(c->frame_count * sizeof *c->frames);
    c->pages = kv_reserve(c->frame_count * page_bytes);
    kv_reserve_large(c->pages, c->frame_count * page_bytes);
    for (size_t i = 0; i < c->shard_count; i++) {
        c->shards[i].fresh_limit =
            (c->frame_count + c->shard_count - 1 - i) / c->shard_count;
    }
}

lsm_cache *lsm_cache_new(uint64_t most_bytes, size_t block_bytes)
{
    lsm_cache *c = kv_alloc_pages(sizeof *c);
    c->most_bytes = most_bytes;
    c->shard_count = (size_t)(most_bytes / SHARD_BYTES_MIN);
    if (c->shard_count < 1) c->shard_count = 1;
    if (c->shard_count > SHARDS_MAX) c->shard_count = SHARDS_MAX;
    for (size_t i = 0; i < c->shard_count; i++) {
        kv_mutex_init(&c->shards[i].lock);
    }
    c->page_bytes = (block_bytes + 63) & ~(size_t)63;
    if (c->page_bytes > 0) make_pages(c);
    lsm_cache_resize(c, most_bytes);
    return c;
}

// Gives up some of what is over the budget. True if there may be more.
static bool shrink(lsm_cache *c, lsm_shard *s, uint64_t budget_bytes)
{
    bool has_more = true;
    kv_mutex_lock(&s->lock);
    s->budget_bytes = budget_bytes;
    for (int i = 0; i < BATCH && has_more; i++) {
        has_more = s->held_bytes > budget_bytes && (chill(c, s) || evict(s));
    }
    kv_mutex_unlock(&s->lock);
    return has_more;
}

void lsm_cache_resize(lsm_cache *c, uint64_t budget_bytes)
{
    if (budget_bytes > c->most_bytes) budget_bytes = c->most_bytes;
    for (size_t i = 0; i < c->shard_count; i++) {
        while (shrink(c, &c->shards[i], budget_bytes / c->shard_count)) {
        }
    }
}

void lsm_cache_watch(lsm_cache *c, void (*lacks)(void *arg), void *arg)
{
    c->lacks = lacks;
    c->lacks_arg = arg;
}

void lsm_cache_have_patience(lsm_cache *c, uint64_t bytes)
{
    atomic_store(&c->patience_bytes, bytes);
    atomic_store(&c->lost_bytes, 0);
}

lsm_unpacker *lsm_cache_unpacker(lsm_cache *c)
{
    return c != NULL ? &c->unpacker : NULL;
}

void lsm_cache_read_stats(lsm_cache *c, lsm_cache_stats *out)
{
    *out = (lsm_cache_stats){0};
    for (size_t i = 0; i < c->shard_count; i++) {
        lsm_shard *s = &c->shards[i];
        kv_mutex_lock(&s->lock);
        out->bytes += s->bytes;
        out->held_bytes += s->held_bytes;
        out->budget_bytes += s->budget_bytes;
        out->evictions += s->evictions;
        kv_mutex_unlock(&s->lock);
    }
    for (unsigned i = 0; i < KV_THREAD_SLOTS; i++) {
        out->hits += atomic_load(&c->counts[i].hits);
        out->misses += atomic_load(&c->counts[i].misses);
    }
}

void lsm_cache_free(lsm_cache *c)
{
    if (c == NULL) return;
    for (size_t i = 0; i < c->shard_count; i++) {
        lsm_shard *s = &c->shards[i];
        assert(s->bytes == 0); // every slot is forgotten
        for (lsm_frame *f; (f = take_from(&s->bare)) != NULL;) {
            kv_free_pages(f, sizeof *f);
        }
        kv_mutex_free(&s->lock);
    }
    lsm_unpacker_free(&c->unpacker);
    kv_unreserve(c->frames, c->frame_count * sizeof *c->frames);
    kv_unreserve(c->pages, c->frame_count * c->page_bytes);
    kv_free_pages(c, sizeof *c);
}
