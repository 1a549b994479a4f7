// format.h -- every byte stage 5 puts into its file of pages.
// SPDX-License-Identifier: MIT
//
// Book:  "B-Trees"
// File:  TREE, an array of pages of one size (512 bytes to 64 KiB); page n
//        begins at byte n · size. Pages 0 and 1 are superblocks, the rest are
//        of the kinds below. Integers are little-endian; u40 has 5 bytes.
//
// Every page but the superblocks begins with 40 bytes:
//
//    0  checksum u32    CRC-32C of the store's id and of the rest of the page
//    4  kind u8         1 leaf, 2 inner, 3 overflow, 4 free list
//    5  level u8        0 for a leaf, its children's + 1 for an inner page
//    6  size u8         of a page, as a power of two: 12 is 4096 bytes
//    7  0 u8
//    8  page id u64     its own, so that a page written to another's place is
//                       noticed
//   16  log position u64   everything in the log before it is in this page
//   24  link u64        inner: the leftmost child. overflow, free list: the
//                       next page of the chain, or 0. leaf: 0
//   32  eight bytes that depend on the kind
//
// Leaf and inner pages: slots grow to the right, cells to the left
//
//   32  count u16       slots
//   34  prefix u16      bytes that all keys of this page begin with
//   36  heap u16        bytes from the lowest cell to the end of the page
//   38  dead u16        bytes in the heap that no slot refers to
//   40  ┌────────┬─────────┬─────────┬──────┬┄┄┄┄┄┄┬──────┬────┬──────┐
//       │ prefix │ slot 0  │ slot 1  │ …    │ free │ cell │dead│ cell │
//       └────────┴──┬──────┴─────────┴──────┴┄┄┄┄┄┄┴──────┴────┴──▲───┘
//                   └─────────────────────────────────────────────┘
//   slot   head u32 | offset u16                                6 bytes
//          The head is the 4 bytes of the key behind the prefix, as a number
//          whose high byte comes first (a key that ends sooner is filled up
//          with zeroes). Numbers compare as the keys do, so a search reads
//          cells only where heads are equal.
//   cell   What the prefix and the head left over. "Suffix" is the key behind
//          the prefix, "rest" is the suffix behind its first 4 bytes.
//     leaf    suffix length·2 varint | value length varint | rest | value
//             suffix length·2+1 varint | value length varint | rest |
//             page id u40             the value is on a chain of overflow pages
//     inner   suffix length·2 varint | child u40 | rest
//             The child has the keys from this one up to the next slot's.
//
//   cat = meow and catfish = blub in a leaf of 512 bytes:
//     40  "cat" | head 0, offset 506 | head "fish", offset 500
//    500  8 4 "blub" | 0 4 "meow"
//
// Overflow pages, one value's bytes end to end
//
//   32  here u16 | 0 u16 | rest u32    bytes of the value in this page; bytes
//                                      of it from this page to the last one
//   40  the bytes
//
// Free-list pages: ids of pages whose content counts no more
//
//   32  count u16 | 0 u16 | 0 u32
//   40  count page ids, u64 each; then zeroes
//
// Superblocks, 128 bytes at the front of pages 0 and 1, and zeroes behind them;
// the valid one of the higher counter counts
//
//    0  "SCTREE\r\n"        8  major u16 | minor u16 | page size u32
//   16  store id u64       24  counter u64
//   32  root u64           40  page count u64
//   48  free list u64      56  free count u64
//   64  log position u64   72  key count u64
//   80  journal u32 | 0 u32   88  log u64          96  closed log u64
//  104  closed bytes u64     112  12 bytes 0      124  checksum u32
//
// Invariants
//   F1  A page's checksum, id and size are right; its kind is one of the four.
//   F2  Keys ascend strictly along the slots. All begin with the prefix; each
//       head is that of its key.
//   F3  Cells lie within the heap and do not overlap; dead is what they leave.
//   F4  A reference to another page is none to a superblock.
//   F5  An overflow page is full unless it is the last of its chain; `rest`
//       shrinks by `here` from page to page: a chain cannot be a circle.
//   F6  What the picture shows as 0 is 0.
//   F7  A key is within bt_key_max, a value within BT_VALUE_MAX.
//   F8  On disk, an inner page has two children or more.

