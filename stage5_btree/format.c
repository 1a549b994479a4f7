// format.c -- see format.h: headers, superblocks, overflow and free-list pages.
// SPDX-License-Identifier: MIT

#include "format.h"

#include <assert.h>
#include <inttypes.h>

const char bt_file_name[] = "TREE";
const char bt_trace_name[] = "TREE.made";

static const char magic[] = "SCTREE\r\n";

// ---- limits -----------------------------------------------------------------

bool bt_page_bytes_valid(uint64_t page_bytes)
{
    return page_bytes >= BT_PAGE_MIN && page_bytes <= BT_PAGE_MAX &&
           (page_bytes & (page_bytes - 1)) == 0;
}

static uint8_t log2_of(uint32_t page_bytes)
{
    uint8_t n = 0;
    while (UINT32_C(1) << n < page_bytes) n++;
    return n;
}

bool bt_is_inline(uint32_t page_bytes, size_t key_bytes, size_t value_bytes)
{
    size_t room = (page_bytes - BT_HEADER_BYTES) / 3 - BT_SLOT_BYTES;
    return value_bytes < room && kv_varint_size(key_bytes * 2) +
                                         kv_varint_size(value_bytes) +
                                         key_bytes + value_bytes <=
                                     room;
}

// ---- the header -------------------------------------------------------------

void bt_page_init(uint8_t *page, uint32_t page_bytes, bt_kind kind,
                  unsigned level, uint64_t page_id)
{
    assert(bt_page_bytes_valid(page_bytes) && level <= BT_LEVEL_MAX);
    memset(page, 0, page_bytes);
    page[4] = (uint8_t)kind;
    page[5] = (uint8_t)level;
    page[6] = log2_of(page_bytes);
    bt_set_page_id(page, page_id);
}

void bt_set_page_id(uint8_t *page, uint64_t page_id)
{
    assert(page_id >= BT_FIRST_PAGE && page_id <= BT_PAGE_ID_MAX);
    kv_put_u64(page + 8, page_id);
}

void bt_set_shape(uint8_t *page, size_t count, size_t prefix_bytes,
                  size_t heap_bytes, size_t dead_bytes)
{
    kv_put_u16(page + 32, (uint16_t)count);
    kv_put_u16(page + 34, (uint16_t)prefix_bytes);
    kv_put_u16(page + 36, (uint16_t)heap_bytes);
    kv_put_u16(page + 38, (uint16_t)dead_bytes);
}

uint32_t bt_page_checksum(const uint8_t *page, uint32_t page_bytes,
                          uint64_t store_id)
{
    uint8_t id[8];
    kv_put_u64(id, store_id);
    return kv_crc32c(kv_crc32c(0, kv_slice_of(id, sizeof id)),
                     kv_slice_of(page + 4, page_bytes - 4));
}

void bt_page_seal(uint8_t *page, uint64_t store_id)
{
    kv_put_u32(page, bt_page_checksum(page, bt_page_bytes(page), store_id));
}

// ---- overflow pages ---------------------------------------------------------

uint64_t bt_overflow_pages(uint32_t page_bytes, uint64_t value_bytes)
{
    size_t capacity = bt_overflow_capacity(page_bytes);
    return (value_bytes + capacity - 1) / capacity;
}

size_t bt_overflow_encode(uint8_t *page, uint32_t page_bytes, uint64_t page_id,
                          uint64_t next, kv_slice rest)
{
    size_t here = bt_overflow_capacity(page_bytes);
    if (here > rest.len) here = rest.len;
    assert(here > 0 && (next == 0) == (here == rest.len)); // F5
    bt_page_init(page, page_bytes, BT_OVERFLOW, 0, page_id);
    bt_set_link(page, next);
    kv_put_u16(page + 32, (uint16_t)here);
    kv_put_u32(page + 36, (uint32_t)rest.len);
    memcpy(page + BT_HEADER_BYTES, rest.data, here);
    return here;
}

kv_slice bt_overflow_bytes(const uint8_t *page)
{
    return kv_slice_of(page + BT_HEADER_BYTES, kv_get_u16(page + 32));
}

// ---- free-list pages --------------------------------------------------------

uint64_t bt_free_get(const uint8_t *page, size_t index)
{
    return kv_get_u64(page + BT_HEADER_BYTES + 8 * index);
}

void bt_free_push(uint8_t *page, uint64_t page_id)
{
    size_t count = bt_count(page);
    assert(count < bt_free_capacity(bt_page_bytes(page)));
    kv_put_u64(page + BT_HEADER_BYTES + 8 * count, page_id);
    kv_put_u16(page + 32, (uint16_t)(count + 1));
}

uint64_t bt_free_pop(uint8_t *page)
{
    size_t last = bt_count(page) - 1;
    uint64_t page_id = bt_free_get(page, last);
    kv_put_u64(page + BT_HEADER_BYTES + 8 * last, 0); // F6
    kv_put_u16(page + 32, (uint16_t)last);
    return page_id;
}

