// claims_snapshot.c -- the claim about copies of a store that is in use.
// SPDX-License-Identifier: MIT
//
// What a copy writes is no longer the store's own: the system counts it.

#include <math.h>
#include <stdio.h>

#include "compare/claims/claim.h"
#include "compare/machine.h"

// Bytes that a copy in a directory of its own wrote.
static kv_status copy_store(const cmp_specimen *s, double *bytes)
{
    char path[600];
    cmp_io before, after;
    snprintf(path, sizeof path, "%s.copy", s->path);
    cmp_remove_tree(path);
    KV_TRY(cmp_io_read(&before));
    kv_status st = kv_backup(s->db, path);
    if (st == KV_OK) st = cmp_io_read(&after);
    if (st == KV_OK) *bytes = (double)(after.write_bytes - before.write_bytes);
    cmp_remove_tree(path);
    return st;
}

// A twentieth of the records, new in memory: less than a memtable holds.
enum { SHARE_NEW = 20 };

typedef struct copies {
    double settled, fresh; // bytes copied / bytes on disk; / new bytes
    double whole;          // settled; bytes copied / live bytes
} copies;

static kv_status copy_twice(cmp_bench *b, const char *engine,
                            const char *series, copies *out)
{
    cmp_specimen s;
    double bytes = 0;
    cmp_shape shape = {.records = b->records,
                       .memory_bytes = (uint64_t)b->records * 128};
    kv_status st = cmp_specimen_load(b, &s, engine, shape);
    double disk = (double)cmp_specimen_stats(&s).disk_bytes;
    if (st == KV_OK) st = copy_store(&s, &bytes);
    if (st == KV_OK) {
        out->settled = bytes / disk;
        out->whole = bytes / (double)s.live_bytes;
        cmp_note(b, series, 0, bytes, NAN);
        st = cmp_specimen_update(&s, shape.records / SHARE_NEW);
    }
    double user = (double)cmp_specimen_user_bytes(&s);
    if (st == KV_OK) st = copy_store(&s, &bytes);
    if (st == KV_OK) {
        out->fresh = bytes / user;
        cmp_note(b, series, 1, bytes, NAN);
    }
    cmp_specimen_close(&s);
    return st;
}

// A scan that stays open while every record is replaced: it reads on in its
// own version, for which nothing was copied beforehand.
static kv_status hold_version(cmp_bench *b, uint64_t *written, double *rows)
{
    cmp_specimen s;
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    cmp_shape shape = {.records = b->records / 4,
                       .memory_bytes = (uint64_t)b->records * 128};
    kv_status st = cmp_specimen_load(b, &s, "bt:journal=cow", shape);
    if (st == KV_OK) st = kv_scan(s.db, (kv_range){.reverse = false}, &cursor);
    *written = cmp_specimen_written(&s);
    if (st == KV_OK) st = cmp_specimen_update_batch(&s, shape.records);
    *rows = 0;
    for (uint32_t i = 0; st == KV_OK && i < shape.records; i++) {
        st = kv_cursor_next(cursor, &key, &value);
        kv_slice first = cmp_records_value(&s.records, i, 1, s.scratch);
        if (st == KV_OK && kv_slice_equal(value, first)) *rows += 1;
    }
    *rows /= shape.records;
    kv_cursor_close(cursor);
    cmp_specimen_close(&s);
    return st;
}

static kv_status snapshots_are_cheap(cmp_bench *b)
{
    copies lsm, tree;
    uint64_t written = 0;
    double rows = 0;
    KV_TRY(copy_twice(b, "lsm", "lsm", &lsm));
    KV_TRY(copy_twice(b, "bt", "bt", &tree));
    KV_TRY(hold_version(b, &written, &rows));
    cmp_check_at_most(b, "LSM-tree, settled: bytes copied / bytes on disk",
                      lsm.settled, 0.01);
    cmp_check_at_most(b, "LSM-tree: bytes copied / bytes not flushed yet",
                      lsm.fresh, 1.5);
    cmp_check_at_least(b, "B-tree in place: bytes copied / live bytes",
                       tree.whole, 0.9);
    cmp_check_at_most(b, "copy-on-write: bytes written to hold a version",
                      (double)written, 0);
    cmp_check_near(b, "copy-on-write: rows of that version, all replaced since",
                   rows, 1, 0);
    return KV_OK;
}

const cmp_claim cmp_claims_of_snapshots[] = {
    {.id = "C38",
     .text = "Files that never change make snapshots cheap.",
     .first = "SSTables and LSM-Trees",
     .second = "Disk space usage",
     .setup = "A settled store copied while it is open, and again after a "
              "twentieth of its records were replaced; a scan of a "
              "copy-on-write tree held while every record is replaced.",
     .x = "settled, with new records",
     .y = "bytes that the copy wrote",
     .is_counted = true,
     .run = snapshots_are_cheap},
    {0}};
