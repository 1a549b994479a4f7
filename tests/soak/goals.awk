# goals.awk -- the figures of a run beside the goals, as a table.
# SPDX-License-Identifier: MIT
#
# Reads goals.tsv, then figures.tsv (goal, engine, what, figure). A figure that
# comes more than once for an engine is summed. A goal `each` is for the engine
# that has least; `sum` for all together; `one` for the last figure that came.
# Prints the table, and writes it, tab between the fields, to the file `out`.

BEGIN { FS = OFS = "\t" }

/^#/ || NF == 0 { next }

FNR == NR {
    if (NF != 6) {
        print FILENAME ":" FNR ": " NF " fields, not 6" >"/dev/stderr"
        bad = 1
        exit 2
    }
    goals++
    id[goals] = $1
    what[goals] = $2
    over[goals] = $3
    limit[goals] = $4
    text[goals] = $5
    command[goals] = $6
    wanted[$1 SUBSEP $2] = 1
    next
}

NF != 4 || $4 !~ /^[0-9]+$/ {
    print FILENAME ":" FNR ": no figure: " $0 >"/dev/stderr"
    bad = 1
    next
}

{
    key = $1 SUBSEP $3
    if (!(key in wanted)) beside[$1 " " $3] += $4
    if (!((key, $2) in sum)) engines[key] = engines[key] " " $2
    sum[key, $2] += $4
    last[key] = $4
}

# "1234567" as "1,234,567".
function grouped(n,    s, out)
{
    s = sprintf("%.0f", n)
    while (length(s) > 3) {
        out = "," substr(s, length(s) - 2) out
        s = substr(s, 1, length(s) - 3)
    }
    return s out
}

# Sets `reached`, and `by`, which engine had least; false if nothing was.
function reach(g,    key, n, i, name)
{
    key = id[g] SUBSEP what[g]
    by = ""
    if (!(key in last)) return 0
    if (over[g] == "one") {
        reached = last[key]
        return 1
    }
    n = split(substr(engines[key], 2), name, " ")
    reached = over[g] == "sum" ? 0 : sum[key, name[1]]
    by = over[g] == "sum" ? "" : " (" name[1] ")"
    for (i = 1; i <= n; i++) {
        if (over[g] == "sum") {
            reached += sum[key, name[i]]
        } else if (sum[key, name[i]] < reached) {
            reached = sum[key, name[i]]
            by = " (" name[i] ")"
        }
    }
    return 1
}

# ">=300000" or "<=0".
function is_met(g,    n)
{
    n = substr(limit[g], 3) + 0
    return limit[g] ~ /^<=/ ? reached <= n : reached >= n
}

END {
    if (bad && !goals) exit 2
    printf "%-4s %-46s %14s %20s  %-12s %s\n", "", "goal", "wanted", "reached",
        "verdict", "command"
    print "id", "goal", "wanted", "reached", "verdict", "command" >out
    for (g = 1; g <= goals; g++) {
        sign = substr(limit[g], 1, 2)
        want = sign " " grouped(substr(limit[g], 3))
        if (!reach(g)) {
            shown = "-"
            verdict = "not measured"
        } else {
            shown = grouped(reached) by
            verdict = is_met(g) ? "met" : sign == "<=" ? "missed" : "not yet"
        }
        count[verdict]++
        printf "%-4s %-46s %14s %20s  %-12s %s\n", id[g], text[g], want, shown,
            verdict, command[g]
        print id[g], text[g], limit[g], shown, verdict, command[g] >out
    }
    printf "\n%d met, %d missed, %d not yet, %d not measured\n", count["met"],
        count["missed"], count["not yet"], count["not measured"]
    for (key in beside) printf "beside: %s: %s\n", key, grouped(beside[key])
    if (bad) exit 1
}
