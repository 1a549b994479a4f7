// claims_merge.c -- claims about merging sorted files.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "common/disk_trace.h"

#include "compare/claims/claim.h"
#include "compare/machine.h"

// A store of `count` sorted segments, opened again so that they wait to be
// merged, all at once.
static kv_status open_unmerged(cmp_bench *b, cmp_specimen *s, unsigned count,
                               cmp_shape shape)
{
    char knobs[32];
    shape.memory_bytes = (uint64_t)shape.records << 11;
    KV_TRY(cmp_specimen_open(b, s, "sst:merge=never", shape));
    for (unsigned i = 0; i < count; i++) {
        KV_TRY(cmp_specimen_fill(s, shape.records / count));
        KV_TRY(cmp_specimen_settle(s));
    }
    snprintf(knobs, sizeof knobs, "merge=every,every=%u", count);
    KV_TRY(cmp_engine_set(&s->engine, knobs));
    return cmp_specimen_reopen(s);
}

// The disk of a store that is merged, with somebody who watches its writes.
static kv_status open_watched(cmp_bench *b, kv_trace_observer *watch, void *arg,
                              kv_disk **out)
{
    kv_disk *real = NULL;
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/watched%c", b->dir, '\0');
    cmp_remove_tree((char *)path.data);
    kv_status st = kv_disk_open_real((char *)path.data, true, &real);
    if (st == KV_OK) st = kv_disk_open_trace(real, watch, arg, out);
    if (st != KV_OK && real != NULL) kv_disk_close(real);
    kv_buf_free(&path);
    return st;
}

static bool is_merging(const kv_trace_event *event)
{
    return event->kind == KV_TRACE_WRITE && event->why.reason == KV_FOR_COMPACT;
}

// ---- C12 --------------------------------------------------------------------

enum { SEGMENTS = 8, GETS = 20 };

// A reader who is there whenever the merge writes.
struct reader {
    cmp_bench *bench;
    cmp_specimen *s;
    kv_cursor *cursor;                 // begun before the merge
    uint32_t rows;                     // it saw
    double meanwhile;                  // times that it read during the merge
    double before, least, most, after; // reads per get
    kv_status st;
};

// The scan sees every record in order, whatever becomes of its segments.
static kv_status read_on(struct reader *r, uint32_t rows)
{
    cmp_specimen *s = r->s;
    kv_slice key, value;
    for (uint32_t i = 0; i < rows && r->rows < s->filled; i++, r->rows++) {
        KV_TRY(kv_cursor_next(r->cursor, &key, &value));
        kv_slice right = cmp_records_value(&s->records, r->rows, 1, s->scratch);
        if (kv_slice_cmp(value, right) != 0) {
            return kv_fail(KV_CORRUPT, "wrong: row %u of a scan over a merge",
                           (unsigned)r->rows);
        }
    }
    return KV_OK;
}

static kv_status get_some(struct reader *r, double *reads)
{
    uint64_t before = cmp_specimen_reads(r->s);
    KV_TRY(cmp_specimen_get_some(r->s, GETS));
    *reads = (double)(cmp_specimen_reads(r->s) - before) / GETS;
    cmp_note(r->bench, "reads per get", r->meanwhile, *reads, NAN);
    return KV_OK;
}

// In the midst of the merge's call: a lock that it held would be waited for
// forever.
static void read_meanwhile(void *arg, const kv_trace_event *event)
{
    struct reader *r = arg;
    double reads = 0;
    if (r->cursor == NULL || !is_merging(event) || r->st != KV_OK) return;
    r->meanwhile++;
    r->st = get_some(r, &reads);
    r->least = fmin(r->least, reads);
    r->most = fmax(r->most, reads);
    if (r->st == KV_OK) r->st = read_on(r, r->s->filled / 50);
}

static kv_status merge_and_read(struct reader *r)
{
    kv_status st = get_some(r, &r->before);
    if (st == KV_OK) st = kv_scan(r->s->db, (kv_range){0}, &r->cursor);
    if (st == KV_OK) st = cmp_specimen_settle(r->s);
    if (st == KV_OK) st = r->st;
    r->meanwhile++;
    if (st == KV_OK) st = get_some(r, &r->after);
    if (st == KV_OK) st = read_on(r, r->s->filled);
    kv_cursor_close(r->cursor);
    r->cursor = NULL;
    return st;
}

