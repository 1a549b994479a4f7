// clock.c -- see clock.h.
// SPDX-License-Identifier: MIT

#define _DEFAULT_SOURCE // getentropy
#define _POSIX_C_SOURCE 200809L

#include "common/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const uint64_t ns_per_second = 1000000000u;

uint64_t kv_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * ns_per_second + (uint64_t)now.tv_nsec;
}

void kv_sleep_ns(uint64_t ns)
{
    struct timespec left = {(time_t)(ns / ns_per_second),
                            (long)(ns % ns_per_second)};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

uint64_t kv_entropy(void)
{
    uint64_t bits;
    if (getentropy(&bits, sizeof bits) != 0) {
        perror("stagecoach: the system has no randomness");
        abort();
    }
    return bits;
}
