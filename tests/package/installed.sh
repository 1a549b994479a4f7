#!/bin/sh
# installed.sh -- installs into a scratch prefix, moves it, and builds and runs
# two programs against it: one by find_package, one by pkg-config.
# SPDX-License-Identifier: MIT
#
#   sh installed.sh SOURCE BUILD COMPILER FLAGS
set -eu
source=$1 build=$2 compiler=$3 flags=${4:-}
here=$source/tests/package/consumer
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

say() { echo "installed.sh: $*"; }

cmake --install "$build" --prefix "$scratch/first" >"$scratch/log"
# What works only where it was installed is not relocatable.
mv "$scratch/first" "$scratch/prefix"
prefix=$scratch/prefix

say "find_package"
cmake -S "$here" -B "$scratch/cmake" -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_C_COMPILER="$compiler" -DCMAKE_C_FLAGS="$flags" >"$scratch/log"
cmake --build "$scratch/cmake" >"$scratch/log" ||
    { cat "$scratch/log"; exit 1; }
"$scratch/cmake/consumer" "$scratch/store1"

say "pkg-config"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name stagecoach.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046,SC2086 # flags are words
"$compiler" -std=c17 $flags $(pkg-config --cflags stagecoach) \
    "$here/consumer.c" -o "$scratch/consumer" $(pkg-config --libs stagecoach)
"$scratch/consumer" "$scratch/store2"

say "each header is enough by itself"
for header in "$prefix"/include/stagecoach/*.h \
              "$prefix"/include/stagecoach/common/*.h; do
    name=${header#"$prefix"/include/stagecoach/}
    echo "#include \"$name\"" >"$scratch/one.c"
    # shellcheck disable=SC2046
    "$compiler" -std=c17 -Wall -Wextra -Werror -fsyntax-only \
        $(pkg-config --cflags stagecoach) "$scratch/one.c"
done

say "the programs are there"
for program in "$prefix"/bin/stage*; do
    "$program" help >"$scratch/log" || { cat "$scratch/log"; exit 1; }
done

say "bash completes their words"
words=$prefix/share/bash-completion/completions
for program in "$prefix"/bin/stage*; do
    name=${program##*/}
    bash -c '. "$1" && complete -p "$2"' - "$words/$name" "$name" \
        >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
done

say "no file remembers where it was built"
if grep -rlF -e "$source" -e "$scratch/first" "$prefix/lib" \
        --include='*.cmake' --include='*.pc'; then
    exit 1
fi
