#!/bin/sh
# check_goals.sh -- the table of goals adds up, and refuses what is no figure.
# SPDX-License-Identifier: MIT
set -u
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 2
bad=0

complain() {
    echo "check_goals.sh: $*"
    bad=1
}

# row GOAL FIELDS…: a line of figures.tsv or goals.tsv.
row() {
    line=$1
    shift
    for field; do line=$(printf '%s\t%s' "$line" "$field"); done
    echo "$line"
}

table() {
    awk -f "$here/goals.awk" -v out=table.tsv goals.tsv figures.tsv >page 2>errors
}

{
    echo '# a comment'
    row R1 disks each '>=100' 'least of them' command
    row R1 disks sum '>=400' 'all of them' command
    row R1 wrong sum '<=0' 'none of these' command
    row R2 else one '>=7' 'the last one' command
    row R2 wrong sum '<=0' 'some of these' command
    row R3 never each '>=1' 'nobody looked' command
} >goals.tsv
{
    row R1 log disks 50
    row R1 sst disks 300
    row R1 log disks 49
    row R1 log wrong 0
    row R2 all wrong 2
    row R2 all else 9
    row R2 all else 7
    row R9 all more 1234567
} >figures.tsv

table || complain "refuses good figures: $(cat errors)"
while read -r pattern; do
    grep -qE "$pattern" page || complain "no line like '$pattern' in: $(cat page)"
done <<'END'
^R1 +least of them +>= 100 +99 \(log\) +not yet
^R1 +all of them +>= 400 +399 +not yet
^R1 +none of these +<= 0 +0 +met
^R2 +the last one +>= 7 +7 +met
^R2 +some of these +<= 0 +2 +missed
^R3 +nobody looked +>= 1 +- +not measured
^2 met, 1 missed, 2 not yet, 1 not measured$
^beside: R9 more: 1,234,567$
END
[ "$(wc -l <table.tsv)" -eq 7 ] || complain "table.tsv is not a head and 6 rows"

for wrong in 'R1 log disks' 'R1 log disks 4x' 'R1 log disks -4' 'R1 log disks '; do
    echo "$wrong" | tr ' ' '\t' >>figures.tsv
    table && complain "takes '$wrong' for a figure"
    grep -q 'figures.tsv:9: no figure' errors || complain "does not say where"
    sed -i '$d' figures.tsv
done
row R4 'too few' >>goals.tsv
table && complain "takes a line of two fields for a goal"

# The goals themselves are well-formed, and each figure that a suite measures
# under a goal's id has its row.
cp "$here/goals.tsv" goals.tsv
: >figures.tsv
table || complain "goals.tsv: $(cat errors)"
exit $bad
