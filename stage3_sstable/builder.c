// builder.c -- see builder.h.
// SPDX-License-Identifier: MIT

#include "builder.h"

#include <assert.h>

#include "segment.h"

enum { WRITE_BYTES = 256 << 10 };

static uint64_t end_of(const sst_builder *b)
{
    return b->written + b->pending.len;
}

static kv_status write_pending(sst_builder *b)
{
    KV_TRY(
        kv_file_write(b->file, b->written, kv_buf_slice(&b->pending), b->why));
    b->written += b->pending.len;
    kv_buf_clear(&b->pending);
    b->interval_from = 0;
    return KV_OK;
}

kv_status sst_builder_open(sst_builder *b, kv_disk *disk,
                           const sst_segment_id *id, const sst_codec *codec,
                           uint64_t index_bytes, kv_why why)
{
    b->disk = disk;
    b->id = *id;
    b->codec = codec;
    b->index_bytes = index_bytes;
    b->why = why;
    codec->put_header(&b->pending, id);
    b->interval_from = b->pending.len;
    return kv_file_open(disk, sst_segment_temporary(id->number).text,
                        (kv_open_how){.mode = KV_OPEN_CREATE}, why, &b->file);
}

// Ends the open interval: its checksum, and its line in the index.
static void end_interval(sst_builder *b)
{
    uint64_t offset = b->written + b->interval_from;
    sst_put_check(b->codec, &b->pending, b->interval_from, &b->id, offset);
    b->codec->put_index_entry(
        &b->index,
        &(sst_index_entry){end_of(b) - offset, kv_buf_slice(&b->first_key)});
    b->interval_from = b->pending.len;
}

kv_status sst_builder_add(sst_builder *b, const sst_entry *entry)
{
    assert(b->footer.entry_count == 0 ||
           kv_slice_cmp(kv_buf_slice(&b->last_key), entry->key) < 0); // F1
    if (b->interval_from == b->pending.len) {
        kv_buf_set(&b->first_key, entry->key);
    }
    kv_buf_set(&b->last_key, entry->key);
    b->codec->put_entry(&b->pending, entry);
    b->footer.entry_count++;
    b->footer.tombstone_count += entry->is_tombstone;
    if (b->pending.len - b->interval_from < b->index_bytes) return KV_OK;
    end_interval(b); // F2
    return b->pending.len >= WRITE_BYTES ? write_pending(b) : KV_OK;
}

uint64_t sst_builder_bytes(const sst_builder *b) { return end_of(b); }

kv_status sst_builder_finish(sst_builder *b)
{
    assert(b->footer.entry_count > 0);
    if (b->interval_from < b->pending.len) end_interval(b);
    b->codec->put_last_key(&b->index, kv_buf_slice(&b->last_key));
    sst_put_check(b->codec, &b->index, 0, &b->id, end_of(b));
    b->footer.index_offset = end_of(b);
    b->footer.index_size = b->index.len;
    kv_buf_append(&b->pending, kv_buf_slice(&b->index));
    b->codec->put_footer(&b->pending, &b->footer,
                         sst_check_seed(&b->id, end_of(b)));
    KV_TRY(write_pending(b));
    KV_TRY(kv_file_sync(b->file, b->why));
    KV_TRY(kv_disk_rename(b->disk, sst_segment_temporary(b->id.number).text,
                          sst_segment_name(b->id.number).text, b->why));
    kv_file *file = b->file;
    b->file = NULL;
    return kv_file_close(file);
}

void sst_builder_close(sst_builder *b)
{
    if (b->file != NULL) {
        // What is left of a failure, which was reported: if removing it fails
        // too, the next open removes it as an orphan.
        kv_file_close(b->file);
        kv_status st = kv_disk_remove(
            b->disk, sst_segment_temporary(b->id.number).text, b->why);
        (void)st;
    }
    kv_buf_free(&b->pending);
    kv_buf_free(&b->index);
    kv_buf_free(&b->first_key);
    kv_buf_free(&b->last_key);
    *b = (sst_builder){0};
}
