// table_xray.c -- a table's bytes with their meaning; see table.h.
// SPDX-License-Identifier: MIT

#include <inttypes.h>

#include "common/mem.h"

#include "compress.h"
#include "table.h"

typedef struct film {
    kv_xray *x;
    kv_slice file;
    lsm_footer footer;
} film;

static const char *const compression_names[LSM_COMPRESSIONS] = {"none", "lz4",
                                                                "zstd"};

static kv_slice part(kv_slice bytes, uint64_t from, uint64_t size)
{
    return kv_slice_of(bytes.data + from, (size_t)size);
}

// A part: what it holds, and whether its seal says that it is whole. One with a
// bad checksum is drawn all the same.
typedef struct sealed {
    uint64_t offset;
    kv_slice payload, seal;
    lsm_compression how;
    bool is_good;
} sealed;

static sealed open_seal(const film *f, uint64_t offset, uint64_t size)
{
    kv_slice stored = part(f->file, offset, size), unused;
    sealed s = {.offset = offset};
    s.payload = part(stored, 0, size - LSM_SEAL_BYTES);
    s.seal = part(stored, s.payload.len, LSM_SEAL_BYTES);
    s.is_good = lsm_unseal(stored, &f->footer.id, offset, &s.how, &unused);
    return s;
}

static void draw_seal(film *f, const sealed *s)
{
    kv_xray_field(f->x, s->offset + s->payload.len, s->seal, "seal",
                  "compression %s, crc %s", compression_names[s->how],
                  s->is_good ? "good" : "does not match");
    if (!s->is_good) {
        kv_xray_damage(f->x, s->offset, "a bad checksum ends this part");
    }
}

// ---- blocks -----------------------------------------------------------------

static void draw_entry(film *f, uint64_t offset, kv_slice bytes,
                       const lsm_entry *e)
{
    kv_quoted key, value;
    bool is_del = e->kind == LSM_DEL;
    kv_xray_field(f->x, offset, bytes, is_del ? "tombstone" : "entry",
                  is_del ? "%s, seq %" PRIu64 "%s" : "%s, seq %" PRIu64 " = %s",
                  kv_quote(&key, e->key), e->seq,
                  is_del ? "" : kv_quote(&value, e->value));
}

// What of the block lies between two of its places, and where that is.
static kv_slice piece(uint64_t block_at, const uint8_t *block,
                      const uint8_t *from, const uint8_t *to, uint64_t *at)
{
    *at = block_at + (uint64_t)(from - block);
    return kv_slice_of(from, (size_t)(to - from));
}

static void draw_entries(film *f, uint64_t offset, kv_slice raw,
                         const lsm_block *b)
{
    lsm_block_walk w = {.block = *b};
    lsm_entry e;
    uint64_t at;
    const uint8_t *from = lsm_block_place(b, 0), *to;
    kv_slice bytes = piece(offset, raw.data, raw.data, from, &at);
    if (bytes.len > 0) {
        kv_xray_field(f->x, at, bytes, "fill", "%zu bytes", bytes.len);
    }
    lsm_block_first(&w, &e);
    do {
        to = lsm_block_place(b, w.i + 1);
        bytes = piece(offset, raw.data, from, to, &at);
        draw_entry(f, at, bytes, &e);
        from = to;
    } while (lsm_block_next(&w, &e));
    kv_buf_free(&w.key);
    bytes = piece(offset, raw.data, b->tags, b->places, &at);
    kv_xray_field(f->x, at, bytes, "tags", "a byte of the hash of each key");
    to = raw.data + raw.len - LSM_BLOCK_TAIL_BYTES;
    bytes = piece(offset, raw.data, b->places, to, &at);
    kv_xray_field(f->x, at, bytes, "places",
                  "how far before the tags each entry begins, %u bytes each",
                  (unsigned)b->place_bytes);
    bytes = piece(offset, raw.data, to, raw.data + raw.len, &at);
    kv_xray_field(f->x, at, bytes, "tail",
                  "base seq %" PRIu64 ", %" PRIu32
                  " entries, a restart point every %u",
                  b->base_seq, b->count, (unsigned)b->interval);
    uint32_t i;
    if (!lsm_block_check(b, raw, &i)) {
        kv_xray_damage(f->x, offset, "entry %" PRIu32 " is out of order", i);
    }
}

static void draw_block(film *f, uint64_t offset, uint64_t size, size_t i)
{
    kv_xray_title(f->x, offset, "block %zu: %" PRIu64 " bytes", i, size);
    sealed s = open_seal(f, offset, size);
    kv_slice raw = s.payload;
    uint8_t *room = NULL;
    bool is_whole = true;
    if (s.how != LSM_COMPRESS_NONE) {
        raw.len = lsm_get_raw_size(s.payload);
        kv_xray_field(f->x, offset, s.payload, "packed",
                      "%zu bytes of entries, which follow", raw.len);
        raw.data = room = kv_alloc(raw.len);
        is_whole = raw.len > 0 &&
                   lsm_decompress(NULL, s.how, s.payload, room, raw.len);
    }
    lsm_block block;
    if (is_whole && lsm_block_open(raw, &block)) {
        draw_entries(f, offset, raw, &block);
    } else {
        kv_xray_damage(f->x, offset, "no entries can be made of this");
    }
    draw_seal(f, &s);
    kv_free(room);
}

