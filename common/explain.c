// explain.c -- see explain.h.
// SPDX-License-Identifier: MIT

#include "common/explain.h"

#include <stdarg.h>
#include <stdio.h>

void kv_say(const kv_explainer *to, const char *fmt, ...)
{
    char sentence[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    to->listener(to->arg, sentence);
}
