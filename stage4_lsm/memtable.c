// memtable.c -- see memtable.h.
// SPDX-License-Identifier: MIT

#include "memtable.h"

#include <stdatomic.h>

#include "common/mem.h"
#include "common/rng.h"

#include "buckets.h"
#include "head.h"

enum {
    HEIGHT_MAX = 14, // one node in 4 is one higher: enough for 4^14 of them
    PREFIX_MAX = 64,
};

typedef struct node node;

typedef struct link {
    _Atomic uint64_t head;
    _Atomic(node *) next;
} link;

// The links are followed by the key's bytes and the value's.
struct node {
    lsm_hook hook; // first: a hook is its node
    uint64_t head, seq;
    uint32_t value_len;
    uint32_t key_len : 24, kind : 2, height : 6;
    link links[];
};

struct lsm_memtable {
    _Atomic uint32_t refs;
    uint64_t number;
    lsm_arena arena; // taken from by the writer
    uint8_t prefix[PREFIX_MAX];
    size_t prefix_len;
    node *root;
    lsm_buckets buckets;
    _Atomic int height;
    _Atomic(lsm_layer *) ranges;
    _Atomic uint64_t bytes, count, range_count;
    uint64_t first_seq; // 0: nothing was added

    // The writer's.
    node *path[HEIGHT_MAX]; // where the last entry went: the nodes before it
    node *last;             // and itself
};

// ---- nodes ------------------------------------------------------------------

static void *take(lsm_memtable *m, size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    uint64_t sum = atomic_load_explicit(&m->bytes, memory_order_relaxed);
    atomic_store_explicit(&m->bytes, sum + bytes, memory_order_relaxed);
    return lsm_arena_take(&m->arena, bytes);
}

static node *make_node(lsm_memtable *m, int height, size_t payload)
{
    node *n = take(m, sizeof *n + (size_t)height * sizeof(link) + payload);
    n->height = (uint32_t)height & 63;
    return n;
}

lsm_memtable *lsm_memtable_new(uint64_t log_number, uint64_t arena_bytes,
                               kv_slice prefix, lsm_attic *attic)
{
    lsm_memtable *m = kv_zalloc(sizeof *m);
    m->refs = 1;
    m->number = log_number;
    lsm_arena_open(&m->arena, (size_t)arena_bytes, attic);
    m->prefix_len = prefix.len < PREFIX_MAX ? prefix.len : PREFIX_MAX;
    if (m->prefix_len > 0) memcpy(m->prefix, prefix.data, m->prefix_len);
    size_t bytes = lsm_buckets_bytes(arena_bytes);
    lsm_buckets_open(&m->buckets, lsm_arena_take(&m->arena, bytes), bytes);
    m->root = make_node(m, HEIGHT_MAX, 0);
    for (int i = 0; i < HEIGHT_MAX; i++) {
        atomic_init(&m->root->links[i].head, UINT64_MAX);
        atomic_init(&m->root->links[i].next, NULL);
        m->path[i] = m->root;
    }
    m->last = m->root;
    m->height = 1;
    m->bytes = 0;
    return m;
}

lsm_memtable *lsm_memtable_ref(lsm_memtable *m)
{
    atomic_fetch_add(&m->refs, 1);
    return m;
}

void lsm_memtable_unref(lsm_memtable *m)
{
    if (m == NULL || atomic_fetch_sub(&m->refs, 1) != 1) return;
    lsm_layers_free(m->ranges);
    lsm_arena_free(&m->arena);
    kv_free(m);
}

uint64_t lsm_memtable_number(const lsm_memtable *m) { return m->number; }

uint64_t lsm_memtable_bytes(const lsm_memtable *m)
{
    return atomic_load_explicit(&m->bytes, memory_order_relaxed);
}

uint64_t lsm_memtable_count(const lsm_memtable *m)
{
    return atomic_load_explicit(&m->count, memory_order_relaxed);
}

uint64_t lsm_memtable_range_count(const lsm_memtable *m)
{
    return atomic_load_explicit(&m->range_count, memory_order_relaxed);
}

uint64_t lsm_memtable_first_seq(const lsm_memtable *m) { return m->first_seq; }

// ---- order ------------------------------------------------------------------

// A place in the order: of a key and a number.
typedef struct place {
    uint64_t head, seq;
    kv_slice key;
} place;

