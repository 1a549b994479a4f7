// claims_layout.c -- claims about where bytes lie and how they are written.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdio.h>

#include "common/hash.h"

#include "compare/claims/claim.h"
#include "compare/theory.h"

// ---- C31 --------------------------------------------------------------------

// Children of a page above the leaves, and how many there would be if each
// separator were a whole key with the place of its page.
static kv_status measure_fan_out(cmp_bench *b, size_t key_bytes, double *here,
                                 double *whole)
{
    cmp_specimen s;
    const double place = 8;
    cmp_shape shape = {.records = b->records,
                       .key_bytes = key_bytes,
                       .value_bytes = 16,
                       .memory_bytes = (uint64_t)b->records << 10};
    kv_status st = cmp_specimen_open(b, &s, "bt", shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
    if (st == KV_OK) {
        double page = cmp_specimen_fact(&s, "", "page size");
        double fill = cmp_specimen_fact(&s, "level 1", "fill");
        *here = cmp_specimen_fact(&s, "level 1", "separators a page") + 1;
        *whole = fill *
                 cmp_theory_page_entries(page, 0, (double)key_bytes + place, 0);
        cmp_note(b, "separators cut short", (double)key_bytes, *here, NAN);
        cmp_note(b, "whole keys, computed", (double)key_bytes, *whole, NAN);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status short_separators_fan_out(cmp_bench *b)
{
    double here = 0, whole = 0, at_64 = 0;
    for (size_t key = 16; key <= 128; key *= 2) {
        KV_TRY(measure_fan_out(b, key, &here, &whole));
        if (key == 64) at_64 = here / whole;
    }
    cmp_check_at_least(
        b, "keys of 64 B, over 48 B alike: fan-out / whole keys'", at_64, 2);
    return KV_OK;
}

// ---- C32 --------------------------------------------------------------------

static double side_by_side(const cmp_specimen *s, const char *series, double x)
{
    double share =
        cmp_specimen_fact(s, "level 0", "next to each other in the file");
    cmp_note(s->bench, series, x, share, NAN);
    return share;
}

typedef struct order {
    double loaded, replaced, grown;
} order;

// Every second record in the order of keys, these replaced, then the others,
// which lie between them, at random.
static kv_status load_then_grow(cmp_bench *b, order *out)
{
    const char *series = "B-tree, loaded in order";
    cmp_specimen s;
    cmp_shape shape = {.records = b->records};
    kv_status st = cmp_specimen_open(b, &s, "bt", shape);
    for (int pass = 0; pass < 2 && st == KV_OK; pass++) {
        for (uint32_t i = 0; i < shape.records && st == KV_OK; i += 2) {
            st = cmp_specimen_put(&s, i);
        }
        if (st != KV_OK) break;
        double share = side_by_side(&s, series, pass);
        *(pass == 0 ? &out->loaded : &out->replaced) = share;
    }
    for (uint32_t i = 0; i < shape.records && st == KV_OK; i++) {
        uint32_t place = cmp_records_place(&s.records, i);
        if (place % 2 == 1) st = cmp_specimen_put(&s, place);
    }
    if (st == KV_OK) out->grown = side_by_side(&s, series, 2);
    cmp_specimen_close(&s);
    return st;
}

static kv_status load_at_random(cmp_bench *b, double *share)
{
    cmp_specimen s;
    cmp_shape shape = {.records = b->records};
    kv_status st = cmp_specimen_open(b, &s, "bt", shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
    if (st == KV_OK) *share = side_by_side(&s, "B-tree, loaded at random", 0);
    cmp_specimen_close(&s);
    return st;
}

// Of the bytes of sorted files, those that were written behind each other.
static kv_status run_in_order(cmp_bench *b, double *share)
{
    cmp_specimen s;
    cmp_shape shape = {.records = b->records};
    kv_status st = cmp_specimen_open(b, &s, "lsm", shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
    if (st == KV_OK) st = cmp_specimen_update(&s, shape.records);
    if (st == KV_OK) {
        kv_stats now = cmp_specimen_stats(&s);
        const kv_disk_stats *flush = &now.disk[KV_FOR_FLUSH];
        const kv_disk_stats *merge = &now.disk[KV_FOR_COMPACT];
        *share = (double)(flush->sequential_bytes + merge->sequential_bytes) /
                 (double)(flush->write_bytes + merge->write_bytes);
        cmp_note(b, "LSM-tree, bytes of its runs", 1, *share, NAN);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status leaves_drift_apart(cmp_bench *b)
{
    order tree;
    double random = 0, run = 0;
    KV_TRY(load_then_grow(b, &tree));
    KV_TRY(load_at_random(b, &random));
    KV_TRY(run_in_order(b, &run));
    cmp_check_at_least(b, "leaves side by side, loaded in order", tree.loaded,
                       0.95);
    cmp_check_at_most(b, "as many more inserted between them", tree.grown, 0.5);
    cmp_check_at_most(b, "loaded at random", random, 0.05);
    cmp_check_at_least(b, "LSM-tree: bytes written behind each other", run,
                       0.99);
    cmp_check_depends(b,
                      "loaded in order, then replaced by values as long: "
                      "nothing splits",
                      tree.replaced, tree.grown);
    return KV_OK;
}

// ---- C42 --------------------------------------------------------------------

static kv_status frame(cmp_bench *b, const char *format, size_t value_bytes,
                       double *overhead)
{
    cmp_specimen s;
    char engine[32];
    cmp_shape shape = {.records = b->records / 8, .value_bytes = value_bytes};
    snprintf(engine, sizeof engine, "log:format=%s", format);
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
    if (st == KV_OK) {
        *overhead = (double)cmp_specimen_written_for(&s, KV_FOR_DATA) /
                    (double)cmp_specimen_user_bytes(&s);
        cmp_note(b, format, (double)value_bytes, *overhead, NAN);
    }
    // Every value comes back, whatever bytes it has.
    if (st == KV_OK) st = cmp_specimen_reopen(&s);
    for (uint32_t i = 0; i < shape.records && st == KV_OK; i++) {
        st = cmp_specimen_get(&s, i);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status binary_is_smaller(cmp_bench *b)
{
    double most = 0;
    for (size_t value = 16; value <= 1024; value *= 4) {
        double text = 0, binary = 0;
        KV_TRY(frame(b, "text", value, &text));
        KV_TRY(frame(b, "binary", value, &binary));
        most = cmp_worse(most, binary / text);
    }
    cmp_check_at_most(b, "bytes of a record, binary / text, at most", most, 1);
    return KV_OK;
}

// ---- C43 --------------------------------------------------------------------

enum { SHARDS = 256, NODES_MAX = 16 };

// Whole shards are dealt to the nodes; a further node gets an even share of
// them, and no others move.
static void deal(uint32_t *owner, uint32_t nodes)
{
    uint32_t held[NODES_MAX + 1] = {0};
    uint32_t even = SHARDS / (nodes + 1), given = 0;
    for (uint32_t i = 0; i < SHARDS; i++) held[owner[i]]++;
    while (given < even) {
        uint32_t fullest = 0;
        for (uint32_t n = 1; n < nodes; n++) {
            if (held[n] > held[fullest]) fullest = n;
        }
        uint32_t i = 0;
        while (owner[i] != fullest) i++;
        owner[i] = nodes;
        held[fullest]--;
        given++;
    }
}

static kv_status modulo_moves_all(cmp_bench *b)
{
    uint32_t owner[SHARDS], before[SHARDS];
    double worst_modulo = 0, worst_shards = 0;
    uint32_t keys = b->records * 10;
    for (uint32_t i = 0; i < SHARDS; i++) owner[i] = i % 2;
    for (uint32_t nodes = 2; nodes < NODES_MAX; nodes++) {
        uint32_t modulo = 0, shards = 0;
        memcpy(before, owner, sizeof before);
        deal(owner, nodes);
        for (uint32_t key = 0; key < keys; key++) {
            uint64_t hash = kv_hash(kv_slice_of(&key, sizeof key), b->seed);
            modulo += hash % nodes != hash % (nodes + 1);
            shards += before[hash % SHARDS] != owner[hash % SHARDS];
        }
        double stays = 1.0 / (nodes + 1);
        double moved = (double)modulo / keys, dealt = (double)shards / keys;
        cmp_note(b, "hash mod nodes", nodes, moved, 1 - stays);
        cmp_note(b, "fixed shards", nodes, dealt, stays);
        worst_modulo = cmp_worse(worst_modulo, fabs(moved / (1 - stays) - 1));
        worst_shards = cmp_worse(worst_shards, fabs(dealt - stays));
    }
    cmp_check_at_most(b, "hash mod n: distance from n/(n+1)", worst_modulo,
                      0.01);
    cmp_check_at_most(b, "fixed shards: distance from 1/(n+1)", worst_shards,
                      0.01);
    return KV_OK;
}

// ---- the claims -------------------------------------------------------------

const cmp_claim cmp_claims_of_layouts[] = {
    {.id = "C31",
     .text = "Separators that are cut short let a page have more children.",
     .first = "B-tree optimizations",
     .second = "B-tree variants",
     .setup = "Keys of 16 to 128 B of which all but the last digits are alike; "
              "children of a page above the leaves, and what whole keys would "
              "leave room for.",
     .x = "bytes of a key",
     .y = "children of a page",
     .is_counted = true,
     .run = short_separators_fan_out},
    {.id = "C32",
     .text = "Leaves that follow each other in key order do not stay side by "
             "side in the file; the runs of an LSM-tree do.",
     .first = "B-tree optimizations",
     .second = "B-tree variants",
     .setup = "Every second record inserted in order, then replaced, then the "
              "others at random; and all at random. Leaves whose right "
              "neighbour is the next page of the file.",
     .x = "loaded, replaced, grown",
     .y = "share side by side",
     .is_counted = true,
     .run = leaves_drift_apart},
    {.id = "C42",
     .text = "Binary framing of records is smaller than text.",
     .first = "Formats for Encoding Data",
     .second = "Formats for Encoding Data",
     .setup = "A log of records with values of 16 to 1024 arbitrary bytes in "
              "both formats; each is read back.",
     .x = "bytes of a value",
     .y = "bytes written / bytes given",
     .is_counted = true,
     .run = binary_is_smaller},
    {.id = "C43",
     .text = "If a key's node is its hash modulo the number of nodes, nearly "
             "every key moves when a node is added.",
     .first = "Strategies for Rebalancing",
     .second = "Sharding by Hash of Key",
     .setup = "Keys dealt to 2 to 16 nodes by hash modulo nodes, and by 256 "
              "fixed shards that are handed over whole; keys that move when "
              "one node joins.",
     .x = "nodes before",
     .y = "share of keys that move",
     .is_counted = true,
     .run = modulo_moves_all},
    {0}};
