// merge.c -- see merge.h.
// SPDX-License-Identifier: MIT

#include "merge.h"

#include "common/mem.h"

enum {
    STEP_BYTES = 1 << 20, // of input read in a step
    INSTALL_COUNT = 1000, // entries moved in one turn of the commit line
};

// ---- begin and give up ------------------------------------------------------

// What stays of a file that does not count hurts nobody: the next merge of the
// same span, or the next open, removes it. So a failure here is no failure.
static void remove_quietly(log_merge *m, log_name name)
{
    kv_status st =
        kv_disk_remove(m->finder->segments->disk, name.text, m->plan.why);
    (void)st;
}

static void forget(log_merge *m)
{
    log_segment_list_free(&m->plan.inputs);
    m->output = NULL;
    m->copied_count = m->installed_count = m->at_input = 0;
    m->at_offset = 0;
}

void log_merge_abandon(log_merge *m)
{
    if (m->output == NULL) return;
    log_name name = log_name_of(m->output->span, true);
    log_segments_drop(m->finder->segments, m->output);
    if (!m->is_doubtful) remove_quietly(m, name);
    forget(m);
}

void log_merge_free(log_merge *m)
{
    log_merge_abandon(m);
    kv_free(m->copied);
    kv_buf_free(&m->window);
    kv_buf_free(&m->text);
}

// Passes on what a write or a sync of the output returned.
static kv_status written(log_merge *m, kv_status st)
{
    if (st != KV_OK && st != KV_NO_SPACE) m->is_doubtful = true;
    return st;
}

static log_span span_of(const log_merge_plan *plan)
{
    log_span span = {plan->inputs.at[0]->span.first, plan->last, 0};
    for (size_t i = 0; i < plan->inputs.count; i++) {
        uint32_t generation = plan->inputs.at[i]->span.generation;
        if (generation >= span.generation) span.generation = generation + 1;
    }
    return span;
}

static uint64_t input_bytes(const log_merge_plan *plan)
{
    uint64_t sum = KV_RECORDLOG_HEADER_MAX;
    for (size_t i = 0; i < plan->inputs.count; i++) {
        sum += log_counter(&plan->inputs.at[i]->size);
    }
    return sum;
}

static void add_note(log_merge *m)
{
    kv_buf note = {0};
    log_entry entry = {
        .kind = LOG_MERGED, .last = m->plan.last, .horizon = m->plan.horizon};
    log_entry_encode(&note, m->output->log.id.framing, &entry);
    kv_recordlog_add(&m->output->log, kv_buf_slice(&note), false);
    kv_buf_free(&note);
}

kv_status log_merge_begin(log_merge *m, log_merge_plan plan)
{
    log_segments *ss = m->finder->segments;
    assert(m->output == NULL && plan.inputs.count > 0);
    m->plan = plan;
    log_span span = span_of(&plan);
    log_name name = log_name_of(span, true);
    kv_status st = kv_disk_remove(ss->disk, name.text, plan.why);
    if (st == KV_OK || st == KV_NOT_FOUND) {
        st = log_segments_create(ss, span, true, 0, input_bytes(&plan),
                                 plan.why, &m->output);
        if (st != KV_OK) remove_quietly(m, name);
    }
    if (st != KV_OK) {
        forget(m);
        return written(m, st);
    }
    m->output->horizon = plan.horizon;
    add_note(m);
    return KV_OK;
}

// ---- copy -------------------------------------------------------------------

static void remember(log_merge *m, log_copied copied)
{
    if (m->copied_count == m->copied_cap) {
        m->copied_cap = m->copied_cap * 2 + INSTALL_COUNT;
        m->copied = kv_realloc(m->copied, m->copied_cap * sizeof *m->copied);
    }
    m->copied[m->copied_count++] = copied;
}

// A record of the window, between two looks: the first asks for the memory of
// the index that the second will need, for as many records as fit between.
typedef struct seen {
    kv_record record;
    uint64_t offset, hash;
    log_kind kind;
} seen;

enum { AHEAD = 32 };

static kv_status look_at(log_merge *m, const log_segment *in, uint64_t offset,
                         const kv_record *record, seen *out)
{
    log_entry entry = {.kind = LOG_MERGED}; // so the closing record is skipped
    if (record->payload.len > 0 &&
        !log_entry_decode(record->payload, in->log.id.framing, &m->text,
                          &entry)) {
        return kv_fail(KV_CORRUPT, "%s: no entry of ours at byte %llu",
                       log_name_of(in->span, false).text,
                       (unsigned long long)offset);
    }
    *out = (seen){.record = *record, .offset = offset, .kind = entry.kind};
    if (entry.kind == LOG_SET && m->finder->index != NULL) {
        out->hash = log_hash(m->finder, entry.key);
        log_index_prefetch(m->finder->index, out->hash);
    }
    return KV_OK;
}

// Whether a record is live, or a tombstone that is still needed.
static bool is_wanted(const log_merge *m, const log_segment *in, const seen *s)
{
    if (s->kind == LOG_MERGED) return false;
    if (m->finder->index == NULL) return true; // who cannot tell keeps all
    if (s->kind == LOG_TOMBSTONE) {
        return in->span.last >= m->plan.drops_below; // M5
    }
    return log_index_has(m->finder->index, s->hash, in->base + s->offset);
}

