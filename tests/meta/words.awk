# words.awk -- words that have no place in any file of the house.
# SPDX-License-Identifier: MIT
#
# Reads text files of any kind; prints as rooms.awk does. Patterns are written
# with a [b]racket, so that they do not find themselves.

BEGIN {
    OFS = "\t"
    # Where a link may lead. A link that is not here is one to think about.
    split("www.w3.org spdx.org dataintensive.net keepachangelog.com " \
          "127.0.0.1 localhost", hosts, " ")
    for (i in hosts) known[hosts[i]] = 1
}

function complain(rule, subject, what)
{
    print rule, path, FNR, subject, what
}

FNR == 1 {
    path = FILENAME
    sub(/^\.\//, "", path)
}

/(^|[^A-Za-z0-9_])([T]ODO|[F]IXME|[X]XX|[H]ACK)([^A-Za-z0-9_]|$)/ {
    complain("later", path, "what is left to do belongs in an issue")
}

/(^|[^A-Za-z0-9_.$}])\/([w]ork|[h]ome|[r]oot|[t]mp)\// {
    complain("path", path, "a path of somebody's machine; $TMPDIR, mktemp " \
             "and relative paths go anywhere")
}

{
    rest = $0
    while (match(rest, /https?:\/\/[A-Za-z0-9.-]+/)) {
        host = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        sub(/https?:\/\//, "", host)
        if (!(host in known)) {
            complain("host", host, "a link to " host ", which words.awk does " \
                     "not list")
        }
    }
}
