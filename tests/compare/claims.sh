#!/bin/sh
# claims.sh -- the book's claims, tried by the program named first: each that
# rests on counters is confirmed or depends, twice alike to the byte.
# SPDX-License-Identifier: MIT
# Usage: claims.sh COMPARE [CLAIM..]; claims: only these, where all take long
set -eu
compare=$1
shift
dir=$(mktemp -d "${TMPDIR:-/tmp}/claims.XXXXXX")
trap 'rm -rf "$dir"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

"$compare" claims "$@" --profile smoke --out "$dir/once" >"$dir/said" ||
    { cat "$dir/said"; fail "a claim is contradicted, or failed"; }

# Every claim was tried, and none holds without a check. A study needs none.
tried=$(awk -F '\t' 'NR > 1 && $2 != "not tried"' "$dir/once/claims.tsv" | wc -l)
[ "$tried" -ge 10 ] || fail "only $tried claims were tried"
awk -F '\t' '/^C/ { n[$1]++ } END { for (c in n) print c }' \
    "$dir/once/checks.tsv" | sort >"$dir/checked"
awk -F '\t' '/^C/ && $2 != "not tried" { print $1 }' \
    "$dir/once/claims.tsv" | sort >"$dir/tried"
diff "$dir/tried" "$dir/checked" || fail "a claim was not checked"

for study in S04 S13 S14 S15 S16 S21 S22 S23 S25; do
    case " ${*:-$study} " in *" $study "*) ;; *) continue ;; esac
    grep -q "^$study	measured" "$dir/once/claims.tsv" || fail "$study was not measured"
    grep -q "^$study	" "$dir/once/points.tsv" || fail "$study has no points"
done

# The list has those that were tried, each with its sections, and tries none.
"$compare" list claims | awk '/^  [CS][0-9]/ { print $1 }' >"$dir/listed"
awk -F '\t' 'NR > 1 { print $1 }' "$dir/once/claims.tsv" | sort >"$dir/told"
if [ $# -eq 0 ]; then
    diff "$dir/told" "$dir/listed" || fail "the list has other claims"
fi
"$compare" list claims | grep -q '\[Hash Indexes | Log-Structured Storage\]' ||
    fail "the list names no section"
if "$compare" list claim 2>"$dir/said"; then fail "there is a list of claim"; fi
grep -q 'did you mean claims' "$dir/said" || fail "claims is not named"

# The same seed, the same counters.
"$compare" claims C02 c8 --profile smoke --out "$dir/again" >/dev/null
for claim in C02 C08; do
    for table in checks points; do
        grep "^$claim" "$dir/once/$table.tsv" >"$dir/a"
        grep "^$claim" "$dir/again/$table.tsv" >"$dir/b"
        cmp "$dir/a" "$dir/b" || fail "$claim differs from run to run"
    done
done
[ "$(wc -l <"$dir/again/claims.tsv")" = 3 ] || fail "others were tried too"

# What is not there names what is.
if "$compare" claims C99 --out "$dir/no" 2>"$dir/said"; then
    fail "C99 was tried"
fi
grep -q 'there is no claim "C99"' "$dir/said" || fail "C99 is not named"
[ ! -e "$dir/no" ] || fail "something was begun for C99"

# With the neighbour that is there.
for kind in C S; do
    last=$(grep "^$kind" "$dir/listed" | sort | tail -n 1)
    if "$compare" claims "${kind}99" --out "$dir/no" 2>"$dir/said"; then
        fail "${kind}99 was tried"
    fi
    grep -q "did you mean $last?" "$dir/said" ||
        fail "${kind}99: $(cat "$dir/said")"
done
for word in Cx wal 7; do
    code=0
    "$compare" claims "$word" --out "$dir/no" 2>"$dir/said" || code=$?
    [ $code -eq 2 ] || fail "$word: exit code $code"
    grep -q "there is no claim \"$word\" (compare list claims)" "$dir/said" ||
        fail "$word: $(cat "$dir/said")"
done
