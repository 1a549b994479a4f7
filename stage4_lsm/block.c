// block.c -- searching and walking a data block; see block.h.
// SPDX-License-Identifier: MIT

#include "block.h"

#include <assert.h>

#include "common/coding.h"
#include "common/hash.h"

#include "format.h"

// What stands before an entry's bytes.
typedef struct head {
    uint64_t shared, own, order;
    const uint8_t *own_key;
} head;

static inline const uint8_t *place_of(const lsm_block *b, uint32_t i)
{
    return b->tags - (b->place_bytes == 2
                          ? kv_get_u16(b->places + (size_t)i * 2)
                          : kv_get_u32(b->places + (size_t)i * 4));
}

// Where the entry ends: where the next begins, or the tags do.
static inline const uint8_t *end_of(const lsm_block *b, uint32_t i)
{
    return i + 1 < b->count ? place_of(b, i + 1) : b->tags;
}

const uint8_t *lsm_block_place(const lsm_block *b, uint32_t i)
{
    return i < b->count ? place_of(b, i) : b->tags;
}

// A varint that lsm_block_open has seen to be one: mostly a single byte.
static inline const uint8_t *pass_varint(const uint8_t *at, uint64_t *n)
{
    uint64_t sum = *at & 0x7f;
    for (int shift = 7; *at++ >= 0x80; shift += 7) {
        sum |= (uint64_t)(*at & 0x7f) << shift;
    }
    *n = sum;
    return at;
}

static inline head head_at(const uint8_t *at)
{
    head h;
    at = pass_varint(at, &h.shared);
    at = pass_varint(at, &h.own);
    h.own_key = pass_varint(at, &h.order);
    return h;
}

static inline uint64_t seq_of(const lsm_block *b, const head *h)
{
    return b->base_seq + h->order / LSM_KINDS;
}

static inline lsm_kind kind_of(const head *h)
{
    return (lsm_kind)(h->order % LSM_KINDS);
}

static inline kv_slice value_of(const head *h, const uint8_t *end)
{
    const uint8_t *value = h->own_key + h->own;
    return kv_slice_of(value, (size_t)(end - value));
}

static inline uint32_t restart_of(const lsm_block *b, uint32_t i)
{
    return i - i % b->interval;
}

// ---- opening ----------------------------------------------------------------

// A varint of one byte, which most are, or of more.
static inline size_t get_varint(const uint8_t *at, const uint8_t *end,
                                uint64_t *n)
{
    if (at == end) return 0;
    *n = *at;
    return *at < 0x80 ? 1
                      : kv_get_varint(kv_slice_of(at, (size_t)(end - at)), n);
}

// Everything of an entry that the other functions rely on. `shared_max` is what
// the entry may share at most: 0 for a restart point, which sets it.
static bool is_sound(const lsm_block *b, const uint8_t *at, const uint8_t *end,
                     bool is_restart, uint64_t *shared_max)
{
    uint64_t field[3];
    for (int k = 0; k < 3; k++) {
        size_t size = get_varint(at, end, &field[k]);
        if (size == 0) return false;
        at += size;
    }
    uint64_t shared = field[0], own = field[1], order = field[2];
    uint64_t rest = (uint64_t)(end - at);
    if (shared > (is_restart ? 0 : *shared_max)) return false; // B2
    if (own > rest || shared + own == 0 || own > LSM_KEY_MAX ||
        shared + own > LSM_KEY_MAX) {
        return false;
    }
    if (order / LSM_KINDS > LSM_SEQ_MAX - b->base_seq) return false;
    if (order % LSM_KINDS == LSM_DEL && own != rest) return false;
    *shared_max = is_restart ? own : shared;
    return true;
}

bool lsm_block_open(kv_slice bytes, lsm_block *out)
{
    if (bytes.len < LSM_BLOCK_TAIL_BYTES || bytes.len > LSM_BLOCK_MAX) {
        return false;
    }
    const uint8_t *tail = bytes.data + bytes.len - LSM_BLOCK_TAIL_BYTES;
    uint32_t count = kv_get_u16(tail + 8);
    if (count == 0 || tail[10] == 0 || (tail[11] != 2 && tail[11] != 4) ||
        kv_get_u64(tail) > LSM_SEQ_MAX ||
        bytes.len <= LSM_BLOCK_TAIL_BYTES + count * (1u + tail[11])) {
        return false;
    }
    lsm_block b = lsm_block_again(bytes.data + bytes.len);
    size_t room = (size_t)(b.tags - bytes.data);
    // Places are distances back from the tags: they descend (B1).
    size_t here = (size_t)(b.tags - place_of(&b, 0));
    if (here > room) return false;
    uint64_t shared = 0;
    for (uint32_t i = 0, until_restart = 0; i < count; i++) {
        size_t next = (size_t)(b.tags - end_of(&b, i));
        if (next >= here) return false;
        if (!is_sound(&b, b.tags - here, b.tags - next, until_restart == 0,
                      &shared)) {
            return false;
        }
        until_restart = (until_restart == 0 ? b.interval : until_restart) - 1u;
        here = next;
    }
    *out = b;
    return true;
}

