// test_stray.c -- the named engine on a store that was not closed and then
// damaged, and on one where what was written at once is in another place.
// SPDX-License-Identifier: MIT
//
// The law: what is read is right, or the damage is reported: by the opening, by
// the read that touches it, or by kv_check. A store that was not closed may
// also lose its last commit: that is what a torn write looks like.

#include <string.h>

#include "common/disk_trace.h"
#include "common/mem.h"

#include "tests/fault/life.h"

static const kv_engine *subject;

static const kv_why why = {KV_FOR_META, false};

// ---- the law ----------------------------------------------------------------

// How many of the last commits may be missing without a word.
typedef uint32_t excuse;

// True if every get agrees with the content after commit `n`.
static bool is_state(const life *l, uint32_t n)
{
    for (uint32_t key = 0; key < KV_CRASH_FEW; key++) {
        if (life_held(l, key) != l->work->state[n][key]) return false;
    }
    return true;
}

// A commit that changes nothing, as deleting what is not there, does not count.
static bool is_recent_state(const life *l, excuse may)
{
    uint32_t n = l->commits;
    for (excuse lost = 0; !is_state(l, n); lost++) {
        const uint32_t *state = l->work->state[n];
        size_t size = sizeof l->work->state[n];
        while (n > 0 && memcmp(l->work->state[n], state, size) == 0) n--;
        if (lost == may || memcmp(l->work->state[n], state, size) == 0) {
            return false;
        }
    }
    return true;
}

// With damage reported a get may fail or find nothing, but what it shows is
// right.
static bool shows_nothing_else(const life *l, uint32_t n)
{
    kv_buf name = {0}, value = {0}, want = {0};
    bool is_right = true;
    for (uint32_t key = 0; key < KV_CRASH_FEW; key++) {
        uint32_t commit = l->work->state[n][key];
        kv_crash_key(&name, key);
        if (kv_get(l->db, kv_buf_slice(&name), &value) != KV_OK) continue;
        kv_crash_value(&want, commit, key);
        is_right &= commit != 0 &&
                    kv_slice_equal(kv_buf_slice(&want), kv_buf_slice(&value));
    }
    kv_buf_free(&name);
    kv_buf_free(&value);
    kv_buf_free(&want);
    return is_right;
}

static void judge(life *l, excuse may, const char *what)
{
    life_injections++;
    if (life_open(l) != KV_OK) return;
    bool is_lawful = life_look(l->db) == KV_OK
                         ? is_recent_state(l, may)
                         : shows_nothing_else(l, l->commits);
    if (!is_lawful) print_error("%s: nobody noticed\n", what);
    assert_true(is_lawful);
    (void)life_close(l);
}

// ---- what to damage ---------------------------------------------------------

// The disk of a store whose process was killed after some steps.
static life leave(const life *begin, size_t steps)
{
    life l = *begin;
    assert_ok(kv_disk_open_sim(NULL, &l.disk));
    assert_ok(life_open(&l));
    life_run(&l, steps);
    life left = l;
    left.db = NULL;
    left.disk = kv_disk_sim_kill(l.disk);
    if (l.db != NULL) assert_ok(life_close(&l));
    kv_disk_close(l.disk);
    return left;
}

static kv_file *open_file(kv_disk *disk, const char *name, uint64_t *size)
{
    kv_open_how how = {.mode = KV_OPEN_WRITE};
    kv_file *f = NULL;
    assert_ok(kv_file_open(disk, name, how, why, &f));
    assert_ok(kv_file_size(f, size));
    return f;
}

// ---- bytes ------------------------------------------------------------------

static void flip(const life *left, const char *name, uint64_t at, excuse may)
{
    life l = *left;
    char what[80];
    uint8_t byte = 0;
    uint64_t size;
    l.disk = kv_disk_sim_kill(left->disk);
    kv_file *f = open_file(l.disk, name, &size);
    assert_ok(kv_file_read_all(f, at, &byte, 1, why));
    byte ^= (uint8_t)(1 << at % 8);
    assert_ok(kv_file_write(f, at, kv_slice_of(&byte, 1), why));
    kv_file_close(f);
    snprintf(what, sizeof what, "%s, a bit of byte %d", name, (int)at);
    judge(&l, may, what);
    kv_disk_close(l.disk);
}

