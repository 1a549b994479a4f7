// rate.c -- see rate.h.
// SPDX-License-Identifier: MIT

#include "common/rate.h"

#include "common/clock.h"

uint64_t kv_rate_wait_ns(kv_rate *r)
{
    if (r->bytes == 0) return 0;
    uint64_t now = kv_now_ns(), paid_at = r->paid_at_ns;
    if (r->asked_ns > 0) { // whoever it was has waited until it was paid
        r->waited_ns += (now < paid_at ? now : paid_at) - r->asked_ns;
    }
    r->asked_ns = now < paid_at ? now : 0;
    return now < paid_at ? paid_at - now : 0;
}

void kv_rate_take(kv_rate *r, uint64_t bytes)
{
    if (r->bytes == 0) return;
    uint64_t now = kv_now_ns();
    if (r->paid_at_ns < now) r->paid_at_ns = now;
    r->paid_at_ns += (uint64_t)((double)bytes * 1e9 / (double)r->bytes);
}