static uint64_t head_of(const lsm_memtable *m, kv_slice key)
{
    return lsm_head(kv_slice_of(m->prefix, m->prefix_len), key);
}

static const uint8_t *key_bytes(const node *n)
{
    return (const uint8_t *)&n->links[n->height];
}

static kv_slice key_of(const node *n)
{
    return kv_slice_of(key_bytes(n), n->key_len);
}

static void show(const node *n, lsm_entry *out)
{
    out->key = key_of(n);
    out->value = kv_slice_of(key_bytes(n) + n->key_len, n->value_len);
    out->seq = n->seq;
    out->kind = (lsm_kind)n->kind;
}

static bool stands_before(const node *n, const place *p)
{
    if (n->head != p->head) return n->head < p->head;
    int order = kv_slice_cmp(key_of(n), p->key);
    return order != 0 ? order < 0 : n->seq > p->seq; // E1
}

static bool is_of(const node *n, const place *p)
{
    return n->head == p->head && kv_slice_equal(key_of(n), p->key);
}

static node *next_of(const node *n)
{
    return atomic_load_explicit(&n->links[0].next, memory_order_acquire);
}

// The last node before the place; on each level the last one, in `path`.
static node *find(const lsm_memtable *m, const place *p, node **path)
{
    node *n = m->root;
    int level = atomic_load_explicit(&m->height, memory_order_relaxed) - 1;
    for (; level >= 0; level--) {
        for (;;) {
            const link *l = &n->links[level];
            uint64_t head =
                atomic_load_explicit(&l->head, memory_order_acquire);
            if (p->head < head) break;
            node *next = atomic_load_explicit(&l->next, memory_order_acquire);
            // A smaller head needs no look at the node: it is in front (M3).
            if (p->head == head && (next == NULL || !stands_before(next, p))) {
                break;
            }
            n = next;
        }
        if (path != NULL) path[level] = n;
    }
    return n;
}

static node *find_last(const lsm_memtable *m)
{
    node *n = m->root;
    int level = atomic_load_explicit(&m->height, memory_order_relaxed) - 1;
    while (level >= 0) {
        node *next =
            atomic_load_explicit(&n->links[level].next, memory_order_acquire);
        if (next != NULL) n = next;
        else level--;
    }
    return n;
}

kv_slice lsm_memtable_prefix(const lsm_memtable *m)
{
    const node *first = next_of(m->root), *last = find_last(m);
    if (first == NULL || first == last) return (kv_slice){0};
    return lsm_common_prefix(key_of(first), key_of(last));
}

// ---- writing ----------------------------------------------------------------

static int choose_height(lsm_memtable *m)
{
    uint64_t bits = kv_mix64(m->number << 40 ^ lsm_memtable_count(m));
    int height = 1;
    for (; height < HEIGHT_MAX && (bits & 3) == 0; bits >>= 2) height++;
    return height;
}

// Where the entry goes, in m->path. An entry that follows the last one added
// needs no search: the path to that one, and itself, are before it.
static void find_path(lsm_memtable *m, const place *p)
{
    const node *behind = next_of(m->last);
    bool follows = (m->last == m->root || stands_before(m->last, p)) &&
                   (behind == NULL || !stands_before(behind, p));
    if (follows) {
        for (int i = 0; i < m->last->height; i++) m->path[i] = m->last;
    } else {
        (void)find(m, p, m->path);
    }
}

// Level by level from the lowest (M2); in each the node is complete before
// anything leads to it.
static void hang_in(lsm_memtable *m, node *n)
{
    for (int i = 0; i < n->height; i++) {
        link *before = &m->path[i]->links[i], *own = &n->links[i];
        atomic_init(&own->head, before->head);
        atomic_init(&own->next, before->next);
        atomic_store_explicit(&before->next, n, memory_order_release);
        atomic_store_explicit(&before->head, n->head, memory_order_release);
    }
    if (n->height > m->height) atomic_store(&m->height, n->height);
}

// The node of the key's newest entry until now, if there is one: it stands
// right behind the path.
static node *find_older(const lsm_memtable *m, const place *p)
{
    if (m->path[0]->links[0].head != p->head) return NULL;
    node *behind = next_of(m->path[0]);
    return behind != NULL && is_of(behind, p) ? behind : NULL;
}

