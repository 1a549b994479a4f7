// builder.c -- see builder.h.
// SPDX-License-Identifier: MIT

#include "builder.h"

#include <assert.h>

#include "common/hash.h"
#include "common/mem.h"

#include "filter.h"

enum {
    WRITE_BYTES = 256 << 10,
    // A block is filled up to its full length if no more than a sixteenth of it
    // is missing.
    FILL_SHARE = 16,
};

static uint64_t end_of(const lsm_builder *b)
{
    return b->written + b->pending.len;
}

static kv_status write_pending(lsm_builder *b)
{
    KV_TRY(kv_file_write(b->file, b->written, kv_buf_slice(&b->pending),
                         b->config.why));
    b->written += b->pending.len;
    kv_buf_clear(&b->pending);
    return KV_OK;
}

kv_status lsm_builder_open(lsm_builder *b, kv_disk *disk,
                           const lsm_table_id *id,
                           const lsm_builder_config *config)
{
    b->disk = disk;
    b->footer.id = *id;
    b->config = *config;
    b->props.seq_min = LSM_SEQ_MAX;
    lsm_block_begin(&b->block, config->seq_base);
    return kv_file_open(disk, lsm_table_temporary(id->number).text,
                        (kv_open_how){.mode = KV_OPEN_CREATE}, config->why,
                        &b->file);
}

// ---- entries ----------------------------------------------------------------

// Ends the open block, behind which `next` will stand, or nothing.
static kv_status end_block(lsm_builder *b, kv_slice next)
{
    size_t size = lsm_block_bytes(&b->block) + LSM_SEAL_BYTES, fill = 0;
    size_t full = b->config.block_bytes;
    if (b->config.compression == LSM_COMPRESS_NONE && size < full &&
        full - size <= full / FILL_SHARE) {
        fill = full - size;
    }
    kv_slice block = lsm_block_finish(&b->block, fill);
    size_t from = b->pending.len;
    lsm_compression how =
        lsm_compress(&b->compressor, b->config.compression, block, &b->pending);
    lsm_seal(&b->pending, from, how, &b->footer.id, b->written + from);
    kv_buf_set(&b->separator, kv_buf_slice(&b->last_key));
    lsm_shorten_separator(&b->separator, next);
    size = b->pending.len - from;
    lsm_put_index_entry(&b->index,
                        &(lsm_index_entry){size, kv_buf_slice(&b->separator)});
    b->footer.data_bytes += size;
    b->footer.block_count++;
    b->props.raw_bytes += block.len;
    lsm_block_begin(&b->block, b->config.seq_base);
    return b->pending.len >= WRITE_BYTES ? write_pending(b) : KV_OK;
}

static void add_hash(lsm_builder *b, uint64_t hash)
{
    if (b->hash_count == b->hash_cap) {
        b->hash_cap = b->hash_cap > 0 ? 2 * b->hash_cap : 1024;
        b->hashes = kv_realloc(b->hashes, b->hash_cap * sizeof *b->hashes);
    }
    b->hashes[b->hash_count++] = hash;
}

static void count_seq(lsm_properties *props, uint64_t seq)
{
    if (seq < props->seq_min) props->seq_min = seq;
    if (seq > props->seq_max) props->seq_max = seq;
}

kv_status lsm_builder_add(lsm_builder *b, const lsm_entry *entry)
{
    lsm_properties *props = &b->props;
    int order = kv_slice_cmp(kv_buf_slice(&b->last_key), entry->key);
    assert(props->entry_count == 0 || order < 0 ||
           (order == 0 && b->last_seq > entry->seq)); // F3
    if (props->entry_count == 0) kv_buf_set(&b->first_key, entry->key);

    uint64_t hash = kv_hash(entry->key, LSM_HASH_SEED);
    size_t limit = b->config.block_bytes;
    limit -= limit < LSM_SEAL_BYTES ? limit : LSM_SEAL_BYTES;
    while (!lsm_block_add(&b->block, entry, hash, limit)) {
        KV_TRY(end_block(b, entry->key)); // its last key is still last_key
    }
    if (order != 0) {
        if (b->config.bits_per_key > 0) add_hash(b, hash);
        kv_buf_set(&b->last_key, entry->key);
    }
    b->last_seq = entry->seq;
    props->entry_count++;
    props->tombstone_count += entry->kind == LSM_DEL;
    props->key_bytes += entry->key.len;
    props->value_bytes += entry->value.len;
    count_seq(props, entry->seq);
    return KV_OK;
}

