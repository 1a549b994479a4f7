// table_block.c -- see table_block.h.
// SPDX-License-Identifier: MIT

#include "table_block.h"

#include <inttypes.h>

#include "compress.h"

kv_status lsm_table_damaged(const lsm_table *t, const char *what,
                            uint64_t offset)
{
    return kv_fail(KV_CORRUPT,
                   "%s: damaged %s at byte %" PRIu64
                   "; the copy of a backup may have it whole",
                   lsm_table_name(t->id.number).text, what, offset);
}

static kv_status damaged_block(const lsm_table *t, size_t i)
{
    return lsm_table_damaged(t, "block", t->index.fences[i].offset);
}

// ---- checks -----------------------------------------------------------------

// The checksum, and how large the block is unpacked.
static kv_status unseal(const lsm_table *t, size_t i, kv_slice stored,
                        lsm_compression *how, kv_slice *payload,
                        size_t *raw_size)
{
    uint64_t offset = t->index.fences[i].offset;
    if (!lsm_unseal(stored, &t->id, offset, how, payload)) {
        return damaged_block(t, i);
    }
    *raw_size = payload->len;
    if (*how != LSM_COMPRESS_NONE) *raw_size = lsm_get_raw_size(*payload);
    return *raw_size > 0 ? KV_OK : damaged_block(t, i);
}

// Unpacks the payload to `to`, which has room for it.
static kv_status unpack(const lsm_table *t, size_t i, lsm_compression how,
                        kv_slice payload, uint8_t *to, size_t raw_size,
                        lsm_block *block)
{
    if (!lsm_decompress(lsm_cache_unpacker(t->home.cache), how, payload, to,
                        raw_size) ||
        !lsm_block_open(kv_slice_of(to, raw_size), block)) {
        return damaged_block(t, i);
    }
    return KV_OK;
}

kv_status lsm_table_unpack(lsm_table *t, size_t i, kv_slice stored,
                           kv_buf *room, kv_slice *raw, lsm_block *block)
{
    lsm_compression how;
    size_t raw_size;
    KV_TRY(unseal(t, i, stored, &how, raw, &raw_size));
    if (how == LSM_COMPRESS_NONE) {
        return lsm_block_open(*raw, block) ? KV_OK : damaged_block(t, i);
    }
    kv_buf_clear(room);
    kv_buf_reserve(room, raw_size);
    kv_slice payload = *raw;
    *raw = kv_slice_of(room->data, raw_size);
    return unpack(t, i, how, payload, room->data, raw_size, block);
}

// ---- from the file into the cache -------------------------------------------

// Reads the block into a frame, and unpacks it into another if need be.
static kv_status load(lsm_table *t, size_t i, kv_why why, lsm_frame **out)
{
    lsm_slot *slot = &t->slots[i];
    size_t size = lsm_index_size(&t->index, i), raw_size;
    lsm_frame *frame = lsm_cache_claim(t->home.cache, slot, size);
    kv_slice payload;
    lsm_compression how;
    kv_status st = kv_file_read_all(t->file, t->index.fences[i].offset,
                                    frame->bytes, size, why);
    if (st != KV_OK) goto out;
    st = unseal(t, i, kv_slice_of(frame->bytes, size), &how, &payload,
                &raw_size);
    if (st != KV_OK) goto out;
    if (how == LSM_COMPRESS_NONE) {
        if (!lsm_block_open(payload, &frame->block)) st = damaged_block(t, i);
    } else {
        lsm_frame *packed = frame;
        frame = lsm_cache_claim(t->home.cache, slot, raw_size);
        st = unpack(t, i, how, payload, frame->bytes, raw_size, &frame->block);
        lsm_frame_unpin(packed);
    }
out:
    if (st == KV_OK) {
        *out = lsm_cache_publish(frame, slot);
    } else {
        lsm_frame_unpin(frame);
    }
    return st;
}

// ---- in the mapping ---------------------------------------------------------

// The slot of a block that was verified in the mapping has the address of its
// end, beside the mark: the next look is free of checks and of calls.
static bool see_mapped(const lsm_slot *slot, lsm_block *out)
{
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
    if ((word & LSM_SLOT_MARKS) != LSM_SLOT_VERIFIED) return false;
    *out = lsm_block_again((const uint8_t *)(uintptr_t)(word >> 2));
    return true;
}

// Verifies a block in the mapping. A compressed one goes into a frame.
static kv_status map(lsm_table *t, size_t i, kv_why why, lsm_pinned *out)
{
    lsm_compression how;
    kv_slice stored, payload;
    size_t raw_size;
    KV_TRY(kv_file_map(t->file, t->index.fences[i].offset,
                       lsm_index_size(&t->index, i), why, &stored));
    KV_TRY(unseal(t, i, stored, &how, &payload, &raw_size));
    if (how == LSM_COMPRESS_NONE) {
        if (!lsm_block_open(payload, &out->block)) return damaged_block(t, i);
        uint64_t end = (uint64_t)(uintptr_t)(payload.data + payload.len);
        atomic_store_explicit(&t->slots[i].word, end << 2 | LSM_SLOT_VERIFIED,
                              memory_order_release);
        return KV_OK;
    }
    lsm_slot *slot = &t->slots[i];
    lsm_frame *f = lsm_cache_claim(t->home.cache, slot, raw_size);
    kv_status st = unpack(t, i, how, payload, f->bytes, raw_size, &f->block);
    if (st != KV_OK) {
        lsm_frame_unpin(f);
        return st;
    }
    out->frame = lsm_cache_publish(f, slot);
    out->block = out->frame->block;
    return KV_OK;
}

kv_status lsm_table_block(lsm_table *t, size_t i, kv_why why, lsm_pinned *out)
{
    out->frame = NULL;
    if (t->home.use_map && see_mapped(&t->slots[i], &out->block)) return KV_OK;
    out->frame = lsm_cache_pin(t->home.cache, &t->slots[i]);
    if (out->frame == NULL) {
        if (t->home.use_map) return map(t, i, why, out);
        KV_TRY(load(t, i, why, &out->frame));
    }
    out->block = out->frame->block;
    return KV_OK;
}
