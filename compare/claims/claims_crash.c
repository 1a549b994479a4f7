// claims_crash.c -- the claim about crashes in the middle of a B-tree's write.
// SPDX-License-Identifier: MIT
//
// The crash explorer (common/crash/crash.h) rebuilds the disks that a power cut
// may leave of a small workload. Sectors as large as a page tear none; with
// smaller ones a page may be half old and half new.

#include <math.h>
#include <stdio.h>

#include "common/crash/crash.h"
#include "common/recordlog.h"

#include "compare/claims/claim.h"

enum { PAGE = 1024, SECTOR = 512, DISKS = 1000 };

// Leaves its header, which then tells of no log before it.
static kv_status empty_log(kv_disk *image, const char *name)
{
    uint8_t head[KV_RECORDLOG_HEADER_BYTES];
    kv_recordlog_id id;
    kv_file *log = NULL;
    kv_buf fresh = {0};
    size_t got = 0;
    kv_why why = kv_for(KV_FOR_WAL);
    KV_TRY(kv_file_open(image, name, (kv_open_how){.mode = KV_OPEN_WRITE}, why,
                        &log));
    kv_status st = kv_file_read(log, 0, head, sizeof head, &got, why);
    if (st != KV_OK || kv_recordlog_decode_header(kv_slice_of(head, got), name,
                                                  &id, &got) != KV_OK) {
        goto out; // torn at birth: nothing was in it
    }
    id.previous_size = 0;
    kv_recordlog_encode_header(&id, &fresh);
    st = kv_file_truncate(log, 0, why);
    if (st == KV_OK) st = kv_file_write(log, 0, kv_buf_slice(&fresh), why);
    if (st == KV_OK) st = kv_file_sync(log, why);
out:
    kv_buf_free(&fresh);
    kv_status closed = kv_file_close(log);
    return st != KV_OK ? st : closed;
}

// As if there had never been a log: only what was written in place counts.
static kv_status without_log(kv_disk *image)
{
    kv_names names = {0};
    KV_TRY(kv_disk_list(image, &names));
    kv_status st = KV_OK;
    for (size_t i = 0; i < names.count && st == KV_OK; i++) {
        if (strstr(names.name[i], ".wal") == NULL) continue;
        st = empty_log(image, names.name[i]);
    }
    kv_names_free(&names);
    return st;
}

static const struct way {
    const char *series, *knobs;
    bool has_log;
} ways[] = {{"no log", "torn_pages=unsafe", false},
            {"log", "torn_pages=unsafe", true},
            {"log with page images", "torn_pages=images", true},
            {"log that mends pages", "torn_pages=repair", true},
            {"copy-on-write", "journal=cow", true}};
enum { NO_LOG, LOG, IMAGES, MENDS, COPIES, WAYS };

// The share of disks whose tree is broken, or (unless it may lose) lacks a
// commit that was acknowledged.
static kv_status crash_tree(cmp_bench *b, const struct way *way,
                            uint32_t sector, bool may_lose, double *share)
{
    cmp_engine e;
    char spec[160];
    uint64_t disks = 0, broken = 0;
    snprintf(spec, sizeof spec,
             "bt:page_bytes=%d,checkpoint_bytes=1KiB,background=0,%s", PAGE,
             way->knobs);
    KV_TRY(cmp_engine_find(&e, spec));
    // A workload more for each doubling of the profile.
    for (uint32_t scale = 16 << 10; scale <= b->records; scale *= 2) {
        kv_crash_result result;
        kv_crash_options options = {.model = KV_CRASH_POSIX,
                                    .seed = b->seed + scale,
                                    .sector = sector,
                                    .states_max = DISKS,
                                    .knobs = e.knobs,
                                    .may_lose = may_lose,
                                    .spoil = way->has_log ? NULL : without_log};
        KV_TRY(kv_crash_explore(e.engine, &options, NULL, &result));
        disks += result.distinct;
        broken += result.violations;
    }
    *share = (double)broken / (double)disks;
    return KV_OK;
}

static kv_status a_tree_needs_its_log(cmp_bench *b)
{
    double whole[WAYS], torn[WAYS], lost = 0;
    for (int i = 0; i < WAYS; i++) {
        bool may_lose = !ways[i].has_log;
        KV_TRY(crash_tree(b, &ways[i], PAGE, may_lose, &whole[i]));
        KV_TRY(crash_tree(b, &ways[i], SECTOR, may_lose, &torn[i]));
        cmp_note(b, ways[i].series, 0, whole[i], NAN);
        cmp_note(b, ways[i].series, 1, torn[i], NAN);
    }
    KV_TRY(crash_tree(b, &ways[NO_LOG], PAGE, false, &lost));
    const double any = 1e-6; // at least one disk
    cmp_check_at_least(b, "no log: share of crashes that break the tree",
                       whole[NO_LOG], any);
    cmp_check_at_least(b, "no log: that break it or lose a commit", lost,
                       whole[NO_LOG]);
    cmp_check_at_most(b, "log, pages never torn: break it or lose", whole[LOG],
                      0);
    cmp_check_at_least(b, "log, pages torn: break it or lose", torn[LOG], any);
    cmp_check_at_most(b, "log with page images, torn", torn[IMAGES], 0);
    cmp_check_at_most(b, "log that mends pages, torn", torn[MENDS], 0);
    cmp_check_at_most(b, "copy-on-write, torn", torn[COPIES], 0);
    return KV_OK;
}

const cmp_claim cmp_claims_of_crashes[] = {
    {.id = "C29",
     .text = "A crash in the middle of a change of several pages breaks a "
             "B-tree that has no write-ahead log.",
     .first = "Making B-trees reliable",
     .second = "Making B-trees reliable",
     .setup = "A sample of the disks that a power cut may leave of a small "
              "workload, reopened and judged: with the log taken away (then "
              "lost commits are forgiven), with it, with page images in it, "
              "with patches that mend pages, and with copy-on-write; pages "
              "of 1 KiB, written whole or torn at 512 B.",
     .x = "pages whole, pages torn",
     .y = "share of crashes that broke the store",
     .is_counted = true,
     .run = a_tree_needs_its_log},
    {0}};
