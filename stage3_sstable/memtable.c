// memtable.c -- see memtable.h.
// SPDX-License-Identifier: MIT

#include "memtable.h"

#include <assert.h>

#include "common/mem.h"

enum {
    CHUNK_BYTES_MIN = 4 << 10, // a memtable may be as small as 1 KiB
    CHUNK_BYTES_MAX = 256 << 10,
    HEIGHT_MAX = 64, // more than 1.44·log2 of any number of nodes (M2)
};

struct sst_node {
    sst_node *child[2]; // smaller, larger
    sst_version *newest;
    uint64_t head;
    uint32_t key_len;
    int32_t height; // of the subtree: a leaf's is 1
    uint8_t key[];
};

typedef struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(16) uint8_t bytes[];
} chunk;

struct sst_memtable {
    _Atomic uint32_t refs;
    kv_latch latch;
    uint64_t number;
    sst_node *root;
    chunk *chunks;
    // Read without the latch, for messages and decisions that may be late.
    _Atomic uint64_t bytes, count;
};

// ---- arena ------------------------------------------------------------------

static void *take(sst_memtable *m, size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    chunk *c = m->chunks;
    if (c == NULL || c->size - c->used < bytes) {
        size_t size = c == NULL ? CHUNK_BYTES_MIN : 2 * c->size;
        if (size > CHUNK_BYTES_MAX) size = CHUNK_BYTES_MAX;
        if (bytes > size / 4) size = bytes; // a chunk of its own
        c = kv_alloc(sizeof *c + size);
        c->used = 0;
        c->size = size;
        c->next = m->chunks;
        m->chunks = c;
    }
    void *memory = c->bytes + c->used;
    c->used += bytes;
    m->bytes += bytes;
    return memory;
}

sst_memtable *sst_memtable_new(uint64_t number)
{
    sst_memtable *m = kv_zalloc(sizeof *m);
    m->refs = 1;
    m->number = number;
    return m;
}

sst_memtable *sst_memtable_ref(sst_memtable *m)
{
    atomic_fetch_add(&m->refs, 1);
    return m;
}

void sst_memtable_unref(sst_memtable *m)
{
    if (m == NULL || atomic_fetch_sub(&m->refs, 1) != 1) return;
    while (m->chunks != NULL) {
        chunk *c = m->chunks;
        m->chunks = c->next;
        kv_free(c);
    }
    kv_free(m);
}

uint64_t sst_memtable_number(const sst_memtable *m) { return m->number; }

uint64_t sst_memtable_bytes(const sst_memtable *m) { return m->bytes; }

uint64_t sst_memtable_count(const sst_memtable *m) { return m->count; }

kv_latch *sst_memtable_latch(sst_memtable *m) { return &m->latch; }

// ---- order ------------------------------------------------------------------

// The first eight bytes as a number that sorts as they do. A shorter key sorts
// as if zeroes followed, which the comparison of whole keys sorts out.
static uint64_t head_of(kv_slice key)
{
    uint64_t head = 0;
    size_t len = key.len < 8 ? key.len : 8;
    for (size_t i = 0; i < len; i++)
        head |= (uint64_t)key.data[i] << (56 - 8 * i);
    return head;
}

static kv_slice key_of(const sst_node *n)
{
    return kv_slice_of(n->key, n->key_len);
}

static int compare(kv_slice key, uint64_t head, const sst_node *n)
{
    if (head != n->head) return head < n->head ? -1 : 1;
    return kv_slice_cmp(key, key_of(n));
}

// ---- balance ----------------------------------------------------------------

static int32_t height_of(const sst_node *n)
{
    return n != NULL ? n->height : 0;
}

static void update_height(sst_node *n)
{
    int32_t left = height_of(n->child[0]), right = height_of(n->child[1]);
    n->height = 1 + (left > right ? left : right);
}

//        n                c
//       / \              / \      lifts n's child on `side` above n; the
//      a   c     ──▶    n   d     drawing is for side 1
//         / \          / \.
//        b   d        a   b
static sst_node *rotate(sst_node *n, int side)
{
    sst_node *c = n->child[side];
    n->child[side] = c->child[!side];
    c->child[!side] = n;
    update_height(n);
    update_height(c);
    return c;
}

// Restores M2 at `n` after one of its subtrees grew by one.
static sst_node *balance(sst_node *n)
{
    int32_t lean = height_of(n->child[1]) - height_of(n->child[0]);
    if (lean >= -1 && lean <= 1) {
        update_height(n);
        return n;
    }
    int side = lean > 0;
    sst_node *c = n->child[side];
    // A child that leans the other way is turned first, or the rotation would
    // only move the imbalance across.
    if (height_of(c->child[!side]) > height_of(c->child[side])) {
        n->child[side] = rotate(c, !side);
    }
    return rotate(n, side);
}

// ---- writing ----------------------------------------------------------------

static sst_version *make_version(sst_memtable *m, const sst_entry *entry,
                                 uint64_t seq)
{
    sst_version *v = take(m, sizeof *v + entry->value.len);
    v->older = NULL;
    v->seq = seq;
    v->room = (uint32_t)entry->value.len;
    v->value_len = v->room;
    v->is_tombstone = entry->is_tombstone;
    if (v->room > 0) memcpy(v->value, entry->value.data, v->room);
    return v;
}

