#!/bin/sh
# sweep.sh -- a comparison shared out: the list, the shares, the whole that is
# the same as from one run, and every mixture that is refused.
# SPDX-License-Identifier: MIT
# Usage: sweep.sh COMPARE LIAR SWEEPS_DIRECTORY
set -u
compare=$1 liar=$2 sweeps=$3
dir=$(mktemp -d "${TMPDIR:-/tmp}/stagecoach-sweep-XXXXXX")
trap 'rm -rf "$dir"' EXIT
failures=0

say() { echo "$1"; failures=$((failures + 1)); }

# says TEXT CODE ARGUMENTS..: that exit code, and a sentence with that in it.
says() {
    text=$1 want=$2
    shift 2
    "$compare" "$@" >"$dir/said" 2>&1
    code=$?
    [ $code -eq "$want" ] || say "compare $*: exit code $code: $(cat "$dir/said")"
    grep -q -- "$text" "$dir/said" || say "compare $*: $(cat "$dir/said")"
}

options="--records 400 --reps 1 --engines hash,$liar --seed 7 --rates 50
    --open-seconds 0.05 --workloads fill-random,workloada"
# Two of the stages that count, where they are built.
for engine in log bt; do
    "$compare" list engines | grep -q "^  $engine " && options="$options --engine $engine"
done
run() { # run NAME OPTIONS..
    out=$dir/$1
    shift
    # shellcheck disable=SC2086
    "$compare" run $options --no-progress --no-page --out "$out" "$@" \
        >"$dir/said" 2>&1
}
plan() {
    # shellcheck disable=SC2086
    "$compare" plan $options "$@"
}

# ---- the list: complete, disjoint, the same again ----
plan >"$dir/list" || say "plan: no list"
plan --out "$dir/again"
cmp -s "$dir/list" "$dir/again" ||
    say "plan says something else the second time"
trials=$(($(wc -l <"$dir/list") - 1))
awk -F'\t' 'NF != 6 || NR > 1 && $1 != NR - 1 { exit 1 }' "$dir/list" ||
    say "the list is not numbered: $(cat "$dir/list")"
for n in 1 3 5 $trials; do
    for i in $(seq "$n"); do
        plan --only "$i/$n" | sed 1d
    done | sort -n >"$dir/shares"
    sed 1d "$dir/list" | cmp -s - "$dir/shares" || say "$n shares are not the list"
done
plan --only 2/3 | awk 'NR > 1 && $1 % 3 != 2 { exit 1 }' || say "share 2/3 has others' trials"

# ---- nobody named: the stages run everything, yardsticks what is core ----
guests='glib|tkrzw|kyoto|leveldb|lmdb|rocksdb|sqlite|berkeley|wiredtiger'
"$compare" plan --reps 2 --rates 50 >"$dir/guests"
awk -F'\t' -v guests="^($guests)\$" 'NR == 1 { next }
    $1 != NR - 1 { exit 1 }
    $4 ~ guests { if ($3 > 1 || $6 != 0) exit 1; of[$2]; next }
    { rows[$4 " " $2]++; stages[$4]; all[$2] }
    END { for (s in stages) for (w in all) if (rows[s " " w] != 4) exit 1
          if (length(of) > 0 && length(of) >= length(all) / 2) exit 1 }' "$dir/guests" ||
    say "guests: $(head -40 "$dir/guests")"
for i in 1 2 3; do
    "$compare" plan --reps 2 --rates 50 --only "$i/3" | sed 1d
done | sort -n >"$dir/shares"
sed 1d "$dir/guests" | cmp -s - "$dir/shares" || say "with guests, 3 shares are not the list"
"$compare" plan --workloads overwrite | grep -Eq "	($guests)	timed" ||
    ! "$compare" list engines | grep -Eq '^  lmdb +LMDB' || say "a named workload has no guests"
"$compare" plan --engines hash,lmdb --reps 2 --workloads overwrite >"$dir/named"
"$compare" list engines | grep -q '^  lmdb .*absent' ||
    [ "$(grep -c '	lmdb	' "$dir/named")" -eq 4 ] || say "a yardstick that is named is no guest"

# ---- three shares are one run ----
# What is counted, without the memory of a process.
counted() { awk -F'\t' '$4 == 0 && $5 != "rss_bytes"' "$1/measures.tsv" | sort; }
rows() { # what was measured, not how fast
    cut -f1-5 "$1/measures.tsv" | sort
    for table in openloop space void ageing; do
        cut -f1-3 "$1/$table.tsv" | sort
    done
}
run one || say "one run: $(cat "$dir/said")"
for i in 3 1 2; do
    run "part$i" --only $i/3 || say "share $i/3: $(cat "$dir/said")"
