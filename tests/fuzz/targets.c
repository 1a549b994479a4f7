// targets.c -- see targets.h: the decoders of common/.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include "tests/fuzz/targets.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/cli/tsv.h"
#include "common/cli/words.h"
#include "common/coding.h"
#include "common/disk_sim.h"
#include "common/identity.h"
#include "common/knobs.h"
#include "common/recordlog.h"
#include "common/report.h"

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "broken: %s (last error: %s)\n", what, kv_last_error());
    abort();
}

// ---- text -------------------------------------------------------------------

// What unescape takes, escape gives back to it unchanged.
static void run_unescape(kv_slice input)
{
    kv_buf bytes = {0}, text = {0}, again = {0};
    if (kv_unescape(&bytes, input) == KV_OK) {
        kv_escape(&text, kv_buf_slice(&bytes));
        must(kv_unescape(&again, kv_buf_slice(&text)) == KV_OK &&
                 kv_slice_equal(kv_buf_slice(&again), kv_buf_slice(&bytes)),
             "unescape, escape, unescape");
    }
    kv_buf_clear(&text);
    kv_json_string(&text, input);
    must(text.len >= 2 && text.data[text.len - 1] == '"', "a JSON string");
    kv_buf_free(&bytes);
    kv_buf_free(&text);
    kv_buf_free(&again);
}

static bool seed_unescape(unsigned n, kv_buf *to)
{
    static const char *const seeds[] = {"plain", "a\\tb\\n\\r\\\\",
                                        "\\x00\\xff", "\\x5c\\x6e"};
    if (n >= 4) return false;
    kv_buf_append(to, kv_str(seeds[n]));
    return true;
}

static void run_varint(kv_slice input)
{
    uint64_t n = 0;
    uint8_t again[KV_VARINT_MAX];
    size_t size = kv_get_varint(input, &n);
    if (size == 0) return;
    must(kv_put_varint(again, n) == size &&
             memcmp(again, input.data, size) == 0,
         "one number, one encoding");
}

static bool seed_varint(unsigned n, kv_buf *to)
{
    uint8_t bytes[KV_VARINT_MAX];
    if (n >= 10) return false;
    size_t size = kv_put_varint(bytes, UINT64_MAX >> (n * 6));
    kv_buf_append(to, kv_slice_of(bytes, size));
    return true;
}

static void run_knobs(kv_slice input)
{
    static const kv_knob knobs[] = {
        {.name = "read", .words = "copy map"},
        {"segment_bytes", 64 << 20, 4096, 1 << 30, NULL, "size"}};
    uint64_t values[2];
    kv_buf text = {0};
    kv_buf_append(&text, input);
    kv_buf_append(&text, kv_slice_of("", 1));
    if (kv_knobs_parse(knobs, 2, (const char *)text.data, values) == KV_OK) {
        must(values[0] <= 1, "a word in its range");
        must(values[1] >= 4096 && values[1] <= 1 << 30,
             "a number in its range");
    }
    kv_buf_free(&text);
}

static bool seed_knobs(unsigned n, kv_buf *to)
{
    static const char *const seeds[] = {"read=map,segment_bytes=4KiB",
                                        "segment_bytes=1GiB", "raed=copy"};
    if (n >= 3) return false;
    kv_buf_append(to, kv_str(seeds[n]));
    return true;
}

// A file of records: what is read, written again, is read the same.
static void run_tsv(kv_slice input)
{
    if (input.len == 0) return;
    kv_buf copy = {0};
    kv_buf_append(&copy, input);
    FILE *stream = fmemopen(copy.data, copy.len, "r");
    kv_cli_tsv_reader reader = {
        .stream = stream, .name = "input", .key_max = 100, .value_max = 1000};
    kv_slice key, value;
    kv_status st;
    while ((st = kv_cli_tsv_read(&reader, &key, &value)) == KV_OK) {
        must(key.len > 0 && key.len <= 100, "a key in its limits");
        must(value.len <= 1000, "a value in its limits");
    }
    must(st == KV_END || st == KV_INVALID || st == KV_TOO_BIG, "an end");
    kv_cli_tsv_free(&reader);
    fclose(stream);
    kv_buf_free(&copy);
}

