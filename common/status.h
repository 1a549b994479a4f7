// status.h -- what a fallible call returns, and the sentence that goes with it.
// SPDX-License-Identifier: MIT
//
// The place that discovers a failure writes the sentence, once: what happened,
// where (file, offset), and what to do about it.
//
//     return kv_fail(KV_CORRUPT, "%s: bad checksum at byte %llu", file, at);
//
// Everyone above it passes the code along untouched, so the message is always
// the most precise one. It is kept per thread until the next kv_fail().
//
// KV_NOT_FOUND and KV_END are answers, not failures: return them bare.

#ifndef COMMON_STATUS_H
#define COMMON_STATUS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KV_STATUS_LIST(X)                                                      \
    X(KV_OK, "ok")                                                             \
    X(KV_NOT_FOUND, "no such key")                                             \
    X(KV_END, "no more entries")                                               \
    X(KV_INVALID, "the request makes no sense")                                \
    X(KV_UNSUPPORTED, "this engine cannot do that")                            \
    X(KV_TOO_BIG, "key or value is over the format's limit")                   \
    X(KV_LOCKED, "the store is open elsewhere")                                \
    X(KV_STALE, "the store changed under the cursor")                          \
    X(KV_NO_SPACE, "the disk is full; nothing was changed")                    \
    X(KV_READ_ONLY, "an earlier write failed; reopen the store to write")      \
    X(KV_IO, "the operating system refused")                                   \
    X(KV_CORRUPT, "the bytes on disk are not the bytes that were written")

typedef enum kv_status {
#define X(code, text) code,
    KV_STATUS_LIST(X)
#undef X
} kv_status;

#if defined(__GNUC__)
#define KV_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define KV_MUST_USE          __attribute__((warn_unused_result))
#define KV_API               __attribute__((visibility("default")))
#define KV_LIKELY(x)         __builtin_expect(!!(x), 1)
#else
#define KV_PRINTF(fmt, args)
#define KV_MUST_USE
#define KV_API
#define KV_LIKELY(x) (x)
#endif

// The sentence of KV_STATUS_LIST; "unknown status" for anything else.
const char *kv_status_text(kv_status st);

// The name itself: "KV_CORRUPT".
const char *kv_status_name(kv_status st);

// Remembers the sentence for this thread and returns `st`.
kv_status kv_fail(kv_status st, const char *fmt, ...) KV_PRINTF(2, 3);

// The sentence of this thread's latest kv_fail; "" before the first. Valid
// until its next call.
KV_API const char *kv_last_error(void);

// Return early on failure. Legal only while the function owns nothing that
// needs releasing; from then on write: if ((st = f()) != KV_OK) goto out;
#define KV_TRY(call)                                                           \
    do {                                                                       \
        kv_status try_status_ = (call);                                        \
        if (!KV_LIKELY(try_status_ == KV_OK)) return try_status_;              \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