done
says 'all is there' 0 merge "$dir/part2" "$dir/part1" "$dir/part3" --out "$dir/all"
counted "$dir/one" >"$dir/a"
counted "$dir/all" >"$dir/b"
[ "$(wc -l <"$dir/a")" -gt 50 ] || say "one run counted little: $(cat "$dir/a")"
cmp -s "$dir/a" "$dir/b" || say "counters differ: $(diff "$dir/a" "$dir/b" | head -4)"
rows "$dir/one" >"$dir/a"
rows "$dir/all" >"$dir/b"
cmp -s "$dir/a" "$dir/b" || say "rows differ: $(diff "$dir/a" "$dir/b" | head -4)"
for key in check.answers trials 'done' engines workloads; do
    fact() { grep "^$key	" "$1/manifest.tsv"; }
    [ $key = check.answers ] || # open loops last by the clock
        [ "$(fact "$dir/one")" = "$(fact "$dir/all")" ] ||
        say "one run: $(fact "$dir/one"), merged: $(fact "$dir/all")"
    fact "$dir/all" | grep -q . || say "the merged manifest has no $key"
done
grep -q '^check.answers	passed: [1-9]' "$dir/all/manifest.tsv" || say "no answers were added up"
[ "$(cut -f1 "$dir/all/manifest.tsv" | sort | uniq -d | wc -l)" -eq 0 ] ||
    say "a fact stands twice: $(cut -f1 "$dir/all/manifest.tsv" | sort | uniq -d)"
for i in 1 2 3; do
    grep -q "^share.$i/3	$(uname -n): " "$dir/all/manifest.tsv" || say "who ran share $i/3?"
done
[ -s "$dir/all/results.json" ] || say "no results.json"
if [ -f "$dir/all/index.html" ]; then # where the page is built
    grep -q '<dt>share.2/3</dt>' "$dir/all/index.html" || say "the page names no machines"
fi
[ ! -f "$dir/part1/index.html" ] || say "a share has a page"

# A share that failed fails the whole.
for i in 1 2; do
    "$compare" run --records 300 --reps 1 --engine "$liar" --engine "$liar:lie=value" \
        --operations 4 --workloads workloada --no-progress --only $i/2 \
        --out "$dir/lie$i" >"$dir/said" 2>&1
done
says 'some of it failed' 3 merge "$dir/lie1" "$dir/lie2" --no-page --out "$dir/lies"
grep -q '^check.answers	failed' "$dir/lies/manifest.tsv" || say "a lie was merged away"
awk -F'\t' 'NR > 1 { n++ } END { exit n == 0 }' "$dir/lies/void.tsv" || say "void.tsv is empty"

# ---- what is refused ----
for only in 0/3 4/3 3/0 x 1 1/3x -1/3 1/ /3 ''; do
    says 'no share' 2 run --only "$only" --workloads fill-random
done
# shellcheck disable=SC2086
says "only $trials trials" 2 run $options --only 1/$((trials + 1)) --out "$dir/none"
# shellcheck disable=SC2086
says "only $trials trials" 2 plan $options --only 1/$((trials + 1))
[ ! -d "$dir/none" ] || say "a share of nothing left a directory"
says 'take turns' 2 duel hash "$liar" --workload fill-random --only 1/2

merge() { # merge TEXT DIRECTORIES..: refused with that, and nothing is written
    text=$1
    shift
    says "$text" 2 merge "$@" --out "$dir/refused"
    [ ! -d "$dir/refused" ] || say "compare merge $* wrote something"
    rm -rf "$dir/refused"
}
says 'needs the shares' 2 merge --out "$dir/refused"
says 'needs the shares' 2 merge "$dir/part1" "$dir/part2" "$dir/part3"
says 'does not know --only so' 2 merge "$dir/part1" --only 1/3
merge 'share 2/3 is missing' "$dir/part1" "$dir/part3"
merge 'share 1/3 is missing' "$dir/part2" "$dir/part3"
merge 'share 3/3 is missing' "$dir/part2" "$dir/part1"
cp -R "$dir/part2" "$dir/twin"
merge 'both share 2/3' "$dir/part1" "$dir/part2" "$dir/part3" "$dir/twin"
merge 'both share 2/3' "$dir/part1" "$dir/part2" "$dir/twin"
merge 'of how many' "$dir/part1" "$dir/one" "$dir/part3"
merge 'is no run' "$dir/part1" "$dir/nowhere" "$dir/part3"
mkdir "$dir/empty"
merge 'empty is no run' "$dir/part1" "$dir/empty" "$dir/part3"
says 'is one of the shares' 2 merge "$dir/part1" "$dir/part2" "$dir/part3" \
    --out "$dir/./part2"

