// page_probe.js -- asks a report page in a browser what a reader would see, and
// tells the page around it. See test_report_page.sh.
// SPDX-License-Identifier: MIT
(function () {
    const all = (what) => Array.from(document.querySelectorAll(what));
    const charts = all("svg.chart");
    const titleOf = (svg) =>
        (svg.getAttribute("aria-labelledby") || "").split(" ")[0];
    const seen = charts.filter((s) => s.getBoundingClientRect().height > 50);
    const unnamed = charts.filter((s) => !document.getElementById(titleOf(s)));
    const ids = all("[id]").map((e) => e.id);

    // What is folded on the screen is there on paper, and folded again after.
    const isFolded = () => all("#ledger details").every((d) => !d.open);
    dispatchEvent(new Event("beforeprint"));
    const printed = all("#ledger details, #tables details").every((d) => d.open);
    dispatchEvent(new Event("afterprint"));
    const prints = printed && isFolded();
    all("details").forEach((d) => { d.open = true; });

    // A click on a column's head sorts the table by it.
    const head = document.querySelector("#throughput thead th:nth-child(5)");
    head.querySelector("button").click();
    const column = all("#throughput tbody tr")
        .map((r) => Number(r.cells[4].dataset.v));
    const sorted = column.length > 5 &&
        column.every((v, i) => i === 0 || column[i - 1] <= v) &&
        head.getAttribute("aria-sort") === "ascending";

    const page = document.documentElement;
    parent.postMessage("width " + innerWidth +
        " overflow " + (page.scrollWidth - page.clientWidth) +
        " errors " + bad.length +
        " charts " + seen.length +
        " doubles " + (ids.length - new Set(ids).size) +
        " unnamed " + unnamed.length +
        " sorted " + sorted +
        " prints " + prints, "*");
})();
