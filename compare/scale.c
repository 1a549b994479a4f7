// scale.c -- see scale.h.
// SPDX-License-Identifier: MIT

#include "compare/scale.h"

#include <assert.h>
#include <math.h>

// ---- weighing ---------------------------------------------------------------

static uint64_t space_now(const cmp_scale *s, const kv_stats *stats)
{
    switch (cmp_engine_bytes(s->engine)) {
    case CMP_BYTES_COUNTED:
        return stats->disk_bytes;
    case CMP_BYTES_CALLS:
    case CMP_BYTES_WRITTEN:
    case CMP_BYTES_MAPPED:
        return cmp_directory_bytes(s->dir);
    case CMP_BYTES_NONE:
        break;
    }
    return UINT64_MAX;
}

static kv_status weigh(const cmp_scale *s, cmp_weight *w)
{
    kv_stats_read(*s->db, &w->stats);
    w->disk_bytes = space_now(s, &w->stats);
    w->cpu_ns = cmp_process_cpu_ns();
    return cmp_io_read(&w->io);
}

kv_status cmp_scale_begin(cmp_scale *s)
{
    s->next_sample = s->user_bytes = s->disk_bytes = 0;
    s->weighted_sum = s->weights = 0;
    return weigh(s, &s->begin);
}

void cmp_scale_sample(cmp_scale *s, uint64_t live_bytes)
{
    kv_stats stats;
    kv_stats_read(*s->db, &stats);
    uint64_t user_bytes =
        stats.user_write_bytes - s->begin.stats.user_write_bytes;
    s->disk_bytes = space_now(s, &stats);
    if (live_bytes > 0 && s->disk_bytes != UINT64_MAX) {
        double weight = (double)(user_bytes - s->user_bytes);
        s->weighted_sum += weight * (double)s->disk_bytes / (double)live_bytes;
        s->weights += weight;
    }
    if (live_bytes > s->live_most) s->live_most = live_bytes;
    s->user_bytes = user_bytes;
}

kv_status cmp_scale_pause(cmp_scale *s) { return weigh(s, &s->pause); }

kv_status cmp_scale_end(cmp_scale *s) { return weigh(s, &s->end); }

// ---- telling ----------------------------------------------------------------

void cmp_scale_say(const cmp_scale *s, const char *phase, const char *measure,
                   double value)
{
    if (isfinite(value)) {
        fprintf(s->out, "M\t%s\t%s\t%.12g\n", phase, measure, value);
    } else {
        fprintf(s->out, "M\t%s\t%s\tNA\n", phase, measure);
    }
}

// NAN unless there is something to divide by.
static double ratio(double above, double below)
{
    return below > 0 ? above / below : NAN;
}

static double share(uint64_t above, uint64_t below)
{
    return ratio((double)above, (double)below);
}

static uint64_t written(const cmp_weight *from, const cmp_weight *to)
{
    uint64_t sum = 0;
    for (int i = 0; i < KV_REASONS; i++) {
        sum += to->stats.disk[i].write_bytes - from->stats.disk[i].write_bytes;
    }
    return sum;
}

static uint64_t read_for_all(const cmp_weight *from, const cmp_weight *to)
{
    uint64_t sum = 0;
    for (int i = 0; i < KV_REASONS; i++) {
        sum += to->stats.disk[i].read_bytes - from->stats.disk[i].read_bytes;
    }
    return sum;
}

// Bytes written between two weighings; NAN where nobody can know.
static double bytes_written(const cmp_scale *s, const cmp_weight *from,
                            const cmp_weight *to)
{
    switch (cmp_engine_bytes(s->engine)) {
    case CMP_BYTES_COUNTED:
        return (double)written(from, to);
    case CMP_BYTES_CALLS:
    case CMP_BYTES_WRITTEN:
        return (double)(to->io.write_bytes - from->io.write_bytes);
    case CMP_BYTES_NONE:
        return 0;
    case CMP_BYTES_MAPPED:
        break;
    }
    return NAN;
}