// ---- the index, and the blocks it leads to ----------------------------------

typedef void draw_line(film *f, uint64_t line_at, kv_slice line, size_t i,
                       uint64_t block_at, const lsm_index_entry *entry);

static void draw_its_block(film *f, uint64_t line_at, kv_slice line, size_t i,
                           uint64_t block_at, const lsm_index_entry *entry)
{
    (void)line_at;
    (void)line;
    draw_block(f, block_at, entry->size, i);
}

static void draw_itself(film *f, uint64_t line_at, kv_slice line, size_t i,
                        uint64_t block_at, const lsm_index_entry *entry)
{
    kv_quoted q;
    kv_xray_field(f->x, line_at, line, "index",
                  "block %zu, at %" PRIu64 ", %" PRIu64 " bytes: up to %s", i,
                  block_at, entry->size, kv_quote(&q, entry->separator));
}

// Calls `draw` for each line of the index, until one is none.
static void each_line(film *f, const sealed *index, draw_line *draw)
{
    uint64_t block_at = 0;
    size_t at = 0;
    for (size_t i = 0; at < index->payload.len; i++) {
        lsm_index_entry line;
        kv_slice rest = part(index->payload, at, index->payload.len - at);
        size_t taken = lsm_get_index_entry(rest, &line);
        if (taken == 0 || line.size > f->footer.data_bytes - block_at) {
            kv_xray_damage(f->x, index->offset + at, "no line of an index");
            return;
        }
        draw(f, index->offset + at, part(rest, 0, taken), i, block_at, &line);
        block_at += line.size;
        at += taken;
    }
}

// ---- the other parts --------------------------------------------------------

static void draw_filter(film *f, const sealed *s)
{
    lsm_filter filter;
    if (!lsm_filter_open(s->payload, &filter)) {
        kv_xray_damage(f->x, s->offset, "no filter");
    } else if (filter.probes > 0) {
        kv_xray_field(f->x, s->offset, s->payload, "filter",
                      "%" PRIu32 " probes into %" PRIu32 " bits", filter.probes,
                      filter.bit_count);
    }
    draw_seal(f, s);
}

static void draw_ranges(film *f, const sealed *s)
{
    for (size_t at = 0; at < s->payload.len;) {
        lsm_range_tombstone r;
        kv_quoted from, to;
        kv_slice rest = part(s->payload, at, s->payload.len - at);
        size_t taken = lsm_get_range(rest, &r);
        if (taken == 0) {
            kv_xray_damage(f->x, s->offset + at, "no range tombstone");
            break;
        }
        kv_xray_field(f->x, s->offset + at, part(rest, 0, taken), "range",
                      "all from %s to %s, seq %" PRIu64,
                      kv_quote(&from, r.from),
                      r.to.len > 0 ? kv_quote(&to, r.to) : "the end", r.seq);
        at += taken;
    }
    draw_seal(f, s);
}

static void draw_props(film *f, const sealed *s)
{
    lsm_properties p = {0};
    kv_quoted first, last;
    if (lsm_get_properties(s->payload, &p) == 0) {
        kv_xray_damage(f->x, s->offset, "no properties");
    } else {
        kv_xray_field(
            f->x, s->offset, s->payload, "props",
            "%" PRIu64 " entries, %" PRIu64 " of them tombstones, %" PRIu64
            " ranges; seq %" PRIu64 " to %" PRIu64 "; keys from %s to %s%s",
            p.entry_count, p.tombstone_count, p.range_count, p.seq_min,
            p.seq_max, kv_quote(&first, p.first_key),
            p.last_key.len > 0 ? kv_quote(&last, p.last_key) : "the end",
            p.last_is_open ? ", not included" : "");
    }
    draw_seal(f, s);
}

void lsm_table_xray(kv_slice file, kv_xray *xray)
{
    film f = {.x = xray, .file = file};
    kv_xray_title(xray, 0, "table, %zu bytes", file.len);
    uint64_t at =
        file.len >= LSM_FOOTER_BYTES ? file.len - LSM_FOOTER_BYTES : 0;
    kv_slice footer = part(file, at, file.len - at);
    if (!lsm_get_footer(footer, file.len, &f.footer)) {
        kv_xray_damage(xray, at, "no valid footer ends the file");
        return;
    }
    uint64_t from = f.footer.data_bytes;
    sealed filter = open_seal(&f, from, f.footer.filter_bytes);
    from += f.footer.filter_bytes;
    sealed ranges = open_seal(&f, from, f.footer.ranges_bytes);
    from += f.footer.ranges_bytes;
    sealed index = open_seal(&f, from, f.footer.index_bytes);
    from += f.footer.index_bytes;
    sealed props = open_seal(&f, from, f.footer.props_bytes);
    each_line(&f, &index, draw_its_block);
    kv_xray_title(xray, filter.offset,
                  "filter, range tombstones, index, "
                  "properties");
    draw_filter(&f, &filter);
    draw_ranges(&f, &ranges);
    each_line(&f, &index, draw_itself);
    draw_seal(&f, &index);
    draw_props(&f, &props);
    kv_xray_field(
        xray, at, footer, "footer",
        "table %" PRIu64 " of store %016" PRIx64 ", %" PRIu64 " blocks; good",
        f.footer.id.number, f.footer.id.store_id, f.footer.block_count);
}
