#!/bin/sh
# scripts.sh -- every shell script parses, and shellcheck has nothing to say.
# SPDX-License-Identifier: MIT
set -u
cd "${ROOT:-$(dirname "$0")/../..}" || exit 2
files=$(find setup.sh .ci/run common compare stage* tests -name '*.sh' \
    -o -path .ci/run -o -path tests/meta/pre-commit 2>/dev/null)
bad=0
for file in $files; do
    sh -n "$file" || bad=1
done
if command -v shellcheck >/dev/null; then
    # shellcheck disable=SC2086
    shellcheck -S warning -s sh $files || bad=1
else
    echo "parsed only: there is no shellcheck (setup.sh test installs it)"
fi
exit $bad
