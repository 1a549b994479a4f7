# shape.awk -- the shape of a file: a first line that says what it is for, a
# licence line, a guard, lines of 80 columns (scripts: 100), files and functions
# one can survey.
# SPDX-License-Identifier: MIT
#
# Reads .c, .h, .sh and .awk files; prints as rooms.awk does.

BEGIN {
    OFS = "\t"
    COLUMNS = 80
    SCRIPT_COLUMNS = 100
    FILE_LINES = 500
    FUNCTION_LINES = 60
}

function complain(rule, line, subject, what)
{
    print rule, path, line, subject, what
}

function end_of_file()
{
    if (path == "") return
    if (!has_licence) {
        complain("header", 1, base, "no SPDX line among the first six")
    }
    if (lines > FILE_LINES) {
        complain("file-length", lines, base, lines " lines; " FILE_LINES \
                 " is a wall")
    }
    if (base ~ /\.h$/ && !guarded) {
        complain("guard", 1, base, "no guard of its own that ends in " guard)
    }
    if (blank) complain("blank", lines, base, "ends in an empty line")
}

# A guard ends in the file's name in capitals, COMMON_ENGINE_H, and no other
# file has it.
function check_guard(text)
{
    sub(/^#ifndef /, "", text)
    if (substr(text, length(text) - length(guard) + 1) != guard) return
    guarded = !(text in taken)
    taken[text] = 1
}

FNR == 1 {
    end_of_file()
    path = FILENAME
    sub(/^\.\//, "", path)
    base = path
    sub(/.*\//, "", base)
    is_c = base ~ /\.[ch]$/
    guard = toupper(base)
    gsub(/[^A-Z0-9]/, "_", guard)
    has_licence = guarded = seen_guard = started = 0
    name = ""
    mark = is_c ? "// " : "# "
    says = index($0, mark base " -- ") == 1
    if (!says && $0 !~ /^#!/) {
        complain("header", 1, base, "line 1 is not \"" mark base \
                 " -- what it is for\"")
    }
}

FNR == 2 && !says && index($0, mark base " -- ") != 1 {
    complain("header", 2, base, "says nowhere what it is for")
}

{
    lines = FNR
    blank = $0 == ""
    text = $0
    # A character of UTF-8 is one column, whatever its bytes.
    gsub(/[\200-\277]/, "", text)
    if (length(text) > (is_c ? COLUMNS : SCRIPT_COLUMNS)) {
        complain("width", FNR, base, length(text) " columns")
    }
    if (text ~ /[ \t\r]$/) complain("blank", FNR, base, "blanks at the end")
    if (is_c && text ~ /\t/) complain("blank", FNR, base, "a tab")
}

FNR <= 6 && /SPDX-License-Identifier: MIT$/ { has_licence = 1 }
/^#ifndef / && !seen_guard { seen_guard = 1; check_guard($0) }

# A function's body is between a `{` and a `}` that stand alone in column 1.
is_c && $0 == "{" && !started { started = FNR; name = heading }
is_c && $0 == "}" && started {
    if (FNR - started > FUNCTION_LINES) {
        complain("function-length", started, name, name "() has " \
                 (FNR - started) " lines; " FUNCTION_LINES " is a wall")
    }
    started = 0
}
is_c && !started && /^[A-Za-z].*\(/ {
    heading = $0
    sub(/\(.*/, "", heading)
    if (heading ~ /^[A-Z_]+$/) { # TEST(name)
        heading = $0
        gsub(/^[A-Z_]+\(|[,)].*/, "", heading)
    }
    sub(/.*[ *]/, "", heading)
}

END { end_of_file() }
