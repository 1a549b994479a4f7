# mutate.awk -- the small mistakes that could be made in a file of C.
# SPDX-License-Identifier: MIT
#
# Reads files of the house's form (one blank on either side of an operator, a
# function's braces in the first column). Prints for each mistake, tab between
# the fields: file, line, what it is, and how the line reads with it.

function offer(what, text) {
    print FILENAME, FNR, what, text
}

# Each `old` of the code, one at a time, as `new`.
function swap(old, new,    at, from) {
    from = 1
    while ((at = index(substr(code, from), old)) > 0) {
        at += from - 1
        offer("'" trimmed(old) "' for '" trimmed(new) "'",
            substr(code, 1, at - 1) new substr(code, at + length(old)) rest)
        from = at + length(old)
    }
}

function trimmed(s) {
    gsub(/^ +| +$/, "", s)
    return s
}

# Without it nothing but memory is lost, or all stands still: no suite is asked.
function is_housework() {
    return code ~ /free|lock|atomic|kv_fail|printf|release|close|report|assert/
}

BEGIN { OFS = "\t" }
FNR == 1 { inside = 0 }
/^\{/ { inside = 1 }
/^\}/ { inside = 0 }
!inside || /^ *\/\// || /assert/ { next }
{
    # Neither words in a message nor a comment are code.
    at = match($0, /"|\/\//)
    code = at > 0 ? substr($0, 1, at - 1) : $0
    rest = at > 0 ? substr($0, at) : ""
    if (code !~ /for \(/) swap(" < ", " <= ") # `i <= count` reads what is not ours
    swap(" <= ", " < ")
    swap(" > ", " >= ")
    swap(" >= ", " > ")
    swap(" == ", " != ")
    swap(" != ", " == ")
    swap(" + ", " - ")
    swap(" - ", " + ")
    swap(" && ", " || ")
    swap(" || ", " && ")
    swap("true", "false")
    swap("false", "true")
    swap(" 1;", " 0;")
    swap(" 0;", " 1;")
    swap("(!", "(")
    if (rest == "" && !is_housework() &&
        (code ~ /^ +[a-zA-Z_0-9]+\(.*\);$/ ||
            code ~ /^ +[*a-z_][a-zA-Z_0-9>.\[\]-]* [-+|^]?= .*;$/)) {
        offer("a statement is left out: " trimmed(code), "    ;")
    }
}
