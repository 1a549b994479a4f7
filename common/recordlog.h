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
//        +---------+---------+-------------+-------------+------------+
//   +0   | crc u32 | mark u32| size·2+more | check u32,  | payload    |
//        |         |         | varint,     | only if size| size bytes |
//        |         |         | 1..5 B      | >= 4096     |            |
//        +---------+---------+-------------+-------------+------------+
//                  |<- check covers this ->|
//                  |<- crc covers this, without check ->              |
//                  both are seeded with the salt and the record's offset
//
//   `check` lets a reader refuse an absurd size without reading so far. A
//   whole log: store 1, number 7, one record "cat", then closed:
//
//     0  53 43 52 4c 4f 47 0d 0a  magic
//     8  01 00 00 00  44 45 4d 4f  format 1.0, kind "DEMO"
//    16  01 00 00 00 00 00 00 00  store 1
//    24  07 00 00 00 00 00 00 00  number 7
//    32  00 00 00 00 00 00 00 00  no predecessor
//    40  5f 07 d3 5c  00 00 00 00  salt, binary framing
//    48  40 1b 12 9b              crc of all that
//    52  71 bf 42 e1  34 00 00 00  crc; mark 52: the header was synced
//    60  06  63 61 74             3·2 + 0, "cat"
//    64  d5 1f 92 4c  40 00 00 00  crc; mark 64
//    72  00                       0·2 + 0: closed
//
// With framing=text the same facts are lines a person can read:
//
//   # stagecoach log SEGM 1.0 store 5b3c… number 3 previous 120 salt 99e0… ~crc
//   SET cat meow  ~5b3c1f0a@00000072
//   SET dog woof  ~77e01f3c@00000072+
//                   crc ^     mark ^  `more`
//
//   The payload must not contain a line feed; "  ~" and what follows are the
//   last 20 or 21 bytes of a line.
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
//   R4  Before a file is made, its predecessor was synced; its header repeats
//       the predecessor's size. A predecessor that is not good up to there is
//       corrupt; what it holds beyond is left over from a rescue (R7).
//   R5  After a clean close the last record is an empty one whose mark covers
//       all before it: then every damaged bit is found.
//   R6  The header is synced before the first record is written. A damaged
//       header is therefore a file torn at birth only if no record follows.
//   R7  Nothing is appended to a log that was recovered. After a failed sync
//       the system may show bytes that are not on the disk: reading them back
//       proves nothing. kv_recordlog_rescue copies what is in doubt.
//   R8  While a log is written, zeroes may follow its last record: space that
//       was reserved. Closing it takes them away; a crash leaves them, and they
//       are a torn tail as any other.
//
// Limits: a file ends before 4 GiB. What no rule can tell from a torn write is
// damage within the last sync of a file that was not closed, and a file cut
// short at a point behind its last mark: after a clean close, another file has
// to say how long it was (durability.md). In text framing, a
// record of more than 64 KiB that follows a damaged line feed is not seen.
//
// Typical use: kv_recordlog_create, kv_disk_sync_dir, then kv_recordlog_add…,
// kv_recordlog_flush, kv_recordlog_sync in turn, kv_recordlog_seal,
// kv_recordlog_close; later kv_recordlog_recover, and kv_recordlog_rescue if
// the newest log was not sealed.
//
// Book: making a log crash-safe: checksums, partially written records

#ifndef COMMON_RECORDLOG_H
#define COMMON_RECORDLOG_H

#include "common/disk.h"

