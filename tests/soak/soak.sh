#!/bin/sh
# soak.sh -- the long test: as much of everything as the time allows, and a
# table of what was reached.
# SPDX-License-Identifier: MIT
#
#   SOAK_MINUTES=60 sh tests/soak/soak.sh     what `make soak` runs
#
# Every suite is run again and again, each time from another seed, for its share
# of the minutes (building comes on top); in less than an hour each run is
# shorter, too. The programs append what they measured to
# build/soak/figures.tsv, as goal, engine, what, figure; goals.awk holds that
# against goals.tsv, prints the table and writes it to build/soak/goals.tsv.
# Nothing else gets into it: what this run did not measure says so.
#
# Fails if a program failed. A goal that a short run cannot reach is no failure.
set -u
cd "$(dirname "$0")/../.." || exit 2
export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}"
here=tests/soak out=build/soak minutes=${SOAK_MINUTES:-60}
case $minutes in
'' | *[!0-9]* | 0)
    echo "soak.sh: SOAK_MINUTES is a number from 1, not '$minutes'" >&2
    exit 2
    ;;
esac
rm -rf "$out"
mkdir -p "$out"
KV_FIGURES=$PWD/$out/figures.tsv
export KV_FIGURES
: >"$KV_FIGURES"
stores=/dev/shm
[ -w "$stores" ] || stores=${TMPDIR:-$out}
TMPDIR=$(mktemp -d "$stores/soak-XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 1' HUP INT TERM
began=$(date +%s) failures=0 seed=$(date +%s) engines='' count=0

say() {
    seconds=$(($(date +%s) - began))
    printf '%3d:%02d  %s\n' $((seconds / 60)) $((seconds % 60)) "$*"
}

# A figure that the shell measured itself.
figure() {
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$KV_FIGURES"
}

# build PRESET [TARGET…]
build() {
    say "building $1"
    preset=$1
    shift
    cmake --preset "$preset" >"$out/$preset.log" 2>&1 &&
        cmake --build --preset "$preset" ${1:+--target "$@"} \
            >>"$out/$preset.log" 2>&1 && return
    tail -n 20 "$out/$preset.log"
    failures=$((failures + 1))
    return 1
}

# Of what one run does in an hour's soak, the part for these minutes: at least
# the twentieth part.
part() {
    of_60=$((minutes < 3 ? 3 : minutes > 60 ? 60 : minutes))
    echo $((($1 * of_60 + 59) / 60))
}

# share PERCENT COMMAND…: again and again for its share of the time, at least
# once. SEED in the command is a new number each time.
share() {
    seconds=$((minutes * 60 * $1 / 100)) rounds=0
    shift
    end=$(($(date +%s) + seconds))
    while [ "$rounds" -eq 0 ] || [ "$(date +%s)" -lt "$end" ]; do
        seed=$((seed + 100000)) rounds=$((rounds + 1))
        words=$(echo "$*" | sed "s/SEED/$seed/g")
        if ! sh -c "$words" >"$out/last.log" 2>&1; then
            say "FAILED: $words"
            grep -v '^\[' "$out/last.log" | tail -n 15
            failures=$((failures + 1))
            return
        fi
    done
    say "$rounds times: $*"
}

# With the address and undefined-behaviour sanitizers.
long_suites() {
    # A stage's program has the name of its directory.
    build asan stage[1-5]_* test_crash test_short test_damage test_fault \
        test_kill linear random_ops replay || return
    t=build/asan/tests
    engines=$(ctest --test-dir build/asan -N | sed -n 's/.*: damage\.//p')
    count=$(echo "$engines" | wc -w)
    [ "$count" -gt 0 ] || { say "no durable engine"; failures=1; return; }
    for e in $engines; do
        share $((24 / count)) $t/crash/test_crash "$e" "$(part 20000)" SEED
        share $((4 / count)) $t/crash/test_short "$e" "$(part 3330)"
        share $((14 / count)) $t/fault/test_damage "$e" "$(part 60)" SEED
        share $((10 / count)) $t/fault/test_fault "$e" SEED
        share $((6 / count)) $t/crash/test_kill "$e" "$(part 200)" SEED
        share $((6 / count)) $t/engine/linear --engine "$e" --seed SEED
        share $((12 / count)) $t/engine/random_ops --engine "$e" \
            --scale "$(part 4)" --seed SEED
    done
    share 0 tests/golden/golden.sh build/asan/bin tests/golden
    share 4 $t/engine/random_ops --engine hash --scale "$(part 4)" \
        --seed SEED
    share 4 $t/fuzz/replay --scale "$(part 10)" --seed SEED
}

thread_suites() {
    build tsan threads || return
    for e in hash $engines; do
        share $((10 / (count + 1))) build/tsan/tests/engine/threads \
            --engine "$e" --settings "$(part 60)" --seed SEED
    done
}

build_fuzzers() {
    cmake -S . -B build/fuzz -DCMAKE_C_COMPILER=clang -DKV_FUZZ=ON \
        -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=-O1 -DKV_INSTALL=OFF \
        -DKV_BUILD_COMPARE=OFF '-DKV_SANITIZE=address;undefined' &&
        cmake --build build/fuzz --target fuzzers replay
}

# libFuzzer's own statistics say how often a target ran.
fuzzers() {
    command -v clang >"$out/last.log" || { say "no clang: no fuzzers"; return; }
    say "building fuzzers"
    if ! build_fuzzers >"$out/fuzz.log" 2>&1; then
        tail -n 20 "$out/fuzz.log"
        failures=$((failures + 1))
        return
    fi
    programs=$(find build/fuzz/tests/fuzz -name 'fuzz_*' -type f | sort)
    each=$((minutes * 60 * 10 / 100 / $(echo "$programs" | wc -w) + 1))
    for program in $programs; do
        target=${program##*/fuzz_} corpus=$TMPDIR/corpus
        rm -rf "$corpus"
        mkdir -p "$corpus"
        build/fuzz/tests/fuzz/replay --write-seeds "$target" "$corpus"
        if ! "$program" -max_total_time=$each -print_final_stats=1 \
            -rss_limit_mb=1024 -artifact_prefix="$out/" "$corpus" \
            >"$out/last.log" 2>&1; then
            say "FAILED: $program; its input is in $out"
            tail -n 15 "$out/last.log"
            failures=$((failures + 1))
        fi
        figure R10 "$target" 'fuzz executions' "$(sed -n \
            's/^stat::number_of_executed_units: *//p' "$out/last.log")"
    done
    say "$(echo "$programs" | wc -w) fuzzers, $each seconds each"
}

# Lines that ran in the suites of `make test`, which counts them with gcov.
coverage() {
    if ! command -v gcovr >"$out/last.log" || [ "$minutes" -lt 30 ]; then
        say "coverage: wants gcovr and 30 minutes"
        return
    fi
    build coverage || return
    find build/coverage -name '*.gcda' -delete
    ctest --preset coverage -LE '^(meta|package|mutants|slow)$' \
        >"$out/coverage.log" 2>&1 || failures=$((failures + 1))
    gcovr -r . build/coverage -f common -f 'stage.*' --print-summary \
        -o "$out/coverage.txt" >"$out/last.log" 2>&1
    for what in lines branches; do
        figure R16 all "percent of $what" \
            "$(sed -n "s/^$what: \([0-9]*\).*/\1/p" "$out/last.log")"
    done
    say "coverage: in $out/coverage.txt"
}

planted_bugs() {
    [ "$minutes" -ge 10 ] || { say "planted bugs: want 10 minutes"; return; }
    say "planted bugs"
    if ! sh tests/mutants/run >"$out/mutants.log" 2>&1; then
        say "FAILED: sh tests/mutants/run"
        tail -n 5 "$out/mutants.log"
        failures=$((failures + 1))
    fi
}

# Small mistakes in what reads and writes bytes: as many as there are minutes.
mutations() {
    [ "$minutes" -ge 30 ] || { say "mutations: want 30 minutes"; return; }
    say "mutations"
    if ! sh tests/soak/mutate.sh "$minutes" >"$out/mutations.log" 2>&1; then
        say "FAILED: sh tests/soak/mutate.sh"
        tail -n 5 "$out/mutations.log"
        failures=$((failures + 1))
    fi
}

# Lines that are neither empty nor a comment: so count those from whom the goals
# are.
lines() {
    xargs cat <"$1" | grep -cvE '^[[:space:]]*(//.*|#|#[! ].*)?$'
}

sizes() {
    find common stage* -name '*.[ch]' >"$out/code.txt"
    find tests \( -name '*.[ch]' -o -name '*.sh' -o -name '*.awk' -o \
        -name '*.kvs' -o -name '*.patch' \) >"$out/tests.txt"
    code=$(lines "$out/code.txt") tests=$(lines "$out/tests.txt")
    asserts=$(xargs cat <"$out/code.txt" |
        grep -cE '^[^/"]*\b(assert|static_assert|_Static_assert)\(')
    figure R18 all 'lines for each assertion' $((code / asserts))
    figure R19 all 'lines of tests for 100 of code' $((tests * 100 / code))
}

long_suites
thread_suites
fuzzers
coverage
planted_bugs
mutations
sizes
say "done"
echo
awk -f $here/goals.awk -v out=$out/goals.tsv $here/goals.tsv "$KV_FIGURES"
echo
say "$failures failures; figures in $out/figures.tsv, the table in $out/goals.tsv"
[ "$failures" -eq 0 ]