#ifndef BT_FORMAT_H
#define BT_FORMAT_H

#include <assert.h>

#include "common/coding.h"

enum {
    BT_FORMAT_MAJOR = 1,
    BT_FORMAT_MINOR = 0,
    BT_PAGE_MIN = 512,
    BT_PAGE_MAX = 65536,
    BT_HEADER_BYTES = 40,
    BT_SLOT_BYTES = 6,
    BT_HEAD_BYTES = 4,    // of a slot's six
    BT_CELL_ID_BYTES = 5, // of a page, in a cell
    BT_SUPER_BYTES = 128,
    BT_FIRST_PAGE = 2, // 0 and 1 are superblocks
    BT_LEVEL_MAX = 63, // more is damage: no tree that fits a disk is so high
    BT_VALUE_MAX = 256 << 20, // bytes
};
#define BT_PAGE_ID_MAX ((UINT64_C(1) << 40) - 1)

extern const char bt_file_name[]; // "TREE"
// "TREE.made", empty: TREE was made. Where it stands alone, TREE is lost.
extern const char bt_trace_name[];

typedef enum bt_kind {
    BT_LEAF = 1,
    BT_INNER = 2,
    BT_OVERFLOW = 3,
    BT_FREE_LIST = 4,
} bt_kind;

// A page is `uint8_t *`, of the size that its header states.

// ---- limits -----------------------------------------------------------------

// True for a power of two from BT_PAGE_MIN to BT_PAGE_MAX.
bool bt_page_bytes_valid(uint64_t page_bytes);
// The longest key of a store with this page size: at least four separators fit
// into an inner page. 96 bytes for 512, 992 for 4 KiB, 16352 for 64 KiB.
static inline uint32_t bt_key_max(uint32_t page_bytes)
{
    return page_bytes / 4 - 32;
}
// True if the value belongs into the leaf; at least three cells fit into one,
// so that values of 1 KiB stay inside pages of 4 KiB. Depends on the lengths
// and the page size alone.
bool bt_is_inline(uint32_t page_bytes, size_t key_bytes, size_t value_bytes);

// ---- the header, field by field ---------------------------------------------

static inline bt_kind bt_kind_of(const uint8_t *page)
{
    return (bt_kind)page[4];
}

static inline unsigned bt_level(const uint8_t *page) { return page[5]; }

static inline uint32_t bt_page_bytes(const uint8_t *page)
{
    return UINT32_C(1) << page[6];
}

static inline uint64_t bt_page_id(const uint8_t *page)
{
    return kv_get_u64(page + 8);
}

static inline uint64_t bt_lsn(const uint8_t *page)
{
    return kv_get_u64(page + 16);
}

static inline void bt_set_lsn(uint8_t *page, uint64_t lsn)
{
    kv_put_u64(page + 16, lsn);
}

static inline uint64_t bt_link(const uint8_t *page)
{
    return kv_get_u64(page + 24);
}

static inline void bt_set_link(uint8_t *page, uint64_t link)
{
    kv_put_u64(page + 24, link);
}

// Slots of a leaf or inner page; ids of a free-list page.
static inline size_t bt_count(const uint8_t *page)
{
    return kv_get_u16(page + 32);
}

// For page.c and its neighbours; a change keeps F2 and F3.
static inline size_t bt_prefix_bytes(const uint8_t *page)
{
    return kv_get_u16(page + 34);
}

static inline size_t bt_heap_bytes(const uint8_t *page)
{
    return kv_get_u16(page + 36);
}

static inline size_t bt_dead_bytes(const uint8_t *page)
{
    return kv_get_u16(page + 38);
}

void bt_set_shape(uint8_t *page, size_t count, size_t prefix_bytes,
                  size_t heap_bytes, size_t dead_bytes);

