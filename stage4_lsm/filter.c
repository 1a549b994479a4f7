// filter.c -- see filter.h.
// SPDX-License-Identifier: MIT

#include "filter.h"

#include <assert.h>
#include <math.h>

#include "common/hash.h"

static const double ln_2 = 0.69314718055994531;

static uint32_t probes_for(double bits_per_key)
{
    uint32_t probes = (uint32_t)(bits_per_key * ln_2 + 0.5);
    if (probes < 1) return 1;
    return probes < LSM_FILTER_PROBES_MAX ? probes : LSM_FILTER_PROBES_MAX;
}

// Where probe `i` of the hash looks: the i-th step of a walk whose start is one
// half of the hash, and whose step is the other.
static inline uint32_t probe_at(uint64_t hash, uint32_t i, uint32_t bit_count)
{
    uint32_t at = (uint32_t)(hash >> 32) + i * ((uint32_t)hash | 1);
    return kv_hash_place(at, bit_count);
}

void lsm_filter_build(kv_buf *to, const uint64_t *hashes, size_t count,
                      double bits_per_key)
{
    if (bits_per_key < 0.5 || count == 0) return;
    uint64_t words = (uint64_t)((double)count * bits_per_key) / 64 + 1;
    if (words > UINT32_MAX / 64) words = UINT32_MAX / 64;
    uint32_t bit_count = (uint32_t)words * 64,
             probes = probes_for(bits_per_key);
    kv_buf_reserve(to, 1 + words * 8);
    to->data[to->len] = (uint8_t)probes;
    uint8_t *bits = to->data + to->len + 1;
    memset(bits, 0, words * 8);
    for (size_t n = 0; n < count; n++) {
        for (uint32_t i = 0; i < probes; i++) {
            uint32_t at = probe_at(hashes[n], i, bit_count);
            bits[at / 8] |= (uint8_t)(1 << at % 8);
        }
    }
    to->len += 1 + words * 8;
}

bool lsm_filter_open(kv_slice bytes, lsm_filter *out)
{
    *out = (lsm_filter){0};
    if (bytes.len == 0) return true;
    size_t words = (bytes.len - 1) / 8;
    if (words == 0 || (bytes.len - 1) % 8 != 0 || words > UINT32_MAX / 64 ||
        bytes.data[0] == 0 || bytes.data[0] > LSM_FILTER_PROBES_MAX) {
        return false;
    }
    *out = (lsm_filter){.bits = bytes.data + 1,
                        .bit_count = (uint32_t)words * 64,
                        .probes = bytes.data[0]};
    return true;
}

bool lsm_filter_may_hold(const lsm_filter *f, uint64_t hash)
{
    // No way out on the first clear bit: the probes' cache misses overlap
    // instead, and no branch is guessed wrong.
    unsigned all = 1;
    for (uint32_t i = 0; i < f->probes; i++) {
        uint32_t at = probe_at(hash, i, f->bit_count);
        all &= (unsigned)f->bits[at / 8] >> at % 8;
    }
    return all != 0;
}

void lsm_filter_prefetch(const lsm_filter *f, uint64_t hash)
{
    for (uint32_t i = 0; i < f->probes; i++) {
        __builtin_prefetch(f->bits + probe_at(hash, i, f->bit_count) / 8);
    }
}

double lsm_filter_rate(double bits_per_key)
{
    if (bits_per_key < 0.5) return 1;
    double probes = probes_for(bits_per_key);
    return pow(1 - exp(-probes / bits_per_key), probes);
}

// ---- Monkey -----------------------------------------------------------------
//
// With p = e^(-b·(ln 2)²) the sum of p over the levels is least, for given
// bits, where p is proportional to the level's keys: a bit then saves as much
// wherever it is spent. What remains is to find the factor.

// Bits a key for a level of `keys` at this factor.
static double bits_at(double factor, double keys)
{
    double rate = factor * keys;
    double bits = rate < 1 ? -log(rate) / (ln_2 * ln_2) : 0;
    return bits < LSM_FILTER_BITS_MAX ? bits : LSM_FILTER_BITS_MAX;
}

static double bits_of_all(double factor, const uint64_t *keys, size_t levels)
{
    double sum = 0;
    for (size_t i = 0; i < levels; i++) {
        if (keys[i] == 0) continue;
        sum += (double)keys[i] * bits_at(factor, (double)keys[i]);
    }
    return sum;
}

void lsm_filter_allot(const uint64_t *keys, size_t levels, double bits_per_key,
                      double *bits_out)
{
    double total = 0, smallest = 1e18;
    for (size_t i = 0; i < levels; i++) {
        if (keys[i] == 0) continue;
        total += (double)keys[i];
        if ((double)keys[i] < smallest) smallest = (double)keys[i];
    }
    double low = -80, high = 0; // of the factor's logarithm
    for (int step = 0; step < 64; step++) {
        double middle = (low + high) / 2;
        if (bits_of_all(exp(middle), keys, levels) > total * bits_per_key) {
            low = middle;
        } else {
            high = middle;
        }
    }
    for (size_t i = 0; i < levels; i++) {
        bits_out[i] =
            total == 0
                ? bits_per_key
                : bits_at(exp(high), keys[i] > 0 ? (double)keys[i] : smallest);
    }
}