# Other options: really run.
for other in '--seed 8' '--operations 2'; do
    # shellcheck disable=SC2086
    run odd --only 2/3 $other || say "$other: $(cat "$dir/said")"
    merge 'odd are not shares of one run\|part1 and .*odd' "$dir/part1" "$dir/odd" "$dir/part3"
done

# Another program, build or version; a run that was cut off; a table that is
# not there or another's.
change() { # change SED-COMMAND FILE
    rm -rf "$dir/odd"
    cp -R "$dir/part2" "$dir/odd"
    sed -i "$1" "$dir/odd/$2"
}
for key in version program build inputs profile records rates engines knobs.hash; do
    change "s|^$key	.*|$key	else|" manifest.tsv
    merge "one run: $key is " "$dir/part1" "$dir/odd" "$dir/part3"
done
change '/^sync	/d' manifest.tsv
merge 'sync is .*not there' "$dir/part1" "$dir/odd" "$dir/part3"
# shellcheck disable=SC2016 # sed's $, not the shell's
change '$a new.fact	1' manifest.tsv
merge 'new.fact is ' "$dir/part1" "$dir/odd" "$dir/part3"
change '/^share	/d' manifest.tsv
merge 'odd: its manifest does not say which share' "$dir/part1" "$dir/odd" "$dir/part3"
change '/^done	/d' manifest.tsv
merge 'odd: its run did not come to an end' "$dir/part1" "$dir/odd" "$dir/part3"
change 's/^done	[0-9]*/done	1/' manifest.tsv
merge 'odd: its run was stopped after 1 of' "$dir/part1" "$dir/odd" "$dir/part3"
change '1s/.*/engine	something/' measures.tsv
merge 'odd/measures.tsv: its columns' "$dir/part1" "$dir/odd" "$dir/part3"
change '' void.tsv
rm "$dir/odd/void.tsv"
merge 'odd/void.tsv' "$dir/part1" "$dir/odd" "$dir/part3"

# Other machines are none of these: they are named.
change 's/^host	.*/host	farm7/; s/^cpu	.*/cpu	Other/' manifest.tsv
says 'all is there' 0 merge "$dir/part1" "$dir/odd" "$dir/part3" --no-page --out "$dir/farm"
grep -q '^host	.* / farm7$' "$dir/farm/manifest.tsv" || say "two hosts became one"
grep -q '^share.2/3	farm7: Other, ' "$dir/farm/manifest.tsv" || say "farm7 is not named"

# ---- the recipes ----
# Several workers at once, by parallel if it is there, else by xargs.
command -v parallel >/dev/null || echo "GNU parallel is not installed: xargs takes its place"
# shellcheck disable=SC2086
COMPARE=$compare JOBS=3 sh "$sweeps/parallel.sh" 4 "$dir/farmed" $options --no-page \
    >"$dir/said" 2>&1 || say "parallel.sh: $(cat "$dir/said")"
counted "$dir/one" >"$dir/a"
counted "$dir/farmed/all" >"$dir/b"
cmp -s "$dir/a" "$dir/b" || say "parallel.sh's counters: $(diff "$dir/a" "$dir/b" | head -4)"
# Cut off: only what is missing runs again.
rm -r "$dir/farmed/3" "$dir/farmed/all"
cp "$dir/farmed/1/manifest.tsv" "$dir/before"
# shellcheck disable=SC2086
COMPARE=$compare JOBS=2 sh "$sweeps/parallel.sh" 4 "$dir/farmed" $options --no-page \
    >"$dir/said" 2>&1 || say "parallel.sh again: $(cat "$dir/said")"
cmp -s "$dir/farmed/1/manifest.tsv" "$dir/before" || say "a share that was done ran again"
[ "$(cat "$dir/farmed/todo")" = 3 ] || say "more than share 3 was run again"

# A task of the array is a program with two variables; Slurm sets them.
for i in 1 2; do
    # shellcheck disable=SC2086
    COMPARE=$compare TMPDIR=$dir SLURM_ARRAY_TASK_ID=$i SLURM_ARRAY_TASK_COUNT=2 \
        sh "$sweeps/slurm.sh" "$dir/array" $options >"$dir/said" 2>&1 ||
        say "slurm.sh, task $i: $(cat "$dir/said")"
done
says 'all is there' 0 merge "$dir/array/1" "$dir/array/2" --no-page --out "$dir/slurm"
counted "$dir/slurm" >"$dir/b"
cmp -s "$dir/a" "$dir/b" || say "slurm.sh's counters: $(diff "$dir/a" "$dir/b" | head -4)"

[ $failures -eq 0 ] && echo "shares make a whole"
exit $((failures > 0))