enum {
    KV_RECORDLOG_HEADER_BYTES = 52,
    KV_RECORDLOG_HEADER_MAX = 160, // of either framing
    KV_RECORD_OVERHEAD_MAX = 22,   // bytes a record adds to its payload
    KV_RECORD_LARGE = 4096,        // bytes of payload, and more: has a check
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
// without knowing the store; `file` is for the sentence. KV_UNSUPPORTED if a
// newer program wrote the file.
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
// when they are not a valid record (R1). More bytes may follow it.
bool kv_record_decode(kv_slice bytes, const kv_recordlog_id *id,
                      uint64_t offset, kv_record *out);
// The size that a record at the front of `bytes` claims, from as little as it
// takes to say it (KV_RECORD_OVERHEAD_MAX bytes in binary framing, the line in
// text). 0 when no record can begin so, or `bytes` end before that is known.
// For readers that do not know where a record ends: decode when so many bytes
// are there.
size_t kv_record_claim(kv_slice bytes, const kv_recordlog_id *id,
                       uint64_t offset);
// The mark that a record would carry that begins with `bytes` (binary framing)
// or whose line, without its feed, ends with them (text): a quick look for a
// search.
bool kv_record_peek_mark(kv_slice bytes, kv_framing framing, uint32_t *mark);

// ---- writing ----------------------------------------------------------------

// One writer at a time; the file's reader side may be used meanwhile.
typedef struct kv_recordlog {
    kv_file *file; // NULL: closed
    kv_recordlog_id id;
    uint64_t size;        // bytes in the file, `pending` not included
    uint64_t reserved;    // the file's end, if that is beyond `size`
    uint64_t synced_size; // known to be on disk: the next record's mark
    kv_buf pending;       // records added, not yet written
    bool in_group;        // the last record added said `more`
    bool syncs_each;      // flush, by its owner: space is reserved such that
                          // syncs are short, and else that flushes are
} kv_recordlog;

// Makes the file with its header, synced (R6); `log` is zeroed but for its
// syncs_each. Its name is durable after the directory's next sync, which is the
// caller's and comes before the first record. `map_bytes` as in kv_open_how.
// After KV_NO_SPACE there is no file.
// Cost: 1 write, 1 sync.
KV_MUST_USE kv_status kv_recordlog_create(kv_recordlog *log, kv_disk *disk,
                                          const char *name,
                                          const kv_recordlog_id *id,
                                          uint64_t map_bytes, kv_why why);
// Reserves space for `bytes` of the log, and an eighth more, a MiB at most. A
// flush that needs it does so itself; a background step does it for a log that
// nobody writes to yet, so that no flush has to.
void kv_recordlog_reserve(kv_recordlog *log, uint64_t bytes, kv_why why);
// Gives back what is reserved and not written to.
KV_MUST_USE kv_status kv_recordlog_trim(kv_recordlog *log, kv_why why);
// Adds a record to `pending`, in memory. Returns the offset it will have.
// Requires a payload (an empty one means closed), and room below
// KV_RECORDLOG_MAX_BYTES for it and KV_RECORD_OVERHEAD_MAX.
uint64_t kv_recordlog_add(kv_recordlog *log, kv_slice payload, bool more);
// Where the next record would stand.
uint64_t kv_recordlog_end(const kv_recordlog *log);
// Writes `pending`, which must end with a whole group. KV_NO_SPACE if the disk
// is full: the file was cut back and that synced, nothing of `pending` will be
// seen again, and the caller may retry it or drop it. KV_IO otherwise: nobody
// knows what is in the file, and nothing more may be written to this log.
// Cost: 1 write, or 0 if none pending; no system call for a short one where
// space is reserved.
KV_MUST_USE kv_status kv_recordlog_flush(kv_recordlog *log, kv_why why);
// Forgets `pending`.
void kv_recordlog_drop_pending(kv_recordlog *log);
// What was flushed before this call survives a power cut. Other calls may run
// meanwhile if the caller sees to `synced_size`. Cost: 1 sync.
KV_MUST_USE kv_status kv_recordlog_sync(kv_recordlog *log, kv_why why);
// Writes the closing record (R5), cuts off what was reserved behind it (R8) and
// syncs: the file is complete. Requires that nothing is pending. After
// KV_NO_SPACE the log is as it was, and may be written to. Cost: 1 write, 2
// syncs, or 1 if all was synced.
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
    uint64_t good_size;    // bytes up to the end of the last complete group
    uint64_t file_size;    // bytes found; more than good_size: a torn tail
    uint64_t torn_bytes;   // of that tail, up to the last that is not zero (R8)
    uint64_t durable_size; // D: bytes known to have been synced; without a
                           // record, the header, of which it is not known
    bool sealed;           // ends in a closing record
    uint64_t record_count;
} kv_recovery;

// Reads the whole log `file`, shows every valid record of every complete group
// in order, and applies R3. KV_CORRUPT, with the offset in the sentence, if
// there is damage rather than a torn tail, or if `expect` (when not NULL)
// differs in kind, store_id or number. Changes nothing on disk. A file that was
// torn at birth (R6) has good_size 0, and may be removed; without `expect` that
// cannot be told from damage, unless it is shorter than any header. `visit` may
// be NULL.
// It may be a log that is written and closed meanwhile: what is whole is shown.
// Memory: the largest record, and 1 MiB. Cost: 1 read per MiB.
KV_MUST_USE kv_status kv_recordlog_recover(kv_file *file,
                                           const kv_recordlog_id *expect,
                                           kv_record_visitor *visit, void *arg,
                                           kv_why why, kv_recovery *out);

// The header alone. KV_CORRUPT if it is damaged or torn. Cost: 1 read.
KV_MUST_USE kv_status kv_recordlog_read_id(kv_file *file, kv_why why,
                                           kv_recordlog_id *out);

// Cuts the torn tail off the recovered log `old` (open for writing), and moves
// what recovery accepted without proof, the records behind durable_size, to a
// new sealed log `name` (R7):
//
//   1  copy them to `name`.tmp, sync it, rename it to `name`, sync its name
//   2  cut `old` at durable_size, sync it
//
// A crash between the two leaves the records in both: recovering `old` and then
// `name` yields the same state. `id` is the new log's; its previous_size is set
// here. *made says whether there was anything to copy. A caller that finds
// `name`.tmp removes it. Of a sealed log the closing record is written
// again and synced, for it proves what is before it but not itself.
// Requires good_size > 0.
KV_MUST_USE kv_status kv_recordlog_rescue(kv_disk *disk, kv_file *old,
                                          const kv_recovery *found,
                                          const char *name, kv_recordlog_id *id,
                                          bool *made);

#endif
