// format.h -- every byte stage 3 puts into a segment, and into its log.
// SPDX-License-Identifier: MIT
//
// Book:   "SSTables and LSM-Trees" / "The SSTable file format"
// Files:  000007.sst  a segment: sorted entries, written once
//         000008.log  a record log (common/recordlog.h); a payload is an entry
//         CATALOG     which of them count: see catalog.h
//
// A segment, format=binary, integers little-endian:
//
//   header     "SCSEGM\r\n" | major u16 | minor u16 | 0 u32 | store id u64 |
//              number u64 | crc u32                              36 bytes
//   intervals  entries, end to end, and a crc u32 behind each interval
//   index      per interval: size varint | key length varint | first key;
//              then: key length varint | last key of all | crc u32
//   footer     index offset u64 | index size u64 | entries u64 |
//              tombstones u64 | crc u32 | "SCSEND\r\n"           44 bytes
//
//   An entry:
//        +----------------+------------------------+-----+-------+
//        | key length     | value length·2, or 1   | key | value |
//        | varint         | for a tombstone varint |     |       |
//        +----------------+------------------------+-----+-------+
//
//   A whole segment: number 7 of store 5b3c1f0a99e01d77, cat = meow, dog gone
//
//     0  53 43 53 45 47 4d 0d 0a  01 00 00 00 00 00 00 00  magic, version 1.0
//    16  77 1d e0 99 0a 1f 3c 5b  07 00 00 00 00 00 00 00  store, number
//    32  1c b6 d5 a7                                       crc of all that
//    36  03 08  63 61 74  6d 65 6f 77                      3, 4·2, cat, meow
//    45  03 01  64 6f 67                                   3, tombstone, dog
//    50  aa 9f 00 64                                       crc of 36..49
//    54  12  03 63 61 74                                   18 bytes from cat
//    59  03 64 6f 67  70 f7 e9 34                          last: dog; crc
//    67  36 00 00 00 00 00 00 00  0d 00 00 00 00 00 00 00  index: at 54, 13
//    83  02 00 00 00 00 00 00 00  01 00 00 00 00 00 00 00  2 entries, 1 gone
//    99  80 6c 38 8d  53 43 53 45 4e 44 0d 0a              crc, magic
//
// The same with format=text, readable with cat:
//
//   # stagecoach segment 1.0 store 5b3c1f0a99e01d77 number 7 ~8555c09f
//   cat→meow
//   dog→†
//   #~818d3723                     crc behind each interval
//   #index 32 cat                  size and first key, per interval
//   #last dog
//   #~3e40a2f4
//   #end index 00000000000000000099 size 00000000000000000035 entries …
//
//   Keys and values are escaped (kv_escape: pure ASCII), so that → and † are
//   ours alone; a key that starts with # starts with \x23.
//
// Every crc is a CRC-32C over the part it ends, seeded with the store's id, the
// segment's number and the part's offset: bytes from elsewhere never pass.
//
// Invariants
//   F1  Keys within a segment ascend strictly; a key occurs once.
//   F2  An interval holds at least one entry, and ends with the entry that
//       takes it to index_bytes or beyond.
//   F3  The index's sizes add up to exactly the bytes between header and index.
//   F4  The index is in key order and its first keys are those of the
//       intervals; the last key is that of the last entry.

#ifndef SST_FORMAT_H
#define SST_FORMAT_H

#include "common/bytes.h"

enum {
    SST_FORMAT_MAJOR = 1,
    SST_FORMAT_MINOR = 0,
    SST_HEADER_MAX = 128, // bytes, either format
    SST_FOOTER_MAX = 160,
    // A value takes up to four times its bytes as text, in one log record.
    SST_VALUE_MAX = 32 << 20,
};

typedef struct sst_entry {
    kv_slice key;
    kv_slice value; // empty in a tombstone
    bool is_tombstone;
} sst_entry;

// Which segment this is; seeds its checksums.
typedef struct sst_segment_id {
    uint64_t store_id;
    uint64_t number;
} sst_segment_id;

typedef struct sst_footer {
    uint64_t index_offset, index_size; // its crc included
    uint64_t entry_count, tombstone_count;
} sst_footer;

// One line of the sparse index.
typedef struct sst_index_entry {
    uint64_t size; // of the interval, its crc included
    kv_slice first_key;
} sst_index_entry;

// The two formats, as what they do differently. A get_* returns the number of
// bytes it took from the front of `from`, or 0 if they are not what they should
// be. Text is unescaped to `room`, which must have capacity for as many bytes
// as `from` has (binary leaves it alone); slices point there or into `from`.
typedef struct sst_codec {
    size_t footer_bytes, check_bytes;

    void (*put_header)(kv_buf *to, const sst_segment_id *id);
    size_t (*get_header)(kv_slice from, sst_segment_id *id);

    void (*put_entry)(kv_buf *to, const sst_entry *entry);
    size_t (*get_entry)(kv_slice from, kv_buf *room, sst_entry *entry);

    void (*put_check)(kv_buf *to, uint32_t crc);
    size_t (*get_check)(kv_slice from, uint32_t *crc);

    void (*put_index_entry)(kv_buf *to, const sst_index_entry *entry);
    size_t (*get_index_entry)(kv_slice from, kv_buf *room,
                              sst_index_entry *entry);
    void (*put_last_key)(kv_buf *to, kv_slice key);
    size_t (*get_last_key)(kv_slice from, kv_buf *room, kv_slice *key);

    // Without its own checksum, which ends in place for get_footer.
    void (*put_footer)(kv_buf *to, const sst_footer *footer, uint32_t seed);
    size_t (*get_footer)(kv_slice from, sst_footer *footer, uint32_t seed);
} sst_codec;

extern const sst_codec sst_codec_binary;
extern const sst_codec sst_codec_text;

// What the checksum of the part at `offset` starts from.
uint32_t sst_check_seed(const sst_segment_id *id, uint64_t offset);

// Appends the checksum of the part that `to` holds from `from` on, which
// stands at `offset` in the file.
void sst_put_check(const sst_codec *codec, kv_buf *to, size_t from,
                   const sst_segment_id *id, uint64_t offset);
// True if `part` ends in its checksum; *body is what stands before it.
bool sst_get_check(const sst_codec *codec, kv_slice part,
                   const sst_segment_id *id, uint64_t offset, kv_slice *body);

// Which codec wrote the header at the front of `from`, or NULL for none.
const sst_codec *sst_codec_of(kv_slice from);

#endif
