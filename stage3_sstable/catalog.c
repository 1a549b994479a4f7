// catalog.c -- see catalog.h.
// SPDX-License-Identifier: MIT

#include "catalog.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/mem.h"
#include "common/recordlog.h"

const char sst_catalog_name[] = "CATALOG";
const char sst_catalog_temporary[] = "CATALOG.tmp";

void sst_catalog_add(sst_catalog *c, uint64_t number, uint64_t bytes,
                     bool is_merged)
{
    if (c->count == c->cap) {
        c->cap = c->cap > 0 ? 2 * c->cap : 8;
        c->segments = kv_realloc(c->segments, c->cap * sizeof *c->segments);
    }
    c->segments[c->count++] = (sst_catalog_segment){number, bytes, is_merged};
}

void sst_catalog_free(sst_catalog *c)
{
    kv_free(c->segments);
    *c = (sst_catalog){0};
}

static kv_recordlog_id id_of(uint64_t store_id)
{
    return (kv_recordlog_id){
        .kind = "CATL", .store_id = store_id, .framing = KV_FRAMING_TEXT};
}

// ---- reading ----------------------------------------------------------------

static kv_status parse_line(void *arg, uint64_t offset, const kv_record *record)
{
    sst_catalog *c = arg;
    char line[64] = "", word[16] = "";
    uint64_t number, bytes;
    if (record->payload.len < sizeof line) {
        memcpy(line, record->payload.data, record->payload.len);
    }
    if (sscanf(line, "format %15s", word) == 1) {
        c->is_text = strcmp(word, "text") == 0;
        if (c->is_text || strcmp(word, "binary") == 0) return KV_OK;
    }
    if (sscanf(line, "next %20" SCNu64, &c->next) == 1) return KV_OK;
    if (sscanf(line, "log %20" SCNu64, &c->log) == 1) return KV_OK;
    if (sscanf(line, "closed %20" SCNu64 " %20" SCNu64, &c->closed.log,
               &c->closed.bytes) == 2) {
        return KV_OK;
    }
    if (sscanf(line, "%15s %20" SCNu64 " %20" SCNu64, word, &number, &bytes) ==
        3) {
        bool is_merged = strcmp(word, "merged") == 0;
        sst_catalog_add(c, number, bytes, is_merged);
        if (is_merged || strcmp(word, "segment") == 0) return KV_OK;
    }
    return kv_fail(KV_CORRUPT,
                   "%s: offset %" PRIu64 ": \"%s\" is no line of a catalog",
                   sst_catalog_name, offset, line);
}

static kv_status incomplete(uint64_t size)
{
    return kv_fail(KV_CORRUPT,
                   "%s: ends at %" PRIu64
                   " before it is complete; restore it from a backup",
                   sst_catalog_name, size);
}

kv_status sst_catalog_read(kv_disk *disk, uint64_t store_id, sst_catalog *out)
{
    kv_why why = kv_for(KV_FOR_RECOVERY);
    kv_file *file = NULL;
    KV_TRY(kv_file_open(disk, sst_catalog_name,
                        (kv_open_how){.mode = KV_OPEN_READ}, why, &file));
    sst_catalog c = {0};
    kv_recordlog_id expect = id_of(store_id);
    kv_recovery found = {0};
    kv_status st =
        kv_recordlog_recover(file, &expect, parse_line, &c, why, &found);
    // It was sealed before it got its name (T1): a torn one is a damaged one.
    if (st == KV_OK && (!found.sealed || found.good_size != found.file_size)) {
        st = incomplete(found.file_size);
    }
    kv_file_close(file);
    if (st != KV_OK) {
        sst_catalog_free(&c);
        return st;
    }
    *out = c;
    return KV_OK;
}

// ---- writing ----------------------------------------------------------------

static void add_line(kv_recordlog *log, const char *word, const char *text,
                     uint64_t n, const uint64_t *more)
{
    kv_buf line = {0};
    kv_buf_printf(&line, "%s ", word);
    if (text != NULL) kv_buf_append(&line, kv_str(text));
    if (text == NULL) kv_buf_printf(&line, "%" PRIu64, n);
    if (more != NULL) kv_buf_printf(&line, " %" PRIu64, *more);
    kv_recordlog_add(log, kv_buf_slice(&line), false);
    kv_buf_free(&line);
}

static kv_status write_lines(kv_recordlog *log, const sst_catalog *c,
                             kv_why why)
{
    add_line(log, "format", c->is_text ? "text" : "binary", 0, NULL);
    add_line(log, "next", NULL, c->next, NULL);
    add_line(log, "log", NULL, c->log, NULL);
    for (size_t i = 0; i < c->count; i++) {
        const sst_catalog_segment *segment = &c->segments[i];
        add_line(log, segment->is_merged ? "merged" : "segment", NULL,
                 segment->number, &segment->bytes);
    }
    if (c->closed.log != 0) {
        add_line(log, "closed", NULL, c->closed.log, &c->closed.bytes);
    }
    KV_TRY(kv_recordlog_flush(log, why));
    return kv_recordlog_seal(log, why);
}

kv_status sst_catalog_write(kv_disk *disk, uint64_t store_id,
                            const sst_catalog *c, kv_why why)
{
    kv_status st = kv_disk_remove(disk, sst_catalog_temporary, why);
    if (st != KV_OK && st != KV_NOT_FOUND) return st;
    kv_recordlog log = {0};
    kv_recordlog_id id = id_of(store_id);
    KV_TRY(kv_recordlog_create(&log, disk, sst_catalog_temporary, &id, 0, why));
    st = write_lines(&log, c, why);
    kv_status closed = kv_recordlog_close(&log);
    KV_TRY(st != KV_OK ? st : closed);
    KV_TRY(kv_disk_rename(disk, sst_catalog_temporary, sst_catalog_name, why));
    return kv_disk_sync_dir(disk, why);
}
