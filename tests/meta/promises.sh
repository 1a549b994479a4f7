#!/bin/sh
# promises.sh -- each row of notes/durability.md names a test that there is.
# SPDX-License-Identifier: MIT
#
#   sh promises.sh PAGE BUILD      BUILD: a configured build, for `ctest -N`
#
# A row is a line of a table; its last cell names tests as `ctest -R` knows
# them, ENGINE standing for each durable engine. A row that names none, a name
# that no test has, and a page without rows are findings.
set -u
page=$1 build=$2
names=$(ctest --test-dir "$build" -N 2>/dev/null | sed -n 's/^ *Test *#[0-9]*: //p')
[ -n "$names" ] || { echo "promises.sh: $build has no tests" >&2; exit 2; }
engines=$(echo "$names" | sed -n 's/^damage\.//p')
[ -n "$engines" ] || { echo "promises.sh: no durable engine in $build" >&2; exit 2; }

awk -v page="$page" -v names="$names" -v engines="$engines" '
    BEGIN {
        count = split(names, list, "\n")
        for (i = 1; i <= count; i++) known[list[i]] = 1
        engine_count = split(engines, engine, "\n")
    }
    function complain(what) { print page ":" FNR ": " what; bad = 1 }
    function look_for(name,    i, one) {
        if (name !~ /ENGINE/) {
            if (!(name in known)) complain("there is no test " name)
            return
        }
        for (i = 1; i <= engine_count; i++) {
            one = name
            gsub(/ENGINE/, engine[i], one)
            if (!(one in known)) complain("there is no test " one)
        }
    }
    /^\|/ {
        cells = split($0, cell, "|")
        last = cell[cells - 1]
        if (last ~ /^[ -]*$/ && $0 ~ /^[|: -]*$/) next # the rule below a head
        if (last ~ /^ *test *$/) next
        rows++
        found = 0
        while (match(last, /[a-z0-9]+(\.[A-Za-z0-9_]+)+/)) {
            found++
            look_for(substr(last, RSTART, RLENGTH))
            last = substr(last, RSTART + RLENGTH)
        }
        if (!found) complain("a promise without a test")
    }
    END {
        if (!rows) complain("promises nothing")
        if (!bad) print rows " promises, each with a test"
        exit bad
    }' "$page"
