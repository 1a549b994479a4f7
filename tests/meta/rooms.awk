# rooms.awk -- every include, every door to the system and every word is in
# the room that the house gives it (CONTRIBUTING.md has the rules).
# SPDX-License-Identifier: MIT
#
# Reads C files named relative to the root. Prints, tab between the fields,
#   rule  path  line  subject  what is wrong
# Variable `stages`: the stages' directories, a space between them.

BEGIN {
    OFS = "\t"
    split("strcpy strcat strncpy strncat sprintf vsprintf gets atoi atol " \
          "atof strtok rand srand random alloca tmpnam tempnam mktemp " \
          "asctime ctime localtime gmtime longjmp", words, " ")
    for (i in words) unsafe[words[i]] = 1
    split("malloc calloc realloc free strdup strndup aligned_alloc", words, " ")
    for (i in words) memory[words[i]] = 1
    split("printf fprintf vprintf vfprintf puts fputs putchar perror fopen " \
          "fwrite fread fclose open read write pread pwrite fsync close " \
          "unlink rename exit _exit abort getenv time clock_gettime sleep " \
          "usleep getrandom", words, " ")
    for (i in words) world[words[i]] = 1
    # The files, or whole rooms, that may talk to the operating system. In
    # compare: who forks, who asks what machine this is, who holds a run to a
    # part of it, who loads a plug-in, who starts gnuplot or a program that is
    # an engine.
    split("common/disk_posix.c common/clock.c common/thread.c " \
          "common/thread.h common/mem.c common/cli/ common/serve/ " \
          "compare/child.c compare/machine.c compare/cage.c compare/engines.c " \
          "compare/command.c " \
          "compare/report/gnuplot.c " \
          "common/crash/ tests/",
          doors, " ")
    SYSTEM = "unistd|fcntl|dirent|sys/[a-z_]+|netinet/.*|arpa/.*|netdb|" \
             "pthread|signal|poll|termios|sched|dlfcn|spawn"
}

FNR == 1 {
    path = FILENAME
    sub(/^\.\//, "", path)
    depth = split(path, part, "/")
    room = part[1]
    base = part[depth]
    dir = substr(path, 1, length(path) - length(base) - 1)
    is_stage = room ~ /^stage/
}

function complain(rule, subject, what)
{
    print rule, path, FNR, subject, what
}

function may_talk_to_the_system(    i)
{
    for (i in doors) if (index(path, doors[i]) == 1) return 1
    return 0
}

# What `room` may include by a path from the root.
function allowed(target)
{
    if (target == "common") return 1
    if (room == "compare") return target == "compare"
    if (room == "tests") {
        return target == "tests" || target == part[2]
    }
    return target == room && !is_stage
}

function check_include(name,    target)
{
    target = name
    sub(/\/.*/, "", target)
    if (index(name, "/") == 0) {
        if (is_stage || room == "common" || room == "compare") {
            if (!((dir "/" name) in exists)) {
                complain("include", name, "\"" name "\" is not in " dir \
                         "; from elsewhere a path from the root is wanted")
            }
        }
    } else if (!allowed(target)) {
        complain("include", name, room " may not include " name)
    }
    if (name ~ /^common\/(cli|serve|crash)\// && is_stage && base != "main.c") {
        complain("include", name, "in a stage only main.c knows its user")
    }
    if (name == "common/engine_impl.h" && is_stage &&
        base != "engine.c" && base != "store.h") {
        complain("include", name, "engine_impl.h is for the engine's door; " \
                 "the parts of a stage do not know what a store is")
    }
    if (name == "common/coding.h" && is_stage && base !~ /^format/) {
        complain("include", name, "bytes on disk are made and read in format.c")
    }
}

function check_calls(code,    rest, word)
{
    rest = " " code
    while (match(rest, /[^A-Za-z0-9_.>"][a-z_][a-z_0-9]*\(/)) {
        word = substr(rest, RSTART + 1, RLENGTH - 2)
        rest = substr(rest, RSTART + RLENGTH)
        if (word in unsafe) {
            complain("unsafe", word, word "() has a safer sister")
        }
        if (word in memory && (is_stage || room == "common") &&
            path !~ /^common\/(mem\.c|cli\/)/) {
            complain("memory", word, "memory comes from common/mem.h, not " \
                     word "()")
        }
        if (word in world && is_stage && base != "main.c") {
            complain("world", word, "a stage does not call " word \
                     "(): it returns, reports or explains")
        }
    }
}

NR == FNR && FILENAME == list { exists[$0] = 1; next }

{
    code = $0
    sub(/\/\/.*/, "", code)
}

code ~ /^#include "/ {
    name = code
    gsub(/^#include "|".*$/, "", name)
    check_include(name)
}

code ~ ("^#include <(" SYSTEM ")\\.h>") && !may_talk_to_the_system() {
    complain("system", base, "this file may not talk to the operating system")
}

code ~ /^ *# *include *<time\.h>/ && (is_stage || room == "common") &&
!may_talk_to_the_system() {
    complain("system", base, "time is read in common/clock.c")
}

is_stage && code ~ /^ *# *(if|ifdef|ifndef|elif)/ &&
code !~ /#ifndef [A-Z0-9_]+_H$/ && code !~ /#ifdef __cplusplus/ {
    complain("conditional", base, "no conditional compilation in a stage")
}

room == "common" && path !~ /^common\/(cli|serve|crash)\// &&
code ~ /(hash|log|sst|lsm|bt)_engine/ {
    complain("common", base, "common/ does not know that there are stages")
}

code !~ /^ *#/ { check_calls(code) }
