// replay.c -- the fuzz targets in the normal test run, with any compiler.
// SPDX-License-Identifier: MIT
//
//     replay [--seed N] [--scale N] [TARGET [FILE…]]
//     replay --write-seeds TARGET DIR      a corpus for libFuzzer to start with
//
// Each target gets its seeds, then mutations of them: a bit, a byte, a number
// of interest, a piece cut out, doubled, or taken from another seed. With files
// it gets those, and nothing else: that is how a crash is looked at.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/rng.h"

#include "tests/fuzz/targets.h"
#include "tests/support/test.h"

enum { BUDGET_US = 2000000, INPUT_MAX = 1 << 20 };

static void overwrite_number(kv_buf *b, size_t at, kv_rng *rng)
{
    static const uint64_t interesting[] = {0,          1,          0x7f,
                                           0x80,       0xffff,     0x7fffffff,
                                           0x80000000, 0xffffffff, UINT64_MAX};
    uint64_t n = interesting[kv_rng_below(rng, 9)];
    size_t size = (size_t)1 << kv_rng_below(rng, 4);
    if (at + size > b->len) return;
    for (size_t i = 0; i < size; i++) b->data[at + i] = (uint8_t)(n >> (8 * i));
}

static void cut_out(kv_buf *b, size_t at, size_t len)
{
    if (len > b->len - at) len = b->len - at;
    memmove(b->data + at, b->data + at + len, b->len - at - len);
    b->len -= len;
}

static void insert(kv_buf *b, size_t at, kv_slice bytes)
{
    if (b->len + bytes.len > INPUT_MAX) return;
    kv_buf copy = {0};
    kv_buf_append(&copy, bytes); // it may be our own
    kv_buf_reserve(b, copy.len);
    memmove(b->data + at + copy.len, b->data + at, b->len - at);
    memcpy(b->data + at, copy.data, copy.len);
    b->len += copy.len;
    kv_buf_free(&copy);
}

static void mutate(kv_buf *b, const kv_buf *other, kv_rng *rng)
{
    if (b->len == 0) return;
    size_t at = (size_t)kv_rng_below(rng, b->len);
    size_t len = 1 + (size_t)kv_rng_below(rng, 40);
    switch (kv_rng_below(rng, 7)) {
    case 0:
        b->data[at] ^= (uint8_t)(1 << kv_rng_below(rng, 8));
        break;
    case 1:
        b->data[at] = (uint8_t)kv_rng_next(rng);
        break;
    case 2:
        overwrite_number(b, at, rng);
        break;
    case 3:
        cut_out(b, at, len);
        break;
    case 4:
        b->len = at;
        break;
    case 5:
        if (len > b->len - at) len = b->len - at;
        insert(b, (size_t)kv_rng_below(rng, b->len),
               kv_slice_of(b->data + at, len));
        break;
    default:
        if (other->len == 0) break;
        at = (size_t)kv_rng_below(rng, other->len);
        if (len > other->len - at) len = other->len - at;
        insert(b, (size_t)kv_rng_below(rng, b->len),
               kv_slice_of(other->data + at, len));
        break;
    }
}

static kv_slice running; // the input that is being run

// What a target dies of is written to a file that it can be given again.
static void write_autopsy(int number)
{
    FILE *f = fopen("replay-crash", "wb");
    if (f != NULL) {
        fwrite(running.data, 1, running.len, f);
        fclose(f);
        fputs("the input is in ./replay-crash: replay TARGET replay-crash\n",
              stderr);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void keep_for_autopsy(const kv_buf *input)
{
    running = kv_buf_slice(input);
}

// Seeds in order, then mutations; returns how many inputs were run.
static uint64_t run_target(const fuzz_target *t, uint64_t seed, uint64_t scale)
{
    kv_rng rng;
    kv_rng_seed(&rng, seed);
    kv_buf seeds[256] = {{0}}, input = {0};
    unsigned count = 0;
    while (count < 256 && t->seed(count, &seeds[count])) {
        t->run(kv_buf_slice(&seeds[count++]));
    }
    uint64_t mutations = BUDGET_US / 10 / t->cost * scale;
    if (mutations > 50000 * scale) mutations = 50000 * scale;
    for (uint64_t i = 0; i < mutations; i++) {
        kv_buf_set(&input, kv_buf_slice(&seeds[kv_rng_below(&rng, count)]));
        for (uint64_t left = 1 + kv_rng_below(&rng, 3); left > 0; left--) {
            mutate(&input, &seeds[kv_rng_below(&rng, count)], &rng);
        }
        keep_for_autopsy(&input);
        t->run(kv_buf_slice(&input));
    }
    for (unsigned i = 0; i < count; i++) kv_buf_free(&seeds[i]);
    kv_buf_free(&input);
    printf("%-12s %u seeds, %llu mutations\n", t->name, count,
           (unsigned long long)mutations);
    return count + mutations;
}

static int write_seeds(const fuzz_target *t, const char *dir)
{
    kv_buf bytes = {0};
    for (unsigned n = 0; t->seed(n, &bytes); n++) {
        char path[1000];
        snprintf(path, sizeof path, "%s/seed%03u", dir, n);
        test_write_file(path, kv_buf_slice(&bytes));
        kv_buf_clear(&bytes);
    }
    kv_buf_free(&bytes);
    return 0;
}

static const fuzz_target *target_of(const char *name)
{
    const fuzz_target *t = fuzz_find(name);
    if (t != NULL) return t;
    fprintf(stderr, "there is no target \"%s\"\n", name);
    exit(2);
}

int main(int argc, char **argv)
{
    uint64_t seed = kv_entropy() >> 32, scale = 1, total = 0;
    if (argc == 4 && strcmp(argv[1], "--write-seeds") == 0) {
        return write_seeds(target_of(argv[2]), argv[3]);
    }
    int i = 1;
    signal(SIGABRT, write_autopsy);
    signal(SIGSEGV, write_autopsy);
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        uint64_t n = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seed") == 0) seed = n;
        else if (strcmp(argv[i], "--scale") == 0) scale = n;
    }
    if (i + 1 < argc) {
        const fuzz_target *t = target_of(argv[i]);
        while (++i < argc) {
            kv_buf bytes = test_read_file(argv[i]);
            t->run(kv_buf_slice(&bytes));
            kv_buf_free(&bytes);
        }
        return 0;
    }
    printf("seed %llu\n", (unsigned long long)seed);
    fflush(stdout); // it has to be there when a target dies
    if (i < argc) {
        total = run_target(target_of(argv[i]), seed, scale);
    } else {
        for (const fuzz_target *t = fuzz_targets; t->name != NULL; t++) {
            total += run_target(t, seed, scale);
        }
    }
    test_figure("R10", "all", "fuzz executions", total);
    return total == 0;
}
