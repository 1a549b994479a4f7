#!/bin/sh
# lies.sh -- every lie of liar.c is noticed, named, and fails the
# run; the honest one passes; what else was measured is kept.
# SPDX-License-Identifier: MIT
# Usage: lies.sh COMPARE LIAR MISCOUNTER
set -u
compare=$1 liar=$2 miscounter=$3
dir=$(mktemp -d "${TMPDIR:-/tmp}/stagecoach-lies-XXXXXX")
trap 'rm -rf "$dir"' EXIT
failures=0

say() { echo "$1"; failures=$((failures + 1)); }

# expect LIE WORKLOAD EXIT REASON
expect() {
    limit=60 # only what hangs is to be caught, not what a busy machine delays
    [ "$1" != hang ] || limit=2
    "$compare" run --engines "$liar:lie=$1" --workloads "$2" --records 300 \
        --operations 4 --reps 1 --time-limit $limit --no-page \
        --out "$dir/$1" >"$dir/out" 2>"$dir/err"
    code=$?
    [ $code -eq "$3" ] || say "lie=$1: exit code $code, not $3: $(cat "$dir/err")"
    if [ -n "$4" ]; then
        grep -q "	$2	.*	$4" "$dir/$1/void.tsv" ||
            say "lie=$1: void.tsv does not say \"$4\": $(cat "$dir/$1/void.tsv")"
        # A voided trial has no figures.
        awk -F'\t' 'NR == FNR { void[$3] = 1; next }
                    FNR > 1 && $4 in void { bad = 1 } END { exit bad }' \
            "$dir/$1/void.tsv" "$dir/$1/measures.tsv" ||
            say "lie=$1: a voided trial has figures"
    else
        [ "$(wc -l <"$dir/$1/void.tsv")" -eq 1 ] ||
            say "lie=$1: $(cat "$dir/$1/void.tsv")"
    fi
    [ -z "$(find "$dir/$1" -name 'store*')" ] || say "lie=$1: the store was left behind"
    [ -s "$dir/$1/results.json" ] || say "lie=$1: no results.json"
}

for workload in fill-seq fill-batch overwrite read-random read-missing get-many \
    delete-half workloada workloadd workloade workloadf; do
    expect none $workload 0 ''
done
expect value       workloada    3 'wrong: .*not the one last written'
expect middle      workloada    3 'wrong: .*not the one last written'
expect stale       workloada    3 'wrong: .*not the one last written'
expect missing     fill-random  0 ''      # 300 writes: before the lie begins
expect resurrected delete-half  3 'wrong: .*deleted or never written\|selfcheck: key_count'
expect phantom     read-missing 0 ''      # no writes: before the lie begins
expect disorder    workloade    0 ''      # too few writes
expect count       overwrite    3 'selfcheck: key_count'
expect crash       overwrite    3 'crashed: signal'
expect full        overwrite    3 'full: no room'
expect refuse      overwrite    3 'failed: .*the liar'

# Each self-check of scale.h has a lie that breaks it, and an honest engine that
# passes it; an engine in the same run that does not lie keeps its figures.
counted() { # counted LIE CHECK
    "$compare" run --engines "hash,$miscounter:lie=$1" --workloads workloada --records 300 \
        --operations 4 --reps 1 --no-page --no-progress --out "$dir/counted" \
        >"$dir/out" 2>"$dir/err"
    code=$? void=$dir/counted/void.tsv manifest=$dir/counted/manifest.tsv
    grep -q '^hash	workloada	run	1	ops_per_s' "$dir/counted/measures.tsv" ||
        say "lie=$1 took hash with it"
    if [ -z "$2" ]; then
        [ $code -eq 0 ] || say "an honest counter: $(cat "$void")"
        for check in write_bytes read_bytes mappings parts user_bytes key_count; do
            awk -F'\t' -v c="check.$check" '$1 == c && $2 ~ /^passed: in [1-9]/ { ok = 1 }
                END { exit !ok }' "$manifest" || say "$check was not tried: $(cat "$manifest")"
            grep -q "check.$check" "$dir/counted/results.json" || say "results.json has no $check"
        done
        return
    fi
    [ $code -eq 3 ] || say "lie=$1: exit code $code"
    grep -q "	workloada	0	selfcheck: $2" "$void" || say "lie=$1: $(cat "$void")"
    grep -q '^check.write_bytes	failed' "$manifest" || say "lie=$1: $(grep check "$manifest")"
}
counted none   ''
counted write  write_bytes
counted read   read_bytes
counted parts  parts
# Where there is no memory to keep a store in, the ledger has no equal, and the
# liar does not find its directory.
if ! grep -q '^check.disk_bytes	failed.*in 0 phases' "$dir/counted/manifest.tsv"; then
    counted ledger disk_bytes
    counted map    mappings
