#!/bin/sh
# parallel.sh -- a sweep by GNU parallel: machines run shares of a comparison,
# here they are joined.
# SPDX-License-Identifier: MIT
#
#   sh parallel.sh SHARES DIR [OPTIONS of compare run]
#
#   COMPARE=build/release/bin/compare   the program
#   MACHINES=a,b,c    by ssh. They need the same file of the program, and DIR
#                     and --data's file under the same absolute paths: a file
#                     system they share. Empty: this machine
#   JOBS=1            shares at once on one machine. Counts do not mind
#                     company; where speed is the question leave it at 1
#
# DIR/1 to DIR/SHARES become the shares, DIR/all the whole with its page. A
# share that came to its end is not run again: a sweep that was cut off goes on.
set -eu
compare=${COMPARE:-compare} jobs=${JOBS:-1} machines=${MACHINES:-}
[ $# -ge 2 ] || { echo "usage: parallel.sh SHARES DIR [OPTIONS]" >&2; exit 2; }
shares=$1 dir=$2
shift 2

# Do the options make sense, and is there a trial for every share?
"$compare" plan --only "1/$shares" "$@" >/dev/null
mkdir -p "$dir"

# "done<tab>7 of 7 steps"
is_done() {
    awk '$1 == "done" && $2 == $4 { ok = 1 } END { exit !ok }' \
        "$dir/$1/manifest.tsv" 2>/dev/null
}
for i in $(seq "$shares"); do
    is_done "$i" || echo "$i"
done >"$dir/todo"

# {} is the number of a share. A share that fails leaves its tables, and the
# others go on; what is missing or void the merge says.
if command -v parallel >/dev/null; then
    parallel -q -j "$jobs" ${machines:+-S "$machines"} "$compare" run "$@" \
        --no-progress --only "{}/$shares" --out "$dir/{}" <"$dir/todo" || true
elif [ -z "$machines" ]; then
    echo "GNU parallel is not there: xargs does it, on this machine" >&2
    xargs -P "$jobs" -I '{}' "$compare" run "$@" \
        --no-progress --only "{}/$shares" --out "$dir/{}" <"$dir/todo" || true
else
    echo "other machines need GNU parallel: sh setup.sh sweeps" >&2
    exit 2
fi

set --
for i in $(seq "$shares"); do set -- "$@" "$dir/$i"; done
"$compare" merge "$@" --out "$dir/all"
