// get.c -- one key, looked for from the newest place to the oldest; see
// store.h.
// SPDX-License-Identifier: MIT

#include <inttypes.h>

#include "common/hash.h"

#include "store.h"

// ---- memtables --------------------------------------------------------------

// What a memtable says: KV_OK and the value, KV_NOT_FOUND because the key was
// deleted (*is_known), or KV_NOT_FOUND because it does not know.
static kv_status ask_memtable(lsm_store *s, const lsm_memtable *m,
                              const char *which, kv_slice key, uint64_t hash,
                              uint64_t seq, kv_buf *value, bool *is_known)
{
    lsm_entry e;
    uint64_t gone = lsm_memtable_range_seq(m, key, seq);
    bool has_entry = lsm_memtable_get(m, key, hash, seq, &e);
    bool is_found = has_entry && e.kind == LSM_PUT && e.seq > gone;
    *is_known = has_entry || gone > 0;
    if (is_found) kv_buf_set(value, e.value);
    EXPLAIN(s->explain, "%s memtable: %s", which,
            is_found                    ? "found; no disk read"
            : has_entry && e.seq > gone ? "a tombstone: the key is gone"
            : gone > 0                  ? "a range tombstone: the key is gone"
                                        : "does not have the key");
    return is_found ? KV_OK : KV_NOT_FOUND;
}

static kv_status ask_memtables(lsm_store *s, const lsm_view *view, uint64_t seq,
                               kv_slice key, uint64_t hash, kv_buf *value,
                               bool *is_known)
{
    kv_status st = ask_memtable(s, view->active, "active", key, hash, seq,
                                value, is_known);
    for (size_t i = 0; i < view->frozen_count && !*is_known; i++) {
        st = ask_memtable(s, view->frozen[i], "frozen", key, hash, seq, value,
                          is_known);
    }
    return st;
}

// ---- tables -----------------------------------------------------------------

static kv_status ask_table(lsm_store *s, lsm_table *t, uint32_t level,
                           kv_slice key, uint64_t hash, kv_buf *value,
                           bool *is_known)
{
    lsm_found found = {0};
    uint64_t gone = lsm_spans_seq(&t->ranges, key);
    kv_status st = lsm_table_get(t, key, hash, LSM_SEQ_MAX, &found);
    if (st != KV_OK && st != KV_NOT_FOUND) return st;
    unsigned slot = kv_thread_slot();
    kv_count(&s->gets[slot].steps[level][found.step], slot, 1);
    *is_known = st == KV_OK || gone > 0;
    if (st == KV_NOT_FOUND) return st;
    bool is_found = found.kind == LSM_PUT && found.seq > gone;
    if (is_found) kv_buf_set(value, found.value);
    lsm_found_release(&found);
    EXPLAIN(s->explain, "table %" PRIu64 " in level %" PRIu32 ": %s",
            t->id.number, level,
            is_found ? "found" : "a tombstone: the key is gone");
    return is_found ? KV_OK : KV_NOT_FOUND;
}

static kv_status ask_tables(lsm_store *s, const lsm_version *v, kv_slice key,
                            uint64_t hash, kv_buf *value)
{
    for (size_t i = 0; i < v->run_count; i++) {
        lsm_table *t = lsm_run_find(&v->runs[i], key);
        if (t == NULL) {
            EXPLAIN(s->explain,
                    "level %" PRIu32 ", run %" PRIu64 ": no table's key range "
                    "holds it",
                    v->runs[i].level, v->runs[i].id);
            continue;
        }
        bool is_known = false;
        kv_status st =
            ask_table(s, t, v->runs[i].level, key, hash, value, &is_known);
        if (st != KV_NOT_FOUND || is_known) return st;
    }
    return KV_NOT_FOUND;
}

// ---- get --------------------------------------------------------------------

static void count_from_memtables(lsm_store *s, uint64_t count)
{
    unsigned slot = kv_thread_slot();
    kv_count(&s->gets[slot].from_memtable, slot, count);
}

