#!/bin/sh
# command.sh -- programs as engines: the two functions of shell run beside the
# log, and one that fails says so.
# SPDX-License-Identifier: MIT
set -eu
compare=$1
store=$2
dir=$(mktemp -d "${TMPDIR:-/tmp}/command.XXXXXX")
trap 'rm -rf "$dir"' EXIT

fail() {
    echo "$*" >&2
    cat "$dir/said" >&2
    exit 1
}

"$compare" run --engines "log,cmd:$store" --records 100 --reps 1 --no-page \
    --workloads fill-random,read-random,read-missing,delete-half \
    --no-progress --out "$dir/run" >"$dir/said" 2>&1 ||
    fail "the shell's store did not come through"
grep -q 'shell_store.sh.*fill-random.*ops_per_s' "$dir/run/measures.tsv" ||
    fail "its figures are missing"
awk -F '\t' '$1 == "shell_store.sh" && $5 ~ /^wa_/ && $6 != "NA"' \
    "$dir/run/measures.tsv" >"$dir/told"
[ ! -s "$dir/told" ] || fail "bytes of another process were told as its own"

# A program may be gone before it is asked, or after: one sentence for both.
for program in 'exec 0<&-; sleep 0.3' 'read -r request'; do
    printf '#!/bin/sh\n%s\n' "$program" >"$dir/ends.sh"
    chmod +x "$dir/ends.sh"
    if "$compare" run --engines "cmd:$dir/ends.sh" --records 100 --reps 1 \
        --no-page --workloads fill-random --no-progress --out "$dir/no" \
        >"$dir/said" 2>&1; then
        fail "a program that ends at once passed"
    fi
    grep -q 'ends.sh" ended without an answer' "$dir/said" ||
        fail "it is not said what the program did"
done
