# arc.awk -- traces of the authors of ARC as compare's replay wants them.
# SPDX-License-Identifier: MIT
#
#     zstdcat oltp.lis.zst | awk -f compare/data/arc.awk | compare replay -
#
# A line of theirs is "first_page page_count ignored request_number". Each page
# of it becomes a get of a value of 100 to 1,000 bytes: of the same page always
# the same. Whoever publishes figures made from these traces cites: N. Megiddo
# and D. S. Modha, "ARC: A Self-Tuning, Low Overhead Replacement Cache" (FAST
# 2003).

NF < 2 || $1 !~ /^[0-9]+$/ || $2 !~ /^[0-9]+$/ {
    print "arc.awk: line " NR " is not \"page count ...\"" >"/dev/stderr"
    exit 1
}
{
    for (page = $1; page < $1 + $2; page++)
        printf "get\t%010d\t%d\n", page, 100 + page * 7919 % 901
}
