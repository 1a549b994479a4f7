#!/bin/sh
# test_report_recipes.sh -- a recipe gives as many records as its package has,
# each of which reads back, and no key twice. 77: no package. The arguments are
# make.sh, the program that reads records, and the recipe's name.
# SPDX-License-Identifier: MIT
set -u
make=$1 records=$2 name=$3
dir=$(mktemp -d "${TMPDIR:-/tmp}/stagecoach-recipe-XXXXXX")
trap 'rm -rf "$dir"' EXIT
fail() { echo "$name: $1"; exit 1; }

case $name in
    wordnet) [ -f /usr/share/wordnet/data.noun ] || exit 77; want=117659 ;;
    unicode) [ -f /usr/share/unicode/UnicodeData.txt ] || exit 77
        want=$(wc -l </usr/share/unicode/UnicodeData.txt) ;;
    packages) apt-cache dumpavail 2>/dev/null | grep -q '^Package: ' || exit 77
        want=$(apt-cache dumpavail | awk '/^Package: / { p = $2 }
            /^Version: / { if (!((p, $2) in seen)) n++; seen[p, $2] } END { print n }') ;;
esac

said=$(sh "$make" "$name" "$dir/out.tsv") || fail "the recipe failed"
got=$("$records" <"$dir/out.tsv") || fail "a record does not read back"
[ "$got" -eq "$want" ] || fail "$got records, not $want"
case $said in *" $got records "*) ;; *) fail "it does not say how many: $said" ;; esac
[ -z "$(cut -f1 "$dir/out.tsv" | LC_ALL=C sort | uniq -d | head -1)" ] || fail "a key comes twice"
[ "$(ls "$dir")" = out.tsv ] || fail "it leaves files behind: $(ls "$dir")"

# Without the package: a sentence with its name, exit 3, and no file.
if [ "$name" != packages ]; then
    err=$(WORDNET_DIR=$dir/none UNICODE_DIR=$dir/none sh "$make" "$name" "$dir/none.tsv" 2>&1)
    [ $? -eq 3 ] || fail "without its package it does not exit with 3"
    case $err in *"apt-get install"*) ;; *) fail "it does not say what to install: $err" ;; esac
    [ ! -e "$dir/none.tsv" ] || fail "without its package it leaves a file"
fi
sh "$make" nothing "$dir/x" 2>/dev/null
[ $? -eq 2 ] || fail "an unknown recipe does not exit with 2"
echo "$said"
