// table.c -- opening a table, and finding one key; see table.h.
// SPDX-License-Identifier: MIT

#include "table.h"

#include <inttypes.h>

#include "common/mem.h"

#include "table_block.h"

// ---- opening ----------------------------------------------------------------

static kv_status open_file(lsm_table *t, kv_why why)
{
    const char *name = lsm_table_name(t->id.number).text;
    kv_status st = kv_file_open(
        t->home.disk, name, (kv_open_how){.mode = KV_OPEN_READ}, why, &t->file);
    if (st == KV_NOT_FOUND) {
        return kv_fail(KV_CORRUPT,
                       "%s: the table is missing, which the manifest lists",
                       name);
    }
    return st;
}

static kv_status read_footer(lsm_table *t, kv_why why)
{
    uint8_t bytes[LSM_FOOTER_BYTES];
    uint64_t size;
    KV_TRY(kv_file_size(t->file, &size));
    if (size < sizeof bytes) return lsm_table_damaged(t, "end (no footer)", 0);
    uint64_t at = size - sizeof bytes;
    KV_TRY(kv_file_read_all(t->file, at, bytes, sizeof bytes, why));
    kv_slice footer = kv_slice_of(bytes, sizeof bytes);
    if (!lsm_get_footer(footer, size, &t->footer)) {
        return lsm_table_damaged(t, "footer", at);
    }
    if (t->footer.id.store_id != t->id.store_id ||
        t->footer.id.number != t->id.number) {
        return kv_fail(KV_CORRUPT,
                       "%s: this is table %" PRIu64 " of store %016" PRIx64
                       ", not this store's",
                       lsm_table_name(t->id.number).text, t->footer.id.number,
                       t->footer.id.store_id);
    }
    t->props.file_bytes = size;
    return KV_OK;
}

// F6: not empty, and behind all others.
static bool follows(const lsm_spans *s, const lsm_range_tombstone *r)
{
    if (r->to.len > 0 && kv_slice_cmp(r->from, r->to) >= 0) return false;
    if (s->count == 0) return true;
    kv_slice last = s->at[s->count - 1].to;
    return last.len > 0 && kv_slice_cmp(last, r->from) <= 0;
}

static bool open_ranges(lsm_table *t, kv_slice from)
{
    // A range tombstone has at least 3 bytes.
    if (t->props.range_count > from.len / 3) return false;
    size_t count = (size_t)t->props.range_count, at = 0;
    lsm_spans *spans = &t->ranges;
    spans->at = kv_alloc(count * sizeof *spans->at);
    for (; spans->count < count; spans->count++) {
        lsm_range_tombstone *r = &spans->at[spans->count];
        kv_slice rest = kv_slice_of(from.data + at, from.len - at);
        size_t size = lsm_get_range(rest, r);
        if (size == 0 || !follows(spans, r)) return false;
        at += size;
    }
    return at == from.len;
}

// The parts behind the data blocks, by what they are called in messages.
typedef enum part { FILTER, RANGES, INDEX, PROPS, PARTS } part;
static const char *const part_names[PARTS] = {"filter", "range tombstones",
                                              "index", "properties"};

static bool open_part(lsm_table *t, part which, kv_slice payload)
{
    switch (which) {
    case FILTER:
        return lsm_filter_open(payload, &t->filter);
    case RANGES:
        return open_ranges(t, payload);
    case INDEX:
        return lsm_index_open(&t->index, payload, &t->footer);
    default:
        return lsm_get_properties(payload, &t->props) > 0;
    }
}

static kv_status read_parts(lsm_table *t, kv_why why)
{
    const lsm_footer *f = &t->footer;
    const uint64_t sizes[PARTS] = {f->filter_bytes, f->ranges_bytes,
                                   f->index_bytes, f->props_bytes};
    uint64_t bytes = 0, end = 0;
    for (int i = 0; i < PARTS; i++) bytes += sizes[i];
    t->meta_bytes = (size_t)bytes;
    t->meta = kv_alloc_pages(t->meta_bytes);
    KV_TRY(
        kv_file_read_all(t->file, f->data_bytes, t->meta, t->meta_bytes, why));
    // From the last to the first: the properties count the ranges.
    end = bytes;
    for (int i = PARTS - 1; i >= 0; i--) {
        uint64_t at = end - sizes[i];
        kv_slice stored = kv_slice_of(t->meta + at, (size_t)sizes[i]), payload;
        lsm_compression how;
        if (!lsm_unseal(stored, &t->id, f->data_bytes + at, &how, &payload) ||
            how != LSM_COMPRESS_NONE || !open_part(t, (part)i, payload)) {
            return lsm_table_damaged(t, part_names[i], f->data_bytes + at);
        }
        end = at;
    }
    return KV_OK;
}