uint64_t lsm_builder_bytes(const lsm_builder *b)
{
    return end_of(b) + (b->block.count > 0 ? lsm_block_bytes(&b->block) : 0);
}

bool lsm_builder_is_empty(const lsm_builder *b)
{
    return b->props.entry_count == 0 && b->props.range_count == 0;
}

// ---- range tombstones -------------------------------------------------------

void lsm_builder_add_range(lsm_builder *b, const lsm_range_tombstone *range)
{
    bool is_first = b->props.range_count++ == 0;
    // An empty end is behind all: nothing follows it.
    assert(is_first ||
           (b->range_to.len > 0 && kv_slice_cmp(kv_buf_slice(&b->range_to),
                                                range->from) <= 0)); // F6
    if (is_first) kv_buf_set(&b->range_from, range->from);
    kv_buf_set(&b->range_to, range->to);
    lsm_put_range(&b->ranges, range);
    count_seq(&b->props, range->seq);
}

// F5: the least and the greatest of what entries and ranges say.
static void set_bounds(lsm_builder *b)
{
    lsm_properties *p = &b->props;
    kv_slice from = kv_buf_slice(&b->range_from);
    kv_slice to = kv_buf_slice(&b->range_to);
    p->first_key = kv_buf_slice(&b->first_key);
    p->last_key = kv_buf_slice(&b->last_key);
    if (p->range_count == 0) return;
    bool is_only = p->entry_count == 0;
    if (is_only || kv_slice_cmp(from, p->first_key) < 0) p->first_key = from;
    if (is_only || to.len == 0 || kv_slice_cmp(to, p->last_key) > 0) {
        p->last_key = to;
        p->last_is_open = true;
    }
}

// ---- the end ----------------------------------------------------------------

// Seals the part that `pending` holds from `from` on; returns its size.
static uint64_t seal_part(lsm_builder *b, size_t from)
{
    lsm_seal(&b->pending, from, LSM_COMPRESS_NONE, &b->footer.id,
             b->written + from);
    return b->pending.len - from;
}

// What stands behind the data blocks.
static void put_parts(lsm_builder *b)
{
    kv_buf *to = &b->pending;
    size_t from = to->len;
    lsm_filter_build(to, b->hashes, b->hash_count, b->config.bits_per_key);
    b->footer.filter_bytes = seal_part(b, from);

    from = to->len;
    kv_buf_append(to, kv_buf_slice(&b->ranges));
    b->footer.ranges_bytes = seal_part(b, from);

    from = to->len;
    kv_buf_append(to, kv_buf_slice(&b->index));
    b->footer.index_bytes = seal_part(b, from);

    from = to->len;
    set_bounds(b);
    lsm_put_properties(to, &b->props);
    b->footer.props_bytes = seal_part(b, from);
    lsm_put_footer(to, &b->footer);
}

kv_status lsm_builder_finish(lsm_builder *b)
{
    assert(!lsm_builder_is_empty(b));
    if (b->block.count > 0) KV_TRY(end_block(b, (kv_slice){0}));
    put_parts(b);
    KV_TRY(write_pending(b));
    KV_TRY(kv_file_sync(b->file, b->config.why));
    uint64_t number = b->footer.id.number;
    KV_TRY(kv_disk_rename(b->disk, lsm_table_temporary(number).text,
                          lsm_table_name(number).text, b->config.why));
    b->props.file_bytes = b->written;
    kv_file *file = b->file;
    b->file = NULL;
    return kv_file_close(file);
}

void lsm_builder_close(lsm_builder *b)
{
    if (b->file != NULL) {
        // What is left of a failure, which was reported: if removing it fails
        // too, the next open removes it as an orphan.
        kv_file_close(b->file);
        kv_status st = kv_disk_remove(
            b->disk, lsm_table_temporary(b->footer.id.number).text,
            b->config.why);
        (void)st;
    }
    kv_free(b->hashes);
    lsm_compressor_free(&b->compressor);
    lsm_block_builder_free(&b->block);
    kv_buf_free(&b->pending);
    kv_buf_free(&b->index);
    kv_buf_free(&b->separator);
    kv_buf_free(&b->ranges);
    kv_buf_free(&b->range_from);
    kv_buf_free(&b->range_to);
    kv_buf_free(&b->first_key);
    kv_buf_free(&b->last_key);
    *b = (lsm_builder){0};
}
