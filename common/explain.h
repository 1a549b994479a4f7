// explain.h -- sentences about what is happening, for whoever is listening.
// SPDX-License-Identifier: MIT
//
// Parts of a stage take a `const kv_explainer *` when they are set up, so that
// a memtable or a page can narrate without knowing what a store is.

#ifndef COMMON_EXPLAIN_H
#define COMMON_EXPLAIN_H

#include "common/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void kv_listener(void *arg, const char *sentence);

typedef struct kv_explainer {
    kv_listener *listener; // NULL when nobody listens
    void *arg;
} kv_explainer;

void kv_say(const kv_explainer *to, const char *fmt, ...) KV_PRINTF(2, 3);

// EXPLAIN(x, "bloom filter of table %u says no", id);
#define EXPLAIN(to, ...)                                                       \
    do {                                                                       \
        if (!KV_LIKELY((to)->listener == NULL)) kv_say((to), __VA_ARGS__);     \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