kv_status cmp_scale_window(cmp_scale *s, uint64_t user_bytes, double *wa)
{
    KV_TRY(weigh(s, &s->pause));
    *wa = ratio(bytes_written(s, &s->begin, &s->pause), (double)user_bytes);
    return KV_OK;
}

void cmp_scale_written(const cmp_scale *s, double *all, double *background)
{
    cmp_io io;
    kv_stats stats;
    *all = *background = NAN;
    cmp_bytes bytes = cmp_engine_bytes(s->engine);
    bool are_calls = bytes == CMP_BYTES_CALLS || bytes == CMP_BYTES_WRITTEN;
    if (are_calls && cmp_io_read(&io) == KV_OK) *all = (double)io.write_bytes;
    if (bytes != CMP_BYTES_COUNTED) return;
    kv_stats_read(*s->db, &stats);
    *all = *background = 0;
    for (int i = 0; i < KV_REASONS; i++) {
        bool is_log = i == KV_FOR_WAL || i == KV_FOR_DATA;
        *all += (double)stats.disk[i].write_bytes;
        if (!is_log) *background += (double)stats.disk[i].write_bytes;
    }
}

static void tell_writing(const cmp_scale *s, const char *phase,
                         const cmp_effort *effort)
{
    static const struct {
        kv_reason reason;
        const char *measure;
    } parts[] = {
        {KV_FOR_WAL, "wa_wal"},     {KV_FOR_DATA, "wa_data"},
        {KV_FOR_FLUSH, "wa_flush"}, {KV_FOR_COMPACT, "wa_compact"},
        {KV_FOR_PAGE, "wa_page"},   {KV_FOR_PAGE_COPY, "wa_page_copy"},
        {KV_FOR_META, "wa_meta"},
    };
    double user = (double)effort->user_bytes;
    cmp_scale_say(s, phase, "wa_total",
                  ratio(bytes_written(s, &s->begin, &s->end), user));
    cmp_scale_say(s, phase, "debt",
                  ratio(bytes_written(s, &s->pause, &s->end), user));
    bool is_counted = cmp_engine_bytes(s->engine) == CMP_BYTES_COUNTED;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        kv_reason reason = parts[i].reason;
        double bytes = (double)(s->end.stats.disk[reason].write_bytes -
                                s->begin.stats.disk[reason].write_bytes);
        cmp_scale_say(s, phase, parts[i].measure,
                      is_counted ? ratio(bytes, user) : NAN);
    }
}

// Reads between begin and pause, in calls and bytes. A process's own count is
// good for nothing but reading: a write may read, too.
static bool reads_made(const cmp_scale *s, const cmp_effort *effort,
                       double *calls, double *bytes)
{
    const cmp_weight *from = &s->begin, *to = &s->pause;
    switch (cmp_engine_bytes(s->engine)) {
    case CMP_BYTES_COUNTED: {
        const kv_disk_stats *before = &from->stats.disk[KV_FOR_READ];
        const kv_disk_stats *after = &to->stats.disk[KV_FOR_READ];
        *calls = (double)(after->reads - before->reads);
        *bytes = (double)(after->read_bytes - before->read_bytes);
        return true;
    }
    case CMP_BYTES_CALLS:
        *calls = (double)(to->io.reads - from->io.reads);
        *bytes = (double)(to->io.read_bytes - from->io.read_bytes);
        return effort->user_bytes == 0;
    case CMP_BYTES_NONE:
        *calls = *bytes = 0;
        return true;
    case CMP_BYTES_WRITTEN:
    case CMP_BYTES_MAPPED:
        break;
    }
    return false;
}