static kv_status readers_go_on(cmp_bench *b)
{
    cmp_specimen s;
    struct reader r = {.bench = b, .s = &s, .least = INFINITY};
    cmp_shape shape = {.records = b->records / SEGMENTS * SEGMENTS};
    KV_TRY(open_watched(b, read_meanwhile, &r, &shape.disk));
    kv_status st = open_unmerged(b, &s, SEGMENTS, shape);
    if (st == KV_OK) st = merge_and_read(&r);
    cmp_specimen_close(&s);
    kv_disk_close(shape.disk);
    KV_TRY(st);
    cmp_check_at_least(b, "times that a merge's write was met by a reader",
                       r.meanwhile - 1, 3);
    cmp_check_at_most(b, "reads per get in its midst, most / segments",
                      r.most / SEGMENTS, 1);
    cmp_check_near(b, "reads per get after it", r.after, 1, 0);
    cmp_check_near(b, "rows that a scan from before it saw / records",
                   (double)r.rows / shape.records, 1, 0);
    return KV_OK;
}

// ---- C14 --------------------------------------------------------------------

enum { FEWEST = 2, MOST = 64, SIZES = 3, BLOCK = 4096, SPARE = 1 << 20 };

// The most memory in use at a write of the merge.
static void watch_heap(void *arg, const kv_trace_event *event)
{
    uint64_t *most = arg, now = cmp_heap_bytes();
    if (is_merging(event) && now > *most) *most = now;
}

// What a merge of so many segments takes, but for the index it leaves behind.
static kv_status heap_of_merge(cmp_bench *b, uint32_t records, unsigned count,
                               double *bytes)
{
    cmp_specimen s;
    uint64_t most = 0;
    cmp_shape shape = {.records = records / count * count};
    KV_TRY(open_watched(b, watch_heap, &most, &shape.disk));
    kv_status st = open_unmerged(b, &s, count, shape);
    uint64_t before = cmp_heap_bytes();
    most = 0;
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    *bytes = most < before ? NAN
                           : (double)(most - before) -
                                 (double)cmp_specimen_stats(&s).index_bytes;
    if (st == KV_OK) {
        char series[32];
        snprintf(series, sizeof series, "%u records", (unsigned)records);
        cmp_note(b, series, count, *bytes, NAN);
    }
    cmp_specimen_close(&s);
    kv_disk_close(shape.disk);
    return st;
}

static kv_status merging_takes_little_memory(cmp_bench *b)
{
    double few[SIZES], many[SIZES], most = 0;
    for (int i = 0; i < SIZES; i++) {
        uint32_t records = b->records >> (SIZES - 1 - i);
        for (unsigned count = FEWEST; count <= MOST; count *= 2) {
            double bytes = NAN;
            KV_TRY(heap_of_merge(b, records, count, &bytes));
            if (count == FEWEST) few[i] = bytes;
            many[i] = bytes;
            most = cmp_worse(most, bytes / (count * 2.0 * BLOCK + SPARE));
        }
    }
    cmp_check_at_most(b, "memory / (two blocks per segment and 1 MiB), most",
                      most, 1);
    cmp_check_near(b, "2 segments: memory, four times the data / once",
                   few[SIZES - 1] / few[0], 1, 0.2);
    cmp_check_near(b, "64 segments: the same", many[SIZES - 1] / many[0], 1,
                   0.2);
    return KV_OK;
}

// ---- the claims -------------------------------------------------------------

const cmp_claim cmp_claims_of_merging[] = {
    {.id = "C12",
     .text = "Segments never change, so reading goes on while they are merged.",
     .first = "Hash Indexes",
     .second = "Constructing and merging SSTables",
     .setup = "Eight segments merged into one; at each write of the merge, in "
              "its midst, some gets, and some rows of a scan that began "
              "before it. A reader who had to wait for the merge would wait "
              "forever.",
     .x = "writes of the merge",
     .y = "reads per get",
     .is_counted = true,
     .run = readers_go_on},
    {.id = "C14",
     .text = "Merging sorted files takes far less memory than they are large.",
     .first = "SSTables and LSM-Trees",
     .second = "Constructing and merging SSTables",
     .setup = "2 to 64 segments merged into one, of a quarter of the records "
              "to all; the memory in use at each write of the merge, above "
              "what was in use before it and without the new index.",
     .x = "segments merged",
     .y = "bytes of memory",
     .is_counted = true,
     .run = merging_takes_little_memory},
    {0}};
