// format.h -- every byte that stage 2 puts on the disk.
// SPDX-License-Identifier: MIT
//
//   000001.seg            a segment, as it was written: the position is 1
//   000002-000004.1.seg   what a merge left of the positions 2, 3 and 4;
//                         .2 would be the merge of a merge (the generation)
//   000005.seg            the newest; at most one is being written
//   index.hint            the index as the last clean close left it: a cache
//   *.tmp                 one of these, unfinished: removed by the next open
//
// A segment is a record log of kind "SEGM" (common/recordlog.h: header, crc,
// mark, torn-tail rule). Its number is generation << 32 | first position. The
// payload of a record, in binary and in text framing:
//
//        +---------------------+-------------+---------------+
//        | key size·2          | key ...     | value ...     |  SET cat meow
//        +---------------------+-------------+---------------+
//        | key size·2 + 1      | key ...     | a tombstone      DEL cat
//        +---------------------+-------------+---------------+
//        | 0                   | last varint | horizon varint|  MERGED 4 9
//        +---------------------+-------------+---------------+
//          varint                the first record of a merge's output
//
//   example: put("cat", "meow") is 06 63 61 74 6d 65 6f 77, and in text
//   "SET cat meow"; del("cat") is 07 63 61 74. In text, bytes are escaped as
//   kv_escape does, and a space in a key is \x20.
//
// Order and crashes. Positions count upward, and of two records with one key
// the one at the higher position, or behind in the same file, is newer.
//
// Invariants
//   F1  Every position from 1 to the newest is covered by exactly one file
//       that counts. A file counts unless another one, of a higher generation,
//       covers all its positions: then a merge has replaced it, and a crash
//       came before it was removed. So a missing file is noticed.
//   F2  A merge's output gets its name by renaming it, when it is complete,
//       closed by its last record, and synced. The directory is synced before
//       its inputs are removed, and again before it may be an input itself:
//       what it replaced cannot come back after it is gone.
//   F3  A segment is sealed (synced and closed by its last record) before its
//       successor is made. Only the newest position may have a torn tail.
//   F4  Nothing is appended to a segment that was open when the store stopped:
//       opening the store rewrites it as a merge of itself, and the first write
//       begins a new one. After a failed sync, bytes that can be read may not
//       be on the disk (R7); that includes the closing record.
//   F5  A file's horizon is the lowest position whose deletions it may not
//       have seen: it holds no record that was dead before that. A tombstone
//       at position s is dropped only by a merge before whose inputs every
//       file has a horizon above s, or has no dead records at all. (So no
//       older file can hold the key.)
//   F6  Hints say what they were made from (spans and sizes of the segments)
//       and carry checksums. What does not match is read from the segment.
//
// index.hint, integers little-endian, is a header, a line per segment, and a
// block per table of the index:
//
//   0  "SCHINT\r\n"  u16 major  u16 minor  u32 segments  u64 store id
//      u32 blocks    u32 crc of all before it and of the segments' lines
//   a segment's line, 64 bytes:
//      u32 first, last, generation, horizon   u64 size, base, entry bytes,
//      tombstone bytes, live bytes, live count
//   a block, for each table that is not empty:
//      u32 table  u32 entries  u32 crc of the block without this field
//      and per entry: u32 hash, 6 bytes of place (place.h; `base` of its
//      segment says which)
//
// Book: hash indexes; crash recovery of a log (notes/book-map.md)

#ifndef LOG_FORMAT_H
#define LOG_FORMAT_H

#include <stdbool.h>

#include "common/recordlog.h"

#include "index.h"

enum {
    LOG_KEY_MAX = 64 << 10,
    LOG_VALUE_MAX = 256 << 20,
    LOG_ENTRY_OVERHEAD_MAX = 8, // bytes a payload has beside key and value
    LOG_POSITION_MAX = 0x7fffffff,
};

#define LOG_SEGMENT_KIND "SEGM"
#define LOG_HINT_NAME    "index.hint"
#define LOG_HINT_TMP     "index.hint.tmp"

// ---- entries ----------------------------------------------------------------

typedef enum log_kind { LOG_SET, LOG_TOMBSTONE, LOG_MERGED } log_kind;

typedef struct log_entry {
    log_kind kind;
    kv_slice key;           // empty in LOG_MERGED
    kv_slice value;         // empty in all but LOG_SET
    uint32_t last, horizon; // of LOG_MERGED
} log_entry;

// Appends a payload.
void log_entry_encode(kv_buf *to, kv_framing framing, const log_entry *entry);
// False if it is no payload of ours. Binary: the slices point into `payload`.
// Text: into `scratch`, until its next use.
bool log_entry_decode(kv_slice payload, kv_framing framing, kv_buf *scratch,
                      log_entry *out);
// No payload of that key and value is longer.
uint64_t log_entry_bound(kv_framing framing, kv_slice key, kv_slice value);

// ---- names ------------------------------------------------------------------

// The positions a file covers. Generation 0: as written, first == last.
typedef struct log_span {
    uint32_t first, last, generation;
} log_span;

typedef struct log_name {
    char text[64];
} log_name;

typedef enum log_name_kind {
    LOG_NAME_FOREIGN,
    LOG_NAME_SEGMENT,
    LOG_NAME_UNFINISHED, // a segment's with .tmp behind it
    LOG_NAME_HINT,
    LOG_NAME_HINT_TMP,
} log_name_kind;

log_name log_name_of(log_span span, bool unfinished);
log_name_kind log_name_parse(const char *name, log_span *span);

static inline uint64_t log_number_of(log_span span)
{
    return (uint64_t)span.generation << 32 | span.first;
}

// ---- the hint file ----------------------------------------------------------

enum {
    LOG_HINT_HEADER_BYTES = 32,
    LOG_HINT_SEGMENT_BYTES = 64,
    LOG_HINT_BLOCK_BYTES = 12, // and per entry:
    LOG_HINT_ENTRY_BYTES = 10,
    LOG_HINT_SEGMENTS_MAX = 1 << 18,
};

typedef struct log_hint_header {
    uint64_t store_id;
    uint32_t segment_count, block_count;
} log_hint_header;

// What is known of a segment besides its records.
typedef struct log_facts {
    log_span span;
    uint32_t horizon;         // F5
    uint64_t size;            // bytes of the file that are good
    uint64_t base;            // address of its first byte
    uint64_t entry_bytes;     // in records of SET and DEL
    uint64_t tombstone_bytes; // the part in records of DEL
    uint64_t live_bytes;      // the part in records the index points at
    uint64_t live_count;
} log_facts;

// Header and segments' lines, with their checksum.
void log_hint_encode_head(kv_buf *to, const log_hint_header *header,
                          const log_facts *segments);
// From the first LOG_HINT_HEADER_BYTES; false if they are not a hint's.
bool log_hint_decode_header(kv_slice bytes, log_hint_header *out);
// `bytes` are header and lines; false if the checksum says no.
bool log_hint_check_head(kv_slice bytes);
void log_hint_decode_segment(const uint8_t *line, log_facts *out);

void log_hint_begin_block(kv_buf *to, uint32_t table);
void log_hint_add(kv_buf *to, log_index_entry entry);
// Fills in count and checksum of the block that began at `start`.
void log_hint_end_block(kv_buf *to, size_t start);
// Table and entries of a block; false if that cannot be.
bool log_hint_decode_block(const uint8_t *block, uint32_t *table,
                           uint32_t *count);
bool log_hint_check_block(kv_slice block);
log_index_entry log_hint_entry(const uint8_t *at);

#endif
