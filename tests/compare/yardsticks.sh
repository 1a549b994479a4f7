#!/bin/sh
# yardsticks.sh -- every yardstick that was built runs, in each of its shapes,
# with every answer checked; one that is missing is named, and the rest goes on.
# SPDX-License-Identifier: MIT
# Usage: yardsticks.sh COMPARE
set -u
compare=$1
dir=$(mktemp -d "${TMPDIR:-/tmp}/stagecoach-yardsticks-XXXXXX")
trap 'rm -rf "$dir"' EXIT
failures=0

say() { echo "$1"; failures=$((failures + 1)); }

list=glib,tkrzw,kyoto,leveldb,rocksdb,lmdb,lmdb:writemap=on,sqlite,berkeley,berkeley:type=hash,\
wiredtiger,wiredtiger:type=lsm
"$compare" run --no-progress --no-page --reps 1 --records 200 --engines "$list" \
    --workloads fill-batch,workloada,workloade,delete-half --out "$dir/run" \
    >"$dir/out" 2>"$dir/err" || say "$(cat "$dir/err" "$dir/run/void.tsv")"
echo "$list" | tr ',' '\n' | while read -r engine; do
    if grep -q "^$engine	[*]	NA	absent: " "$dir/run/void.tsv"; then
        echo "$engine was not built"
    else
        awk -F'\t' -v e="$engine" '$1 == e && $3 == "run" && $5 == "ops_per_s" && $6 > 0 {
            seen[$2] = 1 } END { exit !(seen["fill-batch"] && seen["workloada"] &&
            seen["delete-half"]) }' "$dir/run/measures.tsv" || echo "FAILED: $engine has no figures"
    fi
done >"$dir/told"
cat "$dir/told"

# What goes through write calls is told; what is read through a mapping is not.
if ! grep -q "^leveldb	[*]	NA	absent: " "$dir/run/void.tsv"; then
    awk -F'\t' '$1 == "leveldb" && $5 == "wa_total" && $6 >= 1 { told = 1 }
        $1 == "leveldb" && $5 ~ /^ra_/ && $6 != "NA" { bad = 1 }
        END { exit bad || !told }' "$dir/run/measures.tsv" ||
        say "LevelDB: $(grep -e "^leveldb.*wa_total" -e "^leveldb.*ra_" "$dir/run/measures.tsv")"
fi
grep -q '^FAILED' "$dir/told" && failures=$((failures + 1))
grep -q '^check.answers	passed' "$dir/run/manifest.tsv" ||
    say "$(grep check "$dir/run/manifest.tsv")"

[ $failures -eq 0 ] && echo "the yardsticks answer as they should"
exit $((failures > 0))
