// catalog.c -- every chart, in the order of the page: what it asks, what its
// figures mean, what theory lets one expect.
// SPDX-License-Identifier: MIT

#include "compare/charts/chart.h"

#define COUNTED                                                                \
    "Counted at the engines' disk layer, background work inside the calls, "   \
    "so the same seed gives the same figures everywhere."

const cmp_chart cmp_charts[] = {
    // ---- the front page -----------------------------------------------------
    {.name = "throughput",
     .question = "How many operations a second?",
     .title = "Throughput",
     .subtitle = "operations per second, log scale; further right is faster",
     .definition =
         "Operations divided by the seconds they took, each workload in a "
         "process of its own. A point is the median of the repetitions, the "
         "whisker their minimum and maximum.",
     .expected =
         "An index in memory answers without the disk, so engines that keep "
         "everything in memory lead; an append-only log turns every write "
         "into one append, and every read into at most one read of the file.",
     .is_front = true,
     .make = cmp_chart_throughput},
    {.name = "ycsb_grid",
     .question = "Which engine for which mix of reads and writes?",
     .title = "YCSB A to F",
     .subtitle = "operations per second / those of bt, the B-tree; log scale",
     .definition =
         "The six standard workloads: A half updates, B few updates, C reads "
         "only, D reads of the latest, E short scans, F read-modify-write. "
         "Median of the repetitions divided by the median of the B-tree; "
         "whiskers are their minimum and maximum.",
     .expected = "Nobody leads in all six: what reads least per lookup leads "
                 "C, what writes least per update leads A and F, and only "
                 "sorted engines can do E.",
     .is_front = true,
     .make = cmp_chart_ycsb},
    {.name = "amp_triangle",
     .question = "What does each engine pay, and with what?",
     .title = "Reading, writing, space",
     .subtitle = "reads per found key over bytes written / bytes given",
     .definition =
         "Right: bytes handed to write calls / bytes of keys and values, in "
         "overwrite. Up: read calls that no cache answered per found key, in "
         "read-random. The figure beside the name: bytes on disk / live "
         "bytes at the worst moment of overwrite.",
     .expected = "The three pull against each other: an engine that is best "
                 "at two of them pays with the third.",
     .needs = CMP_NEEDS_CALLS,
     .is_front = true,
     .make = cmp_chart_triangle},
    {.name = "wa_breakdown",
     .question = "How often is a byte written?",
     .title = "Write amplification",
     .subtitle =
         "bytes written \303\267 bytes of keys and values; 1 is perfect",
     .definition =
         "Bytes handed to write calls from the first measured operation until "
         "the store has settled, divided by the keys and values of puts and "
         "the keys of deletes in that time, split by the reason of each "
         "write.",
     .expected =
         "A log writes each record once, a little more than its own bytes for "
         "the header; overwriting and deleting leave dead records, and "
         "reclaiming their space writes the live ones again.",
     .needs = CMP_NEEDS_CALLS,
     .is_front = true,
     .make = cmp_chart_writes},
    {.name = "wa_vs_value",
     .question = "At which size of records does a B-tree write less?",
     .title = "Write amplification over the size of records",
     .subtitle = "bytes written \303\267 bytes given; both axes log",
     .definition = "Bytes handed to write calls / bytes of keys and values, "
                   "while each record is replaced twice on the mean, with "
                   "memory for a sixteenth of the data. " COUNTED,
     .expected =
         "A B-tree writes a page however small the record, so its "
         "line falls with the size; an LSM-tree's hardly does. They "
         "cross near page / (WA of the LSM-tree - 1). Large values that "
         "are kept apart from their keys are written little more than "
         "once.",
     .claims = "C25 C40",
     .log_axes = "xy",
     .needs = CMP_NEEDS_CLAIMS,
     .is_front = true,
     .make = cmp_chart_points},
    {.name = "wa_vs_time",
     .question = "When is it steady?",
     .title = "Write amplification over time",
     .subtitle = "bytes written \303\267 bytes given, of each window alone",
     .definition = "Every record inserted, then replaced at random; bytes "
                   "written / bytes given in each window of a quarter of the "
                   "records. " COUNTED,
     .expected = "The beginning is a honeymoon: levels fill and nothing has "
                 "to be merged yet. Only what comes after it is the price.",
     .claims = "S04 C35",
     .log_axes = "y",
     .needs = CMP_NEEDS_CLAIMS,
     .is_front = true,
     .make = cmp_chart_points},
    {.name = "sa_vs_time",
     .question = "How much disk for the data?",
     .title = "Space amplification",
     .subtitle = "bytes on disk \303\267 live bytes, while user bytes are "
                 "written",
     .definition =
         "Bytes of all files of the store, divided by the keys and values of "
         "its live records, over the user bytes written; 1 is perfect. The "
         "point is the highest sample or, if that is more, the most bytes "
         "ever on disk (the disk layer's ledger misses none between two "
         "samples) divided by the largest amount of live bytes.",
     .expected =
         "A log grows with every overwrite and falls back when it is merged: "
         "a sawtooth, whose peak holds old and new segments side by side.",
     .needs = CMP_NEEDS_DISK,
     .is_front = true,
     .make = cmp_chart_space},
    {.name = "ra_miss_bloom",
     .question = "What does a filter save?",
     .title = "Reads of a key that is not there",
     .subtitle = "reads per absent key",
     .definition = "Read calls per lookup of a key that is absent but lies "
                   "between present ones, over the bits of filter per key, "
                   "for so many runs. " COUNTED,
     .expected = "Without a filter a read per run; each five bits a key "
                 "divide it by eleven (the sum of the runs' chances).",
     .claims = "C18",
     .log_axes = "y",
     .needs = CMP_NEEDS_CLAIMS,
     .is_front = true,
     .make = cmp_chart_points},
    {.name = "reads_by_class",
     .question = "How many reads does a lookup cost?",
     .title = "Read amplification",
     .subtitle = "read calls that no cache answered, per operation",
     .definition =
         "Read calls that no cache of the engine answered, divided by the "
         "operations of that class: hit (the key is there), miss (it is "
         "absent but lies between present keys), scan.",
     .expected = "With the index in memory a log reads once for a key that is "
                 "there and not at all for one that is not.",
     .needs = CMP_NEEDS_CALLS,
     .is_front = true,
     .make = cmp_chart_reads},
    {.name = "scan_cost",
     .question = "What does a range cost?",
     .title = "Reads of a scan",
     .subtitle = "reads per scan over the rows it returns; both axes log",
     .definition = "Read calls of a scan that begins at a random key, over "
                   "the rows it returns. " COUNTED,
     .expected = "Short scans cost a read per run; long ones a read per "
                 "block of rows, so the lines rise with slope 1.",
     .claims = "C20",
     .log_axes = "xy",
     .needs = CMP_NEEDS_CLAIMS,
     .is_front = true,
     .make = cmp_chart_points},
    {.name = "latency_ccdf",
     .question = "How slow are the slow ones?",
     .title = "Latency",
     .subtitle = "share of calls slower than that; both axes log",
     .definition =
         "The share of calls that took longer than the time below the axis; "
         "all calls of a run with a clock around each, in one histogram (1 % "
         "wide buckets), never averaged. Calls follow each other without a "
         "pause, so a stall delays one call here and would delay many in a "
         "service.",
     .expected = "Most calls never leave memory; growing, merging and the "
                 "operating system's write-back make the tail.",
     .is_front = true,
     .make = cmp_chart_latency},
    {.name = "latency_timeline",
     .question = "When are they slow, and why?",
     .title = "Latency and background writing over time",
     .subtitle = "above: half and 99 % of the calls, the slowest; below: "
                 "bytes written",
     .definition =
         "Of the calls of each moment, a tenth of a second (a second where "
         "loops are long), half took no longer than the lowest line, 99 % "
         "than the middle one, all than the highest; where calls come at a "
         "rate, they are timed from when they were due. Below: bytes written a "
         "second in that moment, "
         "and the part by background work.",
     .expected = "Calls are slow in the moments in which the most is "
                 "written.",
     .is_front = true,
     .make = cmp_chart_timeline},
    {.name = "throughput_latency",
     .question = "How much can it take before it falls behind?",
     .title = "Latency over offered load",
     .subtitle = "99 % took no longer, timed from when each call was due",
     .definition =
         "Calls arrive at a fixed rate whether or not the one before has "
         "ended; a call's time counts from when it was due, so a stall is "
         "felt by all that wait behind it.",
     .expected = "Flat until the engine cannot keep up; then each further "
                 "call waits for all before it, and the line turns up.",
     .is_front = true,
     .make = cmp_chart_offered},

    // ---- behind the claims --------------------------------------------------
    {.name = "wa_vs_T",
     .question = "How large should a level be?",
     .title = "Size ratio of an LSM-tree",
     .subtitle = "bytes written \303\267 bytes given, bytes on disk \303\267 "
                 "live bytes",
     .definition = "Every record replaced several times at random: reads of "
                   "absent keys over what was written; what was written; and "
                   "the space in the end. " COUNTED,
     .expected = "Leveled: a flat minimum at small ratios. Tiered: the more "
                 "runs a tier takes, the less is written and the more dead "
                 "records are kept.",
     .claims = "S13 S23 C21",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_points},
    {.name = "wa_vs_mem",
     .question = "What does memory save in writing?",
     .title = "Write amplification over memory",
     .subtitle = "bytes written \303\267 bytes given",
     .definition = "Every record replaced twice on the mean, with memory for "
                   "such a part of the data. " COUNTED,
     .expected = "A larger memtable means fewer merges, a larger pool of "
                 "pages more updates per page that is written.",
     .claims = "S14",
     .log_axes = "xy",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_points},
    {.name = "ra_vs_mem",
     .question = "What does memory save in reading?",
     .title = "Read amplification over memory",
     .subtitle = "reads per found key",
     .definition = "Read calls that no cache answered per lookup of a key "
                   "that is there, chosen at random, with memory for such a "
                   "part of the data. " COUNTED,
     .expected = "One read a key once indexes and filters fit; less only "
                 "when the data itself does.",
     .claims = "S15",
     .log_axes = "x",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_points},
    {.name = "bitcask_tradeoff",
     .question = "What does a log pay for its space?",
     .title = "Space against writing, in a log",
     .subtitle = "bytes written \303\267 bytes given over the space allowed",
     .definition = "A log merged all at once or one segment at a time, so "
                   "that it keeps to a budget of bytes on disk / live bytes; "
                   "updates spread evenly, or by Zipf's law. " COUNTED,
     .expected = "The tighter the space, the more often live records are "
                 "written again; segments with few live records first is "
                 "cheaper than all at once.",
     .claims = "S16 C07 C08",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_points},
    {.name = "naive_quadratic",
     .question = "Why not keep one sorted file?",
     .title = "Rewriting sorted files",
     .subtitle = "bytes written \303\267 bytes given; both axes log",
     .definition = "Records inserted in random order; everything merged into "
                   "one file at each flush, or at each fourth; or an LSM-tree "
                   "in levels. " COUNTED,
     .expected = "Each flush rewrites what is there: 1 + (n + 1) / 2 after n "
                 "of them, a quadratic amount of bytes.",
     .claims = "C15",
     .log_axes = "xy",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_points},
    {.name = "btree_height",
     .question = "How high is a B-tree, and how full?",
     .title = "Height and fill of a B-tree",
     .subtitle = "levels, and the part of the leaves that is used",
     .definition = "Records inserted in random order into pages of two "
                   "sizes; the leaves' fill also in ascending order. " COUNTED,
     .expected = "1 + log of the leaves to the base of children per page; ln "
                 "2 of a page after random splits.",
     .claims = "C27 C28",
     .log_axes = "x",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_points},
    {.name = "cow_batch",
     .question = "What does a copy cost per update?",
     .title = "Copy-on-write over the batch",
     .subtitle = "pages written per update; both axes log",
     .definition = "Records replaced in commits of so many updates; pages "
                   "written / updates. " COUNTED,
     .expected = "A commit writes each page on the ways to its leaves once, "
                 "so the upper ones are shared by its updates.",
     .claims = "C30",
     .log_axes = "xy",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_points},
    {.name = "index_memory",
     .question = "What must be in memory?",
     .title = "Memory of an index",
     .subtitle = "bytes that find keys / keys",
     .definition = "What the engine says it holds in memory to find keys, "
                   "per live key. " COUNTED,
     .expected = "A hash index has an entry per key at every size; a sparse "
                 "one a key per block.",
     .claims = "C05",
     .log_axes = "xy",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_points},
    {.name = "recovery",
     .question = "What does opening cost?",
     .title = "Opening a store",
     .subtitle = "bytes read to open it again",
     .definition = "Bytes read by opening a store that was closed well, over "
                   "its records; and with hints / without, over the size of "
                   "values. " COUNTED,
     .expected = "A log without hints reads all it has; hints, logs that are "
                 "emptied and checkpoints keep it to a part.",
     .claims = "S21 C09 C16",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_points},
    {.name = "sync_batch",
     .question = "What does durability cost?",
     .title = "Group commit",
     .subtitle = "records per second over the records of a commit; log",
     .definition = "Records written in commits of so many, each commit "
                   "forced to the disk before the next. Time, so it differs "
                   "from machine to machine and from run to run; on a file "
                   "system in memory there is nothing to wait for. Expected: "
                   "a commit costs a sync and its records, as the smallest "
                   "and the largest group say.",
     .expected = "The wait for the disk is shared by the group: the line "
                 "rises with slope 1 until the records' own cost shows.",
     .claims = "S22",
     .log_axes = "xy",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_points},
    {.name = "crash_matrix",
     .question = "What survives a crash?",
     .title = "Crashes that broke the store",
     .subtitle = "share of crash states from which it did not come back whole",
     .definition = "Every state in which a crash can leave the files, tried "
                   "one by one: pages written whole, or torn in the middle.",
     .expected = "Pages changed in place need a log, and images of pages "
                 "against torn writes.",
     .claims = "C29",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_matrix},
    {.name = "io_size_pattern",
     .question = "Is sequential faster?",
     .title = "Size and order of requests",
     .subtitle = "MB a second over bytes per request; both axes log",
     .definition = "One file read and written in requests of so many bytes, "
                   "one after the other or at random. Time, through the "
                   "operating system's cache, so it tells of calls more than "
                   "of the device.",
     .expected = "On disks that turn, order is everything; elsewhere the "
                 "size of a request is.",
     .claims = "C11",
     .log_axes = "xy",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_points},
    {.name = "layers",
     .question = "Who sees which bytes?",
     .title = "The same work, counted at each layer",
     .subtitle = "bytes counted \303\267 bytes of keys and values",
     .definition = "Records inserted, then replaced: what the user gave, "
                   "what the engine's disk layer counted, what the kernel "
                   "saw in write calls (wchar) and what it charged to the "
                   "device (write_bytes; none on a file system in memory).",
     .expected = "Engine and write calls agree to the byte; the device sees "
                 "whole pages, and what the page cache kept to itself is "
                 "missing there.",
     .claims = "S25",
     .log_axes = "y",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_points},
    {.name = "theory_scatter",
     .question = "How good are the formulas?",
     .title = "Measured against theory",
     .subtitle = "every figure that a formula expects; grey: within 15 %",
     .definition = "A point for each figure of the claims and studies beside "
                   "which a formula stands, both above 0; without times, and "
                   "without S04, whose windows are parts of what its formulas "
                   "expect as a mean. A name stands beside what is off by "
                   "half or twice.",
     .expected = "On the line, or near it: what lies far off is a formula "
                 "that leaves something out, and is worth a look.",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_scatter},
    {.name = "claim_figures",
     .question = "And the other claims?",
     .title = "The book's other claims",
     .subtitle = "one panel per claim that has no chart of its own",
     .definition = "Each claim of the book as an experiment on counters, "
                   "background work inside the calls, the same seed and so "
                   "the same figures everywhere.",
     .expected = "What each claim says; the list of claims has the checks.",
     .needs = CMP_NEEDS_CLAIMS,
     .make = cmp_chart_points},
    {.make = NULL},
};
