#!/usr/bin/env bash
# completion.bash -- what bash offers for the words of our programs.
# SPDX-License-Identifier: MIT
#
#   bash completion.bash COMPLETION BIN
set -u # not -e: offering nothing is no failure
# shellcheck source=/dev/null # made by the build
. "$1"
PATH=$2:$PATH

# offers WANT WORD...: the last word, which may be empty, is being typed.
offers() {
    local want=$1
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _stagecoach
    [[ " ${COMPREPLY[*]} " == *" $want "* ]] && return 0
    echo "completion.bash: '$*' offers '${COMPREPLY[*]}', not '$want'"
    exit 1
}

offers help stage2_log h
offers put stage2_log pets pu
offers explain stage2_log help ex
offers --read-only stage2_log pets get --r
offers segment_bytes= stage2_log pets put --set = seg
offers interval stage2_log pets put --sync = i
offers merge= stage2_log pets put --set m

if [ -x "$2/compare" ]; then
    offers duel compare d
    offers --workloads compare run --w
    offers merge compare m
    offers plan compare p
    offers --only compare run --on
    offers full compare plan --profile f
    offers fill-random compare run --workloads fill-r
    offers tkrzw compare run --engines tk
    offers log compare duel l
    offers hash compare duel log h
    offers full compare run --profile f
    offers help compare h
    offers C07 compare claims C
    offers C07 compare claims C02 ''
    offers claims compare list c
    offers --text compare chart report --
    offers --out compare merge a b --o
fi

COMP_WORDS=(stage2_log pets put nothing) COMP_CWORD=3
_stagecoach
[ ${#COMPREPLY[@]} -eq 0 ]
