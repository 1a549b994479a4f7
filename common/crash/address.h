// address.h -- which of all the disks: the words that bring one back.
// SPDX-License-Identifier: MIT
//
//     posix:commit:20:40:512:17.3/2.0:segment_bytes=1KiB,background=0
//     |     |      |  |  |   |    |   knobs, to the end
//     |     |      |  |  |   |    and, within its recovery, event 2, disk 0
//     |     |      |  |  |   event 17 of the workload, disk 3 of that moment
//     |     |      |  |  bytes of a sector
//     |     |      |  operations
//     |     |      seed of the workload
//     model sync mode

#ifndef COMMON_CRASH_ADDRESS_H
#define COMMON_CRASH_ADDRESS_H

#include "common/crash/crash.h"

typedef struct kv_crash_address {
    uint64_t event, index;
    bool is_nested;
    uint64_t inner_event, inner_index;
} kv_crash_address;

void kv_crash_address_print(const kv_crash_options *options,
                            const kv_crash_address *at, kv_buf *to);
// KV_INVALID, with the part that makes no sense in the sentence. The options'
// knobs are a part of `text`.
KV_MUST_USE kv_status kv_crash_address_parse(const char *text,
                                             kv_crash_options *options,
                                             kv_crash_address *at);
bool kv_crash_address_equal(const kv_crash_address *a,
                            const kv_crash_address *b);

#endif