static void free_table(lsm_table *t)
{
    if (t->slots != NULL) lsm_cache_forget(t->slots, t->index.count);
    kv_free_pages(t->slots, t->index.count * sizeof *t->slots);
    kv_file_close(t->file); // only ever read
    lsm_index_free(&t->index);
    lsm_spans_free(&t->ranges);
    kv_free_pages(t->meta, t->meta_bytes);
    kv_free(t);
}

kv_status lsm_table_open(const lsm_table_home *home, const lsm_table_id *id,
                         kv_why why, lsm_table **out)
{
    lsm_table *t = kv_zalloc(sizeof *t);
    t->refs = 1;
    t->id = *id;
    t->home = *home;
    kv_status st = open_file(t, why);
    if (st == KV_OK) st = read_footer(t, why);
    if (st == KV_OK) st = read_parts(t, why);
    if (st == KV_OK) {
        t->slots = kv_alloc_pages(t->index.count * sizeof *t->slots);
        if (home->memory_bytes != NULL) {
            atomic_fetch_add(home->memory_bytes, lsm_table_memory_bytes(t));
        }
        *out = t;
    } else {
        free_table(t);
    }
    return st;
}

lsm_table *lsm_table_ref(lsm_table *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void lsm_table_unref(lsm_table *t)
{
    if (t == NULL || atomic_fetch_sub(&t->refs, 1) != 1) return;
    if (t->home.memory_bytes != NULL) {
        atomic_fetch_sub(t->home.memory_bytes, lsm_table_memory_bytes(t));
    }
    free_table(t);
}

uint64_t lsm_table_memory_bytes(const lsm_table *t)
{
    return sizeof *t + t->meta_bytes + lsm_index_bytes(&t->index) +
           t->index.count * sizeof *t->slots +
           t->ranges.count * sizeof *t->ranges.at;
}

// ---- one key ----------------------------------------------------------------

static kv_status not_here(const lsm_table *t, lsm_step step, lsm_found *out)
{
    static const char *const why[] = {
        [LSM_STEP_FILTER] = "its filter says no",
        [LSM_STEP_INDEX] = "it ends before the key",
        [LSM_STEP_BLOCK] = "the key is not in the block"};
    EXPLAIN(t->home.explain, "table %" PRIu64 ": %s", t->id.number, why[step]);
    out->step = step;
    return KV_NOT_FOUND;
}

// Looks into block `i`. KV_NOT_FOUND leaves nothing pinned.
static kv_status look_into(lsm_table *t, size_t i, kv_slice key, uint64_t hash,
                           uint64_t seq_max, lsm_found *out)
{
    lsm_pinned p;
    lsm_entry entry;
    EXPLAIN(t->home.explain,
            "table %" PRIu64 ": the index says block %zu of %zu, at byte "
            "%" PRIu64 "%s",
            t->id.number, i, t->index.count, t->index.fences[i].offset,
            lsm_slot_is_filled(&t->slots[i]) ? ", which is in memory" : "");
    KV_TRY(lsm_table_block(t, i, kv_for(KV_FOR_READ), &p));
    if (!lsm_block_get(&p.block, key, hash, seq_max, &entry)) {
        lsm_frame_unpin(p.frame);
        return KV_NOT_FOUND;
    }
    *out = (lsm_found){.step = LSM_STEP_FOUND,
                       .kind = entry.kind,
                       .seq = entry.seq,
                       .value = entry.value,
                       .frame = p.frame};
    EXPLAIN(t->home.explain,
            "table %" PRIu64 ": found %s of sequence number %" PRIu64,
            t->id.number, entry.kind == LSM_DEL ? "a tombstone" : "an entry",
            entry.seq);
    return KV_OK;
}

kv_status lsm_table_get(lsm_table *t, kv_slice key, uint64_t hash,
                        uint64_t seq_max, lsm_found *out)
{
    if (!lsm_filter_may_hold(&t->filter, hash)) {
        return not_here(t, LSM_STEP_FILTER, out);
    }
    EXPLAIN(t->home.explain, "table %" PRIu64 ": %s", t->id.number,
            t->filter.probes > 0 ? "its filter says maybe" : "has no filter");
    size_t i = lsm_index_find(&t->index, key);
    if (i == t->index.count) return not_here(t, LSM_STEP_INDEX, out);
    for (;; i++) {
        kv_status st = look_into(t, i, key, hash, seq_max, out);
        if (st != KV_NOT_FOUND) return st;
        if (!lsm_index_goes_on(&t->index, i, key)) {
            return not_here(t, LSM_STEP_BLOCK, out);
        }
    }
}

void lsm_table_prefetch_filter(const lsm_table *t, uint64_t hash)
{
    lsm_filter_prefetch(&t->filter, hash);
}

void lsm_table_prefetch_block(lsm_table *t, kv_slice key, uint64_t hash)
{
    if (!lsm_filter_may_hold(&t->filter, hash)) return;
    size_t i = lsm_index_find(&t->index, key);
    if (i == t->index.count) return;
    lsm_slot_prefetch(&t->slots[i],
                      lsm_index_size(&t->index, i) - LSM_SEAL_BYTES);
}
