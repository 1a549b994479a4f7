// recordlog.h -- an append-only file of checksummed records, and the rule that
// tells a torn tail from corruption.
// SPDX-License-Identifier: MIT
//
// Stage 2's segments, every write-ahead log and every manifest are record logs.
//
// The file, binary framing, integers little-endian:
//
//   byte 0         8       10      12       16       24        32        40
//        +---------+-------+-------+--------+--------+---------+---------+
//        | "SCRLOG"| major | minor | kind   | store  | number  | previous|
//        | \r \n   | u16   | u16   | 4 char | u64 id | u64     | u64 size|
//        +---------+-------+-------+--------+--------+---------+---------+
//        | salt u32| framing u32   | crc u32 of bytes 0..47              |
//        +---------+---------------+-------------------------------------+
//   40             44              48                                   52
//
//   and from byte 52 on, records end to end:
//
//        +---------+---------+------------------+------------+
//   +0   | crc u32 | mark u32| size·2+more      | payload    |
//        |         |         | varint, 1..5 B   | size bytes |
//        +---------+---------+------------------+------------+
//                  |<-- the crc covers this, seeded with --->|
//                  |    the salt and the record's offset     |
//
// With framing=text the same facts are lines a person can read:
//
//   # stagecoach log SEGM 1.0 store 5b3c… number 3 previous 120 salt 99e0… ~crc
//   SET cat meow  ~5b3c1f0a@00000072
//   SET dog woof  ~77e01f3c@00000072+
//                   crc ^     mark ^  `more`
//
//   The payload must not contain a line feed, and two spaces end it.
//
// `salt` is a mix of the store's id and the file's number, so that bytes left
// over from another file never pass. `mark` is the length of the file that was
// known to be synced when the record was built. `more` says that the next
// record belongs to the same group: a group counts only when it is complete.
//
// Invariants
//   R1  A record is valid if its crc, computed with its own offset, matches.
//   R2  Marks never fall from one record to the next, and are never larger than
//       the offset of the record that carries them.
//   R3  (the torn-tail rule) Let P be the offset of the first bytes that are
//       not a valid record, and D the largest mark of any valid record before
//       or after P. P < D is corruption: bytes that had reached the disk have
//       changed. Otherwise what follows P is the tail that a crash tore; it was
//       never acknowledged as durable, and is cut off.
//   R4  Before the first record of a file is written, its predecessor was
//       synced; its header repeats the predecessor's size, so that a
//       predecessor that is shorter is corruption too.
//   R5  After a clean close the last record is an empty one whose mark covers
//       all before it: then every damaged bit is found.
//
// Limit: a file ends before 4 GiB. What no rule can tell from a torn write is
// damage within the last sync of a file that was not closed (durability.md).
//
// Typical use: kv_recordlog_create, kv_recordlog_add…, kv_recordlog_flush,
// kv_recordlog_sync, kv_recordlog_close; later kv_recordlog_recover.
//
// Book: making a log crash-safe: checksums, partially written records

#ifndef COMMON_RECORDLOG_H
#define COMMON_RECORDLOG_H

#include "common/disk.h"

enum {
    KV_RECORDLOG_HEADER_BYTES = 52,
    KV_RECORD_OVERHEAD_MAX = 13, // bytes a binary record adds to its payload
    KV_RECORD_MAX = (256 << 20) + (64 << 10) + 64, // bytes of payload
};
#define KV_RECORDLOG_MAX_BYTES 0xffffffffu

typedef enum kv_framing { KV_FRAMING_BINARY, KV_FRAMING_TEXT } kv_framing;

// What the header says.
typedef struct kv_recordlog_id {
    char kind[5];           // "SEGM", "WAL ", …: four printable characters
    uint64_t store_id;      // whose file
    uint64_t number;        // which file
    uint64_t previous_size; // of the predecessor, 0 if there is none (R4)
    kv_framing framing;
} kv_recordlog_id;

// ---- bytes ------------------------------------------------------------------