void lsm_memtable_add(lsm_memtable *m, const lsm_entry *entry)
{
    place p = {head_of(m, entry->key), entry->seq, entry->key};
    lsm_hook *bucket =
        lsm_bucket(&m->buckets, kv_hash(entry->key, LSM_HASH_SEED));
    __builtin_prefetch(bucket, 1); // here by the time the path is found
    find_path(m, &p);
    node *older = find_older(m, &p);
    if (m->first_seq == 0) m->first_seq = entry->seq;
    size_t key_len = entry->key.len, value_len = entry->value.len;
    node *n = make_node(m, choose_height(m), key_len + value_len);
    n->head = p.head;
    n->seq = entry->seq;
    n->key_len = (uint32_t)key_len & 0xffffff;
    n->value_len = (uint32_t)value_len;
    n->kind = (uint32_t)entry->kind & 3;
    uint8_t *bytes = (uint8_t *)&n->links[n->height];
    memcpy(bytes, entry->key.data, key_len);
    if (value_len > 0) memcpy(bytes + key_len, entry->value.data, value_len);
    hang_in(m, n);
    lsm_bucket_add(bucket, &n->hook, older != NULL ? &older->hook : NULL);
    m->last = n;
    atomic_store_explicit(&m->count, lsm_memtable_count(m) + 1,
                          memory_order_relaxed);
}

static kv_slice keep(lsm_memtable *m, kv_slice bytes)
{
    uint8_t *copy = take(m, bytes.len);
    if (bytes.len > 0) memcpy(copy, bytes.data, bytes.len);
    return kv_slice_of(copy, bytes.len);
}

void lsm_memtable_add_range(lsm_memtable *m, const lsm_range_tombstone *range)
{
    lsm_range_tombstone kept = {keep(m, range->from), keep(m, range->to),
                                range->seq};
    if (m->first_seq == 0) m->first_seq = range->seq;
    lsm_layer *now = lsm_layer_add(m->ranges, &kept);
    atomic_store(&m->ranges, now);
    atomic_fetch_add(&m->range_count, 1);
    // A layer stays as long as the memtable, and counts.
    atomic_fetch_add(&m->bytes,
                     sizeof *now + now->spans.cap * sizeof *now->spans.at);
}

// ---- reading ----------------------------------------------------------------

// The key's newest entry, or NULL (U1).
static const node *newest_of(const lsm_memtable *m, const place *p,
                             uint64_t hash)
{
    const lsm_hook *h = lsm_hook_next(lsm_bucket(&m->buckets, hash));
    while (h != NULL && !is_of((const node *)h, p)) h = lsm_hook_next(h);
    return (const node *)h;
}

bool lsm_memtable_get(const lsm_memtable *m, kv_slice key, uint64_t hash,
                      uint64_t seq_max, lsm_entry *out)
{
    place p = {head_of(m, key), seq_max, key};
    const node *n = newest_of(m, &p, hash);
    if (n == NULL) return false;
    if (n->seq > seq_max) {
        // Written since the reader came: what it may see stands in the order.
        n = next_of(find(m, &p, NULL));
        while (n != NULL && stands_before(n, &p)) n = next_of(n);
        if (n == NULL || !is_of(n, &p)) return false;
    }
    show(n, out);
    return true;
}

const lsm_layer *lsm_memtable_ranges(const lsm_memtable *m, uint64_t seq_max)
{
    return lsm_layer_at(atomic_load_explicit(&m->ranges, memory_order_acquire),
                        seq_max);
}

uint64_t lsm_memtable_range_seq(const lsm_memtable *m, kv_slice key,
                                uint64_t seq_max)
{
    return lsm_layers_seq(lsm_memtable_ranges(m, seq_max), key);
}

// ---- walking ----------------------------------------------------------------

typedef struct walk {
    lsm_iter base;
    lsm_memtable *memtable;
    uint64_t seq_max;
    const node *at;
} walk;

// The next in order lies anywhere in the arena, a miss in memory: it is on its
// way while the caller, a flush mostly, is busy with this one.
static void fetch_ahead(const node *n)
{
    if (n == NULL) return;
    const uint8_t *bytes = (const uint8_t *)n;
    __builtin_prefetch(bytes);
    __builtin_prefetch(bytes + 64);
    __builtin_prefetch(bytes + 128);
}

