// cache.h -- pages in memory, each in as many versions as somebody needs.
// SPDX-License-Identifier: MIT
//
//   table  (page id ─▶ frame)        frames, each one page
//   ┌───┬───┬───┬───┬───┐          ┌───────────┐  older   ┌───────────┐
//   │ 0 │ 0 │ ● │ ● │ 0 │ …    ┌──▶│ page 2, of├─────────▶│ page 2, of│
//   └───┴───┴─┼─┴─┼─┴───┘      │   │ commit 31 │          │ commit 12 │
//             └───┼────────────┘   └───────────┘          └───────────┘
//                 └──▶ a page's newest version; 0: it is on disk only
//
// Finding a page is one load from a table, no hash, no lock. That works
// because a version that readers can see never changes: the writer copies a
// page, changes the copy, and hangs it before the old one.
//
// States of a frame, and the function on each arrow:
//
//   free ──load──▶ current ◀──publish── private ◀──change, create── free
//                   │    └──change──▶ base ──publish──▶ kept ──sweep──┐
//                   │                  └──────publish───────────────┐ │
//                   └──evict (a clean one)──▶ limbo ◀───────────────┴─┘
//                                               └──(epoch.h)──▶ free
//
// Snapshots. The log position of a version is the number of the commit that
// made it; a reader at snapshot S takes the newest version of at most S. A get
// does not register its snapshot: if a version it needs is gone it begins
// again. A cursor does, and what it may need is kept.
//
// Invariants
//   K1  A version that is not private is never written to.
//   K2  A page whose table entry is 0 is on disk as its newest version, or is
//       free, and no registered snapshot needs another.
//   K3  A registered snapshot finds every version it needs: of each version
//       that a commit replaces, one with position P is kept if a snapshot of
//       at least P is registered; and what a commit that failed may have
//       written over in the file stays while a snapshot before it is.
//   K4  A dirty page stays until bt_cache_written says that it is in the file.
//   K5  Frames in memory are no more than the budget has, and a thirty-second
//       part or 64, but for what cannot go: pages of the commit in the making,
//       what somebody looks at, and versions kept for snapshots where they
//       would leave less than a quarter of the budget. Dirty pages are no
//       exception: a commit begins when no more than bt_cache_dirty_max are,
//       so that evict finds clean ones. What was beyond the budget goes back
//       to the system when it is free.
//   K6  A page that reads older than what was written of it is an error: a
//       sync that fails may undo a write, even before it says so.
//
// Locks: readers take none. `lock` guards all but the table's entries; the
// `loading` locks, taken before it, keep two threads from reading one page.
//
// Book: none; B-trees of databases sit on a cache like this one

#ifndef BT_CACHE_H
#define BT_CACHE_H

#include "common/disk.h"

#include "epoch.h"
#include "format.h"
#include "ids.h"

enum {
    BT_FRAMES_MIN = 64,     // however small the budget is
    BT_LOADING_LOCKS = 64,  // page id modulo this
    BT_LINE_BYTES = 64,     // of the processor's cache
    BT_PREFETCH_LINES = 5,  // header, prefix and some 40 slots
    BT_PAGES_MAX = 1 << 28, // of a file: 1 TiB in pages of 4 KiB
};

typedef struct bt_frame bt_frame;

// A registered moment; its memory is the caller's, until it is closed.
typedef struct bt_snapshot {
    uint64_t seq;
    uint64_t root; // of the tree then
    struct bt_snapshot *next, *previous;
} bt_snapshot;

typedef struct bt_cache_config {
    kv_file *file;
    uint32_t page_bytes;
    uint64_t store_id;
    uint64_t memory_bytes;
} bt_cache_config;

