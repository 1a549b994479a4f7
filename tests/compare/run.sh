#!/bin/sh
# run.sh -- the program from end to end: all result files, the
# same counters for the same seed, real records, usage errors.
# SPDX-License-Identifier: MIT
# Usage: run.sh COMPARE LIAR PROPERTY_FILE
set -u
compare=$1 liar=$2 property_file=$3
dir=$(mktemp -d "${TMPDIR:-/tmp}/stagecoach-run-XXXXXX")
trap 'rm -rf "$dir"' EXIT
failures=0

say() { echo "$1"; failures=$((failures + 1)); }

# Real records, two of them with bytes that need escaping.
awk 'BEGIN { for (i = 0; i < 500; i++)
    printf "word%d\\t\tmeaning %d of it\\n\n", (i * 7919) % 1000, i }' >"$dir/words.tsv"

run() { # run NAME OPTIONS..
    out=$dir/$1
    shift
    "$compare" run --no-progress --no-page --reps 1 --out "$out" "$@" >"$dir/out" 2>"$dir/err"
}

# ---- so much memory and no more, where root may ask for it ----
run caged --records 500 --engines hash --workloads fill-seq --real-memory 1GiB ||
    say "real memory: $(cat "$dir/err")"
grep -q -e '^real_memory	1073741824 bytes in timed runs$' \
    -e '^real_memory	asked for, not to be had$' "$dir/caged/manifest.tsv" ||
    say "the manifest does not tell of the memory"

# ---- everything there is, small ----
run one --records 500 --engine "$liar" --workloads fill-seq ||
    say "one engine: $(cat "$dir/err")"
own=$("$compare" list | awk '/^workloads/ { exit }
    $1 ~ /^(hash|log|sst|lsm|bt|glib|tkrzw|kyoto)$/ { print $1 }' | paste -sd,)
run small --records 300 --data "$dir/words.tsv" --engines "$own" --workloads \
fill-random,fill-batch,fill-seq-batch,overwrite,delete-half,workloade,workloadf,\
words-load,words-load-shuffled,words-read,words-missing ||
    say "all engines: $(cat "$dir/err" "$dir/small/void.tsv")"
for table in manifest measures space latency timeline void; do
    [ -f "$dir/small/$table.tsv" ] || say "no $table.tsv"
    # As many cells in each row as in the first.
    awk -F'\t' 'NR == 1 { n = NF } NF != n { bad = 1 } END { exit bad }' \
        "$dir/small/$table.tsv" || say "$table.tsv has ragged rows"
done
for workload in fill-random overwrite workloadf words-load words-load-shuffled \
    words-read words-missing; do
    awk -F'\t' -v w=$workload '$2 == w && $5 == "ops_per_s" && $6 > 0 { n++ }
        END { exit n < 1 }' "$dir/small/measures.tsv" || say "no figures of $workload"
done
awk -F'\t' '$5 == "ops_per_s" && $6 == 0' "$dir/small/measures.tsv" | grep -q . &&
    say "a speed of 0: unknown must be NA"
for key in version git date kernel cpu nproc filesystem compiler seed profile records \
    key_bytes value_bytes memory_bytes sync command check.answers check.write_bytes \
    check.read_bytes; do
    grep -q "^$key	." "$dir/small/manifest.tsv" || say "the manifest has no $key"
done
if command -v python3 >/dev/null; then
    python3 -m json.tool "$dir/small/results.json" /dev/null || say "results.json is not JSON"
fi

# ---- the same seed, the same counters ----
counters() { awk -F'\t' '$4 == 0 && $5 != "rss_bytes"' "$1/measures.tsv" | sort; }
stages=$("$compare" list | awk '/^workloads/ { exit }
    $1 ~ /^(hash|log|sst|lsm|bt)$/ { print $1 }' | paste -sd,)
for seed in 7 7; do
    mv "$dir/seed" "$dir/before" 2>/dev/null
    run seed --records 2000 --seed $seed --engines "$stages" \
        --workloads overwrite,workloada,read-random,delete-half ||
        say "seed $seed: $(cat "$dir/err")"
    [ -d "$dir/before" ] || continue
    counters "$dir/before" >"$dir/a"
    counters "$dir/seed" >"$dir/b"
    cmp -s "$dir/a" "$dir/b" || say "seed 7 twice: $(diff "$dir/a" "$dir/b" | head -4)"
    cmp -s "$dir/before/space.tsv" "$dir/seed/space.tsv" || say "space.tsv differs"
    rm -rf "$dir/before"
done

# ---- engines that count are checked to the byte ----
if echo "$stages" | grep -q log; then
    checked=$(awk '$1 == "check.write_bytes" && $2 == "passed:" { print $4 }' \
        "$dir/seed/manifest.tsv")
    [ "${checked:-0}" -gt 0 ] || say "no write counters were checked"
    awk -F'\t' '$1 == "log" && $2 == "overwrite" && $3 == "run" &&
        $5 == "wa_total" && $6 >= 1 { ok = 1 } END { exit !ok }' \
        "$dir/seed/measures.tsv" ||
        say "log's overwrite has no write amplification"
fi

# ---- several threads ----
run threads --records 2000 --threads 3 --engines "$stages" \
    --workloads fill-random,workloada,get-many,delete-half,fill-batch ||
    say "three threads: $(cat "$dir/err" "$dir/threads/void.tsv")"

# ---- property files by path, duels ----
run path --records 500 --engines hash --workloads "$property_file" ||
    say "a property file: $(cat "$dir/err")"
"$compare" duel hash "$liar" --workload fill-random,workloada --records 500 --reps 3 \
    --out "$dir/duel" >"$dir/out" 2>"$dir/err" || say "duel: $(cat "$dir/err")"
[ "$(grep -c ' times (' "$dir/out")" -eq 5 ] || say "duel: $(cat "$dir/out")"
# Speeds of a build that is not for measuring come with a warning.
warned=$(grep -c '^this build is for tests' "$dir/out")
case $(awk '$1 == "build" { print $2 }' "$dir/path/manifest.tsv") in
Rel*) [ "$warned" -eq 0 ] || say "a release build is warned of" ;;
*) [ "$warned" -eq 1 ] || say "a debug build is not warned of" ;;
esac