static bool seed_tsv(unsigned n, kv_buf *to)
{
    if (n > 0) return false;
    kv_buf_append(to, kv_str("cat\tmeow\nd\\x00g\two\\tof\nempty\t\n"));
    return true;
}

static void run_words(kv_slice input)
{
    kv_cli_words words = {0};
    if (kv_cli_words_cut(&words, "program", input) == KV_OK) {
        must(words.count >= 1 && words.word[words.count] == NULL, "words");
    }
    kv_cli_words_free(&words);
}

static bool seed_words(unsigned n, kv_buf *to)
{
    static const char *const seeds[] = {"put \"a key\" ''", "get 'it\\x00' # x",
                                        "scan a..b --reverse"};
    if (n >= 3) return false;
    kv_buf_append(to, kv_str(seeds[n]));
    return true;
}

// ---- files ------------------------------------------------------------------

static void run_identity(kv_slice input)
{
    kv_identity identity;
    kv_buf again = {0};
    if (kv_identity_decode(input, &identity) == KV_OK) {
        kv_identity_encode(&identity, &again);
        must(kv_slice_equal(kv_buf_slice(&again), input),
             "one identity, one text");
    }
    kv_buf_free(&again);
}

static bool seed_identity(unsigned n, kv_buf *to)
{
    kv_identity identity = {"log", 1, 0, 0x5b3c1f0a99e01d77};
    if (n > 0) return false;
    kv_identity_encode(&identity, to);
    return true;
}

static const kv_recordlog_id log_ids[2] = {
    {"SEGM", 0x5b3c1f0a99e01d77, 3, 120, KV_FRAMING_BINARY},
    {"SEGM", 0x5b3c1f0a99e01d77, 3, 120, KV_FRAMING_TEXT}};

static void run_log_header(kv_slice input)
{
    kv_recordlog_id id;
    size_t size = 0;
    if (kv_recordlog_decode_header(input, "input", &id, &size) != KV_OK) return;
    kv_buf again = {0};
    kv_recordlog_encode_header(&id, &again);
    must(size <= input.len && again.len == size &&
             memcmp(again.data, input.data, size) == 0,
         "one header, one encoding");
    kv_buf_free(&again);
}

static bool seed_log_header(unsigned n, kv_buf *to)
{
    if (n >= 2) return false;
    kv_recordlog_encode_header(&log_ids[n], to);
    return true;
}

// The first byte picks the framing, the rest stands at offset 200.
static void run_record(kv_slice input)
{
    if (input.len == 0) return;
    const kv_recordlog_id *id = &log_ids[input.data[0] % 2];
    kv_slice bytes = kv_slice_of(input.data + 1, input.len - 1);
    kv_record record;
    (void)kv_record_claim(bytes, id, 200);
    if (!kv_record_decode(bytes, id, 200, &record)) return;
    must(record.size <= bytes.len && record.payload.len < record.size &&
             record.mark <= 200,
         "a record within its bytes");
    kv_buf again = {0};
    kv_record_encode(&again, id, 200, record.mark, record.more, record.payload);
    must(again.len == record.size &&
             memcmp(again.data, bytes.data, record.size) == 0,
         "one record, one encoding");
    kv_buf_free(&again);
}

static bool seed_record(unsigned n, kv_buf *to)
{
    static const uint8_t large[5000] = {1};
    uint8_t framing = n % 2;
    if (n >= 6) return false;
    kv_buf_append(to, kv_slice_of(&framing, 1));
    kv_slice payload =
        n < 4 ? kv_str("SET cat meow") : kv_slice_of(large, 5000);
    kv_record_encode(to, &log_ids[framing], 200, 100, n / 2 == 1, payload);
    return true;
}

static kv_file *file_of(kv_disk *disk, kv_slice bytes)
{
    kv_file *file = NULL;
    kv_why why = kv_for(KV_FOR_DATA);
    must(kv_file_open(disk, "log", (kv_open_how){.mode = KV_OPEN_CREATE}, why,
                      &file) == KV_OK &&
             kv_file_write(file, 0, bytes, why) == KV_OK,
         "a file in memory");
    return file;
}

typedef struct walk {
    uint64_t last_offset, count;
} walk;

static kv_status visit(void *arg, uint64_t offset, const kv_record *record)
{
    walk *w = arg;
    must(w->count == 0 || offset > w->last_offset, "records in order");
    must(record->payload.len > 0, "the closing record is not shown");
    w->last_offset = offset;
    w->count++;
    return KV_OK;
}

