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
    split("hash log tkrzw kyoto glib", engine, " ")
    split("fill-random overwrite wordnet-load-shuffled", work, " ")
    f = dir "/manifest.tsv"
    print "key", "value" >f
    print "engines", "hash log tkrzw kyoto glib" >f
    print "workloads", "fill-random overwrite wordnet-load-shuffled" >f
    print "data", "wordnet" >f
    print "command", "compare run --data /a/very/long/path/without/any/blank/in/it/at/all/x.tsv" >f
    split("none counted mapped calls none", from, " ")
    for (e = 1; e <= 5; e++) {
        print "bytes." engine[e], from[e] >f
        if (e > 2) print "engine." engine[e], engine[e] " 1.0 (yardstick)" >f
    }
    m = dir "/measures.tsv"; s = dir "/space.tsv"; l = dir "/latency.tsv"
    print "engine", "workload", "phase", "rep", "measure", "value" >m
    print "engine", "workload", "rep", "user_bytes", "disk_bytes", "live_bytes" >s
    print "engine", "workload", "op", "ns", "count" >l
    for (e = 1; e <= 5; e++) for (w = 1; w <= 3; w++) {
        for (r = 1; r <= 3; r++) print engine[e], work[w], "run", r, "ops_per_s",
            1e6 / e + 1e4 * r * w >m
        for (i = 0; i < 20; i++) print engine[e], work[w], "insert",
            100 * e * 2 ^ i, 2 ^ (20 - i) >l
        if (e == 2 || e == 4) {
            print engine[e], work[w], "run", 0, "wa_total", e * w / 2 >m
            print engine[e], work[w], "run", 0, "ra_io_hit", e / 2 >m
            for (i = 0; i < 50; i++) print engine[e], work[w], 0,
                i * 1e5, 1e6 * (1 + i % 10 / e), 1e6 >s
        }
    }
    v = dir "/void.tsv"
    print "engine", "workload", "rep", "reason" >v
    print "glib", "overwrite", 3, "crashed: signal 11" >v
}' || fail "awk failed"
"$draw" "$dir" || fail "drawing failed"

if command -v xmllint >/dev/null; then
    for svg in "$dir"/*.svg; do xmllint --noout "$svg" || fail "$svg is not well-formed"; done
fi

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
    want="width $width overflow 0 errors 0 charts 5 doubles 0 unnamed 0 sorted true"
    [ "$got" = "$want" ] || fail "at $width: '$got', not '$want'"
    echo "$got"
done
