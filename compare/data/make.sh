#!/bin/sh
# make.sh -- turns a package of the system into records: key TAB value lines.
# SPDX-License-Identifier: MIT
#
#     sh compare/data/make.sh wordnet  build/wordnet.tsv
#     sh compare/data/make.sh unicode  build/unicode.tsv
#     sh compare/data/make.sh packages build/packages.tsv
#
# Each recipe is NAME.awk beside this file; escape.awk writes the record. The
# file appears whole or not at all. Exit: 0 done, 2 usage, 3 the package is
# missing or a write failed.

set -u
here=$(dirname "$0")

fail() { echo "make.sh: $1" >&2; exit "$2"; }

# What is read, by recipe: the command, and what to install without it.
wordnet() {
    cd "${WORDNET_DIR:-/usr/share/wordnet}" 2>/dev/null &&
        cat data.noun data.verb data.adj data.adv 2>/dev/null ||
        fail "WordNet is not here: apt-get install wordnet-base" 3
}
unicode() {
    cat "${UNICODE_DIR:-/usr/share/unicode}/UnicodeData.txt" 2>/dev/null ||
        fail "UnicodeData.txt is not here: apt-get install unicode-data" 3
}
packages() {
    command -v apt-cache >/dev/null ||
        fail "apt-cache is not here: this recipe needs Debian (package apt)" 3
    apt-cache dumpavail || fail "apt-cache dumpavail failed" 3
}

name=${1-} file=${2-}
case $name in
    wordnet | unicode | packages) ;;
    *) fail "no recipe '$name'; there are wordnet, unicode and packages" 2 ;;
esac
[ -n "$file" ] || fail "usage: make.sh $name FILE.tsv" 2

part=$file.part raw=$file.raw
trap 'rm -f "$part" "$raw"' EXIT
trap 'exit 130' INT TERM
LC_ALL=C
export LC_ALL

("$name") >"$raw" || exit 3
awk -f "$here/escape.awk" -f "$here/$name.awk" "$raw" >"$part" ||
    fail "could not write $part" 3
count=$(wc -l <"$part" | tr -d ' ')
[ "$count" -gt 0 ] || fail "$name gave no records (packages: run apt-get update)" 3
mv "$part" "$file" || fail "could not write $file" 3
echo "$name: $count records in $file"
