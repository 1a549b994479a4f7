// format_log.h -- what stage 5 puts into its write-ahead log.
// SPDX-License-Identifier: MIT
//
// File:  000001.wal and on, record logs of kind "WAL " (common/recordlog.h).
//        A commit is one group of records; their payloads, end to end, are
//        items. All numbers are varints unless a width is given.
//
//   commit   1 | number | keys in the store
//   shape    2 | root | page count | free list | free count
//   image    3 | page id | hole from | hole to | bytes before | bytes behind
//   patch    4 | page id | runs | runs × ( skip | length | bytes )
//   written  5 | pages | pages × ( page id | number | checksum u32 )
//
//   A commit item opens each group but those of `written` items, which are
//   alone. An image is a whole page, of which the hole, between slots and
//   cells, is zeroes. A patch is the bytes in which a page differs from its
//   version before; the bytes it skips are as they were.
//
//   put cat = meow into a leaf that is page 7, as commit 12:
//     01 0c 2a              commit 12; the store has 42 keys
//     04 07 04  10 01 0c …  page 7 differs in 4 places; the first is 1 byte
//                           behind the first 16, the log position
//
// Invariants
//   L1  Patches are bytes to be written, not steps to be repeated: done once
//       or again, in order, they leave the same page, whatever mixture of old
//       and new sectors they begin with. A torn page needs nothing more.
//   L2  The first item of a page since it was allocated is an image.
//   L3  A `written` item is on disk before the pages it names are written: it
//       says which checksum must come out when a torn one is mended.
//
// Book: "Making B-trees reliable"

#ifndef BT_FORMAT_LOG_H
#define BT_FORMAT_LOG_H

#include "format.h"

// What a store is beside its pages, as a commit leaves it.
typedef struct bt_shape {
    uint64_t root;
    uint64_t page_count; // superblocks included
    uint64_t free_list;  // its first page, or 0
    uint64_t free_count; // ids in it, its own pages not included
    uint64_t key_count;
} bt_shape;

typedef enum bt_item_kind {
    BT_ITEM_COMMIT = 1,
    BT_ITEM_SHAPE,
    BT_ITEM_IMAGE,
    BT_ITEM_PATCH,
    BT_ITEM_WRITTEN,
} bt_item_kind;

typedef struct bt_item {
    bt_item_kind kind;
    uint64_t number;    // of the commit
    bt_shape shape;     // SHAPE; of COMMIT the key count
    uint64_t page_id;   // IMAGE, PATCH
    uint64_t count;     // runs, pages
    uint64_t hole_from; // IMAGE
    uint64_t hole_to;
    kv_slice bytes; // what is behind these, into the bytes decoded from
} bt_item;

void bt_item_put_commit(kv_buf *to, uint64_t number, uint64_t key_count);
void bt_item_put_shape(kv_buf *to, const bt_shape *shape);
// Clears the hole, which the image leaves out.
void bt_item_put_image(kv_buf *to, uint8_t *page);
// Appends a patch, or an image where that is shorter. `touched`: where to look
// for differences; NULL: everywhere.
void bt_item_put_patch(kv_buf *to, const uint8_t *base, uint8_t *page,
                       const bt_touched *touched);
void bt_item_put_written(kv_buf *to, size_t count);
void bt_item_put_written_page(kv_buf *to, uint64_t page_id, uint64_t number,
                              uint32_t checksum);

// Reads the item at the front of `from`; its size, or 0 if it is none. A patch
// and an image stay within pages of `page_bytes`.
size_t bt_item_decode(kv_slice from, uint32_t page_bytes, bt_item *out);
// Does to a page what a decoded image or patch says.
void bt_item_apply(const bt_item *item, uint32_t page_bytes, uint8_t *page);
// Takes the first page off a `written` item.
typedef struct bt_written {
    uint64_t page_id, number;
    uint32_t checksum;
} bt_written;
bool bt_item_next_written(bt_item *item, bt_written *out);

#endif
