// segment.c -- see segment.h.
// SPDX-License-Identifier: MIT

#include "segment.h"

#include "common/mem.h"

void log_segment_unpin(log_segment *s)
{
    if (atomic_fetch_sub_explicit(&s->pins, 1, memory_order_acq_rel) != 1) {
        return;
    }
    (void)kv_recordlog_close(&s->log); // read only: nothing can be lost
    kv_free(s);
}

// The record's bytes, and perhaps some of the next, at `view->bytes` or mapped.
static kv_status fetch(log_segment *s, uint64_t offset, size_t len, kv_why why,
                       log_view *view, kv_slice *out)
{
    if (s->maps) {
        KV_TRY(kv_file_map(s->log.file, offset, len, why, out));
        uintptr_t start = (uintptr_t)out->data - (uintptr_t)offset;
        if (atomic_load_explicit(&s->mapped, memory_order_relaxed) != start) {
            atomic_store_explicit(&s->mapped, start, memory_order_relaxed);
        }
        return KV_OK;
    }
    kv_buf_clear(view->bytes);
    kv_buf_reserve(view->bytes, len);
    KV_TRY(kv_file_read_all(s->log.file, offset, view->bytes->data, len, why));
    *out = kv_slice_of(view->bytes->data, len);
    return KV_OK;
}

kv_status log_segment_read(log_segment *s, uint64_t offset, uint64_t bound,
                           kv_why why, log_view *view)
{
    uint64_t size = atomic_load_explicit(&s->size, memory_order_acquire);
    assert(offset < size); // G2
    kv_slice bytes;
    kv_record record;
    uint64_t len = bound < size - offset ? bound : size - offset;
    KV_TRY(fetch(s, offset, (size_t)len, why, view, &bytes));
    if (!kv_record_decode(bytes, &s->log.id, offset, &record) ||
        !log_entry_decode(record.payload, s->log.id.framing, &view->text,
                          &view->entry)) {
        return kv_fail(KV_CORRUPT,
                       "%s: the record at byte %llu fails its checksum; the "
                       "command check lists all damage",
                       kv_file_name(s->log.file), (unsigned long long)offset);
    }
    view->record_bytes = (uint32_t)record.size;
    view->read_bytes = (uint32_t)len;
    return KV_OK;
}

void log_segment_set_id(log_segment *s, const kv_recordlog_id *id)
{
    kv_buf header = {0};
    kv_recordlog_encode_header(id, &header);
    s->log.id = *id;
    s->header_bytes = (uint32_t)header.len;
    kv_buf_free(&header);
}

void log_segment_prefetch(const log_segment *s, uint64_t offset)
{
    enum { LINE_BYTES = 64 };
    uintptr_t start = atomic_load_explicit(&s->mapped, memory_order_relaxed);
    if (start == 0) return;
    __builtin_prefetch((const void *)(start + (uintptr_t)offset));
    __builtin_prefetch((const void *)(start + (uintptr_t)offset + LINE_BYTES));
}

log_facts log_segment_facts(const log_segment *s)
{
    return (log_facts){
        .span = s->span,
        .horizon = s->horizon,
        .size = log_counter(&s->size),
        .base = s->base,
        .entry_bytes = log_counter(&s->entry_bytes),
        .tombstone_bytes = log_counter(&s->tombstone_bytes),
        .live_bytes = log_counter(&s->live_bytes),
        .live_count = log_counter(&s->live_count),
    };
}

void log_segment_set_facts(log_segment *s, const log_facts *facts)
{
    s->horizon = facts->horizon;
    atomic_store(&s->size, facts->size);
    atomic_store(&s->entry_bytes, facts->entry_bytes);
    atomic_store(&s->tombstone_bytes, facts->tombstone_bytes);
    atomic_store(&s->live_bytes, facts->live_bytes);
    atomic_store(&s->live_count, facts->live_count);
}

void log_segment_count_entry(log_segment *s, log_kind kind, uint64_t bytes)
{
    log_counter_add(&s->entry_bytes, bytes);
    if (kind == LOG_TOMBSTONE) log_counter_add(&s->tombstone_bytes, bytes);
}

void log_segment_count_live(log_segment *s, uint64_t bytes)
{
    log_counter_add(&s->live_bytes, bytes);
    log_counter_add(&s->live_count, 1);
    assert(log_counter(&s->live_bytes) + log_counter(&s->tombstone_bytes) <=
           log_counter(&s->entry_bytes)); // G3
}

void log_segment_count_dead(log_segment *s, uint64_t bytes)
{
    assert(log_counter(&s->live_bytes) >= bytes); // G3
    log_counter_add(&s->live_bytes, (uint64_t)0 - bytes);
    log_counter_add(&s->live_count, (uint64_t)0 - 1);
}
