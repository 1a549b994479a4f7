#!/bin/sh
# format.sh -- does every C file look as clang-format 14 would have it?
# SPDX-License-Identifier: MIT
#
#   sh format.sh           says which do not, and fails
#   sh format.sh --fix     puts them right
#
# Versions of clang-format disagree, so only 14 counts; without it: skipped.
set -u
cd "${ROOT:-$(dirname "$0")/../..}" || exit 2
for tool in clang-format-14 clang-format; do
    case $($tool --version 2>/dev/null) in
    *"version 14."*) break ;;
    esac
    tool=
done
if [ -z "$tool" ]; then
    echo "skipped: there is no clang-format 14 (setup.sh test installs it)"
    exit 77
fi
files=$(find common compare stage* tests -name '*.[ch]' 2>/dev/null)
if [ "${1:-}" = --fix ]; then
    # shellcheck disable=SC2086
    exec $tool -i $files
fi
# shellcheck disable=SC2086
wrong=$($tool --dry-run --Werror $files 2>&1 | grep "error:" |
    sed "s/:.*//" | sort | uniq -c | sort -rn)
[ -n "$wrong" ] || exit 0
echo "lines to change, and where; \`make format\` does it:"
echo "$wrong"
exit 1
