#!/bin/sh
# workloads.sh -- every workload of the list runs, with every answer checked,
# and its figures say what its name does.
# SPDX-License-Identifier: MIT
# Usage: workloads.sh COMPARE LIAR
set -u
compare=$1 liar=$2
dir=$(mktemp -d "${TMPDIR:-/tmp}/stagecoach-workloads-XXXXXX")
trap 'rm -rf "$dir"' EXIT
failures=0

say() { echo "$1"; failures=$((failures + 1)); }

run() { # run NAME OPTIONS..
    out=$dir/$1
    shift
    "$compare" run --no-progress --no-page --reps 1 --out "$out" "$@" >"$dir/out" 2>"$dir/err"
}

names=$("$compare" list | awk '/^workloads/ { on = 1; next } /^$/ { on = 0 }
    on && $1 !~ /^data-|^a$/ { print $1 }')
[ "$(echo "$names" | wc -l)" -gt 40 ] || say "the list has only: $names"
# The liar is ordered, and honest if nothing is said: it runs all but the one
# with two threads, which protocol.sh tries.
names=$(echo "$names" | grep -v '^read-while-writing$')
run all --records 200 --engines "$liar" --workloads "$(echo "$names" | paste -sd,)" ||
    say "all: $(cat "$dir/err" "$dir/all/void.tsv")"
for name in $names; do
    awk -F'\t' -v w="$name" '$1 == "liar" && $2 == w && $3 == "run" &&
        $5 == "ops_per_s" && $6 > 0 { n++ } END { exit n != 1 }' \
        "$dir/all/measures.tsv" || say "no figures of $name"
done

if "$compare" list | grep -q '^  lsm '; then
    run lsm --records 200 --engines lsm \
        --workloads mixgraph-lite,twitter-14,counters,sync-8,read-reverse,scan-10000 ||
        say "lsm: $(cat "$dir/err" "$dir/lsm/void.tsv")"
fi

# ---- groups of names, and db_bench's ----
run group --records 200 --engines hash --workloads 'twitter-*,fillseq,readmissing' ||
    say "a group: $(cat "$dir/err")"
grep -q '^workloads	twitter-12 twitter-14 twitter-15 twitter-22 twitter-52 fill-seq read-missing$' \
    "$dir/group/manifest.tsv" || say "a group: $(grep ^workloads "$dir/group/manifest.tsv")"
run none --workloads 'nothing-*' && say "a group of nothing runs"
grep -q 'begins with "nothing-"' "$dir/err" || say "a group of nothing: $(cat "$dir/err")"
run typo --workloads readrandm && say "a typo runs"
grep -q 'did you mean "read-random"' "$dir/err" || say "a typo: $(cat "$dir/err")"

# ---- what is not a default is not run unless it is named ----
run default --records 100 --engines hash || say "the default: $(cat "$dir/err")"
grep -q 'twitter' "$dir/default/measures.tsv" && say "twitter-12 ran without being named"

# ---- lies are noticed in them, too ----
for pair in value:mixgraph-lite stale:counters disorder:read-seq resurrected:delete-heavy; do
    run lie --records 300 --engines "$liar:lie=${pair%%:*},after=250" \
        --workloads "${pair#*:}" && say "$pair was not noticed"
    grep -q 'wrong: \|selfcheck: ' "$dir/lie/void.tsv" || say "$pair: $(cat "$dir/lie/void.tsv")"
done

[ $failures -eq 0 ] && echo "every workload runs"
exit $((failures > 0))
