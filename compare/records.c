// records.c -- see records.h.
// SPDX-License-Identifier: MIT

#include "compare/records.h"

#include <assert.h>
#include <math.h>

#include "common/mem.h"
#include "common/rng.h"

enum { NOISE_BYTES = 1 << 20, SIZE_MIN = 10 };

static uint32_t *shuffled(uint32_t count, uint64_t seed)
{
    kv_rng rng;
    kv_rng_seed(&rng, seed);
    uint32_t *order = kv_alloc(count * sizeof *order);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = (uint32_t)kv_rng_below(&rng, (uint64_t)i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}

static uint8_t *noise(size_t bytes)
{
    kv_rng rng;
    kv_rng_seed(&rng, 1);
    uint8_t *to = kv_alloc(bytes + 8);
    for (size_t i = 0; i < bytes; i += 8) {
        uint64_t word = kv_rng_next(&rng);
        memcpy(to + i, &word, 8);
    }
    return to;
}

void cmp_records_init(cmp_records *r, cmp_records shape, cmp_order order)
{
    *r = shape;
    r->noise = NULL;
    r->order = NULL;
    if (r->trace != NULL) r->value_bytes = r->trace->value_max;
    if (r->data == NULL) r->noise = noise(NOISE_BYTES + r->value_bytes);
    if (order == CMP_SHUFFLED) {
        r->order = shuffled(r->count, kv_mix64(r->seed));
    } else if (order == CMP_AS_FILED && r->data != NULL) {
        r->order = kv_alloc(r->count * sizeof *r->order);
        memcpy(r->order, r->data->order, r->count * sizeof *r->order);
    }
}

void cmp_records_free(cmp_records *r)
{
    kv_free(r->noise);
    kv_free(r->order);
    *r = (cmp_records){0};
}

size_t cmp_records_key_max(const cmp_records *r)
{
    if (r->trace != NULL) return r->trace->key_max;
    if (r->data == NULL) return r->key_bytes;
    size_t most = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->data->key[i].len > most) most = r->data->key[i].len;
    }
    return most + 1;
}

size_t cmp_records_value_max(const cmp_records *r)
{
    if (r->data == NULL) return r->value_bytes;
    size_t most = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->data->value[i].len > most) most = r->data->value[i].len;
    }
    return most;
}

static kv_slice decimal(const cmp_records *r, uint64_t n, uint8_t *to)
{
    for (size_t i = r->key_bytes; i > 0; i--) {
        to[i - 1] = (uint8_t)('0' + n % 10);
        n /= 10;
    }
    assert(n == 0); // R1: a number that does not fit would come out of order
    return kv_slice_of(to, r->key_bytes);
}

kv_slice cmp_records_key(const cmp_records *r, uint32_t place, uint8_t *to)
{
    if (r->data != NULL) return r->data->key[place];
    if (r->trace != NULL) return r->trace->key[place];
    return decimal(r, 2 * (uint64_t)place, to);
}

kv_slice cmp_records_absent(const cmp_records *r, uint32_t place, uint8_t *to)
{
    if (r->data == NULL) return decimal(r, 2 * (uint64_t)place + 1, to);
    kv_slice key = r->data->key[place];
    memcpy(to, key.data, key.len);
    to[key.len] = 0;
    return kv_slice_of(to, key.len + 1);
}

uint32_t cmp_pareto_of(cmp_pareto p, double u, uint32_t min, uint32_t max)
{
    double n = p.scale * (pow(1 - u, -p.shape) - 1) / p.shape;
    if (!(n > min)) return min;
    return n < max ? (uint32_t)n : max;
}

static uint64_t hash_of(const cmp_records *r, uint32_t place, uint32_t version)
{
    return kv_mix64(kv_mix64(r->seed + place) + version);
}

size_t cmp_records_value_len(const cmp_records *r, uint32_t place,
                             uint32_t version)
{
    if (r->data != NULL) {
        return r->data->value[((uint64_t)place + version - 1) % r->count].len;
    }
    if (r->trace != NULL) return r->trace->op[version - 1].value_bytes;
    if (r->sizes.shape == 0) return r->value_bytes;
    uint64_t other = kv_mix64(hash_of(r, place, version));
    return cmp_pareto_of(r->sizes, (double)(other >> 11) * 0x1p-53, SIZE_MIN,
                         (uint32_t)r->value_bytes);
}

kv_slice cmp_records_value(const cmp_records *r, uint32_t place,
                           uint32_t version, uint8_t *to)
{
    assert(version > 0);
    if (r->data != NULL) {
        return r->data->value[((uint64_t)place + version - 1) % r->count];
    }
    uint64_t hash = hash_of(r, place, version);
    size_t len = cmp_records_value_len(r, place, version);
    size_t head = len < 8 ? len : 8;
    memcpy(to, &hash, head);
    memcpy(to + head, r->noise + hash % NOISE_BYTES, len - head);
    return kv_slice_of(to, len);
}