// A phase that reads in more ways than one cannot tell them apart: n/a.
static void tell_reading(const cmp_scale *s, const char *phase,
                         const cmp_effort *effort)
{
    double calls = NAN, bytes = NAN;
    double handed = (double)(s->pause.stats.user_read_bytes -
                             s->begin.stats.user_read_bytes);
    bool is_known = reads_made(s, effort, &calls, &bytes);
    uint64_t hits = effort->hits, misses = effort->misses;
    uint64_t scans = effort->scans;
    if (!is_known) return;
    if (hits > 0 && misses == 0 && scans == 0) {
        cmp_scale_say(s, phase, "ra_io_hit", ratio(calls, (double)hits));
        cmp_scale_say(s, phase, "ra_bytes_hit", ratio(bytes, handed));
    } else if (misses > 0 && hits == 0 && scans == 0) {
        cmp_scale_say(s, phase, "ra_io_miss", ratio(calls, (double)misses));
        cmp_scale_say(s, phase, "ra_bytes_miss", ratio(bytes, (double)misses));
    } else if (scans > 0 && hits == 0 && misses == 0) {
        cmp_scale_say(s, phase, "ra_io_scan", ratio(calls, (double)scans));
        cmp_scale_say(s, phase, "ra_bytes_scan", ratio(bytes, handed));
    }
}

static void tell_space(const cmp_scale *s, const char *phase,
                       const cmp_effort *effort)
{
    bool is_kept = s->end.disk_bytes != UINT64_MAX;
    bool is_exact = cmp_engine_bytes(s->engine) == CMP_BYTES_COUNTED;
    uint64_t most =
        s->live_most > effort->live_bytes ? s->live_most : effort->live_bytes;
    cmp_scale_say(s, phase, "sa_mean", ratio(s->weighted_sum, s->weights));
    cmp_scale_say(s, phase, "sa_peak",
                  is_exact ? share(s->end.stats.disk_bytes_peak, most) : NAN);
    cmp_scale_say(s, phase, "sa_end",
                  is_kept ? share(s->pause.disk_bytes, effort->live_bytes)
                          : NAN);
    cmp_scale_say(s, phase, "sa_drained",
                  is_kept ? share(s->end.disk_bytes, effort->live_bytes) : NAN);
    cmp_scale_say(s, phase, "disk_bytes",
                  is_kept ? (double)s->end.disk_bytes : NAN);
    uint64_t memory = s->end.stats.memory_bytes;
    uint64_t index = s->end.stats.index_bytes;
    cmp_scale_say(s, phase, "memory_per_key",
                  memory > 0 ? share(memory, effort->live_count) : NAN);
    cmp_scale_say(s, phase, "index_per_key",
                  index > 0 ? share(index, effort->live_count) : NAN);
}

static void tell_time(const cmp_scale *s, const char *phase,
                      const cmp_effort *effort)
{
    double cpu = (double)(s->end.cpu_ns - s->begin.cpu_ns) -
                 (double)effort->harness_cpu_ns;
    uint64_t resident = cmp_resident_bytes();
    double settle_s = (double)effort->settle_ns / 1e9;
    double operations = (double)effort->operations;
    cmp_scale_say(s, phase, "ops_per_s", effort->operations_per_s);
    if (effort->reads_per_s > 0 && effort->writes_per_s > 0) {
        cmp_scale_say(s, phase, "reads_per_s", effort->reads_per_s);
        cmp_scale_say(s, phase, "writes_per_s", effort->writes_per_s);
    }
    if (effort->entries > 0) {
        cmp_scale_say(s, phase, "entries_per_s",
                      ratio((double)effort->entries, (double)effort->ns / 1e9));
    }
    cmp_scale_say(s, phase, "drained_per_s",
                  operations /
                      (operations / effort->operations_per_s + settle_s));
    cmp_scale_say(s, phase, "cpu_seconds", cpu > 0 ? cpu / 1e9 : NAN);
    cmp_scale_say(s, phase, "settle_s", settle_s);
    bool is_kept = s->end.disk_bytes != UINT64_MAX;
    cmp_scale_say(s, phase, "sa_timed",
                  is_kept ? share(s->end.disk_bytes, effort->live_bytes) : NAN);
    cmp_scale_say(s, phase, "rss_bytes",
                  resident > s->resident_before
                      ? (double)(resident - s->resident_before)
                      : NAN);
}

