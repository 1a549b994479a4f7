# links.awk -- every link between our own pages leads somewhere.
# SPDX-License-Identifier: MIT
#
# Reads a list of all files and directories (its name in `list`), then the
# pages; prints as rooms.awk does. A page's headings are its #anchors, in
# lower case, blanks as dashes, other punctuation dropped.

BEGIN { OFS = "\t" }

FNR == 1 {
    path = FILENAME
    sub(/^\.\//, "", path)
    dir = path
    if (!sub(/\/[^\/]*$/, "", dir)) dir = "."
    in_code = 0
}

FILENAME == list { exists[$0] = 1; next }

/^ *```/ { in_code = !in_code; next }
in_code { next }

/^#+ / {
    slug = tolower($0)
    sub(/^#+ /, "", slug)
    gsub(/[^a-z0-9 _-]/, "", slug)
    gsub(/ /, "-", slug)
    exists[path "#" slug] = 1
}

{
    rest = $0
    while (match(rest, /\]\([^)]*\)/)) {
        to = substr(rest, RSTART + 2, RLENGTH - 3)
        rest = substr(rest, RSTART + RLENGTH)
        if (to ~ /^https?:/) continue
        links++
        from[links] = path "\t" FNR "\t" to
        target[links] = to ~ /^#/ ? path to : resolve(dir "/" to)
    }
}

# "notes/../common//x" -> "common/x"
function resolve(name,    part, n, i, m, kept, out)
{
    n = split(name, part, "/")
    m = 0
    for (i = 1; i <= n; i++) {
        if (part[i] == "" || part[i] == ".") continue
        if (part[i] == ".." && m > 0) m--
        else kept[++m] = part[i]
    }
    out = m == 0 ? "." : kept[1]
    for (i = 2; i <= m; i++) out = out "/" kept[i]
    return out
}

END {
    for (i = 1; i <= links; i++) {
        file = target[i]
        sub(/#.*/, "", file)
        split(from[i], f, "\t")
        if (!(file in exists)) {
            print "link", f[1], f[2], f[3], "leads nowhere: " f[3]
        } else if (target[i] ~ /#/ && !(target[i] in exists)) {
            print "link", f[1], f[2], f[3], "no such heading: " f[3]
        }
    }
}
