// player.c -- see player.h.
// SPDX-License-Identifier: MIT

#include "compare/player.h"

#include "common/clock.h"
#include "common/mem.h"

#include "compare/machine.h"

enum { COPY_EVERY = 64 };

struct seen {
    uint64_t key, value; // fingerprints
};

// What the engine said, in the order of the block's operations.
struct cmp_answers {
    uint64_t *fingerprint;
    bool *found;
    kv_buf *copy; // of the operations 0, 64, 128 …
    struct seen *seen;
    uint32_t *seen_count; // by operation
    size_t failed;        // the operation that could not be run
    size_t group;         // how many get_many and a batch take at most

    kv_buf value;
    kv_slice *keys; // of a get_many, and what it fills
    kv_buf *values;
    kv_batch batch;
};

void cmp_player_init(cmp_player *p, const cmp_records *records,
                     const cmp_workload *w)
{
    cmp_block_init(&p->block, records, w);
    size_t cap = p->block.cap;
    struct cmp_answers *a = kv_zalloc(sizeof *a);
    a->fingerprint = kv_zalloc(cap * sizeof *a->fingerprint);
    a->found = kv_zalloc(cap * sizeof *a->found);
    a->copy = kv_zalloc((cap / COPY_EVERY + 1) * sizeof *a->copy);
    a->seen_count = kv_zalloc(cap * sizeof *a->seen_count);
    if (w->share[CMP_SCAN] > 0) {
        a->seen = kv_zalloc(cap * w->scan_max * sizeof *a->seen);
    }
    a->group = w->group;
    a->keys = kv_zalloc(w->group * sizeof *a->keys);
    a->values = kv_zalloc(w->group * sizeof *a->values);
    p->answers = a;
}

void cmp_player_free(cmp_player *p)
{
    struct cmp_answers *a = p->answers;
    if (a == NULL) return;
    for (size_t i = 0; i <= p->block.cap / COPY_EVERY; i++) {
        kv_buf_free(&a->copy[i]);
    }
    for (size_t i = 0; i < a->group; i++) kv_buf_free(&a->values[i]);
    kv_buf_free(&a->value);
    kv_batch_free(&a->batch);
    kv_free(a->fingerprint);
    kv_free(a->found);
    kv_free(a->copy);
    kv_free(a->seen);
    kv_free(a->seen_count);
    kv_free(a->keys);
    kv_free(a->values);
    kv_free(a);
    p->answers = NULL;
    cmp_block_free(&p->block);
}

// ---- measured ---------------------------------------------------------------

static void keep(struct cmp_answers *a, size_t i, kv_slice value)
{
    a->fingerprint[i] = cmp_fingerprint(value);
    if (i % COPY_EVERY == 0) kv_buf_set(&a->copy[i / COPY_EVERY], value);
}

static kv_status run_get(cmp_player *p, size_t i)
{
    struct cmp_answers *a = p->answers;
    kv_status st = kv_get(p->db, p->block.op[i].key, &a->value);
    a->found[i] = st == KV_OK;
    if (st == KV_OK) keep(a, i, kv_buf_slice(&a->value));
    return st == KV_NOT_FOUND ? KV_OK : st;
}

static kv_status run_scan(cmp_player *p, size_t i)
{
    struct cmp_answers *a = p->answers;
    const cmp_op *op = &p->block.op[i];
    struct seen *seen = a->seen + op->scan_first;
    kv_cursor *cursor = NULL;
    kv_range range = {.from = op->key};
    cmp_extent extent = p->stream->workload->extent;
    if (extent != CMP_SOME) {
        range = (kv_range){.reverse = extent == CMP_ALL_REVERSED};
    }
    KV_TRY(kv_scan(p->db, range, &cursor));
    kv_status st = KV_OK;
    uint32_t n = 0;
    // Never more than fit between this operation's place in `seen` and the
    // next one's, except that one too many is worth knowing.
    while (n < op->scan_length) {
        kv_slice key, value;
        if ((st = kv_cursor_next(cursor, &key, &value)) != KV_OK) break;
        if (n < op->scan_count) {
            seen[n].key = cmp_fingerprint(key);
            seen[n].value = cmp_fingerprint(value);
        }
        n++;
    }
    a->seen_count[i] = n;
    kv_cursor_close(cursor);
    return st == KV_END ? KV_OK : st;
}

