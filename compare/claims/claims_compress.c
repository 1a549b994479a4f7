// claims_compress.c -- the claim about blocks that are compressed.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <string.h>

#include "compare/claims/claim.h"

// ---- C24 --------------------------------------------------------------------

enum { VALUE_BYTES = 400, KEY_BYTES = 16, GETS = 500, NO_CACHE = 4 << 10 };

// The record's value of which only a share is noise; the rest is one byte, over
// and over. In the specimen's scratch.
static kv_slice plain_value(cmp_specimen *s, uint32_t place, double entropy)
{
    kv_slice value = cmp_records_value(&s->records, place, 1, s->scratch);
    size_t noise = (size_t)((double)value.len * entropy);
    if (value.data != s->scratch) memcpy(s->scratch, value.data, value.len);
    memset(s->scratch + noise, 'x', value.len - noise);
    return kv_slice_of(s->scratch, value.len);
}

static kv_status put_all(cmp_specimen *s, double entropy)
{
    for (uint32_t i = 0; i < s->records.count; i++) {
        uint32_t place = cmp_records_place(&s->records, i);
        kv_slice key = cmp_records_key(&s->records, place, s->key);
        KV_TRY(kv_put(s->db, key, plain_value(s, place, entropy)));
    }
    return cmp_specimen_settle(s);
}

static kv_status get_some(cmp_specimen *s, double entropy)
{
    for (uint32_t i = 0; i < GETS; i++) {
        uint32_t place = (uint32_t)kv_rng_below(&s->rng, s->records.count);
        kv_slice key = cmp_records_key(&s->records, place, s->key);
        KV_TRY(kv_get(s->db, key, &s->value));
        kv_slice right = plain_value(s, place, entropy);
        if (kv_slice_cmp(kv_buf_slice(&s->value), right) != 0) {
            return kv_fail(KV_CORRUPT, "wrong: the value of record %u",
                           (unsigned)place);
        }
    }
    return KV_OK;
}

struct size {
    double disk, read; // bytes of a record on disk; bytes read per get
};

static kv_status measure_size(cmp_bench *b, const char *engine, double entropy,
                              struct size *out)
{
    cmp_specimen s;
    // Large enough that files' own parts weigh little.
    cmp_shape shape = {.records = b->records / 2,
                       .value_bytes = VALUE_BYTES,
                       .memory_bytes = (uint64_t)b->records * 1024};
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    if (st == KV_OK) st = put_all(&s, entropy);
    // Closing it takes the logs away.
    if (st == KV_OK) s.options.memory_bytes = NO_CACHE;
    if (st == KV_OK) st = cmp_specimen_reopen(&s);
    out->disk = (double)cmp_specimen_stats(&s).disk_bytes / shape.records;
    if (st == KV_OK) cmp_specimen_mark(&s);
    if (st == KV_OK) st = get_some(&s, entropy);
    out->read = (double)cmp_specimen_read_bytes(&s) / GETS;
    cmp_specimen_close(&s);
    return st;
}

static kv_status blocks_compress(cmp_bench *b)
{
    static const double entropy[] = {0.25, 0.5, 1};
    struct size none, lz4[3], zstd[3], tree[3];
    double distance[2] = {0};
    KV_TRY(measure_size(b, "lsm:compression=none", 1, &none));
    for (int i = 0; i < 3; i++) {
        KV_TRY(measure_size(b, "lsm:compression=lz4", entropy[i], &lz4[i]));
        KV_TRY(measure_size(b, "lsm:compression=zstd", entropy[i], &zstd[i]));
        KV_TRY(measure_size(b, "bt", entropy[i], &tree[i]));
        double rest = (1 - entropy[i]) * VALUE_BYTES;
        double theory = (none.disk - rest) / none.disk;
        double share[] = {lz4[i].disk / none.disk, zstd[i].disk / none.disk};
        cmp_note(b, "LSM-tree, lz4", entropy[i], share[0], theory);
        cmp_note(b, "LSM-tree, zstd", entropy[i], share[1], theory);
        cmp_note(b, "B-tree", entropy[i], tree[i].disk / tree[0].disk, 1);
        for (int j = 0; j < 2; j++) {
            distance[j] = cmp_worse(distance[j], fabs(share[j] / theory - 1));
        }
    }
    cmp_check_at_most(b, "lz4: bytes on disk, distance from what is noise",
                      distance[0], 0.1);
    cmp_check_at_most(b, "zstd: the same", distance[1], 0.1);
    cmp_check_at_most(b, "bytes read per get, a quarter noise / all",
                      zstd[0].read / zstd[2].read, 0.5);
    cmp_check_near(b, "fixed pages: bytes on disk, a quarter noise / all",
                   tree[0].disk / tree[2].disk, 1, 0.02);
    return KV_OK;
}

// ---- the claims -------------------------------------------------------------

const cmp_claim cmp_claims_of_compression[] = {
    {.id = "C24",
     .text = "Blocks of sorted files can be compressed, which saves bytes on "
             "disk and bytes read; pages of a fixed size cannot.",
     .first = "SSTables and LSM-Trees",
     .second = "The SSTable file format",
     .setup = "Values of 400 B of which a quarter, half or all is noise; bytes "
              "on disk and read per get, by compression. What it costs in "
              "processor time is in the workloads' tables.",
     .x = "share of a value that is noise",
     .y = "bytes on disk / not compressed",
     .is_counted = true,
     .run = blocks_compress},
    {0}};
