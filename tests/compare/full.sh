#!/bin/sh
# full.sh -- a disk that is full: under the store, under the results' own
# files; the run ends, says so, and what was measured is kept.
# SPDX-License-Identifier: MIT
# Usage: full.sh COMPARE LIAR
set -u
compare=$1 liar=$2
dir=$(mktemp -d "${TMPDIR:-/tmp}/stagecoach-full-XXXXXX")
trap 'rm -rf "$dir"' EXIT
failures=0

say() { echo "$1"; failures=$((failures + 1)); }

# ---- a table that cannot even begin: /dev/full takes no byte ----
for table in manifest measures void; do
    rm -rf "$dir/own"
    mkdir "$dir/own"
    ln -s /dev/full "$dir/own/$table.tsv"
    "$compare" run --engines "$liar" --workloads overwrite --records 300 \
        --reps 1 --no-page --no-progress --out "$dir/own" >"$dir/out" 2>"$dir/err"
    [ $? -eq 3 ] || say "$table: a table that was not written is no failure"
    grep -q "$table.tsv could not be written whole: No space left" "$dir/err" ||
        say "$table: $(cat "$dir/err")"
    [ "$(wc -l <"$dir/err")" -eq 1 ] || say "$table: something was tried: $(cat "$dir/err")"
done

# ---- a table that cannot grow: many repetitions, files of eight blocks ----
# The signal is ignored, so that the call fails with an error of its own.
(trap '' XFSZ; ulimit -f 8
 exec "$compare" run --engines "$liar" --workloads overwrite,workloadc --records 300 \
    --reps 40 --no-page --no-progress --out "$dir/block") >"$dir/out" 2>"$dir/err"
[ $? -eq 3 ] || say "a table at its limit is no failure"
grep -q 'measures.tsv could not be written whole: File too large' "$dir/err" ||
    say "a table at its limit: $(cat "$dir/err")"
[ "$(grep -c 'written whole' "$dir/err")" -eq 1 ] || say "a table at its limit: said twice"
grep -q '	overwrite	run	0	wa_total' "$dir/block/measures.tsv" ||
    say "a table at its limit: what was measured is gone"
grep -q workloadc "$dir/err" && say "a table at its limit: it went on"
[ ! -e "$dir/block/store" ] || say "a table at its limit: the store was left behind"

# ---- a file that must not grow: one store fails, the others go on ----
# 64 blocks, of 512 bytes or of 1024, are less than the log's; the tables fit.
stage=$("$compare" list | awk '$1 == "log" { print $1 }')
if [ -n "$stage" ]; then
    (trap '' XFSZ; ulimit -f 64
     exec "$compare" run --engines "$stage,$liar" --workloads fill-random --records 2000 \
        --reps 1 --no-page --no-progress --out "$dir/file") >"$dir/out" 2>"$dir/err"
    [ $? -eq 3 ] || say "a file at its limit: $(cat "$dir/err")"
    grep -q '^log	fill-random	0	f[a-z]*: .' "$dir/file/void.tsv" ||
        say "a file at its limit is not told: $(cat "$dir/file/void.tsv")"
    grep -q '^log	fill-random	run' "$dir/file/measures.tsv" &&
        say "a file at its limit: a voided trial has figures"
fi

# ---- a whole file system, where this user may have one ----
mkdir "$dir/disk"
own_disk() { unshare -m sh -c 'mount -t tmpfs -o size=2m none "$0" && "$@"' "$dir/disk" "$@"; }
if [ -n "$stage" ] && own_disk true 2>/dev/null; then
    # The first workload fits, a tenth of the second one does.
    # shellcheck disable=SC2016 # the inner shell's
    own_disk sh -c '"$1" run --engines "$2" --workloads fill-sync,fill-random,workloadc \
        --records 100000 --reps 1 --no-page --no-progress --out "$0/out" >"$3.out" 2>"$3.err"
        echo $? >"$3.code"; cp -r "$0/out" "$3"' "$dir/disk" "$compare" "$stage" "$dir/kept"
    [ "$(cat "$dir/kept.code")" -eq 3 ] || say "a full disk is no failure"
    # What is counted has its stores in memory, where there is room.
    grep -q '	fill-random	[01]	full: ' "$dir/kept/void.tsv" ||
        say "a full disk is not told: $(cat "$dir/kept/void.tsv")"
    grep -q '	fill-sync	run	1	ops_per_s' "$dir/kept/measures.tsv" ||
        say "what was measured before the disk was full is gone"
    grep -q '	workloadc	' "$dir/kept/measures.tsv" && say "a full disk did not end the run"
    [ -s "$dir/kept/results.json" ] || say "no room was left for results.json"
    [ ! -e "$dir/kept/store" ] || say "the store was left behind on the full disk"
else
    echo "no file system of its own here: that part is left out"
fi

[ $failures -eq 0 ] && echo "a full disk ends a run cleanly"
exit $((failures > 0))
