// rate.h -- so many bytes a second and no more: a debt that only time pays.
// SPDX-License-Identifier: MIT
//
//   take 3        take 2                take 1
//   ├─── 3 s ────┤├── 2 s ──┤           ├ 1 s ┤      at a byte a second
//   ────────────────────────────────────────────────▶ time
//   wait          wait       free to go  wait
//
// Whoever is about to take some asks first how long to wait, takes what it
// needs once nothing is owed, however much that is, and says afterwards how
// much it was. So nobody has to know that beforehand, and over any time the sum
// is at most what the rate allows, plus what each of those who began at once
// took last. Time in which nothing is owed is not saved up.
//
// One rate serves any number of takers; a lock of theirs guards it.

#ifndef COMMON_RATE_H
#define COMMON_RATE_H

#include <stdint.h>

typedef struct kv_rate {
    uint64_t bytes;      // a second; 0: any, and nobody waits
    uint64_t paid_at_ns; // the moment at which nothing will be owed
    uint64_t asked_ns;   // when somebody was last told to wait; 0: nobody since
    uint64_t waited_ns;  // in which somebody would have gone on, so far
} kv_rate;

// How long to wait from now on; 0: go on. For those only who would go on, since
// it is remembered as their time of waiting.
uint64_t kv_rate_wait_ns(kv_rate *r);
// So many bytes were taken just now.
void kv_rate_take(kv_rate *r, uint64_t bytes);

#endif
