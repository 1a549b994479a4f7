// measures.h -- what is measured: the one table of names, units and meanings.
// SPDX-License-Identifier: MIT
//
// X(name, unit, better, kind, definition). `kind` says which of a trial's runs
// the measure is taken from (trial.h):
//
//   COUNT  the run that counts: background=0, one thread, so that the same
//          seed gives the same figure to the last digit
//   TIME   the runs that are timed: the engine's own defaults, no clock inside
//   DELAY  the run with a clock around every call
//
// W is the bytes handed to write calls from the first measured operation until
// kv_settle returned; U the keys and values of puts and the keys of dels in
// that time; L the keys and values of all live records, as the oracle knows
// them. A ratio of 1 is perfect. What cannot be known is n/a, never 0.
//
// Book: "Comparing B-Trees and LSM-Trees"

#ifndef COMPARE_MEASURES_H
#define COMPARE_MEASURES_H

#define CMP_MEASURE_LIST(X)                                                    \
    X("ops_per_s", "1/s", CMP_HIGHER, CMP_TIME,                                \
      "operations divided by the seconds they took")                           \
    X("reads_per_s", "1/s", CMP_HIGHER, CMP_TIME,                              \
      "operations of the threads that only read, while others only write")     \
    X("writes_per_s", "1/s", CMP_HIGHER, CMP_TIME,                             \
      "operations of the threads that only write, while others only read")     \
    X("entries_per_s", "1/s", CMP_HIGHER, CMP_TIME,                            \
      "entries that scans returned divided by the seconds everything took")    \
    X("drained_per_s", "1/s", CMP_HIGHER, CMP_TIME,                            \
      "operations divided by those seconds and the seconds of settling after") \
    X("cpu_seconds", "s", CMP_LOWER, CMP_TIME,                                 \
      "processor time of all threads for the operations and for settling")     \
    X("settle_s", "s", CMP_LOWER, CMP_TIME,                                    \
      "seconds kv_settle took after the last operation")                       \
    X("sa_timed", "ratio", CMP_LOWER, CMP_TIME,                                \
      "bytes on disk / L after kv_settle, with the engine's own threads")      \
    X("rss_bytes", "bytes", CMP_LOWER, CMP_TIME,                               \
      "resident memory of the process, less what the harness held before")     \
    X("reopen_s", "s", CMP_LOWER, CMP_TIME,                                    \
      "seconds kv_open took on the closed store, files in the page cache")     \
    X("latency_p50_ns", "ns", CMP_LOWER, CMP_DELAY,                            \
      "half of the calls took no longer")                                      \
    X("latency_p99_ns", "ns", CMP_LOWER, CMP_DELAY,                            \
      "99 % of the calls took no longer")                                      \
    X("latency_p999_ns", "ns", CMP_LOWER, CMP_DELAY,                           \
      "99.9 % of the calls took no longer")                                    \
    X("latency_p9999_ns", "ns", CMP_LOWER, CMP_DELAY,                          \
      "99.99 % of the calls took no longer")                                   \
    X("latency_max_ns", "ns", CMP_LOWER, CMP_DELAY, "the slowest call")        \
    X("age_updates", "1/record", CMP_LOWER, CMP_COUNT,                         \
      "updates of each record before the measured operations: the ageing")     \
    X("age_steady", "0 or 1", CMP_HIGHER, CMP_COUNT,                           \
      "1: write amplification changed less than 5 % when ageing ended")        \
    X("wa_total", "ratio", CMP_LOWER, CMP_COUNT,                               \
      "write amplification: W / U, with everything kv_settle wrote")           \
    X("wa_wal", "ratio", CMP_LOWER, CMP_COUNT,                                 \
      "the part of wa_total for a log that later writes make superfluous")     \
    X("wa_data", "ratio", CMP_LOWER, CMP_COUNT,                                \
      "the part for the records of a log that is the database")                \
    X("wa_flush", "ratio", CMP_LOWER, CMP_COUNT,                               \
      "the part for memtables that become files")                              \
    X("wa_compact", "ratio", CMP_LOWER, CMP_COUNT,                             \
      "the part for files merged into files")                                  \
    X("wa_page", "ratio", CMP_LOWER, CMP_COUNT,                                \
      "the part for pages, in place or copied")                                \
    X("wa_page_copy", "ratio", CMP_LOWER, CMP_COUNT,                           \
      "the part for page images against torn writes")                          \
    X("wa_meta", "ratio", CMP_LOWER, CMP_COUNT,                                \
      "the part for manifests, superblocks, hints and identity")               \
    X("debt", "ratio", CMP_LOWER, CMP_COUNT,                                   \
      "the part of wa_total that was written after the last operation")        \
    X("ra_io_hit", "1/op", CMP_LOWER, CMP_COUNT,                               \
      "read calls that no cache of the engine answered, per found key")        \
    X("ra_io_miss", "1/op", CMP_LOWER, CMP_COUNT,                              \
      "the same per absent key that lies between present ones")                \
    X("ra_io_scan", "1/op", CMP_LOWER, CMP_COUNT, "the same per scan")         \
    X("ra_bytes_hit", "ratio", CMP_LOWER, CMP_COUNT,                           \
      "bytes those calls returned / keys and values given to the caller")      \
    X("ra_bytes_miss", "bytes/op", CMP_LOWER, CMP_COUNT,                       \
      "bytes those calls returned per absent key")                             \
    X("ra_bytes_scan", "ratio", CMP_LOWER, CMP_COUNT,                          \
      "bytes those calls returned / keys and values given to the caller")      \
    X("sa_mean", "ratio", CMP_LOWER, CMP_COUNT,                                \
      "space amplification: bytes on disk / L, mean over bytes written")       \
    X("sa_peak", "ratio", CMP_LOWER, CMP_COUNT,                                \
      "most bytes ever on disk (exact, from the ledger) / the largest L")      \
    X("sa_end", "ratio", CMP_LOWER, CMP_COUNT,                                 \
      "bytes on disk / L after the last operation")                            \
    X("sa_drained", "ratio", CMP_LOWER, CMP_COUNT,                             \
      "bytes on disk / L after kv_settle")                                     \
    X("disk_bytes", "bytes", CMP_LOWER, CMP_COUNT,                             \
      "bytes on disk after kv_settle")                                         \
    X("memory_per_key", "bytes", CMP_LOWER, CMP_COUNT,                         \
      "what the engine says it holds in memory / live keys")                   \
    X("index_per_key", "bytes", CMP_LOWER, CMP_COUNT,                          \
      "the part of it that finds keys / live keys")

typedef enum cmp_better { CMP_LOWER, CMP_HIGHER } cmp_better;
typedef enum cmp_kind {
    CMP_COUNT,
    CMP_TIME,
    CMP_DELAY,
    CMP_PACED, // CMP_DELAY in an open loop: its figures are in openloop.tsv
} cmp_kind;

typedef struct cmp_measure {
    const char *name, *unit;
    cmp_better better;
    cmp_kind kind;
    const char *definition;
} cmp_measure;

// Every measure, in the table's order; a NULL name ends it.
extern const cmp_measure cmp_measures[];

#endif