static void flip_each(const life *left, excuse may)
{
    kv_names names = {0};
    assert_ok(kv_disk_list(left->disk, &names));
    for (size_t i = 0; i < names.count; i++) {
        uint64_t size = 0;
        kv_file_close(open_file(left->disk, names.name[i], &size));
        for (uint64_t at = 0; at < size; at++) {
            flip(left, names.name[i], at, may);
        }
    }
    kv_names_free(&names);
}

// Killed where it would have been closed.
static void flipped(const life *begin)
{
    for (size_t i = 0; i < LIFE_OPS; i++) {
        if (begin->work->steps[i].kind != KV_CRASH_REOPEN) continue;
        life left = leave(begin, i);
        flip_each(&left, 1); // the last commit may look torn
        kv_disk_close(left.disk);
    }
}

static void no_changed_bit_of_a_killed_store_goes_unnoticed(void **state)
{
    (void)state;
    life_try(subject, "R8", "bits flipped in a store that was killed", flipped);
}

// ---- pieces in the wrong place ----------------------------------------------

enum { PIECES_MAX = 256 };

// What was written at once, and where.
typedef struct pieces {
    uint64_t offset[PIECES_MAX];
    kv_buf bytes[PIECES_MAX];
    size_t count;
} pieces;

static void note(void *arg, const kv_trace_event *event)
{
    pieces *p = arg;
    if (event->kind != KV_TRACE_WRITE || p->count == PIECES_MAX) return;
    p->offset[p->count] = event->offset;
    kv_buf_set(&p->bytes[p->count++], event->bytes);
}

static bool stands_in(kv_file *f, uint64_t size, const pieces *p, size_t i)
{
    kv_buf there = {0};
    size_t len = p->bytes[i].len;
    if (len == 0 || p->offset[i] + len > size) return false;
    kv_buf_reserve(&there, len);
    assert_ok(kv_file_read_all(f, p->offset[i], there.data, len, why));
    bool is_same = memcmp(there.data, p->bytes[i].data, len) == 0;
    kv_buf_free(&there);
    return is_same;
}

// Every piece written over every other one of the file, in turn.
static void misplace_in(const life *left, const char *name, const pieces *p)
{
    for (size_t i = 0; i < p->count; i++) {
        for (size_t j = 0; j < p->count; j++) {
            life l = *left;
            char what[80];
            uint64_t size = 0;
            l.disk = kv_disk_sim_kill(left->disk);
            kv_file *f = open_file(l.disk, name, &size);
            bool fits = p->offset[i] != p->offset[j] &&
                        p->offset[i] + p->bytes[j].len <= size &&
                        stands_in(f, size, p, i) && stands_in(f, size, p, j);
            if (fits) {
                kv_slice bytes = kv_buf_slice(&p->bytes[j]);
                assert_ok(kv_file_write(f, p->offset[i], bytes, why));
            }
            kv_file_close(f);
            snprintf(what, sizeof what, "%s, at %d what was at %d", name,
                     (int)p->offset[i], (int)p->offset[j]);
            if (fits) judge(&l, 0, what);
            kv_disk_close(l.disk);
        }
    }
}

static void misplaced(const life *begin)
{
    life l = *begin;
    kv_names names = {0};
    pieces *p = kv_zalloc(sizeof *p);
    kv_disk *sim = NULL;
    assert_ok(kv_disk_open_sim(NULL, &sim));
    assert_ok(kv_disk_open_trace(sim, note, p, &l.disk));
    l.sync = KV_SYNC_NONE; // no record says how much had reached the disk
    assert_ok(life_open(&l));
    life_run(&l, LIFE_OPS);
    assert_ok(life_close(&l));
    assert_ok(kv_disk_list(sim, &names));
    life left = l;
    left.disk = sim;
    for (size_t i = 0; i < names.count; i++) {
        misplace_in(&left, names.name[i], p);
    }
    for (size_t i = 0; i < p->count; i++) kv_buf_free(&p->bytes[i]);
    kv_free(p);
    kv_names_free(&names);
    kv_disk_close(l.disk);
}

static void nothing_counts_in_the_wrong_place(void **state)
{
    (void)state;
    life_try(subject, "R9", "writes that went astray", misplaced);
}

int main(int argc, char **argv)
{
    subject = argc == 2 ? test_engine(argv[1]) : NULL;
    if (subject == NULL) {
        fprintf(stderr, "say test_stray ENGINE, one that this build has\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_changed_bit_of_a_killed_store_goes_unnoticed),
        cmocka_unit_test(nothing_counts_in_the_wrong_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