lsm_block lsm_block_again(const uint8_t *end)
{
    const uint8_t *tail = end - LSM_BLOCK_TAIL_BYTES;
    uint32_t count = kv_get_u16(tail + 8);
    uint8_t place_bytes = tail[11];
    const uint8_t *places = tail - (size_t)count * place_bytes;
    return (lsm_block){.tags = places - count,
                       .places = places,
                       .base_seq = kv_get_u64(tail),
                       .count = count,
                       .interval = tail[10],
                       .place_bytes = place_bytes};
}

// ---- one key ----------------------------------------------------------------

static bool is_key(const lsm_block *b, uint32_t i, const head *h, kv_slice key)
{
    if (h->shared + h->own != key.len) return false;
    if (memcmp(h->own_key, key.data + h->shared, h->own) != 0) return false;
    if (h->shared == 0) return true;
    head restart = head_at(place_of(b, restart_of(b, i)));
    return memcmp(restart.own_key, key.data, h->shared) == 0;
}

// A byte of the result has its high bit set where the same byte of `tags` is
// `tag`; now and then also one behind such a byte, as the borrow has it.
static uint64_t match_tags(const uint8_t *tags, uint8_t tag)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t differ = kv_get_u64(tags) ^ ones * tag;
    return (differ - ones) & ~differ & ones << 7;
}

bool lsm_block_get(const lsm_block *b, kv_slice key, uint64_t hash,
                   uint64_t seq_max, lsm_entry *out)
{
    // Eight tags at once may reach beyond the last: there are places behind it.
    for (uint32_t from = 0; from < b->count; from += 8) {
        uint64_t match = match_tags(b->tags + from, lsm_block_tag(hash));
        for (; match != 0; match &= match - 1) {
            uint32_t i = from + (uint32_t)__builtin_ctzll(match) / 8;
            if (i >= b->count) return false;
            head h = head_at(place_of(b, i));
            // The versions of a key ascend in age: the first that is old
            // enough is the newest that is.
            if (seq_of(b, &h) > seq_max || !is_key(b, i, &h, key)) continue;
            out->seq = seq_of(b, &h);
            out->kind = kind_of(&h);
            out->value = value_of(&h, end_of(b, i));
            return true;
        }
    }
    return false;
}

// ---- walking ----------------------------------------------------------------

// Copies in steps of eight bytes, which is quicker than memcpy for the few
// that keys differ in. Reads up to 7 bytes more, and writes as many: a block
// has a tail, and the walk's key has room.
static void copy_short(uint8_t *to, const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i += 8) memcpy(to + i, from + i, 8);
}

enum { COPY_SLACK = 8 };

static void make_room(lsm_block_walk *w, size_t len)
{
    if (w->key.cap >= len + COPY_SLACK) return;
    w->key.len = 0;
    kv_buf_reserve(&w->key, len + COPY_SLACK);
}

// Fills in entry `i`, whose head it is; its key is in place.
static inline void show(lsm_block_walk *w, uint32_t i, const head *h,
                        lsm_entry *out)
{
    w->i = i;
    w->end = end_of(&w->block, i);
    out->key = kv_slice_of(w->key.data, h->shared + h->own);
    out->seq = seq_of(&w->block, h);
    out->kind = kind_of(h);
    out->value = value_of(h, w->end);
}

// Goes to entry `i`, wherever the walk stood before.
static void go_to(lsm_block_walk *w, uint32_t i, lsm_entry *out)
{
    head h = head_at(place_of(&w->block, i));
    head restart = head_at(place_of(&w->block, restart_of(&w->block, i)));
    // The whole of the restart point's key, so that next() finds its beginning.
    size_t len = h.shared + h.own;
    make_room(w, restart.own > len ? restart.own : len);
    copy_short(w->key.data, restart.own_key, restart.own);
    copy_short(w->key.data + h.shared, h.own_key, h.own);
    show(w, i, &h, out);
}

