#!/bin/sh
# setup.sh -- installs what is missing, and nothing when nothing is.
# SPDX-License-Identifier: MIT
#
#   sh setup.sh            all that follows, but sweeps
#   sh setup.sh build      what compiling the engines needs
#   sh setup.sh test       what the test suites need besides
#   sh setup.sh compare    charts, the first yardsticks and the real data
#   sh setup.sh sweeps     what shares a comparison out among machines
#   sh setup.sh yardsticks  the databases that people use in production
#
# Knows Debian and its descendants. Elsewhere it says what to look for.
set -eu

# package: the word to look for in your own system, and why it is wanted.
list() {
    case $1 in
    build) cat <<'END' ;;
cmake                 configures the build
ninja-build           runs it
pkg-config            finds libraries
gcc                   compiles C17
libc6-dev             the C library's headers
libxxhash-dev         XXH3, the hash of keys in memory
liblz4-dev            LZ4, for blocks of stage 4
libzstd-dev           Zstandard, for the same, and for traces
zlib1g-dev            gzip, for traces
libisal-dev           CRC-32C by hardware; a table without it
libedit-dev           editing and history in the repl
END
    test) cat <<'END' ;;
libcmocka-dev         the frame of the unit tests
clang                 a second compiler's opinion, and the fuzzers
libclang-rt-dev       sanitizers and libFuzzer for it
clang-format          the formatter that decides how code looks
clang-tidy            the linter
g++                   proves that engine.h can be read by C++
shellcheck            the linter of shell scripts
patch                 applies planted bugs
chromium              opens the report as a reader does
END
    compare) cat <<'END' ;;
gnuplot-nox           draws the charts
fonts-dejavu-core     the letters on them
libglib2.0-dev        yardstick: GHashTable
libtkrzw-dev          yardstick: Tkrzw's HashDBM
libkyotocabinet-dev   yardstick: Kyoto Cabinet's HashDB
g++                   links the yardsticks that are written in C++
wordnet-base          real data: 117,659 synsets and their glosses
unicode-data          real data: the names of characters
END
    yardsticks) cat <<'END' ;;
libleveldb-dev        LevelDB, a log-structured merge-tree
librocksdb-dev        RocksDB, a log-structured merge-tree
libwiredtiger-dev     WiredTiger, a B-tree or an LSM-tree
liblmdb-dev           LMDB, a copy-on-write B+tree
libdb5.3-dev          Berkeley DB, a B-tree or a hash table
libsqlite3-dev        SQLite, a B-tree with a write-ahead log
END
    sweeps) cat <<'END' ;;
parallel              runs the shares of a comparison, here or by ssh
END
    *) echo "setup.sh: no group '$1'; there are build, test, compare," \
           "yardsticks, sweeps" >&2
       exit 2 ;;
    esac
}

# Reads a list, prints the lines whose package is not installed.
missing() {
    while read -r package why; do
        case $(dpkg-query -W -f '${db:Status-Status}' "$package" \
               2>/dev/null) in
        installed*) ;;
        *) printf '%-21s %s\n' "$package" "$why" ;;
        esac
    done
}

[ $# -gt 0 ] || set -- build test compare yardsticks
wanted=
for group in "$@"; do
    wanted="$wanted$(list "$group")
"
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "setup.sh: this is not a Debian system, so nothing was installed." >&2
    echo "If the build stops for want of something, it is one of these:" >&2
    printf '%s' "$wanted" >&2
    exit 0
fi

lacking=$(printf '%s' "$wanted" | missing | awk '!seen[$1]++')
[ -n "$lacking" ] || exit 0

echo "setup.sh installs what is missing:"
printf '%s\n' "$lacking" | sed 's/^/  /'
packages=$(printf '%s\n' "$lacking" | sed 's/ .*//' | tr '\n' ' ')

as_root=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup.sh: this takes root. As root, run:" >&2
        echo "  apt-get install --no-install-recommends $packages" >&2
        exit 3
    fi
    as_root="sudo DEBIAN_FRONTEND=noninteractive"
fi
export DEBIAN_FRONTEND=noninteractive

apt() {
    $as_root apt-get -qq -o Dpkg::Use-Pty=0 "$@"
}

# shellcheck disable=SC2086 # one word per package
if ! { apt update && apt install -y --no-install-recommends $packages; }; then
    echo "setup.sh: apt-get failed; the reason is above. It was asked for:" >&2
    echo "  $packages" >&2
    echo "Without network, install these some other way and run again." >&2
    exit 3
fi
