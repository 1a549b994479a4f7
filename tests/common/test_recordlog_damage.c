// test_recordlog_damage.c -- the torn-tail rule, by exhaustion: every cut and
// every flipped bit of a small log, in both framings.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "common/disk_sim.h"
#include "common/mem.h"
#include "common/recordlog.h"
#include "common/rng.h"

#include "tests/support/test.h"

enum { RECORDS = 24 };

static const kv_why why = {KV_FOR_WAL, false};

typedef struct sample {
    kv_recordlog_id id;
    kv_buf bytes; // of the whole log
    uint64_t offset[RECORDS];
    kv_buf payload[RECORDS];
    bool more[RECORDS];
    size_t count;
    uint64_t last_mark; // of the last record: what a reader can prove
    kv_disk *disk;      // with one file, for damaged copies
    kv_file *file;
} sample;

static void add_record(sample *s, kv_recordlog *log, size_t len, bool more)
{
    kv_buf *payload = &s->payload[s->count];
    for (size_t i = 0; i < len; i++) {
        kv_buf_printf(payload, "%c", (int)('a' + (i * 7 + s->count) % 26));
    }
    s->more[s->count] = more;
    s->offset[s->count++] = kv_recordlog_add(log, kv_buf_slice(payload), more);
    s->last_mark = log->synced_size;
}

// Twelve flushes, single records and groups of three in turn; a sync after
// every second one. `large` puts a record with a check among them.
static sample make_sample(kv_framing framing, bool sealed, bool large)
{
    sample s = {.id = {"DEMO", 77, 3, 99, framing}};
    kv_recordlog log = {0};
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_sim(NULL, &disk));
    assert_ok(kv_recordlog_create(&log, disk, "a", &s.id, 0, why));
    for (size_t i = 0; i < 12; i++) {
        if (i % 2 == 1) {
            add_record(&s, &log, 3, true);
            add_record(&s, &log, 1, true);
        }
        add_record(&s, &log, large && i == 4 ? 4200 : 1 + i, false);
        assert_ok(kv_recordlog_flush(&log, why));
        if (i % 2 == 1) assert_ok(kv_recordlog_sync(&log, why));
    }
    if (sealed) assert_ok(kv_recordlog_seal(&log, why));
    kv_buf_reserve(&s.bytes, log.size);
    assert_ok(
        kv_file_read(log.file, 0, s.bytes.data, log.size, &s.bytes.len, why));
    assert_ok(kv_recordlog_close(&log));
    kv_disk_close(disk);
    assert_ok(kv_disk_open_sim(NULL, &s.disk));
    assert_ok(kv_file_open(s.disk, "a", (kv_open_how){.mode = KV_OPEN_CREATE},
                           why, &s.file));
    return s;
}

static void free_sample(sample *s)
{
    for (size_t i = 0; i < s->count; i++) kv_buf_free(&s->payload[i]);
    kv_buf_free(&s->bytes);
    kv_file_close(s->file);
    kv_disk_close(s->disk);
}

typedef struct witness {
    const sample *s;
    size_t seen;
    bool last_was_more;
} witness;

// What is shown is what was written, in order, whatever happened.
static kv_status see(void *arg, uint64_t offset, const kv_record *record)
{
    witness *w = arg;
    const sample *s = w->s;
    assert_true(w->seen < s->count);
    assert_int_equal(offset, s->offset[w->seen]);
    kv_slice want = kv_buf_slice(&s->payload[w->seen]);
    assert_true(kv_slice_equal(record->payload, want));
    assert_int_equal(record->more, s->more[w->seen]);
    w->last_was_more = record->more;
    w->seen++;
    return KV_OK;
}

// Recovers a log of these bytes; *seen is how many records came back.
static kv_status recover_bytes(sample *s, kv_slice bytes, size_t *seen)
{
    witness w = {.s = s};
    kv_recovery found;
    assert_ok(kv_file_truncate(s->file, 0, why));
    assert_ok(kv_file_write(s->file, 0, bytes, why));
    assert_ok(kv_file_sync(s->file, why));
    kv_status st = kv_recordlog_recover(s->file, &s->id, see, &w, why, &found);
    assert_false(w.last_was_more); // groups come whole
    *seen = w.seen;
    if (st == KV_OK) {
        assert_int_equal(found.record_count, w.seen);
        assert_true(found.good_size <= bytes.len);
    }
    return st;
}

// Every strict prefix is a log of fewer records: what is whole comes back.
static void every_prefix_is_a_torn_tail(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        sample s = make_sample((kv_framing)(kind % 2), kind >= 2, false);
        for (size_t len = 0; len < s.bytes.len; len++) {
            size_t seen = 0, whole = 0;
            kv_slice bytes = {s.bytes.data, len};
            assert_ok(recover_bytes(&s, bytes, &seen));
            for (size_t i = 0; i < s.count; i++) {
                uint64_t end = i + 1 < s.count ? s.offset[i + 1] : s.bytes.len;
                if (!s.more[i] && end <= len) whole = i + 1;
            }
            assert_true(seen == whole ||
                        (seen == s.count && len >= s.offset[s.count - 1]));
        }
        free_sample(&s);
    }
}

