// records.c -- see records.h.
// SPDX-License-Identifier: MIT

#include "compare/records.h"

#include <assert.h>

#include "common/mem.h"
#include "common/rng.h"

enum { NOISE_BYTES = 1 << 20 };

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

kv_slice cmp_records_value(const cmp_records *r, uint32_t place,
                           uint32_t version, uint8_t *to)
{
    assert(version > 0);
    if (r->data != NULL) {
        return r->data->value[((uint64_t)place + version - 1) % r->count];
    }
    uint64_t hash = kv_mix64(kv_mix64(r->seed + place) + version);
    size_t head = r->value_bytes < 8 ? r->value_bytes : 8;
    memcpy(to, &hash, head);
    memcpy(to + head, r->noise + hash % NOISE_BYTES, r->value_bytes - head);
    return kv_slice_of(to, r->value_bytes);
}
