#!/bin/sh
# protocol.sh -- what a trial does beyond load and run: ageing, cold reads,
# open loops with their moments, threads that only read or only write.
# SPDX-License-Identifier: MIT
# Usage: protocol.sh COMPARE LIAR
set -u
compare=$1 liar=$2
dir=$(mktemp -d "${TMPDIR:-/tmp}/stagecoach-protocol-XXXXXX")
trap 'rm -rf "$dir"' EXIT
failures=0

say() { echo "$1"; failures=$((failures + 1)); }

run() { # run NAME OPTIONS..
    out=$dir/$1
    shift
    "$compare" run --no-progress --no-page --reps 1 --out "$out" "$@" >"$dir/out" 2>"$dir/err"
}
# Is there a row for which the condition holds?
has() { awk -F'\t' "NR > 1 && ($2) { n++ } END { exit !n }" "$dir/$1"; }

stage=$("$compare" list | awk '$1 == "log" { print $1 }')
run all --records 2000 --engines "$liar,${stage:-hash}" --age --rates 50,90 \
    --open-seconds 0.3 --workloads workloada,read-random ||
    say "all: $(cat "$dir/err" "$dir/all/void.tsv")"
for table in timeline openloop ageing; do
    awk -F'\t' 'NR == 1 { n = NF } NF != n { bad = 1 } END { exit bad || NR < 2 }' \
        "$dir/all/$table.tsv" || say "$table.tsv: $(head -3 "$dir/all/$table.tsv")"
done

# ---- open loops: the rate that was asked for, delays in order ----
for share in 0 0.5 0.9; do
    has all/openloop.tsv "\$1 == \"liar\" && \$3 == $share && \$5 > 0 &&
        \$6 <= \$7 && \$7 <= \$8 && \$8 <= \$9 && \$9 <= \$10" ||
        say "share $share: $(cat "$dir/all/openloop.tsv")"
    has all/timeline.tsv "\$1 == \"liar\" && \$3 == $share && \$5 > 0 && \$6 <= \$8" ||
        say "no moments of share $share"
done
awk -F'\t' '$2 == "workloada" { of[$1, $3] = $4; is[$1, $3] = $5 }
    END { exit !(of["liar", 0] == "NA" &&
        of["liar", 0.5] / is["liar", 0] > 0.499 && of["liar", 0.5] / is["liar", 0] < 0.501) }' \
    "$dir/all/openloop.tsv" || say "half of the speed: $(cat "$dir/all/openloop.tsv")"

# ---- one stall of 0.3 s: one slow call, or everyone who came meanwhile ----
run stall --records 2000 --engines "$liar:lie=stall,after=2100" --rates 50 \
    --open-seconds 0.5 --workloads overwrite || say "stall: $(cat "$dir/err")"
has stall/openloop.tsv '$3 == 0.5 && $7 >= 100000000' ||
    say "an open loop did not see the stall: $(cat "$dir/stall/openloop.tsv")"
has stall/openloop.tsv '$3 == 0 && $10 >= 300000000' ||
    say "the closed loop's slowest call: $(cat "$dir/stall/openloop.tsv")"

# ---- ageing: at least three updates of each record, told by window ----
has all/measures.tsv '$3 == "age" && $5 == "age_updates" && $6 >= 3 && $6 <= 8' ||
    say "no ageing: $(grep age "$dir/all/measures.tsv")"
if [ -n "$stage" ]; then
    has all/ageing.tsv '$1 == "log" && $5 >= 3 && $6 >= 1 && $7 > 0 && $8 > 0' ||
        say "ageing.tsv: $(cat "$dir/all/ageing.tsv")"
    # ---- cold: a tenth of the reads, from the disk ----
    for measure in ra_io_hit ops_per_s; do
        has all/measures.tsv "\$1 == \"log\" && \$2 == \"read-random\" && \$3 == \"cold\" &&
            \$5 == \"$measure\" && \$6 > 0" || say "no cold $measure"
    done
    has all/measures.tsv '$2 == "workloada" && $3 == "cold"' && say "workloada is read cold"
fi

# ---- threads that only read and threads that only write ----
for options in '--readers 2 --writers 1' '--writers 2' '--readers 2' ''; do
    # shellcheck disable=SC2086 # several words
    run threads --records 2000 $options --engines "hash${stage:+,$stage}" \
        --workloads read-while-writing,overwrite,read-random ||
        say "$options: $(cat "$dir/err" "$dir/threads/void.tsv")"
    both=no
    case $options in '' | *readers*writers*) both=yes ;; esac
    has threads/measures.tsv '$2 == "read-while-writing" && $5 == "reads_per_s" && $6 > 0' &&
        [ $both = no ] && say "$options: reads_per_s"
    has threads/measures.tsv '$2 == "read-while-writing" && $5 == "writes_per_s" && $6 > 0' ||
        [ $both = no ] || say "$options: no writes_per_s"
done
"$compare" duel hash hash --workload read-random --readers 1 --writers 1 --records 500 \
    --reps 1 --out "$dir/duel" >"$dir/out" 2>"$dir/err" || say "duel: $(cat "$dir/err")"
[ "$(grep -c ' times (' "$dir/out")" -eq 5 ] || say "duel: $(cat "$dir/out")"

for bad in '--rates 0' '--rates 50,x' '--rates 201' '--open-seconds 0' \
    '--readers 0' '--writers 65'; do
    # shellcheck disable=SC2086
    "$compare" run $bad --engines hash --workloads fill-seq >/dev/null 2>"$dir/err"
    [ $? -eq 2 ] || say "$bad is taken"
done

[ $failures -eq 0 ] && echo "the protocol is kept"
exit $((failures > 0))