// A log that recovers is rescued, and what is then left recovers again.
static void rescue_and_look_again(kv_disk *disk, kv_file *file,
                                  const kv_recovery *found)
{
    kv_recordlog_id id = found->id;
    kv_recovery again;
    bool made = false;
    id.number++;
    must(kv_recordlog_rescue(disk, file, found, "next", &id, &made) == KV_OK,
         "a rescue");
    walk w = {0};
    must(kv_recordlog_recover(file, &found->id, visit, &w,
                              kv_for(KV_FOR_RECOVERY), &again) == KV_OK,
         "what was rescued recovers");
    must(again.good_size == again.file_size, "without a tail");
    kv_file *next = NULL;
    if (!made) return;
    must(kv_file_open(disk, "next", (kv_open_how){0}, kv_for(KV_FOR_DATA),
                      &next) == KV_OK,
         "the new log is there");
    must(kv_recordlog_recover(next, &id, visit, &(walk){0},
                              kv_for(KV_FOR_RECOVERY), &again) == KV_OK &&
             again.sealed,
         "the new log is whole");
    kv_file_close(next);
}

static void run_recovery(kv_slice input)
{
    kv_disk *disk = NULL;
    must(kv_disk_open_sim(&(kv_sim_options){0}, &disk) == KV_OK, "a disk");
    kv_file *file = file_of(disk, input);
    kv_recovery found;
    walk w = {0};
    if (kv_recordlog_recover(file, NULL, visit, &w, kv_for(KV_FOR_RECOVERY),
                             &found) == KV_OK) {
        must(found.file_size == input.len && found.good_size <= input.len,
             "sizes within the file");
        must(found.record_count == w.count, "each record was shown");
        if (found.good_size > 0) rescue_and_look_again(disk, file, &found);
    }
    kv_file_close(file);
    kv_disk_close(disk);
}

static bool seed_recovery(unsigned n, kv_buf *to)
{
    if (n >= 6) return false;
    const kv_recordlog_id *id = &log_ids[n % 2];
    kv_recordlog_encode_header(id, to);
    uint32_t mark = n / 2 > 0 ? (uint32_t)to->len : 0;
    char payload[64];
    for (unsigned i = 0; i < 5; i++) {
        snprintf(payload, sizeof payload, "SET key%u value%u", i, i * i);
        kv_record_encode(to, id, to->len, mark, i % 2 == 0 && i < 4,
                         kv_str(payload));
        // A sync comes behind a whole group, never within one.
        if (n / 2 == 2 && i % 2 == 1) mark = (uint32_t)to->len;
    }
    if (n / 2 == 2) {
        kv_record_encode(to, id, to->len, (uint32_t)to->len, false, kv_str(""));
    }
    return true;
}

const fuzz_target fuzz_targets[] = {
    {"unescape", run_unescape, seed_unescape, 1},
    {"varint", run_varint, seed_varint, 1},
    {"knobs", run_knobs, seed_knobs, 1},
    {"tsv", run_tsv, seed_tsv, 5},
    {"words", run_words, seed_words, 1},
    {"identity", run_identity, seed_identity, 3},
    {"log_header", run_log_header, seed_log_header, 3},
    {"record", run_record, seed_record, 3},
    {"recovery", run_recovery, seed_recovery, 20},
    {"store", fuzz_store_run, fuzz_store_seed, 200},
    {"lsm_block", fuzz_lsm_block_run, fuzz_lsm_block_seed, 5},
    {"lsm_parts", fuzz_lsm_parts_run, fuzz_lsm_parts_seed, 1},
    {"lsm_table", fuzz_lsm_table_run, fuzz_lsm_table_seed, 100},
    {"bt_page", fuzz_bt_page_run, fuzz_bt_page_seed, 10},
    {"bt_super", fuzz_bt_super_run, fuzz_bt_super_seed, 10},
    {"bt_item", fuzz_bt_item_run, fuzz_bt_item_seed, 5},
    {NULL, NULL, NULL, 0},
};

const fuzz_target *fuzz_find(const char *name)
{
    for (const fuzz_target *t = fuzz_targets; t->name != NULL; t++) {
        if (strcmp(t->name, name) == 0) return t;
    }
    return NULL;
}