typedef struct bt_cache {
    bt_cache_config config;
    unsigned shift;            // page_bytes as a power of two
    _Atomic(uintptr_t) *table; // bytes of the newest version; bit 0: private
    uint32_t *written;         // per page: the commit of what was written of it
                               // since the store was opened, its lower half
    uint8_t *pages;            // of all frames, end to end
    bt_frame *frames;
    _Atomic uint8_t *used; // per frame: looked at since the clock's hand
    size_t frames_max;     // so many have addresses
    size_t frames_budget;
    bt_epochs epochs;
    bool is_recovering; // pages may be of commits that are still to be redone
    _Atomic uint64_t visible; // the newest commit that readers see
    _Atomic uint64_t root;    // of its tree: a page that it changed, if the
                              // commit before had another

    kv_mutex lock;
    bool has_locks;
    kv_mutex loading[BT_LOADING_LOCKS];
    bt_frame *free;
    bt_frame *limbo_first, *limbo_last;
    bt_frame *empty;            // free, and without memory
    size_t frames_made;         // addresses that were in use
    _Atomic size_t frames_held; // and have memory
    size_t free_count, limbo_count;
    size_t hand;        // of the clock
    size_t evict_pause; // takes until evict is tried again
    uint64_t ids_limit; // above every page that was in memory
    _Atomic size_t dirty_count;
    _Atomic size_t wanted_count; // dirty ones that the hand went over in vain
    bt_ids ready;                // of them, those that were written since
    bt_frame *kept;
    _Atomic size_t kept_count;
    size_t sweep_at;
    bt_snapshot *oldest, *newest;     // registered, a list
    uint64_t loaded, evicted;         // pages, since it was opened
    _Atomic uint64_t gets_with_loads; // whose way down was not all in memory
} bt_cache;

// A cache of zeroes is closed; close accepts whatever open left.
void bt_cache_open(bt_cache *c, const bt_cache_config *config);
void bt_cache_close(bt_cache *c);

// ---- reading ----------------------------------------------------------------

typedef enum bt_seen {
    BT_SEEN,    // *page is good until bt_epochs_leave
    BT_ABSENT,  // leave, bt_cache_load, and begin again
    BT_CHANGED, // a commit came between: begin again with a new snapshot
} bt_seen;

// Remembers that a page was looked at. The store is seldom needed, and a cache
// line that nobody stores to is shared for nothing.
static inline void bt_cache_touch(const bt_cache *c, const uint8_t *page)
{
    size_t frame = (size_t)(page - c->pages) >> c->shift;
    if (atomic_load_explicit(&c->used[frame], memory_order_relaxed) == 0) {
        atomic_store_explicit(&c->used[frame], 1, memory_order_relaxed);
    }
}

bt_seen bt_cache_see_private(const bt_cache *c, uint64_t id, uint64_t snapshot,
                             uintptr_t entry, const uint8_t **page);

// The version of a page for who has not registered `snapshot`. Requires that
// the thread has entered `epochs`.
static inline bt_seen bt_cache_see(const bt_cache *c, uint64_t id,
                                   uint64_t snapshot, const uint8_t **page)
{
    if (id >= BT_PAGES_MAX) return BT_ABSENT; // loading says what is wrong
    uintptr_t entry = atomic_load(&c->table[id]);
    if (entry == 0) return BT_ABSENT;
    if (entry & 1) return bt_cache_see_private(c, id, snapshot, entry, page);
    const uint8_t *bytes = (const uint8_t *)entry;
    if (bt_lsn(bytes) > snapshot) return BT_CHANGED;
    bt_cache_touch(c, bytes);
    *page = bytes;
    return BT_SEEN;
}

// Where a page is in memory, for who wants to fetch it into the processor's
// cache: an address to prefetch, never to read from. NULL: it is on disk only.
static inline const uint8_t *bt_cache_where(const bt_cache *c, uint64_t id)
{
    if (id >= BT_PAGES_MAX) return NULL;
    return (const uint8_t *)(atomic_load(&c->table[id]) & ~(uintptr_t)1);
}

// Starts to fetch the front of a page, where its slots are.
static inline void bt_cache_prefetch(const bt_cache *c, uint64_t id)
{
    const uint8_t *bytes = bt_cache_where(c, id);
    if (bytes == NULL) return;
    for (int line = 0; line < BT_PREFETCH_LINES; line++) {
        __builtin_prefetch(bytes + line * BT_LINE_BYTES);
    }
}

