// budget.c -- who has how much of the memory; see store.h.
// SPDX-License-Identifier: MIT
//
//   ├──────────────────────────── --memory ──────────────────────────────┤
//   │ filters, indexes │ memtables: active, frozen, spare │ cached blocks │
//     of every table     3 of up to `share` each, and the   what is left,
//     there is           eighth by which an arena is larger  a 16th at least
//
// Filters and indexes must be there: without them a get reads every table. So
// they come first, and memtables share what they and the least cache leave:
//
//   share = (memory - tables - memory/16) / (3 · 9/8)
//           at most the knob memtable_bytes, at least memory/64
//
// It is worked out anew for each new memtable: the more tables, the smaller.
// Sizes go in steps of a 64th of the memory, so that the arena of a memtable
// that is gone mostly fits the next.
//
// The cache has what is not used: all that memtables do not have after a rest,
// and, from the moment they do, what their largest demand since leaves it. So
// who only reads reads from a large cache, and who writes does not throw it
// away and fill it again with each flush. If even the least cache would be over
// the budget, the spare arena goes.
//
// A rest is when everything is done; and when blocks had to leave the cache, as
// many bytes of them as memtables hold back, while next to nothing was written:
// then what is held back does more good there. A cache that grew and shrank
// with each memtable would cost more than it saves.
//
// Where filters and indexes alone are more than some seven eighths of the
// memory, the least shares of the others come on top.

#include "store.h"

enum {
    CACHE_SHARE = 16, // of the memory, at least: a 16th
    STEPS = 64,       // of a memtable's size
    // An arena is an eighth larger: the last batch of a memtable may go beyond
    // its size.
    ARENA_SHARE = 8,
    FEW_SHARE = 16, // of the changes of the last memtable
    // Of a compaction, roughly:
    BUILDER_BYTES = 512 << 10,
    AHEAD_BYTES = 256 << 10, // that a walk over a run reads at once
};

static uint64_t left_of(uint64_t bytes, uint64_t taken)
{
    return bytes > taken ? bytes - taken : 0;
}

uint64_t lsm_share_of_memtable(uint64_t memory_bytes, uint64_t tables,
                               size_t memtables, uint64_t most)
{
    uint64_t left = left_of(memory_bytes, tables + memory_bytes / CACHE_SHARE);
    uint64_t share =
        left * ARENA_SHARE / (ARENA_SHARE + 1) / (uint64_t)memtables;
    uint64_t step = memory_bytes / STEPS;
    if (step > 0) share -= share % step;
    if (share < step) share = step;
    return share < most ? share : most;
}

uint64_t lsm_share_of_cache(uint64_t memory_bytes, uint64_t tables,
                            uint64_t arenas)
{
    uint64_t left = left_of(memory_bytes, tables + arenas);
    uint64_t least = memory_bytes / CACHE_SHARE;
    return left > least ? left : least;
}

// ---- of a store -------------------------------------------------------------

// With nobody in the background a frozen memtable is flushed before the writer
// goes on.
static size_t most_memtables(const lsm_store *s)
{
    return s->config.steps_inline ? 2 : s->config.frozen_max + 1;
}

// From here on it shows whether the cache is small, and nobody writes.
static void have_patience(lsm_store *s)
{
    atomic_store(&s->patience_seq, atomic_load(&s->gate.seq));
    lsm_cache_have_patience(s->cache, atomic_load(&s->attic.peak_bytes));
}

void lsm_store_note_lack(void *store)
{
    lsm_store *s = store;
    uint64_t written =
        atomic_load(&s->gate.seq) - atomic_load(&s->patience_seq);
    if (written <= atomic_load(&s->frozen_changes) / FEW_SHARE) {
        lsm_store_rest(s);
    } else {
        have_patience(s);
    }
}

lsm_memtable *lsm_store_new_memtable(lsm_store *s, uint64_t log_number,
                                     kv_slice prefix)
{
    uint64_t bytes = lsm_share_of_memtable(
        s->config.memory_bytes, atomic_load(&s->resident_bytes),
        most_memtables(s), s->config.memtable_bytes);
    s->memtable_bytes = bytes;
    if (s->active != NULL) {
        atomic_store(&s->frozen_changes, lsm_memtable_count(s->active));
    }
    have_patience(s);
    return lsm_memtable_new(log_number, bytes + bytes / ARENA_SHARE, prefix,
                            &s->attic);
}

void lsm_store_balance(lsm_store *s)
{
    uint64_t memory = s->config.memory_bytes;
    uint64_t tables = atomic_load(&s->resident_bytes);
    uint64_t arenas = atomic_load(&s->attic.bytes);
    if (tables + arenas + memory / CACHE_SHARE > memory) {
        lsm_attic_empty(&s->attic);
    }
    arenas = atomic_load(&s->attic.peak_bytes);
    lsm_cache_resize(s->cache, lsm_share_of_cache(memory, tables, arenas));
}

void lsm_store_rest(lsm_store *s)
{
    lsm_attic_empty(&s->attic);
    lsm_attic_reset_peak(&s->attic);
    have_patience(s);
    lsm_store_balance(s);
}

// What a compaction has beside its tables: a walk over each run reads ahead,
// and what is built keeps a hash of each key for the filter. At most: the
// buffers grow as they are needed.
static uint64_t buffers_of(const lsm_job *job)
{
    uint64_t runs = job->memtable != NULL ? 0 : job->pick.part_count;
    return job->pick.is_move ? 0 : BUILDER_BYTES + runs * AHEAD_BYTES;
}

static uint64_t bytes_in_memtables(lsm_store *s)
{
    lsm_view *view = lsm_gate_view(&s->gate, NULL);
    uint64_t bytes = lsm_memtable_bytes(view->active);
    for (size_t i = 0; i < view->frozen_count; i++) {
        bytes += lsm_memtable_bytes(view->frozen[i]);
    }
    lsm_view_unref(view);
    return bytes;
}

void lsm_store_memory(lsm_store *s, lsm_memory *out)
{
    lsm_cache_stats cache;
    lsm_cache_read_stats(s->cache, &cache);
    uint64_t arenas = atomic_load(&s->attic.bytes);
    *out = (lsm_memory){.budget = s->config.memory_bytes,
                        .tables = atomic_load(&s->resident_bytes),
                        .spare = atomic_load(&s->attic.kept_bytes),
                        .cache = cache.held_bytes};
    out->memtables = left_of(arenas, out->spare);
    out->all = out->tables + arenas + out->cache;
    out->used = out->tables + out->spare + out->cache + bytes_in_memtables(s);
    kv_mutex_lock(&s->work);
    if (s->flush != NULL) out->buffers += buffers_of(s->flush);
    for (size_t i = 0; i < s->job_count; i++) {
        out->buffers += buffers_of(s->jobs[i]);
    }
    kv_mutex_unlock(&s->work);
}
