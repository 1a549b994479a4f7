#!/bin/sh
# all.sh -- every suite, in every build that could tell us something new.
# SPDX-License-Identifier: MIT
#
# This is what `make test` runs; `make soak` runs tests/soak/soak.sh.
#
#   asan    everything, with the address and undefined-behaviour sanitizers
#   tsan    what runs threads, with the thread sanitizer
#   clang   everything quick, built by the other compiler; all crash states
#
# Each build lives in build/NAME; a failing test's output is printed, and all
# of it is in build/NAME/test.log.
set -u
cd "$(dirname "$0")/.." || exit 2
export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}"
started=$(date +%s)
passed=0 failed=0 broken=

elapsed() {
    seconds=$(($(date +%s) - started))
    printf '%d:%02d' $((seconds / 60)) $((seconds % 60))
}

# Runs a command that has nothing to say unless it fails or someone watches.
quietly() {
    log=build/$1.log
    shift
    if [ -t 1 ]; then "$@" && return; else "$@" >"$log" 2>&1 && return; fi
    [ -t 1 ] || tail -n 40 "$log"
    return 1
}

# run NAME [CTEST ARGUMENTS]: configure, build, test.
run() {
    name=$1
    shift
    mkdir -p build
    echo "== $name: building ($(elapsed))"
    if ! quietly "$name" cmake --preset "$name" ||
       ! quietly "$name" cmake --build --preset "$name"; then
        broken="$broken $name"
        return
    fi
    echo "== $name: testing ($(elapsed))"
    log=build/$name/test.log
    ctest --preset "$name" -O "$log" "$@" || broken="$broken $name"
    # 97% tests passed, 3 tests failed out of 100
    counts=$(sed -n 's/.*passed, \(.*\) tests* failed out of \(.*\)$/\1 \2/p' \
        "$log")
    bad=${counts% *} all=${counts#* }
    failed=$((failed + ${bad:-0}))
    passed=$((passed + ${all:-0} - ${bad:-0}))
}

run asan
run tsan -L '^threads$'
run clang -LE '^(threads|fault|fuzz|mutants|slow|meta)$'

echo
[ -z "$broken" ] || echo "not well:$broken"
echo "$(elapsed) minutes; $passed passed, $failed failed"
[ -z "$broken" ] && [ "$passed" -gt 0 ]
