// liar.c -- an engine that lies when told to, as a module: what the harness
// must notice. With lie=none it is an honest ordered store in memory.
// LIAR_BYTES says whose counters are believed; the last five lies are theirs.
// SPDX-License-Identifier: MIT

#define _GNU_SOURCE

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/engine_impl.h"
#include "common/mem.h"

#include "compare/yardsticks/yardstick.h"

// What is wrong, from the `after`-th write on.
enum lie {
    NONE,
    VALUE,       // the last byte of a value is another
    MIDDLE,      // a byte in the middle is
    STALE,       // overwrites are forgotten
    MISSING,     // inserts are
    RESURRECTED, // deletions are
    PHANTOM,     // absent keys are found
    DISORDER,    // a scan leaves a key out
    COUNT,       // the number of keys is one too high
    CRASH,
    HANG,
    FULL,
    REFUSE,
    STALL,  // one write takes 0.3 seconds
    WRITE,  // a byte goes to a file that no counter saw
    READ,   // one comes from a file
    MAP,    // a file is mapped
    LEDGER, // the space it says it takes is 4 KiB too much
    PARTS,  // more was waited for than there was
};

enum { KNOB_LIE, KNOB_AFTER };

static const kv_knob knobs[] = {
    [KNOB_LIE] = {.name = "lie",
                  .max = PARTS,
                  .words = "none value middle stale missing resurrected "
                           "phantom disorder count crash hang full refuse "
                           "stall write read map ledger parts",
                  .help = "what is wrong"},
    [KNOB_AFTER] = {.name = "after",
                    .value = 500,
                    .max = 1000000,
                    .help = "writes that go well"},
};

struct entry {
    kv_buf key, value;
};

struct liar_store {
    kv base;
    struct entry *entry; // in the order of keys
    size_t count, cap;
    uint64_t writes;
    bool has_stalled, has_touched;
};

struct liar_cursor {
    kv_cursor base;
    size_t at;
};

static bool lies(const kv *db, enum lie lie)
{
    const struct liar_store *store = (const struct liar_store *)db;
    return db->knob[KNOB_LIE] == lie && store->writes > db->knob[KNOB_AFTER];
}

static kv_status liar_open(kv *db)
{
    (void)db;
    return KV_OK;
}

static kv_status liar_close(kv *db)
{
    struct liar_store *store = (struct liar_store *)db;
    for (size_t i = 0; i < store->count; i++) {
        kv_buf_free(&store->entry[i].key);
        kv_buf_free(&store->entry[i].value);
    }
    kv_free(store->entry);
    return KV_OK;
}

// The first entry whose key is not below `key`.
static size_t place_of(const struct liar_store *store, kv_slice key)
{
    size_t from = 0, limit = store->count;
    while (from < limit) {
        size_t middle = (from + limit) / 2;
        kv_slice there = kv_buf_slice(&store->entry[middle].key);
        if (kv_slice_cmp(there, key) < 0) from = middle + 1;
        else limit = middle;
    }
    return from;
}

static bool is_at(const struct liar_store *store, size_t i, kv_slice key)
{
    return i < store->count &&
           kv_slice_equal(kv_buf_slice(&store->entry[i].key), key);
}

static kv_status liar_get(kv *db, kv_slice key, kv_buf *value)
{
    struct liar_store *store = (struct liar_store *)db;
    size_t i = place_of(store, key);
    if (!is_at(store, i, key)) {
        if (!lies(db, PHANTOM)) return KV_NOT_FOUND;
        kv_buf_set(value, kv_str("boo"));
        return KV_OK;
    }
    kv_buf_set(value, kv_buf_slice(&store->entry[i].value));
    if (lies(db, VALUE)) value->data[value->len - 1] ^= 1;
    if (lies(db, MIDDLE)) value->data[value->len / 2] ^= 1;
    return KV_OK;
}

static void put(struct liar_store *store, const kv_change *change)
{
    size_t i = place_of(store, change->key);
    if (is_at(store, i, change->key)) {
        if (lies(&store->base, STALE)) return;
        kv_buf_set(&store->entry[i].value, change->value);
        return;
    }
    if (lies(&store->base, MISSING)) return;
    if (store->count == store->cap) {
        store->cap = store->cap ? 2 * store->cap : 64;
        store->entry =
            kv_realloc(store->entry, store->cap * sizeof *store->entry);
    }
    memmove(store->entry + i + 1, store->entry + i,
            (store->count - i) * sizeof *store->entry);
    store->entry[i] = (struct entry){{0}, {0}};
    kv_buf_set(&store->entry[i].key, change->key);
    kv_buf_set(&store->entry[i].value, change->value);
    store->count++;
}

