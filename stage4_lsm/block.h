// block.h -- a data block: some 4 KiB of entries, built, searched and walked.
// SPDX-License-Identifier: MIT
//
//   A block, before compression and without its seal (format.h):
//
//   +------+---------+---------+---+---------+-----------+----------+------+
//   | fill | entry 0 | entry 1 | … | n-1     | n tags u8 | n places | tail |
//   +------+---------+---------+---+---------+-----------+----------+------+
//
//   fill       zeroes that make the block as long as a page of the file, where
//              little is missing: a read then touches one page
//   entry      +---------------+--------------+--------------------+
//              | shared varint | own varint   | order varint       |
//              +---------------+--------------+--------------------+
//              | own bytes of the key         | value              |
//              +------------------------------+--------------------+
//              shared   how many bytes of its key it takes from the restart
//                       point's key
//              order    (seq - base seq)·2 + kind
//              value    up to where the next entry begins
//   tag        the high byte of the key's hash: a get compares 8 tags at a
//              time, and reads only the entries whose tag is right
//   place      how many bytes before the first tag the entry begins: u16, or
//              u32 if entry 0's is over 65535. So a block is read from its end
//   tail       base seq u64 | n u16 | restart interval u8 | bytes per place u8
//
//   Entries 0, R, 2R … (R: the restart interval) are restart points and hold
//   their key whole; the R-1 behind each share its beginning:
//
//      "car" 9 put "vroom", "cat" 7 put "meow", "cat" 4 del, base seq 4
//      00 03 0a  63 61 72  76 72 6f 6f 6d     restart: shares nothing
//      02 01 06  74        6d 65 6f 77        "ca" + "t"
//      02 01 01  74
//
// Invariants
//   B1  Each entry ends where the next one begins, the last where the tags
//       begin.
//   B2  A restart point shares nothing, others what there is to share. Between
//       restart points `shared` never grows (keys ascend), so that a walk
//       forward only ever overwrites the end of the key it has.
//   B3  A block has 1 to 65535 entries.
//   B4  Entries ascend (E1), tags are those of the keys: so what is there is
//       found. What fills it up is zero. (lsm_block_check verifies it, an open
//       does not.)
//
// Book: "The SSTable file format"

#ifndef LSM_BLOCK_H
#define LSM_BLOCK_H

#include "entry.h"

enum {
    LSM_RESTART_INTERVAL = 16,
    LSM_BLOCK_ENTRIES_MAX = 65535,
    LSM_BLOCK_TAIL_BYTES = 12,
};

// The byte of a key's hash that stands for the key.
static inline uint8_t lsm_block_tag(uint64_t hash)
{
    return (uint8_t)(hash >> 56);
}

// ---- building ---------------------------------------------------------------

// Zeroed is ready for lsm_block_begin; one builder makes many blocks.
typedef struct lsm_block_builder {
    kv_buf bytes;      // the entries so far
    uint32_t *offsets; // of each entry
    uint8_t *tags;
    uint32_t count, cap;
    kv_buf restart_key;
    size_t shared; // what the last entry took from it; a restart point: all
    uint64_t base_seq;
} lsm_block_builder;

// Forgets what was added. No entry's sequence number may be below base_seq.
void lsm_block_begin(lsm_block_builder *b, uint64_t base_seq);
// Adds the entry, or returns false: the block is full, or has entries and would
// get longer than `limit`. Requires that the entry stands behind the last one
// (E1).
bool lsm_block_add(lsm_block_builder *b, const lsm_entry *entry, uint64_t hash,
                   size_t limit);
// Bytes the block would have now.
size_t lsm_block_bytes(const lsm_block_builder *b);
// The finished block, with so many bytes of fill; the builder's, until its next
// call. Requires an entry.
kv_slice lsm_block_finish(lsm_block_builder *b, size_t fill);
void lsm_block_builder_free(lsm_block_builder *b);

// ---- reading ----------------------------------------------------------------

// A block's parts. Points into the block's bytes, which whoever has it keeps.
typedef struct lsm_block {
    const uint8_t *tags;   // entries end here
    const uint8_t *places; // behind `count` tags
    uint64_t base_seq;
    uint32_t count;
    uint8_t interval, place_bytes;
} lsm_block;

// Finds the parts, and verifies B1 to B3 and every length within: from then on
// the block is read without looking. False if it is not a block.
// Cost: a look at the head of every entry.
bool lsm_block_open(kv_slice bytes, lsm_block *out);
// The same for bytes that lsm_block_open has accepted before, by where they
// end. Cost: the tail.
lsm_block lsm_block_again(const uint8_t *end);

// The newest entry of the key with seq <= seq_max; its value is in the block,
// its key is left alone. False: not in this block.
bool lsm_block_get(const lsm_block *b, kv_slice key, uint64_t hash,
                   uint64_t seq_max, lsm_entry *out);

// A place in a block. The key of the entry is put together in `key`, whose
// memory is kept from block to block; its value is in the block.
typedef struct lsm_block_walk {
    lsm_block block;
    uint32_t i;         // of the entry
    const uint8_t *end; // of the entry
    kv_buf key;
} lsm_block_walk;

// Each goes to an entry and fills it in, or returns false: none there, and the
// walk stands nowhere. The slices are the walk's, until its next call.
bool lsm_block_seek(lsm_block_walk *w, kv_slice key, lsm_entry *out);
bool lsm_block_seek_before(lsm_block_walk *w, kv_slice key, lsm_entry *out);
void lsm_block_first(lsm_block_walk *w, lsm_entry *out);
void lsm_block_last(lsm_block_walk *w, lsm_entry *out);
bool lsm_block_next(lsm_block_walk *w, lsm_entry *out);
bool lsm_block_prev(lsm_block_walk *w, lsm_entry *out);

// False unless B4 holds; *i is the first entry that breaks it. `bytes` is what
// the block was opened from.
bool lsm_block_check(const lsm_block *b, kv_slice bytes, uint32_t *i);
// Where entry `i` begins; i == count: where the last one ends.
const uint8_t *lsm_block_place(const lsm_block *b, uint32_t i);

#endif