static kv_status run_one(cmp_player *p, size_t i)
{
    const cmp_op *op = &p->block.op[i];
    switch (op->call) {
    case CMP_READ:
    case CMP_MISS:
        return run_get(p, i);
    case CMP_UPDATE:
    case CMP_INSERT:
        return kv_put(p->db, op->key, op->value);
    case CMP_DELETE:
        return kv_del(p->db, op->key);
    case CMP_SCAN:
        return run_scan(p, i);
    case CMP_MODIFY:
        KV_TRY(run_get(p, i));
        return kv_put(p->db, op->key, op->value);
    case CMP_CALLS:
        break;
    }
    return KV_INVALID;
}

static kv_status run_gets(cmp_player *p, size_t first, size_t count)
{
    struct cmp_answers *a = p->answers;
    for (size_t i = 0; i < count; i++) a->keys[i] = p->block.op[first + i].key;
    KV_TRY(kv_get_many(p->db, count, a->keys, a->values, a->found + first));
    for (size_t i = 0; i < count; i++) {
        if (a->found[first + i]) {
            keep(a, first + i, kv_buf_slice(&a->values[i]));
        }
    }
    return KV_OK;
}

// Filling the batch is the caller's work in every store, and so is measured.
static kv_status run_batch(cmp_player *p, size_t first, size_t count)
{
    kv_batch *batch = &p->answers->batch;
    kv_batch_clear(batch);
    for (size_t i = first; i < first + count; i++) {
        const cmp_op *op = &p->block.op[i];
        if (op->call == CMP_DELETE) {
            kv_batch_del(batch, op->key);
        } else {
            kv_batch_put(batch, op->key, op->value);
        }
    }
    return kv_write(p->db, batch);
}

static bool is_get(cmp_call call)
{
    return call == CMP_READ || call == CMP_MISS;
}

// A group is as long as its operations are of one sort.
static size_t group_len(const cmp_player *p, size_t first)
{
    const cmp_op *op = p->block.op;
    size_t len = 1;
    while (len < p->answers->group && first + len < p->block.count &&
           is_get(op[first + len].call) == is_get(op[first].call)) {
        len++;
    }
    return len;
}

static kv_status run_group(cmp_player *p, size_t first, size_t count)
{
    if (p->answers->group == 1) return run_one(p, first);
    if (is_get(p->block.op[first].call)) return run_gets(p, first, count);
    return run_batch(p, first, count);
}

// When the call that is due next begins: now, or when its time has come. A
// sleep wakes late, so that the last of it is waited for with open eyes.
static uint64_t begin_call(cmp_player *p, size_t count)
{
    enum { SLEEP_NS = 300000, EARLY_NS = 150000 };
    uint64_t now = kv_now_ns();
    if (p->gap_ns <= 0) return now;
    uint64_t due = (uint64_t)p->due_ns;
    while (now < due) {
        if (due - now > SLEEP_NS) kv_sleep_ns(due - now - EARLY_NS);
        now = kv_now_ns();
    }
    p->due_ns += p->gap_ns * (double)count;
    return due;
}

static void note_delay(cmp_player *p, cmp_call call, uint64_t from)
{
    uint64_t ns = kv_now_ns() - from;
    cmp_histogram_add(&p->delays[call], ns);
    if (p->window != NULL) cmp_histogram_add(p->window, ns);
}

static kv_status run_block(cmp_player *p)
{
    bool is_grouped = p->answers->group > 1;
    for (size_t i = 0, len = 1; i < p->block.count; i += len) {
        if (is_grouped) len = group_len(p, i);
        uint64_t from = p->delays != NULL ? begin_call(p, len) : 0;
        kv_status st = run_group(p, i, len);
        if (p->delays != NULL) note_delay(p, p->block.op[i].call, from);
        if (!KV_LIKELY(st == KV_OK)) {
            p->answers->failed = i;
            return st;
        }
    }
    return KV_OK;
}

// ---- compared ---------------------------------------------------------------

