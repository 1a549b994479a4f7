#!/bin/sh
# replay.sh -- traces: plain and packed, from a file and from a pipe, on every
# stage; damaged ones are refused with their line.
# SPDX-License-Identifier: MIT
# Usage: replay.sh COMPARE LIAR DATA_RECIPES
set -u
compare=$1 liar=$2 recipes=$3
dir=$(mktemp -d "${TMPDIR:-/tmp}/stagecoach-replay-XXXXXX")
trap 'rm -rf "$dir"' EXIT
failures=0

say() { echo "$1"; failures=$((failures + 1)); }

replay() { # replay FILE OPTIONS..
    "$compare" replay "$@" --reps 1 --no-page --no-progress --out "$dir/run" \
        >"$dir/out" 2>"$dir/err"
}

# Keys that were there before, keys that come and go, an absent one, scans, a
# key with a tab in it, values of 0 and of 5,000 bytes.
awk 'BEGIN {
    print "# a trace of nobody\n"
    for (i = 0; i < 3000; i++) {
        k = sprintf("k%03d", (i * 7919) % 400)
        if (i % 5 == 0) printf "put\t%s\t%d\n", k, (i * 37) % 600
        else if (i % 11 == 0) printf "del\t%s\t0\n", k
        else printf "get\t%s\t%d\n", k, i % 3 ? 100 + i % 50 : 0
    }
    print "put\ta\\tb\t5000\nget\ta\\tb\t5000\nget\tnever\t0"
}' >"$dir/points.tsv"
{ cat "$dir/points.tsv"; printf 'scan\tk100\t0\t20\nscan\ta\t0\t0\nscan\tz\t0\t5\r\n'
} >"$dir/scans.tsv"

for engine in $("$compare" list | awk '/^yardsticks|^workloads/ { exit }
    $1 ~ /^(hash|log|sst|lsm|bt)$/ { print $1 }'); do
    trace=scans
    case $engine in hash | log) trace=points ;; esac
    replay "$dir/$trace.tsv" --engines "$engine" ||
        say "$engine: $(cat "$dir/err" "$dir/run/void.tsv")"
    for phase in load run; do
        awk -F'\t' -v p=$phase '$2 ~ /s$/ && $3 == p && $5 == "ops_per_s" && $6 > 0 {
            n++ } END { exit n != 1 }' "$dir/run/measures.tsv" ||
            say "$engine: no figures of phase $phase"
    done
    grep -q "^workload.$trace	replay of a trace: 300[36] operations" \
        "$dir/run/manifest.tsv" || say "$engine: $(grep workload "$dir/run/manifest.tsv")"
done
replay "$dir/scans.tsv" --engines hash || say "hash and a scan: $(cat "$dir/err")"
grep -q '^hash	scans	NA	n/a: ' "$dir/run/void.tsv" || say "hash scans: $(cat "$dir/run/void.tsv")"

# ---- the oracle is not asleep; threads share a trace ----
replay "$dir/points.tsv" --engines "$liar:lie=stale" && say "a lie was not noticed"
grep -q 'wrong: ' "$dir/run/void.tsv" || say "stale: $(cat "$dir/run/void.tsv")"
replay "$dir/points.tsv" --engines log --threads 3 || say "threads: $(cat "$dir/run/void.tsv")"
"$compare" duel hash log --trace "$dir/points.tsv" --reps 1 --out "$dir/duel" \
    >"$dir/out" 2>"$dir/err" || say "duel: $(cat "$dir/err")"
[ "$(grep -c ' times (' "$dir/out")" -eq 3 ] || say "duel: $(cat "$dir/out")"

# ---- packed, in two parts, from a pipe ----
gzip -c "$dir/points.tsv" >"$dir/points.tsv.gz"
printf 'get\tlast\t7\n' | gzip -c >>"$dir/points.tsv.gz"
replay "$dir/points.tsv.gz" --engines hash || say "gzip: $(cat "$dir/err")"
grep -q 'trace: 3004 operations' "$dir/run/manifest.tsv" || say "gzip: the second part is missing"
replay - --engines hash <"$dir/points.tsv.gz" || say "a pipe: $(cat "$dir/err")"
if command -v zstd >/dev/null; then
    zstd -qc "$dir/points.tsv" >"$dir/points.tsv.zst"
    printf 'get\tlast\t7\n' | zstd -qc >>"$dir/points.tsv.zst"
    replay "$dir/points.tsv.zst" --engines hash || say "zstd: $(cat "$dir/err")"
    grep -q 'trace: 3004 operations' "$dir/run/manifest.tsv" || say "zstd: the second part"
fi

# ---- what makes no sense: exit code 2 and the line ----
refuses() { # refuses TEXT FILE
    replay "$2" --engines hash
    code=$?
    [ $code -eq 2 ] || say "$2: exit code $code"
    grep -q -- "$1" "$dir/err" || say "$2: not \"$1\" but: $(cat "$dir/err")"
}
bad() { # bad TEXT LINES
    printf "$2" >"$dir/bad.tsv"
    refuses "$1" "$dir/bad.tsv"
}
bad 'line 2: "gte"' 'get\ta\t1\ngte\ta\t1\n'
bad 'line 1: its value_length' 'get\ta\n'
bad 'line 3: its value_length' '# one\n\nput\ta\t-1\n'
bad 'value_length' 'put\ta\t1048577\n'
bad 'value_length' 'put\ta\t1x\n'
bad 'scan_length' 'scan\ta\t0\n'
bad 'scan_length' 'scan\ta\t0\t10001\n'
bad 'too many cells' 'get\ta\t1\t2\n'
bad 'its key' 'get\t\t1\n'
bad 'line 1' 'get\t\\q\t1\n'
bad 'holds no operations' '# nothing\n'
refuses 'No such file' "$dir/nowhere.tsv"
for part in 40 200; do
    head -c $part "$dir/points.tsv.gz" >"$dir/cut.gz"
    refuses 'damaged' "$dir/cut.gz"
    [ ! -e "$dir/points.tsv.zst" ] || {
        head -c $part "$dir/points.tsv.zst" >"$dir/cut.zst"
        refuses 'damaged' "$dir/cut.zst"
    }
done
{ gzip -c "$dir/points.tsv"; echo rest; } >"$dir/tail.gz"
refuses 'something else follows' "$dir/tail.gz"
"$compare" replay >"$dir/out" 2>"$dir/err"
grep -q 'needs a trace' "$dir/err" || say "no trace: $(cat "$dir/err")"

# ---- the recipe for the traces of ARC's authors ----
printf '5 1 0 0\n9 2 0 1\n5 1 0 2\n' | awk -f "$recipes/arc.awk" >"$dir/arc.tsv"
[ "$(cut -f 1,2 "$dir/arc.tsv" | tr '\t\n' '  ')" = \
    "get 0000000005 get 0000000009 get 0000000010 get 0000000005 " ] ||
    say "arc.awk: $(cat "$dir/arc.tsv")"
replay "$dir/arc.tsv" --engines log || say "arc: $(cat "$dir/err")"
echo 'no trace' | awk -f "$recipes/arc.awk" >/dev/null 2>&1 && say "arc.awk takes anything"

[ $failures -eq 0 ] && echo "traces are replayed"
exit $((failures > 0))
