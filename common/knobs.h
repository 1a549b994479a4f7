// knobs.h -- the numbers a user may turn, as one table per engine.
// SPDX-License-Identifier: MIT
//
// A knob is a number in a range; some have words for their numbers ("copy map"
// are 0 and 1). The command line, the report and the sweeps of the comparison
// are all generated from the table, so that a knob is described once.
//
//     static const kv_knob knobs[] = {
//         [KNOB_READ] = {.name = "read", .words = "copy map",
//                        .help = "copy bytes with a read, or map the file"},
//         [KNOB_SEGMENT] = {"segment_bytes", 64 << 20, 4096, 1 << 30, NULL,
//                           "size at which a segment is closed"},
//     };

#ifndef COMMON_KNOBS_H
#define COMMON_KNOBS_H

#include "common/bytes.h"
#include "common/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kv_knob {
    const char *name;
    uint64_t value, min, max; // value is the default
    const char *words; // names for 0, 1, 2 …, or NULL for plain numbers
    const char *help;
} kv_knob;

enum { KV_KNOBS_MAX = 24 };

// Sets values[i] for every knob: the default, or what `text` says. `text` is
// "name=value,name=value" or NULL; numbers may end in KiB, MiB or GiB. Fails
// with KV_INVALID and the nearest name, or the range, in the sentence.
KV_MUST_USE kv_status kv_knobs_parse(const kv_knob *knobs, size_t count,
                                     const char *text, uint64_t *values);

// Which of them `text` states: bit i is knob i. What is unknown is passed over.
uint32_t kv_knobs_given(const kv_knob *knobs, size_t count, const char *text);

// Writes one setting as a user would: "segment_bytes=64MiB", "read=map".
void kv_knob_print(const kv_knob *knob, uint64_t value, kv_buf *to);

// "64MiB" and the like; KV_INVALID otherwise.
KV_MUST_USE kv_status kv_parse_bytes(const char *text, uint64_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
