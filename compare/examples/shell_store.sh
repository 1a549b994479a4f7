#!/bin/sh
# shell_store.sh -- the world's simplest database, two functions of shell, as
# an engine: compare run --engines log,cmd:compare/examples/shell_store.sh
# SPDX-License-Identifier: MIT
#
# Appending is fast, and a lookup reads the whole file: the pain that an index
# is for. The lines it speaks are told in compare/command.c.
# Book: Data Structures That Power Your Database
set -u
database=$1/database
tab=$(printf '\t')
touch "$database"

# The last line of a key counts; a line that says "del" is a deletion.
db_set() { printf '%s\t%s\t%s\n' "$1" "$2" "${3-}" >>"$database"; }
db_get() {
    key=$1 awk -F '\t' '
        $2 == ENVIRON["key"] { is_there = $1 == "set"; value = $3 }
        END { if (is_there) print "ok\t" value; else print "none" }' "$database"
}
db_all() {
    awk -F '\t' '
        $1 == "set" { value[$2] = $3 }
        $1 == "del" { delete value[$2] }
        END { for (key in value) print "row\t" key "\t" value[key]
              print "end" }' "$database"
}

while IFS=$tab read -r call key value; do
    case $call in
    put) db_set set "$key" "$value" && echo ok ;;
    del) db_set del "$key" && echo ok ;;
    get) db_get "$key" ;;
    scan) db_all ;;
    sync) sync "$database" && echo ok ;;
    open) echo ok ;;
    close) echo ok; exit ;;
    *) printf 'error\tno call "%s"\n' "$call" ;;
    esac
done
