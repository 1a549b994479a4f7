#!/bin/sh
# make.sh -- makes the golden directories anew: stores as this version writes
# them. Only for a new format, beside those of the old one.
# SPDX-License-Identifier: MIT
#
#     tests/golden/make.sh BIN VERSION      BIN has the stages' programs
#
# Each stage and format twice: closed, and killed with its log still open.
set -eu
bin=$1
here=$(cd "$(dirname "$0")" && pwd)/$2
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
    i=0
    while [ "$i" -lt 60 ]; do
        echo "put key$i second"
        echo "del key$((i + 1))"
        i=$((i + 3))
    done
}

# store NAME PROGRAM [OPTIONS]
store() {
    name=$1 program=$bin/$2
    shift 2
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
store bt stage5_btree --set page_bytes=1KiB
store bt-cow stage5_btree --set page_bytes=1KiB --set journal=cow
"$bin/stage2_log" "$here/log-closed" dump --read-only | LC_ALL=C sort \
    >"$here/content.tsv"
rm -f "$here/log-closed/LOCK"
du -sh "$here"
