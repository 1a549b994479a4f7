// hint.c -- see hint.h.
// SPDX-License-Identifier: MIT

#include "hint.h"

#include "common/mem.h"

enum { WRITE_BYTES = 1 << 20 };

// ---- reading ----------------------------------------------------------------

static const kv_why why_read = {KV_FOR_RECOVERY, false};
static const kv_why why_write = {KV_FOR_META, false};

static kv_status doubt(log_hint *hint, const char *why)
{
    log_hint_close(hint);
    hint->doubt = why;
    return KV_OK;
}

static kv_status read_head(log_hint *hint, kv_buf *head)
{
    size_t got = 0;
    kv_buf_reserve(head, LOG_HINT_HEADER_BYTES);
    KV_TRY(kv_file_read(hint->file, 0, head->data, LOG_HINT_HEADER_BYTES, &got,
                        why_read));
    head->len = got;
    if (!log_hint_decode_header(kv_buf_slice(head), &hint->header)) {
        return doubt(hint, "its header is not a hint file's");
    }
    size_t lines = (size_t)hint->header.segment_count * LOG_HINT_SEGMENT_BYTES;
    if (lines > hint->size - got) return doubt(hint, "it ends too soon");
    kv_buf_reserve(head, lines);
    KV_TRY(
        kv_file_read_all(hint->file, got, head->data + got, lines, why_read));
    head->len += lines;
    hint->block_offset = head->len;
    if (log_hint_check_head(kv_buf_slice(head))) return KV_OK;
    return doubt(hint, "the checksum of its header fails");
}

kv_status log_hint_open(kv_disk *disk, uint64_t store_id, log_hint *hint)
{
    kv_buf head = {0};
    kv_open_how how = {.mode = KV_OPEN_READ};
    kv_status st =
        kv_file_open(disk, LOG_HINT_NAME, how, why_read, &hint->file);
    if (st == KV_NOT_FOUND) return doubt(hint, "there is none");
    if (st == KV_OK) st = kv_file_size(hint->file, &hint->size);
    if (st == KV_OK) st = read_head(hint, &head);
    if (st == KV_OK && hint->file != NULL) {
        const uint8_t *line = head.data + LOG_HINT_HEADER_BYTES;
        uint32_t count = hint->header.segment_count;
        hint->segments = kv_alloc((count + 1) * sizeof *hint->segments);
        for (uint32_t i = 0; i < count; i++) {
            log_hint_decode_segment(line, &hint->segments[i]);
            line += LOG_HINT_SEGMENT_BYTES;
        }
        if (hint->header.store_id != store_id) {
            st = doubt(hint, "it is another store's");
        }
    }
    kv_buf_free(&head);
    return st;
}

const log_facts *log_hint_find(const log_hint *hint, log_span span,
                               uint64_t size)
{
    if (hint->file == NULL) return NULL;
    for (uint32_t i = 0; i < hint->header.segment_count; i++) {
        const log_facts *f = &hint->segments[i];
        if (f->span.first == span.first && f->span.last == span.last &&
            f->span.generation == span.generation) {
            return f->size == size ? f : NULL;
        }
    }
    return NULL;
}

void log_hint_close(log_hint *hint)
{
    (void)kv_file_close(hint->file); // read only
    kv_free(hint->segments);
    *hint = (log_hint){0};
}

// ---- entries ----------------------------------------------------------------

// Which segment's line a chunk belonged to, plus one; 0: none.
static uint32_t *map_chunks(const log_hint *hint)
{
    uint32_t *owner = kv_zalloc(LOG_CHUNKS * sizeof *owner);
    for (uint32_t i = 0; i < hint->header.segment_count; i++) {
        const log_facts *f = &hint->segments[i];
        uint64_t first = f->base >> LOG_CHUNK_SHIFT;
        uint64_t count = (f->size >> LOG_CHUNK_SHIFT) + 1;
        for (uint64_t c = first; c < first + count && c < LOG_CHUNKS; c++) {
            owner[c] = i + 1;
        }
    }
    return owner;
}

typedef struct restoring {
    const log_hint *hint;
    log_segment *const *segments;
    const uint32_t *owner;
    log_index *index;
    uint64_t *restored; // entries, per segment
} restoring;

// False if the entry names a place that no segment had.
static bool restore_entry(restoring *r, uint32_t table, log_index_entry entry)
{
    uint64_t address = log_place_address(entry.place);
    uint32_t owner = r->owner[address >> LOG_CHUNK_SHIFT];
    if (owner == 0) return false;
    const log_facts *facts = &r->hint->segments[owner - 1];
    uint64_t offset = address - facts->base;
    if (offset >= facts->size) return false;
    r->restored[owner - 1]++;
    const log_segment *s = r->segments[owner - 1];
    if (s == NULL) return true; // since replaced or changed: it is read instead
    entry.place = (s->base + offset) << 8 | (entry.place & 0xff);
    log_index_restore(r->index, table, entry);
    return true;
}

static bool restore_block(restoring *r, kv_slice block)
{
    uint32_t table, count;
    if (!log_hint_decode_block(block.data, &table, &count) ||
        !log_hint_check_block(block)) {
        return false;
    }
    log_index_reserve(r->index, table, count);
    const uint8_t *at = block.data + LOG_HINT_BLOCK_BYTES;
    for (uint32_t i = 0; i < count; i++, at += LOG_HINT_ENTRY_BYTES) {
        if (!restore_entry(r, table, log_hint_entry(at))) return false;
    }
    return true;
}

