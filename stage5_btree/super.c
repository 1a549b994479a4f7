// super.c -- which superblock of TREE counts, and what it says; see store.h.
// SPDX-License-Identifier: MIT

#include <inttypes.h>

#include "store.h"

// The superblock of the place that begins at `offset`, if there is a good one.
// A newer format is not damage: it is refused.
static kv_status read_super(bt_store *s, uint64_t offset, bt_super *out,
                            bool *is_good)
{
    uint8_t bytes[BT_SUPER_BYTES];
    size_t got;
    *is_good = false;
    KV_TRY(kv_file_read(s->file, offset, bytes, sizeof bytes, &got,
                        kv_for(KV_FOR_RECOVERY)));
    kv_status st = bt_super_decode(kv_slice_of(bytes, got), offset, out);
    if (st == KV_CORRUPT || st == KV_INVALID) return KV_OK;
    KV_TRY(st);
    *is_good = offset == 0 || offset == out->page_bytes;
    if (out->major > BT_FORMAT_MAJOR) {
        return kv_fail(KV_UNSUPPORTED,
                       "%s: the superblock at byte %" PRIu64
                       " is of format %u, and this program reads up to %d",
                       bt_file_name, offset, out->major, BT_FORMAT_MAJOR);
    }
    if (out->store_id == s->config.store_id) return KV_OK;
    return kv_fail(KV_CORRUPT,
                   "%s: the superblock at byte %" PRIu64
                   " is of store %016" PRIx64 ", not of this one",
                   bt_file_name, offset, out->store_id);
}

// Where the second one is depends on the page size, which the first one says
// if it is not damaged.
static kv_status choose_super(bt_store *s)
{
    bt_super found = {0}, each;
    bool is_good, are_twins = false;
    KV_TRY(read_super(s, 0, &each, &is_good));
    if (is_good) found = each;
    for (uint64_t at = BT_PAGE_MIN; at <= BT_PAGE_MAX; at *= 2) {
        if (found.counter != 0 && at != found.page_bytes) continue;
        KV_TRY(read_super(s, at, &each, &is_good));
        if (!is_good || each.page_bytes != at) continue;
        are_twins = each.lsn == found.lsn && each.log == found.log;
        if (each.counter > found.counter) found = each;
        break;
    }
    if (found.counter == 0) {
        return kv_fail(KV_CORRUPT,
                       "%s: no superblock is good, neither at byte 0 nor where "
                       "page 1 may begin; restore the store from a backup",
                       bt_file_name);
    }
    s->super = found;
    // A newer program may rely on what this one would leave out (I3).
    if (found.minor > BT_FORMAT_MINOR) s->config.read_only = true;
    s->lacks_twin = !are_twins && !s->config.read_only;
    return KV_OK;
}

// What was asked for can be had of a new store only.
static kv_status expect_wishes(const bt_store *s)
{
    const bt_config *config = &s->config;
    bool is_cow = s->super.journal == 1;
    if (config->insists_on_page && config->page_bytes != s->super.page_bytes) {
        return kv_fail(KV_INVALID,
                       "page_bytes=%" PRIu32 ": the store has pages of %" PRIu32
                       " bytes, and keeps them; leave page_bytes out, or begin "
                       "a new store",
                       config->page_bytes, s->super.page_bytes);
    }
    if (config->insists_on_journal && config->is_cow != is_cow) {
        return kv_fail(KV_INVALID,
                       "journal=%s: the store is one of journal=%s, and stays "
                       "one; leave journal out, or begin a new store",
                       config->is_cow ? "cow" : "log", is_cow ? "cow" : "log");
    }
    return KV_OK;
}

static void adopt_super(bt_store *s)
{
    const bt_super *super = &s->super;
    s->config.page_bytes = super->page_bytes;
    s->config.is_cow = super->journal == 1;
    s->shape = (bt_shape){.root = super->root,
                          .page_count = super->page_count,
                          .free_list = super->free_list,
                          .free_count = super->free_count,
                          .key_count = super->key_count};
    s->seq = super->lsn;
    s->first_log_number = super->log;
    s->tx.is_cow = s->config.is_cow;
}

// All pages that a superblock tells of were in the file before it (S2).
static kv_status measure_file(bt_store *s)
{
    uint64_t size, page_bytes = s->config.page_bytes;
    KV_TRY(kv_file_size(s->file, &size));
    s->file_pages = size / page_bytes;
    uint64_t pages = s->super.page_count;
    if (pages <= s->file_pages && pages <= BT_PAGES_MAX) return KV_OK;
    return kv_fail(KV_CORRUPT,
                   "%s: the superblock at byte %" PRIu64 " tells of %" PRIu64
                   " pages of %" PRIu64 " bytes, and the file ends at byte "
                   "%" PRIu64 "; restore the store from a backup",
                   bt_file_name, s->super.counter % 2 * page_bytes, pages,
                   page_bytes, size);
}

kv_status bt_store_read_super(bt_store *s)
{
    KV_TRY(choose_super(s));
    KV_TRY(expect_wishes(s));
    adopt_super(s);
    return measure_file(s);
}