// Stands on `n`, or the next one that may be seen.
static kv_status stand_or_go_on(walk *w, const node *n)
{
    while (n != NULL && n->seq > w->seq_max) n = next_of(n);
    w->at = n;
    w->base.is_valid = n != NULL;
    if (n != NULL) {
        show(n, &w->base.entry);
        fetch_ahead(next_of(n));
    }
    return KV_OK;
}

// Stands on `n`, or the one before it that may be seen.
static kv_status stand_or_go_back(walk *w, const node *n)
{
    const lsm_memtable *m = w->memtable;
    while (n != m->root && n->seq > w->seq_max) {
        place p = {n->head, n->seq, key_of(n)};
        n = find(m, &p, NULL);
    }
    return stand_or_go_on(w, n != m->root ? n : NULL);
}

static kv_status walk_seek(lsm_iter *it, kv_slice key)
{
    walk *w = (walk *)it;
    place p = {head_of(w->memtable, key), w->seq_max, key};
    return stand_or_go_on(w, next_of(find(w->memtable, &p, NULL)));
}

static kv_status walk_seek_before(lsm_iter *it, kv_slice key)
{
    walk *w = (walk *)it;
    // Above any number: the place in front of all the key's entries.
    place p = {head_of(w->memtable, key), UINT64_MAX, key};
    return stand_or_go_back(w, find(w->memtable, &p, NULL));
}

static kv_status walk_first(lsm_iter *it)
{
    walk *w = (walk *)it;
    return stand_or_go_on(w, next_of(w->memtable->root));
}

static kv_status walk_last(lsm_iter *it)
{
    walk *w = (walk *)it;
    return stand_or_go_back(w, find_last(w->memtable));
}

static kv_status walk_next(lsm_iter *it)
{
    walk *w = (walk *)it;
    return stand_or_go_on(w, next_of(w->at));
}

static kv_status walk_prev(lsm_iter *it)
{
    walk *w = (walk *)it;
    place p = {w->at->head, w->at->seq, key_of(w->at)};
    return stand_or_go_back(w, find(w->memtable, &p, NULL));
}

static void walk_free(lsm_iter *it)
{
    walk *w = (walk *)it;
    lsm_memtable_unref(w->memtable);
    kv_free(w);
}

lsm_iter *lsm_memtable_iter(lsm_memtable *m, uint64_t seq_max)
{
    static const lsm_iter_ops ops = {
        .seek = walk_seek,
        .seek_before = walk_seek_before,
        .first = walk_first,
        .last = walk_last,
        .next = walk_next,
        .prev = walk_prev,
        .free = walk_free,
    };
    walk *w = kv_zalloc(sizeof *w);
    w->base.ops = &ops;
    w->memtable = lsm_memtable_ref(m);
    w->seq_max = seq_max;
    return &w->base;
}

// ---- check ------------------------------------------------------------------

static kv_status broken(const lsm_memtable *m, const char *what, const node *n)
{
    kv_quoted q;
    return kv_fail(KV_CORRUPT,
                   "the memtable of log %llu: %s near the key \"%s\": this is "
                   "a defect of the program; the log is intact, reopen the "
                   "store",
                   (unsigned long long)m->number, what,
                   n == m->root ? "" : kv_quote(&q, key_of(n)));
}

kv_status lsm_memtable_check(const lsm_memtable *m)
{
    size_t keys = 0;
    for (int level = 0; level < m->height; level++) {
        const node *n = m->root;
        for (;;) {
            uint64_t head = n->links[level].head;
            const node *next = n->links[level].next;
            if (next == NULL) break;
            if (head < next->head) return broken(m, "a wrong head", n); // M3
            if (next->height <= level) return broken(m, "a wrong level", n);
            place p = {next->head, next->seq, key_of(next)};
            if (n != m->root && !stands_before(n, &p)) {
                return broken(m, "out of order", n); // M1
            }
            bool is_newest = n == m->root || !is_of(n, &p);
            uint64_t hash = kv_hash(p.key, LSM_HASH_SEED);
            if (level == 0 && is_newest && newest_of(m, &p, hash) != next) {
                return broken(m, "a wrong bucket", n); // U1
            }
            keys += level == 0 && is_newest;
            n = next;
        }
    }
    bool is_once = keys == lsm_buckets_len(&m->buckets); // U1
    return is_once ? KV_OK : broken(m, "a key twice in a bucket", m->root);
}
