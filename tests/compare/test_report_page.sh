#!/bin/sh
# test_report_page.sh -- the page in a browser: no error, every chart seen,
# tables sort, nothing wider than the window at 360 and 1200 pixels. 77: no
# chromium or no gnuplot. The argument is the program that draws a run.
# SPDX-License-Identifier: MIT
set -u
draw=$1
command -v chromium >/dev/null && command -v gnuplot >/dev/null || exit 77
dir=$(mktemp -d "${TMPDIR:-/tmp}/stagecoach-page-XXXXXX")
trap 'rm -rf "$dir"' EXIT
fail() { echo "$1"; exit 1; }

# A run with all charts, long names and an engine of somebody else's.
awk -v dir="$dir" 'BEGIN {
    OFS = "\t"
    engines = "hash log tkrzw kyoto glib bt"
    works = "fill-random overwrite wordnet-load-shuffled read-random workloada"
    E = split(engines, engine, " ")
    W = split(works, work, " ")
    f = dir "/manifest.tsv"
    print "key", "value" >f
    print "engines", engines >f
    print "workloads", works >f
    print "data", "wordnet" >f
    print "command", "compare run --data /a/very/long/path/without/any/blank/in/it/at/all/x.tsv" >f
    split("none counted mapped written none counted", from, " ")
    for (e = 1; e <= E; e++) {
        print "bytes." engine[e], from[e] >f
        if (e > 2 && e < E) print "engine." engine[e], engine[e] " 1.0 (yardstick)" >f
    }
    m = dir "/measures.tsv"; s = dir "/space.tsv"; l = dir "/latency.tsv"
    print "engine", "workload", "phase", "rep", "measure", "value" >m
    print "engine", "workload", "rep", "user_bytes", "disk_bytes", "live_bytes" >s
    print "engine", "workload", "op", "ns", "count" >l
    for (e = 1; e <= E; e++) for (w = 1; w <= W; w++) {
        for (r = 1; r <= 3; r++) print engine[e], work[w], "run", r, "ops_per_s",
            1e6 / e + 1e4 * r * w >m
        for (i = 0; i < 20; i++) print engine[e], work[w], "insert",
            100 * e * 2 ^ i, 2 ^ (20 - i) >l
        if (e == 2 || e == 4 || e == E) {
            print engine[e], work[w], "run", 0, "wa_total", e * w / 2 >m
            print engine[e], work[w], "run", 0, "ra_io_hit", e / 2 >m
            for (i = 0; i < 50; i++) print engine[e], work[w], 0,
                i * 1e5, 1e6 * (1 + i % 10 / e), 1e6 >s
        }
    }
    t = dir "/timeline.tsv"; o = dir "/openloop.tsv"
    print "engine", "workload", "share", "second", "ops", "p50_ns", "p99_ns", "max_ns",
        "written_bytes", "background_bytes" >t
    print "engine", "workload", "share", "offered_per_s", "achieved_per_s", "p99_ns" >o
    for (e = 1; e <= E; e++) for (i = 1; i <= 9; i++) {
        print engine[e], "overwrite", .7, i, 1000, 900 * e, 9000 * e, 1e6 * i, 1e7 * i, 5e6 * i >t
        print engine[e], "overwrite", .3, i, 500, 800 * e, 8000 * e, 1e6 * i, 1e7 * i, 5e6 * i >t
        if (i == 1) print engine[e], "fill-random", 0, .2, 500, 800, 8000, 1e6, 2e6, 0 >t
        print engine[e], "overwrite", i / 10, 1e5 * i / e, 1e5 * i / e, 1000 * 3 ^ i >o
    }
    # A claim or study for each chart that is drawn from one, and one more.
    c = dir "/claims.tsv"; p = dir "/points.tsv"
    print "claim", "verdict", "text", "first", "second", "setup", "x", "y",
        "counted", "records", "seed" >c
    print "claim", "series", "x", "y", "theory" >p
    C = split("C01 C05 C07 C11 C15 C18 C20 C25 C27 C29 C30 S04 S13 S14 S15 S16 S21 S22 S25",
              claim, " ")
    for (i = 1; i <= C; i++) {
        print claim[i], i % 3 ? "confirmed" : "depends", "What " claim[i] " says.",
            "First", "Second", "A setup of some length that says what is done.",
            claim[i] == "C29" ? "whole, torn" : "records", "bytes written / bytes given",
            1, 20000, 1 >c
        for (k = 0; k < 2 + i % 4; k++) for (x = 0; x < (i == 1 ? 1 : 6); x++)
            print claim[i], k == 1 ? "a name that is rather long, " k : "n" k,
                claim[i] == "C29" ? x % 2 : 10 ^ x, (k + 1) * (x + 1),
                k ? "NA" : (x + 1) * 1.1 >p
    }
    v = dir "/void.tsv"
    print "engine", "workload", "rep", "reason" >v
    print "glib", "overwrite", 3, "crashed: signal 11" >v
}' || fail "awk failed"
"$draw" "$dir" || fail "drawing failed"

if command -v xmllint >/dev/null; then
    for svg in "$dir"/*.svg; do xmllint --noout "$svg" || fail "$svg is not well-formed"; done
fi

# Of the loops of all rates, the longest workload's fastest, moment by moment.
cat >"$dir/moments" <<END
log	1	1.8	18	1000	10	5
log	2	1.8	18	2000	20	10
END
sed -n '/^log	/p' "$dir/latency_timeline.tsv" | head -2 | diff "$dir/moments" - ||
    fail "latency_timeline shows other moments"
[ "$(grep -c '^log	' "$dir/latency_timeline.tsv")" -eq 9 ] || fail "rates are mixed"

# The page, with a question at its beginning and the answer at its end.
probe=$(dirname "$0")/page_probe.js
awk -v probe="$probe" '/<head>/ {
    sub(/<head>/, "<head><script>var bad = []; onerror = (m) => { bad.push(m) }</script>")
}
/<\/body>/ {
    print "<script>"
    while ((getline line <probe) > 0) print line
    print "</script>"
}
{ print }' "$dir/index.html" >"$dir/asked.html"

# In a frame as wide as a phone: the browser's own window is never so narrow.
for width in 360 1200; do
    cat >"$dir/frame.html" <<END
<body><pre id="answer"></pre><script>
onmessage = (m) => { document.getElementById('answer').textContent = m.data };
</script><iframe src="asked.html" width="$width" height="900" style="border:0"></iframe></body>
END
    chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync \
        --user-data-dir="$dir/profile$width" --enable-logging=stderr --window-size=1600,1000 \
        --virtual-time-budget=5000 --dump-dom "file://$dir/frame.html" >"$dir/dom" 2>"$dir/log" ||
        fail "chromium failed: $(tail -3 "$dir/log")"
    grep 'CONSOLE' "$dir/log" && fail "the console is not silent at $width"
    got=$(sed -n 's/.*<pre id="answer">\([^<]*\)<.*/\1/p' "$dir/dom")
    want="width $width overflow 0 errors 0 charts 28 doubles 0 unnamed 0 sorted true prints true"
    [ "$got" = "$want" ] || fail "at $width: '$got', not '$want'"
    echo "$got"
done