static kv_status wrong(const cmp_player *p, size_t i, const char *what)
{
    const cmp_op *op = &p->block.op[i];
    kv_quoted q;
    return kv_fail(KV_CORRUPT, "wrong: operation %llu, %s of key \"%s\": %s",
                   (unsigned long long)(p->operations + i),
                   cmp_call_word(op->call), kv_quote(&q, op->key), what);
}

static kv_status check_get(cmp_player *p, size_t i, uint8_t *scratch)
{
    const struct cmp_answers *a = p->answers;
    cmp_expected there = p->block.op[i].before;
    p->checked++;
    p->hits += a->found[i];
    if (there.version == 0) {
        if (!a->found[i]) return KV_OK;
        return wrong(p, i, "found, but it was deleted or never written");
    }
    if (!a->found[i]) return wrong(p, i, "not found, but it is there");
    kv_slice value = cmp_records_value(p->stream->records, there.place,
                                       there.version, scratch);
    bool same = cmp_fingerprint(value) == a->fingerprint[i];
    if (same && i % COPY_EVERY == 0) {
        same = kv_slice_equal(value, kv_buf_slice(&a->copy[i / COPY_EVERY]));
    }
    return same ? KV_OK : wrong(p, i, "the value is not the one last written");
}

static kv_status check_scan(cmp_player *p, size_t i, uint8_t *scratch)
{
    const struct cmp_answers *a = p->answers;
    const cmp_op *op = &p->block.op[i];
    const cmp_records *r = p->stream->records;
    p->checked += op->scan_count;
    p->entries += op->scan_count;
    if (a->seen_count[i] != op->scan_count) {
        return wrong(p, i, "not as many entries as there are");
    }
    for (uint32_t n = 0; n < op->scan_count; n++) {
        cmp_expected there = p->block.scanned[op->scan_first + n];
        struct seen seen = a->seen[op->scan_first + n];
        kv_slice key = cmp_records_key(r, there.place, scratch);
        if (cmp_fingerprint(key) != seen.key) {
            return wrong(p, i, "an entry's key is not the next one");
        }
        kv_slice value =
            cmp_records_value(r, there.place, there.version, scratch);
        if (cmp_fingerprint(value) != seen.value) {
            return wrong(p, i, "an entry's value is not the one last written");
        }
    }
    return KV_OK;
}

static kv_status check_block(cmp_player *p, uint8_t *scratch)
{
    for (size_t i = 0; i < p->block.count; i++) {
        cmp_call call = p->block.op[i].call;
        p->calls[call]++;
        if (is_get(call) || call == CMP_MODIFY) {
            KV_TRY(check_get(p, i, scratch));
        } else if (call == CMP_SCAN) {
            KV_TRY(check_scan(p, i, scratch));
        }
    }
    return KV_OK;
}

kv_status cmp_player_run(cmp_player *p)
{
    const cmp_records *r = p->stream->records;
    size_t room = cmp_records_value_max(r) + cmp_records_key_max(r) + 8;
    uint8_t *scratch = kv_alloc(room);
    kv_status st = KV_OK;
    uint64_t cpu = cmp_thread_cpu_ns(), last = kv_now_ns();
    p->due_ns = (double)last;
    bool is_over = false;
    while (!is_over) {
        cmp_stream_fill(p->stream, &p->block);
        if (p->block.count == 0) break;
        p->harness_cpu_ns += cmp_thread_cpu_ns() - cpu;
        uint64_t from = kv_now_ns();
        p->due_ns += (double)(from - last);
        st = run_block(p);
        last = kv_now_ns();
        uint64_t ns = last - from;
        cpu = cmp_thread_cpu_ns();
        if (st != KV_OK) break;
        p->ns += ns;
        if (ns > p->longest_ns) p->longest_ns = ns;
        if ((st = check_block(p, scratch)) != KV_OK) break;
        p->operations += p->block.count;
        if (p->between != NULL) p->between(p->arg);
        // Looked at last: whoever plays has played at least a block.
        is_over = p->is_over != NULL && atomic_load(p->is_over);
    }
    p->harness_cpu_ns += cmp_thread_cpu_ns() - cpu;
    kv_free(scratch);
    return st;
}
