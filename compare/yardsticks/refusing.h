// refusing.h -- the calls of an engine that no yardstick needs, each of them
// refused.
// SPDX-License-Identifier: MIT
//
// A yardstick is measured, not explored: it has no scans unless its library
// keeps an order, nothing to inspect, and checks are its own tools' business.

#ifndef COMPARE_YARDSTICKS_REFUSING_H
#define COMPARE_YARDSTICKS_REFUSING_H

#include "common/engine_impl.h"

static inline kv_status refuse_scan(kv *db, kv_cursor *cursor)
{
    (void)cursor;
    return kv_fail(KV_UNSUPPORTED, "the yardstick \"%s\" is not scanned",
                   db->engine->info.name);
}

static inline kv_status refuse_next(kv_cursor *cursor, kv_slice *key,
                                    kv_slice *value)
{
    (void)cursor, (void)key, (void)value;
    return KV_END;
}

static inline void refuse_end(kv_cursor *cursor) { (void)cursor; }

static inline kv_status refuse_inspect(kv *db, const char *what,
                                       kv_report *report)
{
    (void)what, (void)report;
    return kv_fail(KV_UNSUPPORTED, "the yardstick \"%s\" shows nothing",
                   db->engine->info.name);
}

static inline kv_status refuse_check(kv *db, kv_report *report)
{
    (void)report;
    return kv_fail(KV_UNSUPPORTED, "the yardstick \"%s\" is not checked here",
                   db->engine->info.name);
}

#define REFUSING                                                               \
    .scan = refuse_scan, .next = refuse_next, .end = refuse_end,               \
    .inspect = refuse_inspect, .check = refuse_check

#endif
