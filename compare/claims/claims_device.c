// claims_device.c -- the claim about the order and the size of requests.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "common/clock.h"
#include "common/mem.h"

#include "compare/claims/claim.h"
#include "compare/machine.h"

// The file is read and written whole in requests of 4 KiB, 16 KiB, .. 1 MiB.
enum { FILE_BYTES = 8 << 20, SMALLEST = 4 << 10, SIZES = 5 };

typedef struct bytes_of {
    double mb_per_s[SIZES];
} bytes_of;

typedef struct pass {
    const char *name;
    bool is_write, is_random;
} pass;

static const pass passes[] = {
    {"read in order", false, false},
    {"read at random", false, true},
    {"write in order", true, false},
    {"write at random", true, true},
};
enum { READ_IN_ORDER, READ_AT_RANDOM, WRITE_IN_ORDER, WRITE_AT_RANDOM, PASSES };

// Every request of the file once, in the order of the file or in none.
static uint32_t *order_of(uint32_t count, bool is_random, uint64_t seed)
{
    kv_rng rng;
    uint32_t *order = kv_alloc(count * sizeof *order);
    kv_rng_seed(&rng, seed);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = is_random ? (uint32_t)kv_rng_below(&rng, i + 1) : i;
        order[i] = order[at];
        order[at] = i;
    }
    return order;
}

// What is written is on the device before the clock stops.
static kv_status request_all(kv_file *f, const pass *p, const uint32_t *order,
                             uint8_t *buffer, size_t size)
{
    for (uint32_t i = 0; i < FILE_BYTES / size; i++) {
        uint64_t offset = (uint64_t)order[i] * size;
        if (p->is_write) {
            KV_TRY(kv_file_write(f, offset, kv_slice_of(buffer, size),
                                 kv_for(KV_FOR_DATA)));
        } else {
            KV_TRY(
                kv_file_read_all(f, offset, buffer, size, kv_for(KV_FOR_READ)));
        }
    }
    return p->is_write ? kv_file_sync(f, kv_for(KV_FOR_DATA)) : KV_OK;
}

static kv_status time_pass(cmp_bench *b, kv_file *f, const pass *p,
                           bool is_noted, bytes_of *out)
{
    uint8_t *buffer = kv_zalloc((size_t)SMALLEST << (2 * (SIZES - 1)));
    kv_status st = KV_OK;
    for (int i = 0; i < SIZES && st == KV_OK; i++) {
        size_t size = (size_t)SMALLEST << (2 * i);
        uint32_t count = (uint32_t)(FILE_BYTES / size);
        uint32_t *order = order_of(count, p->is_random, b->seed);
        uint64_t from = kv_now_ns();
        st = request_all(f, p, order, buffer, size);
        double ns = (double)(kv_now_ns() - from) + 1; // never 0
        kv_free(order);
        out->mb_per_s[i] = FILE_BYTES / 1e6 / (ns / 1e9);
        if (st == KV_OK && is_noted) {
            cmp_note(b, p->name, (double)size, out->mb_per_s[i], NAN);
        }
    }
    kv_free(buffer);
    return st;
}

static kv_status time_file(cmp_bench *b, kv_disk *disk, bytes_of *rates)
{
    kv_file *f = NULL;
    kv_status st =
        kv_file_open(disk, "requests", (kv_open_how){.mode = KV_OPEN_CREATE},
                     kv_for(KV_FOR_DATA), &f);
    if (st != KV_OK) return st;
    // First written once, so that every pass meets a file that is there.
    bytes_of first;
    st = time_pass(b, f, &passes[WRITE_IN_ORDER], false, &first);
    for (int i = 0; i < PASSES && st == KV_OK; i++) {
        st = time_pass(b, f, &passes[i], true, &rates[i]);
    }
    kv_status closed = kv_file_close(f);
    return st != KV_OK ? st : closed;
}

// No timing contradicts: it depends on the machine.
static void check_times(cmp_bench *b, const char *what, double times,
                        double least)
{
    if (times >= least) cmp_check_at_least(b, what, times, least);
    else cmp_check_depends(b, what, times, least);
}

static kv_status order_matters_on_some_devices(cmp_bench *b)
{
    bytes_of rates[PASSES];
    kv_disk *disk = NULL;
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/device%c", b->dir, '\0');
    kv_status st = kv_disk_open_real((char *)path.data, true, &disk);
    if (st == KV_OK) st = time_file(b, disk, rates);
    if (disk != NULL) kv_disk_close(disk);
    cmp_remove_tree((char *)path.data);
    kv_buf_free(&path);
    KV_TRY(st);
    const double *in_order = rates[WRITE_IN_ORDER].mb_per_s;
    check_times(b, "4 KiB: MB/s, written in order / at random",
                in_order[0] / rates[WRITE_AT_RANDOM].mb_per_s[0], 2);
    check_times(b, "4 KiB: MB/s, read in order / at random",
                rates[READ_IN_ORDER].mb_per_s[0] /
                    rates[READ_AT_RANDOM].mb_per_s[0],
                2);
    check_times(b, "written at random: MB/s, 1 MiB / 4 KiB",
                rates[WRITE_AT_RANDOM].mb_per_s[SIZES - 1] /
                    rates[WRITE_AT_RANDOM].mb_per_s[0],
                5);
    return KV_OK;
}

const cmp_claim cmp_claims_of_devices[] = {
    {.id = "C11",
     .text = "Writing in order beats writing at random: by far where a disk "
             "turns, elsewhere by less than large requests beat small ones.",
     .first = "Hash Indexes",
     .second = "Sequential vs. random writes",
     .setup = "A file of 8 MiB read and written whole in requests of 4 KiB to "
              "1 MiB, in order and at random, through the operating system's "
              "cache; writing ends when the device has it. Time, so it "
              "differs from machine to machine.",
     .x = "bytes of a request",
     .y = "MB a second",
     .is_counted = false,
     .run = order_matters_on_some_devices},
    {0}};
