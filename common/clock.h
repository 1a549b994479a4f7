// clock.h -- time, for those who may know it: never a stage.
// SPDX-License-Identifier: MIT

#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

// Nanoseconds since some fixed moment; never goes back.
uint64_t kv_now_ns(void);
void kv_sleep_ns(uint64_t ns);
// Sixty-four bits nobody can guess, from the operating system.
uint64_t kv_entropy(void);

#endif
