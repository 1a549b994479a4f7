// memtable.c -- see memtable.h.
// SPDX-License-Identifier: MIT

#include "memtable.h"

#include <assert.h>

#include "common/mem.h"

enum {
    CHUNK_BYTES_MIN = 4 << 10, // a memtable may be as small as 1 KiB
    CHUNK_BYTES_MAX = 2 << 20, // a page of memory at its largest
    HEIGHT_MAX = 64, // more than 1.44·log2 of any number of nodes (M2)
};

struct sst_node {
    uint64_t head;
    sst_node *child[2]; // smaller, larger
    sst_version *newest;
    const uint8_t *key;
    uint32_t key_len;
    int32_t height; // of the subtree: a leaf's is 1
};

typedef struct chunk {
    struct chunk *next;
    size_t used, size;
} chunk;

struct sst_memtable {
    _Atomic uint32_t refs;
    kv_latch latch;
    uint64_t number;
    sst_node *root;
    chunk *nodes, *data;
    const uint8_t *shared; // what all keys begin with; into one of them
    size_t shared_len;
    // Read without the latch, for messages and decisions that may be late.
    _Atomic uint64_t bytes, count;
};

// ---- arena ------------------------------------------------------------------

// What would leave much of a chunk unused gets one of its own, behind the one
// that is being filled.
static chunk *add_chunk(chunk **first, size_t bytes)
{
    size_t size = *first == NULL ? CHUNK_BYTES_MIN : 2 * (*first)->size;
    if (size > CHUNK_BYTES_MAX) size = CHUNK_BYTES_MAX;
    bool is_large = bytes > size / 4;
    if (is_large) size = sizeof(chunk) + bytes;
    chunk *c = kv_alloc_pages(size);
    chunk **link = is_large && *first != NULL ? &(*first)->next : first;
    *c = (chunk){.next = *link, .used = sizeof *c, .size = size};
    *link = c;
    return c;
}

static void *take(sst_memtable *m, chunk **chunks, size_t bytes)
{
    bytes = (bytes + 7) & ~(size_t)7;
    chunk *c = *chunks;
    if (c == NULL || c->size - c->used < bytes) c = add_chunk(chunks, bytes);
    void *memory = (uint8_t *)c + c->used;
    c->used += bytes;
    m->bytes += bytes;
    return memory;
}

static void free_chunks(chunk *c)
{
    while (c != NULL) {
        chunk *next = c->next;
        kv_free_pages(c, c->size);
        c = next;
    }
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
    free_chunks(m->nodes);
    free_chunks(m->data);
    kv_free(m);
}

uint64_t sst_memtable_number(const sst_memtable *m) { return m->number; }

uint64_t sst_memtable_bytes(const sst_memtable *m) { return m->bytes; }

uint64_t sst_memtable_count(const sst_memtable *m) { return m->count; }

kv_latch *sst_memtable_latch(sst_memtable *m) { return &m->latch; }

// ---- order ------------------------------------------------------------------

// The eight bytes from `at` on as a number that sorts as they do. A shorter key
// sorts as if zeroes followed, which the comparison of whole keys sorts out.
static uint64_t number_at(kv_slice key, size_t at)
{
    uint64_t number = 0;
    size_t len = key.len - at < 8 ? key.len - at : 8;
    for (size_t i = 0; i < len; i++)
        number |= (uint64_t)key.data[at + i] << (56 - 8 * i);
    return number;
}

// The head of a key that is looked for. One that does not begin as all do is
// below or above all: its head says so, or leaves it to the whole keys.
static uint64_t head_of(const sst_memtable *m, kv_slice key)
{
    size_t len = key.len < m->shared_len ? key.len : m->shared_len;
    int order = len > 0 ? memcmp(key.data, m->shared, len) : 0;
    if (order > 0) return UINT64_MAX;
    return order < 0 || len < m->shared_len ? 0 : number_at(key, len);
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

// Gives every node the head it has now that the keys share less.
static void renew_heads(sst_memtable *m)
{
    for (chunk *c = m->nodes; c != NULL; c = c->next) {
        for (size_t at = sizeof *c; at < c->used; at += sizeof(sst_node)) {
            sst_node *n = (sst_node *)((uint8_t *)c + at);
            n->head = number_at(key_of(n), m->shared_len);
        }
    }
}

// Sees to M5 before `key` becomes one of the keys. How much they share only
// falls, at most once per byte of a key and once per key: the heads that are
// renewed for it are no more than the memtable has bytes.
static void share(sst_memtable *m, kv_slice key)
{
    size_t len = 0;
    while (len < m->shared_len && len < key.len &&
           key.data[len] == m->shared[len]) {
        len++;
    }
    if (len == m->shared_len) return;
    m->shared_len = len;
    renew_heads(m);
}

static sst_version *make_version(sst_memtable *m, const sst_entry *entry,
                                 uint64_t seq)
{
    sst_version *v =
        take(m, &m->data, offsetof(sst_version, value) + entry->value.len);
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
                           uint64_t seq)
{
    kv_slice key = entry->key;
    uint8_t *copy = take(m, &m->data, key.len);
    memcpy(copy, key.data, key.len);
    if (m->root == NULL) {
        m->shared = copy;
        m->shared_len = key.len;
    }
    sst_node *n = take(m, &m->nodes, sizeof *n);
    *n = (sst_node){.head = number_at(key, m->shared_len),
                    .newest = make_version(m, entry, seq),
                    .key = copy,
                    .key_len = (uint32_t)key.len,
                    .height = 1};
    m->count++;
    return n;
}

void sst_memtable_put(sst_memtable *m, const sst_entry *entry, uint64_t seq,
                      uint64_t snapshot)
{
    sst_node **path[HEIGHT_MAX]; // the links that lead to the key's place
    size_t depth = 0;
    sst_node **link = &m->root;
    share(m, entry->key);
    uint64_t head = number_at(entry->key, m->shared_len);
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
    *link = make_node(m, entry, seq);
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
    uint64_t head = head_of(m, key);
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
    uint64_t head = after != NULL ? head_of(m, *after) : 0;
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
static int32_t check_below(const sst_memtable *m, const sst_node *n,
                           const sst_node **before)
{
    if (n == NULL) return 0;
    int32_t left = check_below(m, n->child[0], before);
    if (left < 0) return -1;
    if (*before != NULL && kv_slice_cmp(key_of(*before), key_of(n)) >= 0) {
        return -1; // M1
    }
    if (n->key_len < m->shared_len ||
        memcmp(n->key, m->shared, m->shared_len) != 0 ||
        n->head != number_at(key_of(n), m->shared_len)) {
        return -1; // M5
    }
    *before = n;
    for (const sst_version *v = n->newest; v->older != NULL; v = v->older) {
        if (v->older->seq >= v->seq) return -1; // M3
    }
    int32_t right = check_below(m, n->child[1], before);
    if (right < 0 || right - left > 1 || left - right > 1) return -1; // M2
    int32_t height = 1 + (left > right ? left : right);
    return height == n->height ? height : -1;
}

kv_status sst_memtable_check(const sst_memtable *m)
{
    const sst_node *before = NULL;
    if (check_below(m, m->root, &before) >= 0) return KV_OK;
    kv_quoted q;
    return kv_fail(KV_CORRUPT,
                   "the memtable of log %llu is out of order or balance near "
                   "the key \"%s\": this is a defect of the program; the log "
                   "is intact, reopen the store",
                   (unsigned long long)m->number,
                   before ? kv_quote(&q, key_of(before)) : "");
}
