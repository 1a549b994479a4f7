// conformance.c -- every law on every engine, with every setting of its knobs.
// SPDX-License-Identifier: MIT
//
//     conformance                          all of it
//     conformance --engine log             one stage
//     conformance --engine ./mine.so       a learner's own
//     conformance --engine log --setting segment_bytes=4KiB --only 'scan*'

#include "common/mem.h"

#include "tests/engine/laws.h"

int main(int argc, char **argv)
{
    arguments args = subject_arguments(argc, argv);
    const law_list *const lists[] = {&key_laws,   &scan_laws,   &batch_laws,
                                     &store_laws, &settle_laws, &look_laws};
    enum { LISTS = sizeof lists / sizeof lists[0] };
    size_t count = 0;
    for (int i = 0; i < LISTS; i++) count += lists[i]->count;
    law *all = kv_alloc(count * sizeof *all);
    law *end = all;
    for (int i = 0; i < LISTS; i++) {
        memcpy(end, lists[i]->laws, lists[i]->count * sizeof *end);
        end += lists[i]->count;
    }
    int failed = subject_run_laws(&args, all, count);
    kv_free(all);
    return failed > 0;
}
