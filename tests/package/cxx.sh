#!/bin/sh
# cxx.sh -- engine.h can be read by a C++17 compiler, and every function it
# declares keeps its C name there.
# SPDX-License-Identifier: MIT
#
#   sh cxx.sh SOURCE
set -eu
for compiler in g++ clang++; do
    command -v $compiler >/dev/null && break
done
if ! command -v "$compiler" >/dev/null; then
    echo "skipped: there is no C++ compiler"
    exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat >"$scratch/one.cpp" <<'END'
#include "common/engine.h"
const void *all[] = {
    (void *)kv_open, (void *)kv_batch_put, (void *)kv_buf_append,
    (void *)kv_disk_list, (void *)kv_say, (void *)kv_knobs_parse,
    (void *)kv_report_begin, (void *)kv_fail, (void *)kv_xray_title,
};
END
$compiler -std=c++17 -Wall -Wextra -Werror -I "$1" -c "$scratch/one.cpp" \
    -o "$scratch/one.o"
if nm -u "$scratch/one.o" | grep ' _Z'; then
    echo "these are declared outside extern \"C\""
    exit 1
fi
