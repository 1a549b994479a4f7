// engines.h -- finding an engine by what the user wrote.
// SPDX-License-Identifier: MIT
//
//     log                          a stage
//     log:read=map,background=0    with knobs turned
//     tkrzw                        a yardstick: a module beside this program
//     ./mine.so                    anybody's module (yardsticks/yardstick.h)
//     cmd:./mine                   any program that speaks lines (command.c)
//
// A module stays loaded until the program ends.

#ifndef COMPARE_ENGINES_H
#define COMPARE_ENGINES_H

#include "common/engine.h"

#include "compare/yardsticks/yardstick.h"

typedef struct cmp_engine {
    char label[96]; // as the user wrote it, but for a module's path
    char knobs[256];
    const kv_engine *engine; // NULL: an absent yardstick; `absent` says why
    const cmp_yardstick *yardstick; // NULL for engines that do not say
    // A module's own last sentence, for it has its own copy of common/status.c;
    // NULL for a stage, and for a module that never fails with a sentence.
    const char *(*last_error)(void);
    bool is_module;
    char absent[192];
    char command[256]; // of cmd:, or ""
} cmp_engine;

// KV_INVALID with the nearest name or knob. A yardstick that was not built is
// KV_OK with engine NULL: the comparison goes on without it.
KV_MUST_USE kv_status cmp_engine_find(cmp_engine *e, const char *spec);
// To be called before each kv_open: tells a module that starts programs which
// one.
void cmp_engine_prepare(const cmp_engine *e);
// Adds settings to its knobs; KV_INVALID as kv_knobs_parse says it.
KV_MUST_USE kv_status cmp_engine_set(cmp_engine *e, const char *knobs);

// The value of a knob as it is set, or `otherwise` if it has no such knob.
uint64_t cmp_engine_knob(const cmp_engine *e, const char *knob,
                         uint64_t otherwise);
cmp_bytes cmp_engine_bytes(const cmp_engine *e);
const char *cmp_bytes_word(cmp_bytes bytes);

// Every name that can be asked for: stages, then yardsticks. NULL at the end.
const char *cmp_engine_name(size_t index);
// How a stage or yardstick calls itself: "Tkrzw HashDBM (Tkrzw 1.0.25)".
void cmp_engine_title(const cmp_engine *e, kv_buf *to);
// "durable ordered reclaims", in words, parted by blanks.
void cmp_engine_caps(const cmp_engine *e, kv_buf *to);

#endif