static void add_version(sst_memtable *m, sst_node *n, const sst_entry *entry,
                        uint64_t seq, uint64_t snapshot)
{
    sst_version *v = n->newest;
    assert(seq >= v->seq);                                  // M3
    if (v->seq > snapshot && entry->value.len <= v->room) { // M4
        v->seq = seq;
        v->value_len = (uint32_t)entry->value.len;
        v->is_tombstone = entry->is_tombstone;
        if (v->value_len > 0) memcpy(v->value, entry->value.data, v->value_len);
        return;
    }
    sst_version *newer = make_version(m, entry, seq);
    newer->older = v->seq > snapshot ? v->older : v;
    n->newest = newer;
}

static sst_node *make_node(sst_memtable *m, const sst_entry *entry,
                           uint64_t head, uint64_t seq)
{
    sst_node *n = take(m, sizeof *n + entry->key.len);
    *n = (sst_node){
        .head = head, .key_len = (uint32_t)entry->key.len, .height = 1};
    memcpy(n->key, entry->key.data, entry->key.len);
    n->newest = make_version(m, entry, seq);
    m->count++;
    return n;
}

void sst_memtable_put(sst_memtable *m, const sst_entry *entry, uint64_t seq,
                      uint64_t snapshot)
{
    uint64_t head = head_of(entry->key);
    sst_node **path[HEIGHT_MAX]; // the links that lead to the key's place
    size_t depth = 0;
    sst_node **link = &m->root;
    while (*link != NULL) {
        int order = compare(entry->key, head, *link);
        if (order == 0) {
            add_version(m, *link, entry, seq, snapshot);
            return;
        }
        assert(depth < HEIGHT_MAX); // M2
        path[depth++] = link;
        link = &(*link)->child[order > 0];
    }
    *link = make_node(m, entry, head, seq);
    // Up again, until a subtree is as high as it was before.
    while (depth > 0) {
        link = path[--depth];
        int32_t before = (*link)->height;
        *link = balance(*link);
        if ((*link)->height == before) break;
    }
}

// ---- reading ----------------------------------------------------------------

static const sst_version *visible(const sst_node *n, uint64_t seq)
{
    const sst_version *v = n->newest;
    while (v != NULL && v->seq > seq) v = v->older;
    return v;
}

const sst_version *sst_memtable_find(const sst_memtable *m, kv_slice key,
                                     uint64_t seq)
{
    uint64_t head = head_of(key);
    const sst_node *n = m->root;
    while (n != NULL) {
        int order = compare(key, head, n);
        if (order == 0) return visible(n, seq);
        n = n->child[order > 0];
    }
    return NULL;
}

void sst_memtable_walk(const sst_memtable *m, const kv_slice *after,
                       bool inclusive, bool reverse, uint64_t seq,
                       sst_handful *out)
{
    // The nodes whose turn is still to come, the next one on top.
    const sst_node *stack[HEIGHT_MAX];
    size_t depth = 0;
    uint64_t head = after != NULL ? head_of(*after) : 0;
    for (const sst_node *n = m->root; n != NULL;) {
        int order = after == NULL ? 0 : compare(*after, head, n);
        bool is_wanted = after == NULL || (order == 0 && inclusive) ||
                         (reverse ? order > 0 : order < 0);
        if (is_wanted) stack[depth++] = n;
        n = n->child[is_wanted ? reverse : !reverse];
    }
    out->count = 0;
    while (depth > 0 && out->count < SST_HANDFUL) {
        const sst_node *n = stack[--depth];
        const sst_version *v = visible(n, seq);
        if (v != NULL) {
            out->at[out->count].key = key_of(n);
            out->at[out->count++].version = v;
            out->last = key_of(n);
        }
        for (n = n->child[!reverse]; n != NULL; n = n->child[reverse]) {
            stack[depth++] = n;
        }
    }
    out->is_end = depth == 0;
}

// ---- check ------------------------------------------------------------------

// The subtree's height, or -1 where an invariant fails. Recursion is bounded
// by M2, which the callee's answer verifies.
static int32_t check_below(const sst_node *n, const sst_node **before)
{
    if (n == NULL) return 0;
    int32_t left = check_below(n->child[0], before);
    if (left < 0) return -1;
    if (*before != NULL && kv_slice_cmp(key_of(*before), key_of(n)) >= 0) {
        return -1; // M1
    }
    *before = n;
    for (const sst_version *v = n->newest; v->older != NULL; v = v->older) {
        if (v->older->seq >= v->seq) return -1; // M3
    }
    int32_t right = check_below(n->child[1], before);
    if (right < 0 || right - left > 1 || left - right > 1) return -1; // M2
    int32_t height = 1 + (left > right ? left : right);
    return height == n->height ? height : -1;
}

kv_status sst_memtable_check(const sst_memtable *m)
{
    const sst_node *before = NULL;
    if (check_below(m->root, &before) >= 0) return KV_OK;
    kv_quoted q;
    return kv_fail(KV_CORRUPT,
                   "the memtable of log %llu is out of order or balance near "
                   "the key \"%s\": this is a defect of the program; the log "
                   "is intact, reopen the store",
                   (unsigned long long)m->number,
                   before ? kv_quote(&q, key_of(before)) : "");
}
