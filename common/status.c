// status.c -- see status.h.
// SPDX-License-Identifier: MIT

#include "common/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_MAX = 512 };

static _Thread_local char last_error[SENTENCE_MAX];

static const char *const texts[] = {
#define X(code, text) text,
    KV_STATUS_LIST(X)
#undef X
};

static const char *const names[] = {
#define X(code, text) #code,
    KV_STATUS_LIST(X)
#undef X
};

static const size_t status_count = sizeof texts / sizeof texts[0];

const char *kv_status_text(kv_status st)
{
    return (size_t)st < status_count ? texts[st] : "unknown status";
}

const char *kv_status_name(kv_status st)
{
    return (size_t)st < status_count ? names[st] : "unknown status";
}

kv_status kv_fail(kv_status st, const char *fmt, ...)
{
    // Formatted aside first: an argument may be the last error itself.
    char sentence[SENTENCE_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    memcpy(last_error, sentence, sizeof sentence);
    return st;
}

const char *kv_last_error(void) { return last_error; }