// ---- self-checks ------------------------------------------------------------

static kv_status agree(const cmp_scale *s, const char *what, uint64_t engine,
                       uint64_t other, const char *whose)
{
    if (engine == other) {
        fprintf(s->out, "C\t%s\n", what);
        return KV_OK;
    }
    return kv_fail(KV_CORRUPT, "selfcheck: %s: the engine says %llu, %s %llu",
                   what, (unsigned long long)engine, whose,
                   (unsigned long long)other);
}

// I3
static kv_status check_mappings(const cmp_scale *s)
{
    char file[160];
    if (!cmp_has_mapped(s->dir, file, sizeof file)) {
        fprintf(s->out, "C\tmappings\n");
        return KV_OK;
    }
    return kv_fail(KV_CORRUPT,
                   "selfcheck: mappings: the file %s is mapped, so that nobody "
                   "can count what is read there",
                   file);
}

static bool is_part(const kv_disk_stats *part, const kv_disk_stats *all)
{
    return part->reads <= all->reads && part->read_bytes <= all->read_bytes &&
           part->writes <= all->writes &&
           part->write_bytes <= all->write_bytes && part->syncs <= all->syncs &&
           all->sequential_bytes <= all->write_bytes;
}

// I5: one thread does everything, so what it waited for and what it did in the
// background's stead are all there is.
static kv_status check_parts(const cmp_scale *s, const kv_stats *stats)
{
    for (int i = 0; i < KV_REASONS; i++) {
        if (is_part(&stats->waited[i], &stats->disk[i])) continue;
        return kv_fail(KV_CORRUPT,
                       "selfcheck: parts: for %s more was waited for than "
                       "there was",
                       kv_reason_word((kv_reason)i));
    }
    fprintf(s->out, "C\tparts\n");
    return KV_OK;
}

static kv_status check(const cmp_scale *s, const cmp_effort *effort)
{
    const cmp_weight *from = &s->begin, *to = &s->end;
    KV_TRY(agree(s, "user_bytes", // I6
                 to->stats.user_write_bytes - from->stats.user_write_bytes,
                 effort->user_bytes, "the harness gave"));
    if (to->stats.key_count != 0) {
        KV_TRY(agree(s, "key_count", to->stats.key_count, // I7
                     effort->live_count, "the oracle"));
    }
    if (cmp_engine_bytes(s->engine) != CMP_BYTES_COUNTED) return KV_OK;
    if (cmp_engine_knob(s->engine, "background", 0) != 0) return KV_OK;
    KV_TRY(agree(s, "write_bytes", written(from, to), // I1
                 to->io.write_bytes - from->io.write_bytes, "the kernel"));
    KV_TRY(check_parts(s, &to->stats));
    if (cmp_has_exact_blocks(s->dir)) {
        KV_TRY(agree(s, "disk_bytes", to->stats.disk_bytes, // I4
                     cmp_directory_bytes(s->dir), "the files' blocks"));
    }
    if (cmp_engine_knob(s->engine, "read", 0) != 0) return KV_OK;
    KV_TRY(check_mappings(s));
    return agree(s, "read_bytes", read_for_all(from, to), // I2
                 to->io.read_bytes - from->io.read_bytes, "the kernel");
}

kv_status cmp_scale_tell(cmp_scale *s, const char *phase,
                         const cmp_effort *effort, cmp_kind kind)
{
    switch (kind) {
    case CMP_TIME:
        tell_time(s, phase, effort);
        return KV_OK;
    case CMP_DELAY:
    case CMP_PACED:
        return KV_OK;
    case CMP_COUNT:
        break;
    }
    tell_writing(s, phase, effort);
    tell_reading(s, phase, effort);
    tell_space(s, phase, effort);
    return check(s, effort);
}