static void copy_record(log_merge *m, const log_segment *in, const seen *s)
{
    log_segment *out = m->output;
    uint64_t offset = kv_recordlog_add(&out->log, s->record.payload, false);
    uint64_t bytes = kv_recordlog_end(&out->log) - offset;
    log_segment_count_entry(out, s->kind, bytes);
    if (s->kind != LOG_SET || m->finder->index == NULL) return;
    remember(m, (log_copied){
                    .hash = s->hash,
                    .source = (in->base + s->offset) << 8,
                    .target = log_segment_place(out, offset, bytes),
                    .source_bytes = (uint32_t)s->record.size,
                    .target_bytes = (uint32_t)bytes,
                });
}

static kv_status read_window(log_merge *m, log_segment *in, size_t len)
{
    uint64_t left = log_counter(&in->size) - m->at_offset;
    if (len > left) len = (size_t)left;
    kv_buf_clear(&m->window);
    kv_buf_reserve(&m->window, len);
    KV_TRY(kv_file_read_all(in->log.file, m->at_offset, m->window.data, len,
                            m->plan.why));
    m->window.len = len;
    m->read_bytes += len;
    return KV_OK;
}

// Takes the whole records of the window; *taken is how many bytes they have.
static kv_status take_window(log_merge *m, const log_segment *in, size_t *taken)
{
    seen some[AHEAD];
    size_t at = 0, count = 0;
    do {
        for (count = 0; count < AHEAD && at < m->window.len; count++) {
            kv_record record;
            kv_slice rest = {m->window.data + at, m->window.len - at};
            uint64_t offset = m->at_offset + at;
            if (!kv_record_decode(rest, &in->log.id, offset, &record)) break;
            KV_TRY(look_at(m, in, offset, &record, &some[count]));
            at += record.size;
        }
        for (size_t i = 0; i < count; i++) {
            if (is_wanted(m, in, &some[i])) copy_record(m, in, &some[i]);
        }
    } while (count == AHEAD);
    *taken = at;
    return KV_OK;
}

static kv_status copy_some(log_merge *m)
{
    log_segment *in = m->plan.inputs.at[m->at_input];
    uint64_t size = log_counter(&in->size);
    if (m->at_offset == 0) m->at_offset = in->header_bytes;
    size_t taken = 0;
    for (size_t len = STEP_BYTES; m->at_offset < size; len *= 4) {
        KV_TRY(read_window(m, in, len));
        KV_TRY(take_window(m, in, &taken));
        if (taken > 0) break;
        if (m->window.len == size - m->at_offset) {
            return kv_fail(KV_CORRUPT,
                           "%s: the record at byte %llu fails its checksum; "
                           "the segment is left as it is",
                           log_name_of(in->span, false).text,
                           (unsigned long long)m->at_offset);
        }
    }
    m->at_offset += taken;
    if (m->at_offset >= size) {
        m->at_input++;
        m->at_offset = 0;
    }
    uint64_t before = m->output->log.size;
    KV_TRY(written(m, kv_recordlog_flush(&m->output->log, m->plan.why)));
    m->written_bytes += m->output->log.size - before;
    atomic_store(&m->output->size, m->output->log.size);
    return KV_OK;
}

// ---- finish -----------------------------------------------------------------

static kv_status make_durable(log_merge *m)
{
    log_segment *out = m->output;
    kv_disk *disk = m->finder->segments->disk;
    KV_TRY(written(m, kv_recordlog_flush(&out->log, m->plan.why)));
    KV_TRY(written(m, kv_recordlog_seal(&out->log, m->plan.why)));
    atomic_store(&out->size, out->log.size);
    atomic_store(&out->is_sealed, true);
    log_name from = log_name_of(out->span, true);
    log_name to = log_name_of(out->span, false);
    KV_TRY(written(m, kv_disk_rename(disk, from.text, to.text, m->plan.why)));
    m->is_doubtful = true; // a failure now leaves two truths
    KV_TRY(kv_disk_sync_dir(disk, m->plan.why)); // F2
    m->is_doubtful = false;
    return KV_OK;
}

// In the commit line (M3).
static kv_status install_some(void *arg)
{
    log_merge *m = arg;
    log_segments *ss = m->finder->segments;
    size_t limit = m->installed_count + INSTALL_COUNT;
    if (limit > m->copied_count) limit = m->copied_count;
    for (; m->installed_count < limit; m->installed_count++) {
        const log_copied *c = &m->copied[m->installed_count];
        if (m->installed_count + AHEAD < limit) {
            log_index_prefetch(m->finder->index, c[AHEAD].hash);
        }
        if (!log_index_move(m->finder->index, c->hash, c->source, c->target)) {
            continue; // M2
        }
        uint64_t offset;
        log_segment_count_dead(log_segments_at(ss, c->source, &offset),
                               c->source_bytes);
        log_segment_count_live(m->output, c->target_bytes);
    }
    return KV_OK;
}

static void remove_inputs(log_merge *m)
{
    for (size_t i = 0; i < m->plan.inputs.count; i++) {
        remove_quietly(m, log_name_of(m->plan.inputs.at[i]->span, false));
    }
}

static kv_status finish(log_merge *m)
{
    KV_TRY(make_durable(m));
    while (m->installed_count < m->copied_count) {
        KV_TRY(kv_commit_exclusive(m->line, install_some, m));
    }
    log_segments_replace(m->finder->segments, m->output);
    remove_inputs(m);
    m->merges++;
    forget(m);
    return KV_OK;
}

kv_status log_merge_step(log_merge *m)
{
    assert(m->output != NULL);
    kv_status st =
        m->at_input < m->plan.inputs.count ? copy_some(m) : finish(m);
    if (st == KV_OK || m->is_doubtful) return st;
    if (st != KV_NO_SPACE) { // M4
        log_segment *in = m->plan.inputs.at[m->at_input];
        atomic_store(&in->is_damaged, true);
    }
    log_merge_abandon(m);
    return st;
}