fi

# The same with the lie from the start, where a workload writes too little.
started() {
    "$compare" run --engines "$liar:lie=$1,after=100" --workloads "$2" \
        --records 300 --operations 4 --reps 1 --no-page --out "$dir/started" \
        >"$dir/out" 2>"$dir/err"
    code=$?
    [ $code -eq 3 ] || say "lie=$1 from the start: exit code $code: $(cat "$dir/err")"
    grep -q "wrong: .*$3" "$dir/started/void.tsv" ||
        say "lie=$1 from the start: $(cat "$dir/started/void.tsv")"
}
started phantom read-missing 'found, but it was deleted or never written'
started phantom delete-half 'at the end'
started disorder workloade 'not the next one\|as many entries'
started missing workloadd 'not found'
started missing get-many 'not found'
started middle get-many 'not the one last written'

# A full disk ends the run, and what was measured before stays.
"$compare" run --engines "$liar:lie=full" --workloads fill-seq,overwrite,workloadc \
    --records 300 --operations 4 --reps 1 --no-page --out "$dir/kept" \
    >"$dir/out" 2>"$dir/err"
grep -q "	fill-seq	run	1	ops_per_s" "$dir/kept/measures.tsv" ||
    say "what was measured before the disk was full is gone"
grep -q "	workloadc	" "$dir/kept/measures.tsv" && say "a full disk did not end the run"

# One engine hangs, or crashes: it is told, trial by trial, and another beside
# it has all its figures.
for ill in hang:hung crash:crashed; do
    "$compare" run --engines "$liar:lie=${ill%:*},hash" --workloads overwrite --records 300 \
        --operations 4 --reps 1 --time-limit 2 --no-page --out "$dir/ill" \
        >"$dir/out" 2>"$dir/err"
    [ $? -eq 3 ] || say "$ill: no failure"
    [ "$(grep -c "^liar.*	overwrite	[012]	${ill#*:}: " "$dir/ill/void.tsv")" -eq 3 ] ||
        say "$ill: $(cat "$dir/ill/void.tsv")"
    for row in 'run	0	wa_total' 'run	1	ops_per_s' 'run	2	latency_p50_ns'; do
        grep -q "^hash	overwrite	$row" "$dir/ill/measures.tsv" || say "$ill: hash has no $row"
    done
done

# A crash ends one trial only.
"$compare" run --engines "$liar:lie=crash" --workloads overwrite,workloadc \
    --records 300 --operations 4 --reps 1 --no-page --out "$dir/on" \
    >"$dir/out" 2>"$dir/err"
grep -q "	workloadc	run	1	ops_per_s" "$dir/on/measures.tsv" ||
    say "a crash took the rest with it"

# A duel does not give a ratio of wrong answers.
"$compare" duel "$liar" "$liar:lie=value,after=100" --workload workloada --records 300 \
    --reps 1 --out "$dir/duel" >"$dir/out" 2>"$dir/err"
[ $? -eq 3 ] || say "a duel with a liar did not fail"
grep -q "[0-9] times (" "$dir/out" && say "a duel with a liar has a ratio"

[ $failures -eq 0 ] && echo "every lie was noticed"
exit $((failures > 0))
