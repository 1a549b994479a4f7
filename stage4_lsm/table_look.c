// table_look.c -- a table told to a person: check, inspect; see table.h.
// SPDX-License-Identifier: MIT

#include "common/hash.h"

#include "table_block.h"

// What a check has seen so far.
typedef struct examiner {
    lsm_table *table;
    kv_buf stored, room;
    lsm_block_walk walk;
    lsm_properties seen; // counted anew
    kv_buf last_key;
    uint64_t last_seq;
} examiner;

static kv_status wrong(const examiner *x, size_t i, const char *what)
{
    return lsm_table_damaged(x->table, what, x->table->index.fences[i].offset);
}

static bool is_within_bounds(const lsm_properties *p, kv_slice key)
{
    if (kv_slice_cmp(key, p->first_key) < 0) return false;
    int order = kv_slice_cmp(key, p->last_key);
    if (p->last_is_open) return p->last_key.len == 0 || order < 0;
    return order <= 0;
}

static kv_status check_entry(examiner *x, size_t i, const lsm_entry *e)
{
    lsm_properties *seen = &x->seen;
    const lsm_table *t = x->table;
    lsm_entry last = {.key = kv_buf_slice(&x->last_key), .seq = x->last_seq};
    if (seen->entry_count > 0 && lsm_entry_cmp(&last, e) >= 0) { // F3
        return wrong(x, i, "block (its keys do not ascend)");
    }
    if (!is_within_bounds(&t->props, e->key)) { // F5
        return wrong(x, i, "block (a key outside of the table's bounds)");
    }
    if (!lsm_filter_may_hold(&t->filter, kv_hash(e->key, LSM_HASH_SEED))) {
        return wrong(x, i, "filter (it denies a key of the block)"); // L1
    }
    seen->entry_count++;
    seen->tombstone_count += e->kind == LSM_DEL;
    seen->key_bytes += e->key.len;
    seen->value_bytes += e->value.len;
    if (e->seq < seen->seq_min) seen->seq_min = e->seq;
    if (e->seq > seen->seq_max) seen->seq_max = e->seq;
    kv_buf_set(&x->last_key, e->key);
    x->last_seq = e->seq;
    return KV_OK;
}

// F4: the separator before the block is below its first key, or is that key and
// ended the block before; the one behind is not below its last key.
static bool is_separated(const examiner *x, size_t i, kv_slice first_key)
{
    if (i == 0) return true;
    kv_slice before = x->table->index.fences[i - 1].separator;
    int order = kv_slice_cmp(before, first_key);
    return order < 0 ||
           (order == 0 && kv_slice_equal(before, kv_buf_slice(&x->last_key)));
}

static kv_status check_block(examiner *x, size_t i)
{
    lsm_table *t = x->table;
    size_t size = lsm_index_size(&t->index, i);
    kv_buf_clear(&x->stored);
    kv_buf_reserve(&x->stored, size);
    KV_TRY(kv_file_read_all(t->file, t->index.fences[i].offset, x->stored.data,
                            size, kv_for(KV_FOR_READ)));
    lsm_block *block = &x->walk.block;
    kv_slice raw;
    KV_TRY(lsm_table_unpack(t, i, kv_slice_of(x->stored.data, size), &x->room,
                            &raw, block));
    uint32_t at;
    if (!lsm_block_check(block, raw, &at)) return wrong(x, i, "block (B4)");
    lsm_entry entry;
    lsm_block_first(&x->walk, &entry);
    if (!is_separated(x, i, entry.key)) return wrong(x, i, "index (F4)");
    do {
        KV_TRY(check_entry(x, i, &entry));
    } while (lsm_block_next(&x->walk, &entry));
    kv_slice last_key = kv_buf_slice(&x->last_key);
    if (kv_slice_cmp(t->index.fences[i].separator, last_key) < 0) { // F4
        return wrong(x, i, "index (F4)");
    }
    x->seen.raw_bytes += raw.len;
    return KV_OK;
}

static kv_status check_ranges(examiner *x)
{
    const lsm_table *t = x->table;
    const lsm_properties *p = &t->props;
    for (uint64_t i = 0; i < p->range_count; i++) {
        const lsm_range_tombstone *r = &t->ranges.at[i];
        bool is_bounded =
            kv_slice_cmp(p->first_key, r->from) <= 0 &&
            (p->last_key.len == 0 ||
             (r->to.len > 0 && kv_slice_cmp(r->to, p->last_key) <= 0));
        if (!is_bounded) { // F5
            return lsm_table_damaged(t, "range tombstones (bounds)",
                                     t->footer.data_bytes +
                                         t->footer.filter_bytes);
        }
        if (r->seq < x->seen.seq_min) x->seen.seq_min = r->seq;
        if (r->seq > x->seen.seq_max) x->seen.seq_max = r->seq;
    }
    return KV_OK;
}

static kv_status check_counts(const examiner *x)
{
    const lsm_properties *p = &x->table->props, *seen = &x->seen;
    if (p->entry_count != seen->entry_count ||
        p->tombstone_count != seen->tombstone_count ||
        p->key_bytes != seen->key_bytes ||
        p->value_bytes != seen->value_bytes ||
        p->raw_bytes != seen->raw_bytes || p->seq_min != seen->seq_min ||
        p->seq_max != seen->seq_max) {
        return lsm_table_damaged(x->table, "properties (not what was counted)",
                                 p->file_bytes - LSM_FOOTER_BYTES -
                                     x->table->footer.props_bytes);
    }
    return KV_OK;
}

kv_status lsm_table_check(lsm_table *t)
{
    examiner x = {.table = t, .seen = {.seq_min = LSM_SEQ_MAX}};
    kv_status st = KV_OK;
    for (size_t i = 0; i < t->index.count && st == KV_OK; i++) {
        st = check_block(&x, i);
    }
    if (st == KV_OK) st = check_ranges(&x);
    if (st == KV_OK) st = check_counts(&x);
    kv_buf_free(&x.stored);
    kv_buf_free(&x.room);
    kv_buf_free(&x.walk.key);
    kv_buf_free(&x.last_key);
    return st;
}

void lsm_table_inspect(const lsm_table *t, kv_report *report)
{
    const lsm_properties *p = &t->props;
    kv_report_bytes(report, "file", p->file_bytes);
    kv_report_count(report, "entries", p->entry_count);
    kv_report_count(report, "tombstones", p->tombstone_count);
    kv_report_count(report, "range tombstones", p->range_count);
    kv_report_key(report, "first key", p->first_key);
    if (p->last_key.len > 0) {
        kv_report_key(report, p->last_is_open ? "before key" : "last key",
                      p->last_key);
    }
    kv_report_count(report, "lowest sequence number", p->seq_min);
    kv_report_count(report, "highest sequence number", p->seq_max);
    kv_report_count(report, "blocks", t->footer.block_count);
    kv_report_bytes(report, "blocks before compression", p->raw_bytes);
    kv_report_bytes(report, "filter", t->footer.filter_bytes);
    kv_report_bytes(report, "index", t->footer.index_bytes);
    kv_report_bytes(report, "in memory", lsm_table_memory_bytes(t));
}
