#!/bin/sh
# mutate.sh -- makes small mistakes in what reads and writes the bytes on disk,
# and counts those that the suites find.
# SPDX-License-Identifier: MIT
#
#     sh tests/soak/mutate.sh [COUNT [SEED]]     40 of them, from the clock
#
# mutate.awk lists every mistake it could make in the files below; COUNT of them
# are drawn by lot, and each becomes a patch that tests/mutants/run plants and
# gives to the suites, first the generic ones and then the stage's own. A
# mistake that no suite finds is printed with its place. It is a hole in the
# suites, or it changes nothing that can be seen.
#
# Fails if nothing could be tested, not for a survivor.
set -u
cd "$(dirname "$0")/../.." || exit 2
here=tests/soak count=${1:-40} seed=${2:-$(date +%s)}
case $count$seed in
*[!0-9]*)
    echo "mutate.sh: COUNT and SEED are numbers, not '$count' and '$seed'" >&2
    exit 2
    ;;
esac
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$scratch/patches"

# What reads and writes bytes, and what recovers them.
files=$(find common stage[2-5]_* -name 'recordlog*.c' -o -name 'format*.c' \
    -o -name 'recover*.c' -o -name manifest.c -o -name catalog.c | sort)

engine_of() {
    case $1 in
    stage3*) echo sst ;;
    stage4*) echo lsm ;;
    stage5*) echo bt ;;
    *) echo log ;; # which is little more than a record log
    esac
}

# make_patch FILE LINE WHAT TEXT
make_patch() {
    name=$(printf '%s-%04d' "$(basename "$1" .c)" "$2")
    name=$(engine_of "$1")-$name-$number
    awk -v line="$2" -v text="$4" 'FNR == line { $0 = text } { print }' "$1" \
        >"$scratch/mutated.c"
    {
        echo "$1:$2: $3"
        echo "engine: $(engine_of "$1")"
        echo "killer: random"
        diff -U2 --label "a/$1" --label "b/$1" "$1" "$scratch/mutated.c"
    } >"$scratch/patches/$name.patch"
}

# shellcheck disable=SC2086 # a list of words
awk -f $here/mutate.awk $files >"$scratch/all"
awk -v seed="$seed" 'BEGIN { srand(seed) } { print rand() "\t" $0 }' \
    "$scratch/all" | sort -n | cut -f2- | head -n "$count" >"$scratch/drawn"
echo "seed $seed: $(wc -l <"$scratch/drawn") of $(wc -l <"$scratch/all")" \
    "mistakes in $(echo "$files" | wc -w) files"
number=0
tab=$(printf '\t')
while IFS=$tab read -r file line what text; do
    number=$((number + 1))
    make_patch "$file" "$line" "$what" "$text"
done <"$scratch/drawn"

KV_FIGURES='' sh tests/mutants/run --mutations "$scratch"/patches/*.patch |
    tee "$scratch/log"
# What does not build is no mistake that somebody could make.
unfit=$(grep -c 'DOES NOT BUILD' "$scratch/log")
lived=0
for name in $(sed -n 's/: SURVIVES$//p' "$scratch/log"); do
    head -n 1 "$scratch/patches/$name.patch"
    lived=$((lived + 1))
done
tried=$((number - unfit))
grep -q '^[0-9]* bugs, ' "$scratch/log" && [ "$tried" -gt 0 ] || exit 1
echo "$((tried - lived)) of $tried mistakes found:" \
    "$(((tried - lived) * 100 / tried)) percent"
[ -z "${KV_FIGURES:-}" ] || printf 'R17\tall\tpercent of mutations killed\t%s\n' \
    $(((tried - lived) * 100 / tried)) >>"$KV_FIGURES"