# ---- what makes no sense: exit code 2 and the way out ----
refuses() { # refuses TEXT ARGUMENTS..
    text=$1
    shift
    "$compare" "$@" >"$dir/out" 2>"$dir/err"
    code=$?
    [ $code -eq 2 ] || say "compare $*: exit code $code"
    grep -q -- "$text" "$dir/err" || say "compare $*: $(cat "$dir/err")"
}
refuses 'usage'
refuses '"ran"\|there is no command' ran
refuses 'did you mean "hash"' run --engines hsah
refuses 'did you mean "workloada"' run --workloads workloda
refuses 'did you mean --records' run --record 5
refuses 'no option "--bogus" (compare help)' run --bogus
refuses 'needs a value' run --records
refuses 'not a number' run --records many
refuses 'not a number' run --records -5
refuses 'not a number' run --threads 0
refuses 'did you mean smoke' run --profile smok
refuses 'more than the engine' run --real-memory 1MiB
refuses 'commit, interval or none' run --sync never
refuses 'longer keys' run --records 10M --key-bytes 8
refuses 'there is no knob' run --engines "$liar:lies=1"
refuses 'ENGINE:KNOB=VALUE' run --engines hash --set lgo:read=map
refuses 'no tab' run --data "$property_file"
refuses 'needs --data' run --workloads data-read
refuses 'two engines' duel hash --workload fill-seq
refuses 'one word too many' duel hash hash hash --workload fill-seq
refuses 'one word too many' run fill-seq
refuses 'no such file' run --engines cmd:./no-such-program
refuses 'chmod +x' run --engines "cmd:$property_file"
refuses 'ELF\|shared object\|kv_engine_plugin' run --engines "$property_file"
"$compare" help | grep -q 'usage' || say "help says nothing"
"$compare" duel -h | grep -q 'usage' || say "duel -h says nothing"
"$compare" run --help | grep -q 'usage' || say "run --help says nothing"
"$compare" list | grep -q 'wa_total' || say "list names no measures"
"$compare" list | grep -q 'workloada' || say "list names no workloads"

[ $failures -eq 0 ] && echo "the comparison runs from end to end"
exit $((failures > 0))