// Zeroes the page and fills in its header; leaves and inner pages are empty.
// Requires a valid size. A page that goes into a new place is given its id
// with bt_set_page_id.
void bt_page_init(uint8_t *page, uint32_t page_bytes, bt_kind kind,
                  unsigned level, uint64_t page_id);
void bt_set_page_id(uint8_t *page, uint64_t page_id);

// ---- slots and cells --------------------------------------------------------

static inline const uint8_t *bt_prefix(const uint8_t *page)
{
    return page + BT_HEADER_BYTES;
}

static inline const uint8_t *bt_slot(const uint8_t *page, size_t slot)
{
    return page + BT_HEADER_BYTES + bt_prefix_bytes(page) +
           slot * BT_SLOT_BYTES;
}

// Parts of a page, ascending, outside of which a change left all as it was.
enum { BT_TOUCHED_MAX = 3 };
typedef struct bt_touched {
    size_t count;
    size_t from[BT_TOUCHED_MAX], limit[BT_TOUCHED_MAX];
} bt_touched;

// One key and what it leads to: as read, its slices point into the page; as
// given to be written, into the caller's memory. The key is in three pieces,
// prefix | head | rest, of which `suffix_bytes` counts the last two. A cell
// made by one of bt_cell_of* has its whole key in `prefix`.
typedef struct bt_cell {
    kv_slice prefix;
    uint32_t head;         // a number, see above
    uint32_t suffix_bytes; // below 4: so much of the head counts
    kv_slice rest;
    kv_slice value;       // leaf: empty if it is on overflow pages
    uint32_t value_bytes; // leaf: of the whole value
    uint32_t offset;      // as read: where in its page it begins
    uint64_t page_id;     // inner: the child; leaf: the first overflow page,
                          // or 0 for a value that is in the leaf
} bt_cell;

// A leaf's cell with its value inside, one with it on overflow pages, and an
// inner page's.
bt_cell bt_cell_of(kv_slice key, kv_slice value);
bt_cell bt_cell_of_overflow(kv_slice key, uint64_t page_id,
                            uint32_t value_bytes);
bt_cell bt_cell_of_child(kv_slice key, uint64_t child);

static inline size_t bt_cell_key_bytes(const bt_cell *cell)
{
    return cell->prefix.len + cell->suffix_bytes;
}

// Writes what is behind the prefix. The head's four bytes are written also
// where the key ends sooner: there has to be room for them.
static inline void bt_cell_put_suffix(const bt_cell *cell, uint8_t *to)
{
    for (int i = 0; i < BT_HEAD_BYTES; i++) {
        to[i] = (uint8_t)(cell->head >> (24 - 8 * i));
    }
    if (cell->rest.len == 0) return;
    memcpy(to + BT_HEAD_BYTES, cell->rest.data, cell->rest.len);
}

// Appends the whole key.
void bt_cell_key(const bt_cell *cell, kv_buf *to);
// Copies the key's bytes from `from` up to `limit`, within its length.
void bt_cell_copy_key(const bt_cell *cell, size_t from, size_t limit,
                      uint8_t *to);
// The head of what is left of the key behind `prefix_bytes` of it.
uint32_t bt_cell_head(const bt_cell *cell, size_t prefix_bytes);
// How many bytes two keys have in common at their front.
size_t bt_cell_common(const bt_cell *a, const bt_cell *b);
bool bt_cell_is_below(const bt_cell *a, const bt_cell *b);

