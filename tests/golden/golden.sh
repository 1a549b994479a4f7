#!/bin/sh
# golden.sh -- the golden directories, stores of earlier versions, open, hold
# what they held, and can be written.
# SPDX-License-Identifier: MIT
#
#     golden.sh BIN DIR      DIR has a directory for each version
set -u
bin=$1 failures=0 opened=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$store: $*"
    sed 's/^/    /' "$work/said" | head -n 20
    failures=$((failures + 1))
}

program_of() {
    case $1 in
    log*) echo stage2_log ;;
    sst*) echo stage3_sstable ;;
    lsm*) echo stage4_lsm ;;
    bt*) echo stage5_btree ;;
    *) echo "no program for $1" >&2; exit 1 ;;
    esac
}

# holds LINES: a dump in order is the same as these.
holds() {
    "$program" "$work/store" dump >"$work/dump" 2>"$work/said" ||
        { fail "cannot be read"; return; }
    LC_ALL=C sort "$work/dump" | diff "$1" - >"$work/said" ||
        fail "holds something else"
}

for content in "$2"/*/content.tsv; do
    for store in "${content%/*}"/*/; do
        name=$(basename "$store")
        program=$bin/$(program_of "$name")
        rm -rf "$work/store"
        cp -r "$store" "$work/store"
        opened=$((opened + 1))
        holds "$content"
        "$program" "$work/store" check >"$work/said" 2>&1 ||
            fail "its check fails"
        "$program" "$work/store" put key1 again >"$work/said" 2>&1 ||
            fail "cannot be written"
        { cat "$content"; printf 'key1\tagain\n'; } | LC_ALL=C sort \
            >"$work/more"
        holds "$work/more"
    done
done
echo "$opened golden directories opened, $failures failures"
[ -z "${KV_FIGURES:-}" ] ||
    printf 'R20\tall\tgolden directories\t%s\n' "$opened" >>"$KV_FIGURES"
[ "$opened" -gt 0 ] && [ "$failures" -eq 0 ]
