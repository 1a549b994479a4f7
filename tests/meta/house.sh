#!/bin/sh
# house.sh -- is every file, line and word where the house wants it?
# SPDX-License-Identifier: MIT
#
#   sh house.sh            $ROOT is another tree to look at
#
# Prints `path:line: what is wrong [rule]` for each finding and fails if there
# was one. Each *.awk beside this file is one kind of question and says what it
# asks. tests/meta/exceptions.txt excuses findings, each with its reason.
set -u
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)
cd "${ROOT:-$here/../..}" || exit 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Everything that belongs to the project: not what git ignores.
find . -name .git -prune -o -path ./build -prune -o -path ./report -prune -o \
    -path ./learn -prune -o -name .cache -prune -o -print |
    sed 's|^\./||' | sort >"$scratch/all"
grep -E '\.[ch]$' "$scratch/all" >"$scratch/c"
grep -E '\.([ch]|sh|awk)$' "$scratch/all" >"$scratch/code"
grep -E '\.md$' "$scratch/all" >"$scratch/pages"
grep -E -e '\.([ch]|sh|awk|md|cmake|in|gp|js|css|html|json)$' \
    -e 'CMakeLists.txt$|^Makefile$|^\.ci/run$' "$scratch/all" >"$scratch/text"

# finding RULE PATH SUBJECT WHAT
finding() {
    printf '%s\t%s\t1\t%s\t%s\n' "$1" "$2" "$3" "$4"
}

# Runs one of the awk programs over the files that a list names. Their names
# have no blanks; a file that is gone by now is nobody's problem.
ask() {
    program=$1 files=$2
    shift 2
    # shellcheck disable=SC2046
    awk "$@" -f "$here/$program" $(cat "$files") 2>"$scratch/errors"
    [ ! -s "$scratch/errors" ] || { cat "$scratch/errors" >&2; exit 2; }
}

rooms() {
    { echo "$scratch/all"; cat "$scratch/c"; } >"$scratch/files"
    ask rooms.awk "$scratch/files" -v list="$scratch/all"
}

order() {
    { echo "$scratch/c"; echo notes/reading-order.md; cat "$scratch/c"
    } >"$scratch/files"
    [ -f notes/reading-order.md ] || return
    ask order.awk "$scratch/files" -v list="$scratch/c"
}

links() {
    { echo "$scratch/all"; cat "$scratch/pages"; } >"$scratch/files"
    ask links.awk "$scratch/files" -v list="$scratch/all"
}

# What a merge left for a person to decide, in any text file. Its line of
# equals signs may also be a heading.
conflicts() {
    tr '\n' '\0' <"$scratch/all" |
        xargs -0 grep -s -d skip -IHnE '^(<{7}|>{7})( |$)' |
        while IFS=: read -r path line mark; do
            printf 'conflict\t%s\t%s\t%s\t%s\n' "$path" "$line" \
                "${path##*/}" "a merge was not finished: ${mark%% *}"
        done
}

# The root holds these and no others.
roots() {
    sed 's|/.*||' "$scratch/all" | sort -u | while read -r name; do
        case $name in
        README.md | CONTRIBUTING.md | LICENSE | CHANGELOG.md) ;;
        CMakeLists.txt | CMakePresets.json | Makefile | setup.sh) ;;
        .ci | .gitignore | .editorconfig | .clang-format | .clang-tidy) ;;
        common | compare | tests | notes | stage[1-5]_*) ;;
        .) ;;
        *) finding root "$name" "$name" "does not belong in the root" ;;
        esac
    done
}

# A file that no CMakeLists.txt names, with or without its ending, is not built,
# or is a test that never ran.
registered() {
    # shellcheck disable=SC2046
    cat /dev/null $(grep -E '(CMakeLists.txt|\.cmake)$' "$scratch/all") Makefile \
        tests/meta/pre-commit 2>/dev/null | tr -cs 'A-Za-z0-9_.' '\n' |
        sort -u >"$scratch/named"
    grep -E '^(common|compare|stage|tests)[^/]*/.*\.c$|^tests/.*\.sh$' \
        "$scratch/all" | grep -v '^stage[^/]*/main.c$' |
        awk -v OFS='\t' -v named="$scratch/named" '
            BEGIN { while ((getline word <named) > 0) known[word] = 1 }
            {
                base = $0
                sub(/.*\//, "", base)
                stem = base
                sub(/\.[a-z]+$/, "", stem)
                if (base in known || stem in known) next
                # foreach(part bytes batch) … test_${part}.c
                if (sub(/^test_(cli_)?/, "", stem) && stem in known) next
                print "registered", $0, 1, base, "no CMakeLists.txt names it"
            }'
    for dir in tests/*/; do
        dir=${dir%/}
        [ -f "$dir/CMakeLists.txt" ] || continue
        grep -qE -e "foreach\(dir.* ${dir#tests/}[ )]" \
            -e "add_subdirectory\(${dir#tests/}\)" tests/CMakeLists.txt ||
            finding registered "$dir" "$dir" "tests/CMakeLists.txt skips it"
    done
}

# exceptions.txt: "rule path subject -- the reason". One that excuses nothing
# is a finding too, and so is one without a reason.
excuse() {
    awk -F '\t' -v excuses=tests/meta/exceptions.txt '
        BEGIN {
            while ((getline line <excuses) > 0) {
                number++
                if (line ~ /^#/ || line == "") continue
                if (split(line, half, " -- ") < 2 || length(half[2]) < 20) {
                    print excuses ":" number ": an exception has a reason"
                }
                split(half[1], word, " ")
                where[word[1] " " word[2] " " word[3]] = number
            }
        }
        {
            key = $1 " " $2 " " $4
            if (key in where) used[key] = 1
            else print $2 ":" $3 ": " $5 " [" $1 "]"
        }
        END {
            for (key in where) {
                if (key in used) continue
                print excuses ":" where[key] ": excuses nothing: " key
            }
        }'
}

{
    rooms
    ask shape.awk "$scratch/code"
    ask words.awk "$scratch/text"
    order
    links
    conflicts
    roots
    registered
} >"$scratch/findings" || exit 2
excuse <"$scratch/findings" | sort >"$scratch/report"

cat "$scratch/report"
if [ -s "$scratch/report" ]; then
    echo "$(wc -l <"$scratch/report") findings"
    exit 1
fi
echo "$(wc -l <"$scratch/code") files: everything is where it belongs"
