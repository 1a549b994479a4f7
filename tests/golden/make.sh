#!/bin/sh
# make.sh -- makes the golden directories anew: stores as this version writes
# them. Only for a new format, beside those of the old one.
# SPDX-License-Identifier: MIT
#
#     tests/golden/make.sh BIN VERSION [NAME...]    BIN has the stages' programs
#
# Each stage and format twice, or those named: closed, and killed with its log
# still open.
#
#     1.0     make.sh BIN 1.0
#     1.0b    make.sh BIN 1.0b sst sst-text lsm lsm-tiered lsm-runs \
#             bt bt-cow
#             the same formats with what they came to say later: how long the
#             last log was at a clean close, TREE.made, deletions of ranges
set -eu
bin=$1
here=$(cd "$(dirname "$0")" && pwd)/$2
shift 2
names=$*
mkdir -p "$here"

# Values that are empty, long, and made of any bytes; keys that were written
# twice and that are gone.
changes() {
    i=0
    while [ "$i" -lt 60 ]; do
        echo "put key$i first"
        i=$((i + 1))
    done
    printf '%s\n' 'put binary \x00\x01\xff\t\n' "put empty ''"
    printf 'put long '
    head -c 6000 /dev/zero | tr '\0' 'y'
    echo
    echo maintain
    echo "del-range key40 key45"
    i=0
    while [ "$i" -lt 60 ]; do
        echo "put key$i second"
        echo "del key$((i + 1))"
        i=$((i + 3))
    done
    echo "del-range key50 key52"
}

# store NAME PROGRAM [OPTIONS]
store() {
    name=$1 program=$bin/$2
    shift 2
    case " ${names:-$name} " in *" $name "*) ;; *) return ;; esac
    for end in closed killed; do
        dir=$here/$name-$end
        [ ! -e "$dir" ] || { echo "$dir is there" >&2; exit 1; }
        if [ "$end" = closed ]; then
            changes | "$program" "$dir" repl "$@" >/dev/null
        else
            mkfifo "$here/words"
            "$program" "$dir" repl "$@" <"$here/words" >"$here/said" &
            { changes; echo "get key3"; sleep 2; kill -9 $!; } >"$here/words"
            wait $! 2>/dev/null || true
            grep -q second "$here/said" # it was done before the end came
            rm "$here/words" "$here/said"
        fi
        rm -f "$dir/LOCK"
    done
}

store log stage2_log --set segment_bytes=8KiB
store log-text stage2_log --set segment_bytes=8KiB --set format=text
store sst stage3_sstable --set memtable_bytes=2KiB
store sst-text stage3_sstable --set memtable_bytes=2KiB --set format=text
store lsm stage4_lsm --set memtable_bytes=2KiB
store lsm-tiered stage4_lsm --set memtable_bytes=2KiB --set compaction=tiered
store lsm-runs stage4_lsm --set memtable_bytes=2KiB --set level0_runs=20
store bt stage5_btree --set page_bytes=1KiB
store bt-cow stage5_btree --set page_bytes=1KiB --set journal=cow
"$bin/stage3_sstable" "$here/sst-closed" dump --read-only | LC_ALL=C sort \
    >"$here/content.tsv"
rm -f "$here/sst-closed/LOCK"
du -sh "$here"
