// index.c -- see index.h.
// SPDX-License-Identifier: MIT

#include "index.h"

#include "common/mem.h"

// The 8 bytes of the key behind the prefix as a number that sorts as they do;
// what is not there counts as 0.
static uint64_t head_of(kv_slice key, size_t prefix_len)
{
    uint8_t bytes[8] = {0};
    const uint8_t *at = key.data + prefix_len;
    size_t len = key.len - prefix_len;
    if (len >= 8) {
        memcpy(bytes, at, 8);
    } else {
        for (size_t i = 0; i < len; i++) bytes[i] = at[i];
    }
    return (uint64_t)bytes[0] << 56 | (uint64_t)bytes[1] << 48 |
           (uint64_t)bytes[2] << 40 | (uint64_t)bytes[3] << 32 |
           (uint64_t)bytes[4] << 24 | (uint64_t)bytes[5] << 16 |
           (uint64_t)bytes[6] << 8 | (uint64_t)bytes[7];
}

static size_t common_prefix(kv_slice a, kv_slice b)
{
    size_t same = 0;
    while (same < a.len && same < b.len && a.data[same] == b.data[same]) same++;
    return same;
}

static bool fill(lsm_index *x, kv_slice payload, const lsm_footer *footer)
{
    uint64_t offset = 0;
    size_t at = 0;
    for (size_t i = 0; i < x->count; i++) {
        lsm_index_entry entry;
        kv_slice rest = kv_slice_of(payload.data + at, payload.len - at);
        size_t size = lsm_get_index_entry(rest, &entry);
        if (size == 0 || entry.size > footer->data_bytes - offset) return false;
        x->fences[i] = (lsm_fence){offset, entry.separator};
        kv_slice before = i > 0 ? x->fences[i - 1].separator : (kv_slice){0};
        if (kv_slice_cmp(before, entry.separator) > 0) return false; // F4
        offset += entry.size;
        at += size;
    }
    x->fences[x->count] = (lsm_fence){offset, {0}};
    return at == payload.len && offset == footer->data_bytes; // F2
}

bool lsm_index_open(lsm_index *x, kv_slice payload, const lsm_footer *footer)
{
    // An entry has at least 3 bytes: the count is bounded by what was read.
    if (footer->block_count > payload.len / 3) return false;
    x->count = (size_t)footer->block_count;
    x->fences = kv_alloc((x->count + 1) * sizeof *x->fences);
    x->heads = kv_alloc_pages(x->count * sizeof *x->heads);
    if (!fill(x, payload, footer)) return false;
    if (x->count > 0) {
        x->prefix_len = common_prefix(x->fences[0].separator,
                                      x->fences[x->count - 1].separator);
    }
    for (size_t i = 0; i < x->count; i++) {
        x->heads[i] = head_of(x->fences[i].separator, x->prefix_len);
    }
    return true;
}

void lsm_index_free(lsm_index *x)
{
    kv_free(x->fences);
    kv_free_pages(x->heads, x->count * sizeof *x->heads);
    *x = (lsm_index){0};
}

uint64_t lsm_index_bytes(const lsm_index *x)
{
    return (x->count + 1) * sizeof *x->fences + x->count * sizeof *x->heads;
}

// How many of the heads are below `head`. Without branches that depend on
// what is found: a guess would be wrong half of the time.
static size_t heads_below(const lsm_index *x, uint64_t head)
{
    const uint64_t *from = x->heads;
    for (size_t count = x->count; count > 1;) {
        size_t half = count / 2;
        from += from[half - 1] < head ? half : 0;
        count -= half;
    }
    return (size_t)(from - x->heads) + (x->count > 0 && *from < head);
}

size_t lsm_index_find(const lsm_index *x, kv_slice key)
{
    if (x->count == 0) return 0;
    kv_slice first = x->fences[0].separator;
    size_t shorter = key.len < x->prefix_len ? key.len : x->prefix_len;
    int order = shorter > 0 ? memcmp(key.data, first.data, shorter) : 0;
    if (order > 0) return x->count;
    if (order < 0 || key.len < x->prefix_len) return 0;

    uint64_t head = head_of(key, x->prefix_len);
    size_t low = heads_below(x, head);
    if (low == x->count || x->heads[low] != head) return low;
    size_t high = head < UINT64_MAX ? heads_below(x, head + 1) : x->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (kv_slice_cmp(x->fences[middle].separator, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}