// The header's bytes, and back. Decoding checks everything that can be checked
// without knowing the store; `file` is for the sentence.
void kv_recordlog_encode_header(const kv_recordlog_id *id, kv_buf *to);
// *size is the header's size: KV_RECORDLOG_HEADER_BYTES, or a text line's.
KV_MUST_USE kv_status kv_recordlog_decode_header(kv_slice bytes,
                                                 const char *file,
                                                 kv_recordlog_id *id,
                                                 size_t *size);

typedef struct kv_record {
    kv_slice payload; // into the bytes it was decoded from
    uint32_t mark;
    bool more;
    size_t size; // of the whole record
} kv_record;

// Appends the bytes of one record that will stand at `offset`.
void kv_record_encode(kv_buf *to, const kv_recordlog_id *id, uint64_t offset,
                      uint32_t mark, bool more, kv_slice payload);
// Decodes the record at the front of `bytes`, which stand at `offset`. False
// when they are not a valid record (R1).
bool kv_record_decode(kv_slice bytes, const kv_recordlog_id *id,
                      uint64_t offset, kv_record *out);

// ---- writing ----------------------------------------------------------------

// One writer at a time; the file's reader side may be used meanwhile.
typedef struct kv_recordlog {
    kv_file *file; // NULL: closed
    kv_recordlog_id id;
    uint64_t size;        // bytes in the file, `pending` not included
    uint64_t synced_size; // known to be on disk: the next record's mark
    kv_buf pending;       // records added, not yet written
} kv_recordlog;

// Makes the file with its header. Its name is durable after the directory's
// next sync, which is the caller's. Cost: 1 write.
KV_MUST_USE kv_status kv_recordlog_create(kv_recordlog *log, kv_disk *disk,
                                          const char *name,
                                          const kv_recordlog_id *id,
                                          uint64_t map_bytes, kv_why why);
// Adds a record to `pending`, in memory. Returns the offset it will have.
uint64_t kv_recordlog_add(kv_recordlog *log, kv_slice payload, bool more);
// Where the next record would stand.
uint64_t kv_recordlog_end(const kv_recordlog *log);
// Writes `pending`. When it fails nothing of it is in the file: KV_NO_SPACE if
// the disk is full and the file could be cut back; KV_IO otherwise, and then
// nothing more may be written to this log. Cost: 1 write, or 0 if none pending.
KV_MUST_USE kv_status kv_recordlog_flush(kv_recordlog *log, kv_why why);
// Forgets `pending`.
void kv_recordlog_drop_pending(kv_recordlog *log);
// What was flushed survives a power cut. Cost: 1 sync.
KV_MUST_USE kv_status kv_recordlog_sync(kv_recordlog *log, kv_why why);
// Writes the closing record (R5) and syncs: the file is complete. Cost: 2
// syncs, 1 write.
KV_MUST_USE kv_status kv_recordlog_seal(kv_recordlog *log, kv_why why);
// Closes the file as it is. A zeroed one is fine.
kv_status kv_recordlog_close(kv_recordlog *log);

// ---- reading ----------------------------------------------------------------

// A record during recovery: its group is complete, `offset` is its place. The
// closing record is not shown. Anything but KV_OK ends the recovery with it.
typedef kv_status kv_record_visitor(void *arg, uint64_t offset,
                                    const kv_record *record);

typedef struct kv_recovery {
    kv_recordlog_id id;
    uint64_t good_size;   // bytes up to the end of the last complete group
    uint64_t file_size;   // bytes found; more than good_size: a torn tail
    uint64_t durable_size; // D: bytes known to have been synced
    bool sealed;          // ends in a closing record
    uint64_t record_count;
} kv_recovery;

// Reads the whole log `file`, shows every valid record of every complete group
// in order, and applies R3. KV_CORRUPT, with the offset in the sentence, if
// there is damage rather than a torn tail, or if `expect` (when not NULL)
// differs in kind, store_id or number. Changes nothing on disk. A file shorter
// than its header is a torn tail of good_size 0 (its number is not known).
// Cost: 1 read per MiB.
KV_MUST_USE kv_status kv_recordlog_recover(kv_file *file,
                                           const kv_recordlog_id *expect,
                                           kv_record_visitor *visit, void *arg,
                                           kv_why why, kv_recovery *out);

#endif