// The same for a registered snapshot: never BT_CHANGED.
bt_seen bt_cache_see_at(const bt_cache *c, uint64_t id, uint64_t snapshot,
                        const uint8_t **page);

// Brings a page into memory. KV_CORRUPT if it is not what it should be, KV_IO
// if the disk has lost a write (K6).
// Requires that the thread has not entered `epochs`. Cost: 1 read, or none.
KV_MUST_USE kv_status bt_cache_load(bt_cache *c, uint64_t id, kv_why why);

static inline uint64_t bt_cache_visible(const bt_cache *c)
{
    return atomic_load_explicit(&c->visible, memory_order_acquire);
}

// The newest commit as a snapshot, kept until it is closed.
void bt_cache_open_snapshot(bt_cache *c, bt_snapshot *snapshot);
void bt_cache_close_snapshot(bt_cache *c, bt_snapshot *snapshot);
// Of the oldest registered snapshot; UINT64_MAX if there is none.
uint64_t bt_cache_oldest_snapshot(bt_cache *c);

// ---- the one writer ---------------------------------------------------------

// The newest version, private or not, if it is in memory; else NULL.
const uint8_t *bt_cache_newest(const bt_cache *c, uint64_t id);
bool bt_cache_is_private(const bt_cache *c, uint64_t id);
// A private copy of a page's newest version, which is not private. NULL if it
// is not in memory, or when versions kept for snapshots have filled all
// addresses.
uint8_t *bt_cache_change(bt_cache *c, uint64_t id);
// A private version of a page whose old content counts no more; its bytes are
// anything. NULL when all addresses are in use, or if a registered snapshot may
// need the old content, `keeps_old`, and it is not in memory.
uint8_t *bt_cache_create(bt_cache *c, uint64_t id, bool keeps_old);
// What a private version was copied from; NULL for a created one.
const uint8_t *bt_cache_base(const bt_cache *c, uint64_t id);
// Its own bytes.
uint8_t *bt_cache_private(const bt_cache *c, uint64_t id);
// Private versions become the newest ones that readers see, all at once, as
// commit `seq`, whose tree has that root; they are dirty.
void bt_cache_publish(bt_cache *c, const uint64_t *ids, size_t count,
                      uint64_t seq, uint64_t root);
// Private versions are forgotten. `spoiled_by`: the commit's number if it may
// have written over the pages in the file, which then only older snapshots
// need; else 0.
void bt_cache_forget(bt_cache *c, const uint64_t *ids, size_t count,
                     uint64_t spoiled_by);

// ---- writing back -----------------------------------------------------------

// So many pages may be dirty when a commit begins (K5).
size_t bt_cache_dirty_max(const bt_cache *c);
// Evicts what is clean until no more frames are in memory than there should be.
void bt_cache_shrink(bt_cache *c);
// Ids of all dirty pages, ascending, into an empty list.
void bt_cache_dirty_ids(bt_cache *c, bt_ids *ids);
// The same of those that evict would have taken, and of others that it would
// take next, until there are `count` or no more.
void bt_cache_wanted_ids(bt_cache *c, size_t count, bt_ids *ids);
// Copies a dirty page's newest published version. False if it is not dirty.
bool bt_cache_copy_dirty(bt_cache *c, uint64_t id, uint8_t *to);
// The version of that log position is in the file: the page is clean, unless
// there is a newer one.
void bt_cache_written(bt_cache *c, uint64_t id, uint64_t lsn);
// Bytes in memory for frames and the table.
uint64_t bt_cache_memory(bt_cache *c);

typedef struct bt_cache_stats {
    uint64_t loaded, evicted; // pages, since it was opened
    uint64_t frames_held, frames_budget, dirty_count;
    uint64_t snapshots;  // registered
    uint64_t oldest_seq; // of them; the newest commit if there is none
    uint64_t kept_count; // versions that they may need
} bt_cache_stats;

void bt_cache_read_stats(bt_cache *c, bt_cache_stats *out);

#endif
