#!/bin/sh
# symbols.sh -- what the compiled libraries export and what they ask of the
# world: the rooms again, as the linker sees them.
# SPDX-License-Identifier: MIT
#
#   sh symbols.sh LIBRARY PREFIX        every exported name starts with PREFIX
#   sh symbols.sh LIBRARY PREFIX stage  and it calls only common/, itself, and
#                                       the few functions below
set -u
library=$1 prefix=$2 kind=${3:-}
bad=0

# Names with a leading underscore belong to compilers and sanitizers.
strangers=$(nm -g --defined-only "$library" 2>/dev/null |
    awk 'NF == 3 && $3 !~ /^_/ { print $3 }' | sort -u | grep -v "^$prefix")
if [ -n "$strangers" ]; then
    echo "$library exports names that do not start with $prefix:"
    echo "$strangers" | sed 's/^/  /'
    bad=1
fi

if [ "$kind" = stage ]; then
    # Bytes, text and sorting in memory: nothing here knows of a file, a clock,
    # a terminal, chance, or the heap. (clang turns a memcmp into a bcmp.)
    ours="^_|^kv_|^$prefix|^mem(cpy|move|set|cmp|chr|rchr|mem)\$|^bcmp\$"
    ours="$ours|^str(len|cmp|ncmp|chr|rchr|spn|cspn|toul|toull)\$"
    ours="$ours|^v?snprintf\$|^sscanf\$|^qsort\$|^bsearch\$"
    ours="$ours|^LZ4_|^ZSTD_|^exp\$|^log\$|^pow\$" # compressors, and sums
    asks=$(nm -u "$library" 2>/dev/null |
        awk 'NF == 2 { print $2 }' | sort -u | grep -vE "$ours")
    if [ -n "$asks" ]; then
        echo "$library calls what a stage may not (tests/meta/symbols.sh):"
        echo "$asks" | sed 's/^/  /'
        bad=1
    fi
fi
[ -n "$(nm -g --defined-only "$library" 2>/dev/null)" ] || {
    echo "$library holds nothing"
    bad=1
}
exit $bad
