// fuzz.c -- one target as a libFuzzer program; FUZZ_TARGET is its name.
// SPDX-License-Identifier: MIT

#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const fuzz_target *target;
    if (target == NULL) target = fuzz_find(FUZZ_TARGET);
    if (target == NULL) abort();
    target->run(kv_slice_of(data, len));
    return 0;
}