// ---- superblocks ------------------------------------------------------------

enum { SUPER_CHECKSUM_AT = BT_SUPER_BYTES - 4 };

static uint32_t super_checksum(const uint8_t *bytes)
{
    return kv_crc32c(0, kv_slice_of(bytes, SUPER_CHECKSUM_AT));
}

void bt_super_encode(const bt_super *super, uint8_t *to)
{
    memset(to, 0, BT_SUPER_BYTES);
    memcpy(to, magic, 8);
    kv_put_u16(to + 8, super->major);
    kv_put_u16(to + 10, super->minor);
    kv_put_u32(to + 12, super->page_bytes);
    kv_put_u64(to + 16, super->store_id);
    kv_put_u64(to + 24, super->counter);
    kv_put_u64(to + 32, super->root);
    kv_put_u64(to + 40, super->page_count);
    kv_put_u64(to + 48, super->free_list);
    kv_put_u64(to + 56, super->free_count);
    kv_put_u64(to + 64, super->lsn);
    kv_put_u64(to + 72, super->key_count);
    kv_put_u32(to + 80, super->journal);
    kv_put_u64(to + 88, super->log);
    kv_put_u64(to + 96, super->closed.log);
    kv_put_u64(to + 104, super->closed.bytes);
    kv_put_u32(to + SUPER_CHECKSUM_AT, super_checksum(to));
}

static bool is_page_of(const bt_super *s, uint64_t page_id)
{
    return page_id >= BT_FIRST_PAGE && page_id < s->page_count;
}

// Of commits, logs and superblocks: one more is always a number.
#define NUMBER_MAX (UINT64_MAX >> 2)

static const char *wrong_in(const bt_super *s)
{
    if (!bt_page_bytes_valid(s->page_bytes)) return "an impossible page size";
    if (s->page_count > BT_PAGE_ID_MAX) return "an impossible page count";
    if (!is_page_of(s, s->root)) return "a root outside of the file";
    if (s->free_list != 0 && !is_page_of(s, s->free_list)) {
        return "a free list outside of the file";
    }
    if (s->free_count > s->page_count) return "more free pages than pages";
    if (s->journal > 1) return "an unknown way of journalling";
    if (s->counter > NUMBER_MAX || s->lsn > NUMBER_MAX || s->log > NUMBER_MAX) {
        return "a number that nobody counts up to";
    }
    bool is_closed = s->closed.log != 0;
    if (is_closed != (s->closed.bytes != 0) || s->closed.log > NUMBER_MAX ||
        (is_closed && s->closed.log < s->log)) {
        return "an impossible last log";
    }
    return NULL;
}

kv_status bt_super_decode(kv_slice bytes, uint64_t offset, bt_super *out)
{
    const uint8_t *from = bytes.data;
    if (bytes.len < BT_SUPER_BYTES || memcmp(from, magic, 8) != 0) {
        return kv_fail(KV_INVALID, "%s: no superblock at byte %" PRIu64,
                       bt_file_name, offset);
    }
    if (kv_get_u32(from + SUPER_CHECKSUM_AT) != super_checksum(from)) {
        return kv_fail(KV_CORRUPT,
                       "%s: the superblock at byte %" PRIu64
                       " has a bad checksum",
                       bt_file_name, offset);
    }
    bt_super s = {
        .major = kv_get_u16(from + 8),
        .minor = kv_get_u16(from + 10),
        .page_bytes = kv_get_u32(from + 12),
        .store_id = kv_get_u64(from + 16),
        .counter = kv_get_u64(from + 24),
        .root = kv_get_u64(from + 32),
        .page_count = kv_get_u64(from + 40),
        .free_list = kv_get_u64(from + 48),
        .free_count = kv_get_u64(from + 56),
        .lsn = kv_get_u64(from + 64),
        .key_count = kv_get_u64(from + 72),
        .journal = kv_get_u32(from + 80),
        .log = kv_get_u64(from + 88),
        .closed.log = kv_get_u64(from + 96),
        .closed.bytes = kv_get_u64(from + 104),
    };
    uint8_t again[BT_SUPER_BYTES];
    bt_super_encode(&s, again);
    const char *wrong = wrong_in(&s);
    bool is_known = s.major == BT_FORMAT_MAJOR && s.minor <= BT_FORMAT_MINOR;
    if (wrong == NULL && is_known && memcmp(again, from, BT_SUPER_BYTES) != 0) {
        wrong = "bytes that mean nothing"; // F6
    }
    if (wrong != NULL) {
        return kv_fail(KV_CORRUPT,
                       "%s: the superblock at byte %" PRIu64 " has %s",
                       bt_file_name, offset, wrong);
    }
    *out = s;
    return KV_OK;
}
