// format.h -- every byte of a table file (an SSTable).
// SPDX-License-Identifier: MIT
//
// Book:   "SSTables and LSM-Trees" / "The SSTable file format"
// File:   000007.sst, written once from front to back, as 000007.sst.tmp until
//         it is whole. Integers little-endian; varint as in common/coding.h.
//
//   +------------+------------+---+--------+--------+-------+-------+--------+
//   | data block | data block | … | filter | ranges | index | props | footer |
//   +------------+------------+---+--------+--------+-------+-------+--------+
//   0                             └ data_bytes                    └ end - 80
//
//   Every part but the footer is sealed: 5 bytes end it,
//
//        +---------+--------------------+-----------------------------------+
//        | payload | compression u8     | crc u32                           |
//        +---------+--------------------+-----------------------------------+
//
//   compression  0 none; 1 lz4, 2 zstd: the payload then is
//                raw size u32 | compressed bytes. Data blocks only.
//   crc          CRC-32C of payload and compression, seeded with store id,
//                file number and the part's offset: bytes from another place,
//                file or store never pass.
//
//   data block   see block.h
//
//   filter       probes u8 | bits, a multiple of 64 of them; empty: no filter.
//                See filter.h.
//   ranges       per range tombstone, in order:
//                   seq varint | from length varint | from |
//                   to length varint (0: to the end) | to
//   index        per data block:
//                   size varint, seal included | separator length varint |
//                   separator
//                A separator is a short string at or above every key of its
//                block and below every key of the next, if their keys differ.
//   props        entries varint | tombstones | ranges | lowest seq | highest
//                seq | key bytes | value bytes | raw block bytes |
//                open end (0 or 1) varint | first key length varint |
//                first key | last key length varint | last key
//   footer, 80 bytes
//        +-----------+-----------+----------+----------+-----------+
//        | store id  | number    | data     | filter   | ranges    |
//        | u64       | u64       | bytes u64| bytes u64| bytes u64 |
//        +-----------+-----------+----------+----------+-----------+
//        | index     | props     | block    | major u16, minor u16 |
//        | bytes u64 | bytes u64 | count u64|                      |
//        +-----------+-----------+----------+----------------------+
//        | crc u32   | magic: "SCTABL\r\n"  |
//        +-----------+----------------------+
//        The crc covers what stands before it, seeded like the others with
//        the footer's offset.
//
// Invariants
//   F1  The parts' sizes and the footer's add up to the file's.
//   F2  The index's sizes add up to data_bytes, and there are block_count.
//   F3  Entries ascend (E1) within a block and from block to block.
//   F4  Separators ascend strictly, except that one key's versions may fill
//       several blocks: then their separators are that key.
//   F5  first_key and last_key bound every entry and every range tombstone;
//       with an open end, last_key itself is outside (and if it is empty, there
//       is no bound above).
//   F6  Range tombstones ascend and do not overlap (N1).

#ifndef LSM_FORMAT_H
#define LSM_FORMAT_H

#include "entry.h"

enum {
    LSM_TABLE_MAJOR = 1,
    LSM_TABLE_MINOR = 0,
    LSM_FOOTER_BYTES = 80,
    LSM_SEAL_BYTES = 5,
    LSM_RAW_SIZE_BYTES = 4,
    LSM_KEY_MAX = 64 << 10,
    LSM_VALUE_MAX = 32 << 20,
    // What a block may have at most, unpacked: its last entry may be one of
    // the largest.
    LSM_BLOCK_MAX = 40 << 20,
};

typedef enum lsm_compression {
    LSM_COMPRESS_NONE,
    LSM_COMPRESS_LZ4,
    LSM_COMPRESS_ZSTD,
    LSM_COMPRESSIONS
} lsm_compression;

// Which table this is; seeds its checksums.
typedef struct lsm_table_id {
    uint64_t store_id;
    uint64_t number;
} lsm_table_id;

// Valid for any number.
typedef struct lsm_name {
    char text[32];
} lsm_name;
lsm_name lsm_table_name(uint64_t number);      // "000007.sst"
lsm_name lsm_table_temporary(uint64_t number); // "000007.sst.tmp"

typedef struct lsm_footer {
    lsm_table_id id;
    // Of each part, its seal included.
    uint64_t data_bytes, filter_bytes, ranges_bytes, index_bytes, props_bytes;
    uint64_t block_count;
} lsm_footer;

// What is known of a table without reading its blocks. The slices belong to
// whoever filled it in: a builder, or the open table.
typedef struct lsm_properties {
    uint64_t file_bytes;      // not on disk: whoever has the file knows
    uint64_t entry_count;     // range tombstones not included
    uint64_t tombstone_count; // of them
    uint64_t range_count;
    uint64_t seq_min, seq_max; // of entries and range tombstones
    uint64_t key_bytes, value_bytes;
    uint64_t raw_bytes;           // of data blocks before compression
    kv_slice first_key, last_key; // F5
    bool last_is_open;
} lsm_properties;

typedef struct lsm_index_entry {
    uint64_t size; // of the block, its seal included
    kv_slice separator;
} lsm_index_entry;

// ---- seals ------------------------------------------------------------------

// Appends the seal of the part that `to` holds from `from` on, which will
// stand at `offset` in the file.
void lsm_seal(kv_buf *to, size_t from, lsm_compression compression,
              const lsm_table_id *id, uint64_t offset);
// False unless `part` ends in its seal. The payload is what stands before it.
bool lsm_unseal(kv_slice part, const lsm_table_id *id, uint64_t offset,
                lsm_compression *compression, kv_slice *payload);

// What a compressed payload begins with: LSM_RAW_SIZE_BYTES. Getting it, 0 if
// the payload says nothing between 1 and LSM_BLOCK_MAX.
void lsm_put_raw_size(uint8_t *to, size_t raw_size);
size_t lsm_get_raw_size(kv_slice payload);

// ---- parts ------------------------------------------------------------------
//
// A put_* appends. A get_* returns how many bytes it took from the front of
// `from`, or 0 if they are not what they should be; slices point into `from`.

void lsm_put_range(kv_buf *to, const lsm_range_tombstone *range);
size_t lsm_get_range(kv_slice from, lsm_range_tombstone *range);

void lsm_put_index_entry(kv_buf *to, const lsm_index_entry *entry);
size_t lsm_get_index_entry(kv_slice from, lsm_index_entry *entry);

// Cuts `last` to a short string in [last, next): what separates two blocks.
// With an empty `next` (there is no next block) it stays as it is.
void lsm_shorten_separator(kv_buf *last, kv_slice next);

void lsm_put_properties(kv_buf *to, const lsm_properties *props);
// Leaves file_bytes alone. Takes all of `from`, or 0.
size_t lsm_get_properties(kv_slice from, lsm_properties *props);

// The footer's offset is the sum of its sizes.
void lsm_put_footer(kv_buf *to, const lsm_footer *footer);
// `from` has LSM_FOOTER_BYTES, the last of a file of `file_bytes`. Also
// refuses sizes that do not add up (F1).
bool lsm_get_footer(kv_slice from, uint64_t file_bytes, lsm_footer *footer);

#endif