// The head of a key's part behind a prefix.
static inline uint32_t bt_head_of(kv_slice suffix)
{
    const uint8_t *d = suffix.data;
    if (KV_LIKELY(suffix.len >= BT_HEAD_BYTES)) {
        return (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 |
               (uint32_t)d[2] << 8 | d[3];
    }
    uint32_t head = 0;
    for (size_t i = 0; i < BT_HEAD_BYTES; i++) {
        head = head << 8 | (i < suffix.len ? d[i] : 0);
    }
    return head;
}

static inline uint32_t bt_slot_head(const uint8_t *slot)
{
    return kv_get_u32(slot);
}

static inline size_t bt_slot_offset(const uint8_t *slot)
{
    return kv_get_u16(slot + BT_HEAD_BYTES);
}

void bt_slot_encode(uint8_t *slot, uint32_t head, size_t offset);

// What the cell takes in a page of this kind and prefix, without its slot.
size_t bt_cell_bytes(const bt_cell *cell, bt_kind kind, size_t prefix_bytes);
// Writes that many bytes.
void bt_cell_encode(const bt_cell *cell, bt_kind kind, size_t prefix_bytes,
                    uint8_t *to);
// How many bytes the slot's cell takes: bt_cell_bytes of what is read.
size_t bt_cell_size(const uint8_t *page, size_t slot);
// Changes an inner cell's child in place.
void bt_cell_set_child(uint8_t *page, size_t slot, uint64_t child);

// ---- reading cells: every lookup does ---------------------------------------

// Bytes of a key that are in its cell.
static inline size_t bt_rest_bytes(size_t suffix_bytes)
{
    return suffix_bytes > BT_HEAD_BYTES ? suffix_bytes - BT_HEAD_BYTES : 0;
}

// A length of which nearly all are one byte.
static inline size_t bt_get_length(const uint8_t *from, const uint8_t *end,
                                   uint64_t *n)
{
    if (!KV_LIKELY(from < end && *from < 0x80)) {
        return kv_get_varint(kv_slice_of(from, (size_t)(end - from)), n);
    }
    *n = *from;
    return 1;
}

static inline uint64_t bt_get_u40(const uint8_t *from)
{
    return kv_get_u32(from) | (uint64_t)from[4] << 32;
}

// Reads what a cell has, of any bytes: the prefix stays as it is, and the head.
// Returns the cell's size, or 0 if this is none.
static inline size_t bt_cell_decode(kv_slice bytes, bt_kind kind, bt_cell *out)
{
    const uint8_t *at = bytes.data, *end = bytes.data + bytes.len;
    uint64_t lead, value_bytes = 0;
    size_t size = bt_get_length(at, end, &lead);
    if (size == 0 || lead / 2 > BT_PAGE_MAX) return 0;
    at += size;
    bool has_id = kind == BT_INNER || lead % 2 == 1;
    if (kind == BT_LEAF) {
        size = bt_get_length(at, end, &value_bytes);
        if (size == 0 || value_bytes > BT_VALUE_MAX) return 0;
        at += size;
    } else if (lead % 2 == 1) {
        return 0;
    }
    size_t rest = bt_rest_bytes((size_t)(lead / 2));
    size_t tail = has_id ? BT_CELL_ID_BYTES : (size_t)value_bytes;
    if ((size_t)(end - at) < rest + tail) return 0;
    // The id comes before the rest in an inner page, and behind it in a leaf.
    const uint8_t *tail_at = kind == BT_INNER ? at : at + rest;
    const uint8_t *rest_at = kind == BT_INNER ? at + tail : at;
    out->suffix_bytes = (uint32_t)(lead / 2);
    out->rest = kv_slice_of(rest_at, rest);
    out->value_bytes = (uint32_t)value_bytes;
    out->value = kv_slice_of(tail_at, has_id ? 0 : tail);
    out->page_id = has_id ? bt_get_u40(tail_at) : 0;
    return (size_t)(at - bytes.data) + rest + tail;
}

// From the slot's cell to the end of the page.
static inline kv_slice bt_slot_bytes(const uint8_t *page, size_t slot)
{
    size_t offset = bt_slot_offset(bt_slot(page, slot));
    return kv_slice_of(page + offset, bt_page_bytes(page) - offset);
}

// The cell of a slot. Requires a page that bt_page_verify accepted.
static inline void bt_cell_read(const uint8_t *page, size_t slot, bt_cell *out)
{
    size_t size =
        bt_cell_decode(bt_slot_bytes(page, slot), bt_kind_of(page), out);
    assert(size > 0); // F3
    (void)size;
    out->prefix = kv_slice_of(bt_prefix(page), bt_prefix_bytes(page));
    out->head = bt_slot_head(bt_slot(page, slot));
    out->offset = (uint32_t)bt_slot_offset(bt_slot(page, slot));
}

// ---- overflow pages ---------------------------------------------------------

// Of a value, in one page of a chain.
static inline size_t bt_overflow_capacity(uint32_t page_bytes)
{
    return page_bytes - BT_HEADER_BYTES;
}
// Pages that a value of this length takes.
uint64_t bt_overflow_pages(uint32_t page_bytes, uint64_t value_bytes);
// Makes an overflow page of the front of `rest`, all of the value from here to
// its end; `next` is 0 if that is all. Returns how many bytes it holds.
size_t bt_overflow_encode(uint8_t *page, uint32_t page_bytes, uint64_t page_id,
                          uint64_t next, kv_slice rest);
// The bytes in this page; requires one that bt_page_verify accepted.
kv_slice bt_overflow_bytes(const uint8_t *page);
// Bytes of the value from here to its end, these included. A reader of a chain
// compares it with what it still expects before it goes on (F5).
static inline uint32_t bt_overflow_rest(const uint8_t *page)
{
    return kv_get_u32(page + 36);
}

// ---- free-list pages --------------------------------------------------------

static inline size_t bt_free_capacity(uint32_t page_bytes)
{
    return (page_bytes - BT_HEADER_BYTES) / 8;
}
uint64_t bt_free_get(const uint8_t *page, size_t index);
// Requires room. Removing the last one is bt_free_pop.
void bt_free_push(uint8_t *page, uint64_t page_id);
uint64_t bt_free_pop(uint8_t *page);

// ---- what is read from a disk -----------------------------------------------

// Of the page, in a store; and setting it: the last thing before a page is
// written.
uint32_t bt_page_checksum(const uint8_t *page, uint32_t page_bytes,
                          uint64_t store_id);
void bt_page_seal(uint8_t *page, uint64_t store_id);

// What a page has to be before anything else looks at it: F1 to F8. No bytes
// that pass make a function of this stage read or write outside of a page, or
// go on for ever. KV_CORRUPT names page and byte. Cost: a checksum and a walk
// over the slots.
KV_MUST_USE kv_status bt_page_verify(const uint8_t *page, uint32_t page_bytes,
                                     uint64_t page_id, uint64_t store_id);

// The same without the checksum and F8, for a page in memory.
KV_MUST_USE kv_status bt_page_check(const uint8_t *page, uint32_t page_bytes,
                                    uint64_t page_id);

// KV_CORRUPT, and what is wrong with a page, or with what refers to it, after
// "TREE: page N at offset M ".
KV_MUST_USE kv_status bt_page_bad(uint64_t page_id, uint32_t page_bytes,
                                  const char *fmt, ...) KV_PRINTF(3, 4);

// The last log, as a clean close left it. Zeroes: nobody says, or there is no
// log.
typedef struct bt_closed {
    uint64_t log, bytes;
} bt_closed;

typedef struct bt_super {
    uint16_t major, minor;
    uint32_t page_bytes;
    uint64_t store_id;
    uint64_t counter; // goes up with each superblock written
    uint64_t root;
    uint64_t page_count; // of the file, superblocks included
    uint64_t free_list;  // its first page, or 0
    uint64_t free_count; // pages that it names
    uint64_t lsn;        // log position up to which the pages are complete
    uint64_t key_count;
    uint32_t journal; // 0: log; 1: copy-on-write
    uint64_t log;     // number of the first log file that recovery reads
    bt_closed closed;
} bt_super;

// `to` has BT_SUPER_BYTES.
void bt_super_encode(const bt_super *super, uint8_t *to);
// KV_CORRUPT (checksum, or a field out of its range), or KV_INVALID for no
// superblock at all; `offset` is where the bytes stand, for the message. The
// version is the caller's to judge.
KV_MUST_USE kv_status bt_super_decode(kv_slice bytes, uint64_t offset,
                                      bt_super *out);

#endif