static void del(struct liar_store *store, kv_slice key)
{
    size_t i = place_of(store, key);
    if (!is_at(store, i, key) || lies(&store->base, RESURRECTED)) return;
    kv_buf_free(&store->entry[i].key);
    kv_buf_free(&store->entry[i].value);
    store->count--;
    memmove(store->entry + i, store->entry + i + 1,
            (store->count - i) * sizeof *store->entry);
}

static void map_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT, 0666);
    if (fd < 0) return; // no such directory
    if (ftruncate(fd, 4096) != 0) abort();
    if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED) abort();
    close(fd);
}

// Behind the back of everything that counts.
static void touch_file(struct liar_store *store)
{
    const kv *db = &store->base;
    char byte = 0;
    if (store->has_touched) return;
    store->has_touched = true;
    // A store in memory is not told its directory: all that it may be.
    for (int i = 0; lies(db, MAP) && i < 8; i++) {
        kv_buf path = {0};
        kv_buf_printf(&path, "/dev/shm/stagecoach-%ld-%d/unseen%c",
                      (long)getppid(), i, '\0');
        map_file((char *)path.data);
        kv_buf_free(&path);
    }
    if (lies(db, MAP)) return;
    int fd = open(lies(db, READ) ? "/dev/zero" : "/dev/null", O_RDWR);
    bool is_done =
        lies(db, READ) ? read(fd, &byte, 1) == 1 : write(fd, &byte, 1) == 1;
    if (!is_done) abort();
    close(fd);
}

static kv_status liar_write(kv *db, const kv_change *changes, size_t count)
{
    struct liar_store *store = (struct liar_store *)db;
    store->writes += count;
    if (lies(db, CRASH)) abort();
    while (lies(db, HANG)) kv_sleep_ns(1000000);
    if (lies(db, STALL) && !store->has_stalled) {
        store->has_stalled = true;
        kv_sleep_ns(300000000);
    }
    if (lies(db, READ) || lies(db, WRITE) || lies(db, MAP)) touch_file(store);
    if (lies(db, FULL)) return kv_fail(KV_NO_SPACE, "no room, says the liar");
    if (lies(db, REFUSE)) return kv_fail(KV_IO, "no, says the liar");
    for (size_t i = 0; i < count; i++) {
        if (changes[i].kind == KV_PUT) put(store, &changes[i]);
        else del(store, changes[i].key);
    }
    return KV_OK;
}

static kv_status liar_scan(kv *db, kv_cursor *cursor)
{
    struct liar_cursor *c = (struct liar_cursor *)cursor;
    c->at = place_of((struct liar_store *)db, cursor->range.from);
    return KV_OK;
}

static kv_status liar_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    struct liar_cursor *c = (struct liar_cursor *)cursor;
    const struct liar_store *store = (const struct liar_store *)cursor->db;
    if (lies(cursor->db, DISORDER) && c->at % 50 == 7) c->at++;
    if (c->at >= store->count) return KV_END;
    size_t at = cursor->range.reverse ? store->count - 1 - c->at : c->at;
    c->at++;
    *key = kv_buf_slice(&store->entry[at].key);
    *value = kv_buf_slice(&store->entry[at].value);
    return KV_OK;
}

static void liar_end(kv_cursor *cursor) { (void)cursor; }

static void liar_measure(kv *db, kv_stats *stats)
{
    const struct liar_store *store = (const struct liar_store *)db;
    stats->memory_bytes = store->cap * sizeof *store->entry;
    stats->key_count = store->count + lies(db, COUNT);
    if (lies(db, LEDGER)) stats->disk_bytes += 4096;
    if (lies(db, PARTS)) stats->waited[KV_FOR_READ].reads++;
}

KV_API extern const kv_engine kv_engine_plugin;
const kv_engine kv_engine_plugin = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "liar",
             .title = "a store that lies when told to",
             .book = "",
             .caps = KV_CAP_ORDERED,
             .key_max = KV_KEY_MAX,
             .value_max = KV_VALUE_MAX,
             .knobs = knobs,
             .knob_count = sizeof knobs / sizeof *knobs},
    .store_size = sizeof(struct liar_store),
    .cursor_size = sizeof(struct liar_cursor),
    .open = liar_open,
    .close = liar_close,
    .get = liar_get,
    .write = liar_write,
    .scan = liar_scan,
    .next = liar_next,
    .end = liar_end,
    .measure = liar_measure,
};

static const char *library(void) { return "no library"; }

KV_API extern const cmp_yardstick kv_yardstick;
const cmp_yardstick kv_yardstick = {library, LIAR_BYTES};