void lsm_block_first(lsm_block_walk *w, lsm_entry *out) { go_to(w, 0, out); }

void lsm_block_last(lsm_block_walk *w, lsm_entry *out)
{
    go_to(w, w->block.count - 1, out);
}

bool lsm_block_next(lsm_block_walk *w, lsm_entry *out)
{
    if (w->i + 1 >= w->block.count) return false;
    head h = head_at(w->end); // B1: the next entry begins here
    make_room(w, h.shared + h.own);
    // What is shared is in place already: B2.
    copy_short(w->key.data + h.shared, h.own_key, h.own);
    show(w, w->i + 1, &h, out);
    return true;
}

bool lsm_block_prev(lsm_block_walk *w, lsm_entry *out)
{
    if (w->i == 0) return false;
    go_to(w, w->i - 1, out);
    return true;
}

// ---- searching --------------------------------------------------------------

static size_t same_bytes(const uint8_t *a, const uint8_t *b, size_t len)
{
    size_t same = 0;
    while (same < len && a[same] == b[same]) same++;
    return same;
}

// How many entries have keys below `key`. They are those before the first
// restart point that is not, less some of the last such group; and there most
// are told from `key` by how much they share with the restart point, which has
// `same` bytes in common with it and is below it.
static uint32_t count_below(const lsm_block *b, kv_slice key)
{
    uint32_t low = 0, high = (b->count - 1) / b->interval + 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        head h = head_at(place_of(b, middle * b->interval));
        if (kv_slice_cmp(kv_slice_of(h.own_key, h.own), key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) return 0;
    uint32_t first = (low - 1) * b->interval + 1; // behind the restart point
    uint32_t limit = low * b->interval;
    if (limit > b->count) limit = b->count;
    head restart = head_at(place_of(b, first - 1));
    size_t shorter = restart.own < key.len ? restart.own : key.len;
    size_t same = same_bytes(restart.own_key, key.data, shorter);
    while (first < limit) {
        uint32_t middle = first + (limit - first) / 2;
        head h = head_at(place_of(b, middle));
        bool is_below = h.shared != same
                            ? h.shared > same
                            : kv_slice_cmp(kv_slice_of(h.own_key, h.own),
                                           kv_slice_of(key.data + same,
                                                       key.len - same)) < 0;
        if (is_below) {
            first = middle + 1;
        } else {
            limit = middle;
        }
    }
    return first;
}

bool lsm_block_seek(lsm_block_walk *w, kv_slice key, lsm_entry *out)
{
    uint32_t i = count_below(&w->block, key);
    if (i == w->block.count) return false;
    go_to(w, i, out);
    return true;
}

bool lsm_block_seek_before(lsm_block_walk *w, kv_slice key, lsm_entry *out)
{
    uint32_t i = count_below(&w->block, key);
    if (i == 0) return false;
    go_to(w, i - 1, out);
    return true;
}

// ---- checking ---------------------------------------------------------------

// Entry `i` is found by a get and by a seek; its key's first version is at
// `first`.
static bool is_found(const lsm_block *b, uint32_t first, const lsm_entry *entry)
{
    lsm_entry found;
    uint64_t hash = kv_hash(entry->key, LSM_HASH_SEED);
    return lsm_block_get(b, entry->key, hash, entry->seq, &found) &&
           found.seq == entry->seq && count_below(b, entry->key) == first;
}

bool lsm_block_check(const lsm_block *b, kv_slice bytes, uint32_t *i)
{
    lsm_block_walk w = {.block = *b};
    kv_buf last_key = {0};
    lsm_entry entry, last = {0};
    uint32_t first = 0;
    bool is_good = true;
    *i = 0;
    for (const uint8_t *at = bytes.data; at < place_of(b, 0); at++) {
        if (*at != 0) return false;
    }
    lsm_block_first(&w, &entry);
    do {
        *i = w.i;
        if (!kv_slice_equal(entry.key, last.key)) first = w.i;
        is_good = (w.i == 0 || lsm_entry_cmp(&last, &entry) < 0) &&
                  is_found(b, first, &entry);
        kv_buf_set(&last_key, entry.key);
        last = entry;
        last.key = kv_buf_slice(&last_key);
    } while (is_good && lsm_block_next(&w, &entry));
    kv_buf_free(&last_key);
    kv_buf_free(&w.key);
    return is_good;
}