static kv_status restore_blocks(restoring *r, kv_buf *buf, bool *is_good)
{
    uint64_t at = r->hint->block_offset, size = r->hint->size;
    *is_good = false;
    for (uint32_t i = 0; i < r->hint->header.block_count; i++) {
        uint32_t table, count;
        uint8_t head[LOG_HINT_BLOCK_BYTES];
        if (size - at < sizeof head) return KV_OK;
        KV_TRY(
            kv_file_read_all(r->hint->file, at, head, sizeof head, why_read));
        if (!log_hint_decode_block(head, &table, &count)) return KV_OK;
        uint64_t len = sizeof head + (uint64_t)count * LOG_HINT_ENTRY_BYTES;
        if (len > size - at) return KV_OK;
        kv_buf_clear(buf);
        kv_buf_reserve(buf, (size_t)len);
        KV_TRY(kv_file_read_all(r->hint->file, at, buf->data, (size_t)len,
                                why_read));
        if (!restore_block(r, kv_slice_of(buf->data, (size_t)len))) {
            return KV_OK;
        }
        at += len;
    }
    *is_good = at == size;
    return KV_OK;
}

kv_status log_hint_restore(const log_hint *hint, log_segment *const *segments,
                           log_index *index, bool *is_good)
{
    kv_buf buf = {0};
    uint32_t count = hint->header.segment_count;
    uint32_t *owner = map_chunks(hint);
    restoring r = {.hint = hint,
                   .segments = segments,
                   .owner = owner,
                   .index = index,
                   .restored = kv_zalloc((count + 1) * sizeof(uint64_t))};
    kv_status st = restore_blocks(&r, &buf, is_good);
    for (uint32_t i = 0; i < count && *is_good; i++) {
        *is_good = r.restored[i] == hint->segments[i].live_count;
    }
    kv_buf_free(&buf);
    kv_free(owner);
    kv_free(r.restored);
    return st;
}

// ---- writing ----------------------------------------------------------------

typedef struct saver {
    kv_file *file;
    uint64_t size;
    kv_buf buf;
} saver;

static kv_status flush(saver *s)
{
    if (s->buf.len == 0) return KV_OK;
    KV_TRY(kv_file_write(s->file, s->size, kv_buf_slice(&s->buf), why_write));
    s->size += s->buf.len;
    kv_buf_clear(&s->buf);
    return KV_OK;
}

static bool is_empty(log_index *index, uint32_t table)
{
    return atomic_load(&index->tables[table].used) == 0;
}

static uint32_t count_blocks(log_index *index)
{
    uint32_t count = 0;
    for (uint32_t i = 0; index != NULL && i < LOG_INDEX_TABLES; i++) {
        count += !is_empty(index, i);
    }
    return count;
}

static kv_status save_head(saver *s, uint64_t store_id, log_segments *segments,
                           log_index *index)
{
    log_segment_list list = log_segments_pin_all(segments);
    log_facts *facts = kv_alloc((list.count + 1) * sizeof *facts);
    for (size_t i = 0; i < list.count; i++) {
        facts[i] = log_segment_facts(list.at[i]);
    }
    log_hint_header header = {.store_id = store_id,
                              .segment_count = (uint32_t)list.count,

                              .block_count = count_blocks(index)};
    log_hint_encode_head(&s->buf, &header, facts);
    kv_free(facts);
    log_segment_list_free(&list);
    return flush(s);
}

static void save_table(saver *s, log_index *index, uint32_t table)
{
    size_t start = s->buf.len;
    log_hint_begin_block(&s->buf, table);
    log_table *t = log_index_lock_table(index, table);
    for (uint32_t group = 0; group < t->group_count; group++) {
        log_index_entry entries[LOG_GROUP_ENTRIES];
        size_t count = log_index_group(t, group, entries);
        for (size_t i = 0; i < count; i++) log_hint_add(&s->buf, entries[i]);
    }
    log_index_unlock(t);
    log_hint_end_block(&s->buf, start);
}

static kv_status save(saver *s, uint64_t store_id, log_segments *segments,
                      log_index *index)
{
    KV_TRY(save_head(s, store_id, segments, index));
    for (uint32_t i = 0; index != NULL && i < LOG_INDEX_TABLES; i++) {
        if (!is_empty(index, i)) save_table(s, index, i);
        if (s->buf.len >= WRITE_BYTES) KV_TRY(flush(s));
    }
    KV_TRY(flush(s));
    return kv_file_sync(s->file, why_write);
}

kv_status log_hint_save(kv_disk *disk, uint64_t store_id,
                        log_segments *segments, log_index *index)
{
    saver s = {0};
    kv_open_how how = {.mode = KV_OPEN_CREATE};
    kv_status st = kv_disk_remove(disk, LOG_HINT_TMP, why_write);
    if (st != KV_OK && st != KV_NOT_FOUND) return st;
    st = kv_file_open(disk, LOG_HINT_TMP, how, why_write, &s.file);
    if (st != KV_OK) return st;
    st = save(&s, store_id, segments, index);
    kv_status closed = kv_file_close(s.file);
    if (st == KV_OK) st = closed;
    if (st == KV_OK) {
        st = kv_disk_rename(disk, LOG_HINT_TMP, LOG_HINT_NAME, why_write);
    }
    if (st == KV_OK) st = kv_disk_sync_dir(disk, why_write);
    kv_buf_free(&s.buf);
    return st;
}