static kv_status get_in_view(lsm_store *s, const lsm_view *view, uint64_t seq,
                             kv_slice key, kv_buf *value)
{
    bool is_known;
    uint64_t hash = kv_hash(key, LSM_HASH_SEED);
    kv_status st = ask_memtables(s, view, seq, key, hash, value, &is_known);
    if (!is_known) return ask_tables(s, view->version, key, hash, value);
    count_from_memtables(s, 1);
    return st;
}

kv_status lsm_store_get(lsm_store *s, kv_slice key, kv_buf *value)
{
    uint64_t seq;
    lsm_view *view = lsm_gate_enter(&s->gate, &seq);
    kv_status st = get_in_view(s, view, seq, key, value);
    lsm_gate_leave(&s->gate, view);
    return st;
}

// ---- many gets --------------------------------------------------------------

enum { GETS_AT_ONCE = 16 }; // about as many misses as a processor overlaps

// Keys that no memtable knows: which, and where each is looked for now.
typedef struct search {
    size_t count;
    struct {
        size_t i; // of the key
        uint64_t hash;
        lsm_table *table; // of this run, or NULL
    } at[GETS_AT_ONCE];
} search;

// Asks one run for all keys. Three passes: by the time the second one looks at
// a filter, or the third one into a block, the processor has been fetching it
// while we were busy with the other keys.
static kv_status ask_run(lsm_store *s, const lsm_run *run, search *all,
                         const kv_slice *keys, kv_buf *values, bool *found)
{
    for (size_t n = 0; n < all->count; n++) {
        all->at[n].table = lsm_run_find(run, keys[all->at[n].i]);
        if (all->at[n].table == NULL) continue;
        lsm_table_prefetch_filter(all->at[n].table, all->at[n].hash);
    }
    for (size_t n = 0; n < all->count; n++) {
        if (all->at[n].table == NULL) continue;
        lsm_table_prefetch_block(all->at[n].table, keys[all->at[n].i],
                                 all->at[n].hash);
    }
    size_t left = 0;
    for (size_t n = 0; n < all->count; n++) {
        size_t i = all->at[n].i;
        bool is_known = false;
        kv_status st = KV_NOT_FOUND;
        if (all->at[n].table != NULL) {
            st = ask_table(s, all->at[n].table, run->level, keys[i],
                           all->at[n].hash, &values[i], &is_known);
        }
        if (st != KV_OK && st != KV_NOT_FOUND) return st;
        found[i] = st == KV_OK;
        if (st == KV_NOT_FOUND && !is_known) all->at[left++] = all->at[n];
    }
    all->count = left;
    return KV_OK;
}

static kv_status get_some(lsm_store *s, const lsm_view *view, uint64_t seq,
                          size_t count, const kv_slice *keys, kv_buf *values,
                          bool *found)
{
    search all = {0};
    for (size_t i = 0; i < count; i++) {
        bool is_known;
        uint64_t hash = kv_hash(keys[i], LSM_HASH_SEED);
        kv_status st =
            ask_memtables(s, view, seq, keys[i], hash, &values[i], &is_known);
        found[i] = st == KV_OK;
        if (is_known) continue;
        all.at[all.count].i = i;
        all.at[all.count++].hash = hash;
    }
    count_from_memtables(s, count - all.count);
    const lsm_version *v = view->version;
    for (size_t i = 0; i < v->run_count && all.count > 0; i++) {
        KV_TRY(ask_run(s, &v->runs[i], &all, keys, values, found));
    }
    return KV_OK;
}

// All from one view.
kv_status lsm_store_get_many(lsm_store *s, size_t count, const kv_slice *keys,
                             kv_buf *values, bool *found)
{
    uint64_t seq;
    kv_status st = KV_OK;
    lsm_view *view = lsm_gate_enter(&s->gate, &seq);
    for (size_t i = 0; i < count && st == KV_OK; i += GETS_AT_ONCE) {
        size_t some = count - i < GETS_AT_ONCE ? count - i : GETS_AT_ONCE;
        st = get_some(s, view, seq, some, keys + i, values + i, found + i);
    }
    lsm_gate_leave(&s->gate, view);
    return st;
}