// A crash: what was not synced is cut, filled with zeroes, ones or rubbish.
static void no_crash_is_called_corruption(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 1);
    uint64_t states = 0;
    for (int kind = 0; kind < 4; kind++) {
        sample s = make_sample((kv_framing)(kind % 2), false, kind >= 2);
        kv_buf copy = {0};
        for (size_t cut = s.last_mark; cut <= s.bytes.len; cut++) {
            for (int fill = 0; fill < 4; fill++) {
                size_t seen = 0, synced = 0;
                kv_buf_set(&copy, kv_buf_slice(&s.bytes));
                for (size_t i = cut; i < copy.len; i++) {
                    copy.data[i] = (uint8_t)(fill == 0   ? 0
                                             : fill == 1 ? 0xff
                                             : fill == 2 ? '\n'
                                                         : kv_rng_next(&rng));
                }
                assert_ok(recover_bytes(&s, kv_buf_slice(&copy), &seen));
                while (synced < s.count && s.offset[synced] < s.last_mark) {
                    synced++;
                }
                assert_true(seen >= synced);
                states++;
            }
        }
        kv_buf_free(&copy);
        free_sample(&s);
    }
    print_message("%llu crash images, no false alarm\n",
                  (unsigned long long)states);
    assert_true(states > 400);
}

typedef struct tally {
    uint64_t detected, harmless, silent;
} tally;

// Silent: fewer records, and nobody says so. What is in the file's last sync
// batch is counted apart, for no reader can tell it from a torn write.
static void flip_bits(sample *s, tally *all, tally *last_batch)
{
    for (size_t bit = 0; bit < s->bytes.len * 8; bit++) {
        size_t seen = 0;
        uint8_t mask = (uint8_t)(1 << bit % 8);
        s->bytes.data[bit / 8] ^= mask;
        kv_status st = recover_bytes(s, kv_buf_slice(&s->bytes), &seen);
        s->bytes.data[bit / 8] ^= mask;
        assert_true(st == KV_OK || st == KV_CORRUPT || st == KV_UNSUPPORTED);
        tally *t = bit / 8 < s->last_mark ? all : last_batch;
        if (st != KV_OK) t->detected++;
        else if (seen == s->count) t->harmless++;
        else t->silent++;
    }
}

static void every_bit_of_a_closed_log_counts(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        sample s = make_sample((kv_framing)(kind % 2), true, kind >= 2);
        tally t = {0};
        flip_bits(&s, &t, &t);
        print_message("closed, kind %d: %llu detected, %llu harmless, %llu "
                      "silent\n",
                      kind, (unsigned long long)t.detected,
                      (unsigned long long)t.harmless,
                      (unsigned long long)t.silent);
        assert_int_equal(t.silent, 0);
        // Only the closing record can be lost without loss.
        assert_true(t.harmless <= 24 * 8);
        free_sample(&s);
    }
}

static void only_the_last_sync_of_an_open_log_is_in_doubt(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        sample s = make_sample((kv_framing)(kind % 2), false, kind >= 2);
        tally all = {0}, last = {0};
        flip_bits(&s, &all, &last);
        print_message("open, kind %d: %llu detected, %llu harmless, %llu "
                      "silent; in the last sync %llu silent\n",
                      kind, (unsigned long long)all.detected,
                      (unsigned long long)all.harmless,
                      (unsigned long long)all.silent,
                      (unsigned long long)last.silent);
        assert_int_equal(all.silent, 0);
        assert_int_equal(all.harmless, 0);
        free_sample(&s);
    }
}

// The search behind a tail must not be led astray, nor take for ever: rubbish
// of 16 MiB, and the log's own records moved elsewhere.
static void a_long_tail_of_rubbish_is_a_tail(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 2);
    for (int kind = 0; kind < 6; kind++) {
        sample s = make_sample((kv_framing)(kind % 2), false, true);
        kv_buf bytes = {0};
        size_t seen = 0, size = (size_t)16 << 20;
        kv_buf_set(&bytes, kv_buf_slice(&s.bytes));
        kv_buf_reserve(&bytes, size);
        while (bytes.len < size) {
            uint64_t n = kind < 2 ? 0 : kv_rng_next(&rng);
            if (kind < 4) kv_buf_append(&bytes, kv_slice_of(&n, sizeof n));
            else kv_buf_append(&bytes, kv_buf_slice(&s.bytes));
        }
        assert_ok(recover_bytes(&s, kv_buf_slice(&bytes), &seen));
        assert_int_equal(seen, s.count);
        kv_buf_free(&bytes);
        free_sample(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_prefix_is_a_torn_tail),
        cmocka_unit_test(no_crash_is_called_corruption),
        cmocka_unit_test(every_bit_of_a_closed_log_counts),
        cmocka_unit_test(only_the_last_sync_of_an_open_log_is_in_doubt),
        cmocka_unit_test(a_long_tail_of_rubbish_is_a_tail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
