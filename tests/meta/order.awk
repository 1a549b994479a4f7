# order.awk -- notes/reading-order.md lists every source file once, and no file
# includes one that stands below it: read in this order, nothing is used
# before it was met.
# SPDX-License-Identifier: MIT
#
# Reads a list of all C files (its name in `list`), then reading-order.md, then
# the C files. In the notes a file is listed by a line that starts with "- `",
# its path or paths in backticks before the first " -- ".

BEGIN { OFS = "\t"; notes = "notes/reading-order.md" }

FNR == 1 {
    path = FILENAME
    sub(/^\.\//, "", path)
    dir = path
    sub(/\/[^\/]*$/, "", dir)
}

FILENAME == list { exists[$0] = 1; next }

path == notes {
    if ($0 !~ /^- `/) next
    line = $0
    sub(/ -- .*/, "", line)
    while (match(line, /`[^`]+`/)) {
        file = substr(line, RSTART + 1, RLENGTH - 2)
        line = substr(line, RSTART + RLENGTH)
        if (file in place) {
            print "order", notes, FNR, file, file " is listed twice"
        }
        if (!(file in exists)) {
            print "order", notes, FNR, file, file " is not there"
        }
        place[file] = ++count
    }
    next
}

/^#include "/ {
    name = $0
    gsub(/^#include "|".*$/, "", name)
    if (!(name in exists)) name = home(dir, name)
    if (name in place && path in place && place[name] > place[path]) {
        print "order", path, FNR, name, "includes " name \
              ", which reading-order.md has below it"
    }
}

# A name without a directory is in the includer's own, or, from a stage's
# tests, in the stage's.
function home(dir, name,    stage)
{
    if ((dir "/" name) in exists) return dir "/" name
    stage = dir
    sub(/^tests\//, "", stage)
    return stage "/" name
}

END {
    for (file in exists) {
        if (!(file in place)) {
            print "order", file, 1, file, "is not in " notes
        }
    }
}
