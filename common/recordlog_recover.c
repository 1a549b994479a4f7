// recordlog_recover.c -- see recordlog.h: reading, and the torn-tail rule.
// SPDX-License-Identifier: MIT

#include <assert.h>

#include "common/coding.h"
#include "common/recordlog.h"

enum {
    CHUNK_BYTES = 1 << 20,      // read at once
    TEXT_SCAN_BYTES = 64 << 10, // searched backwards for a line's start
    RECORD_BYTES_MAX = KV_RECORD_MAX + KV_RECORD_OVERHEAD_MAX,
};

// ---- the file through a window ----------------------------------------------

typedef struct log_reader {
    kv_file *file;
    kv_recordlog_id id;
    kv_why why;
    uint64_t size; // of the file
    uint64_t at;   // offset of the window's first byte
    kv_buf window;
} log_reader;

// The log may be closed while it is read, and so lose what it had reserved
// (R8).
static kv_status end_sooner(log_reader *r, uint64_t offset)
{
    uint64_t size;
    KV_TRY(kv_file_size(r->file, &size));
    if (size >= r->size) {
        return kv_fail(KV_IO, "%s: byte %llu cannot be read, and is there",
                       kv_file_name(r->file), (unsigned long long)offset);
    }
    r->size = size > offset ? size : offset;
    return KV_OK;
}

// *out gets the bytes from `offset` on: at least `want`, fewer only where the
// file ends. Valid until the next call.
static kv_status look(log_reader *r, uint64_t offset, size_t want,
                      kv_slice *out)
{
    assert(offset <= r->size);
    if (want > r->size - offset) want = (size_t)(r->size - offset);
    uint64_t end = r->at + r->window.len;
    if (offset < r->at || offset + want > end) {
        size_t kept = 0;
        if (offset >= r->at && offset < end) {
            kept = (size_t)(end - offset);
            memmove(r->window.data, r->window.data + (offset - r->at), kept);
        }
        r->at = offset;
        r->window.len = kept;
        size_t more = want - kept > CHUNK_BYTES ? want - kept : CHUNK_BYTES;
        size_t got = 0;
        uint64_t left = r->size - offset - kept;
        if (more > left) more = (size_t)left;
        kv_buf_reserve(&r->window, more);
        KV_TRY(kv_file_read(r->file, offset + kept, r->window.data + kept, more,
                            &got, r->why));
        r->window.len += got;
        if (r->window.len < want) KV_TRY(end_sooner(r, offset));
    }
    size_t skip = (size_t)(offset - r->at);
    // An empty file's window is NULL, to which not even 0 may be added.
    *out = skip < r->window.len
               ? kv_slice_of(r->window.data + skip, r->window.len - skip)
               : (kv_slice){0};
    return KV_OK;
}

// How many bytes it takes to decode a record at `offset`; 0: there is none.
static kv_status claim(log_reader *r, uint64_t offset, size_t *out)
{
    kv_slice bytes;
    size_t want = KV_RECORD_OVERHEAD_MAX;
    KV_TRY(look(r, offset, want, &bytes));
    *out = kv_record_claim(bytes, &r->id, offset);
    if (r->id.framing == KV_FRAMING_BINARY) return KV_OK;
    // A line may be long: look further until its feed is seen.
    for (want = CHUNK_BYTES; *out == 0 && bytes.len < r->size - offset &&
                             want <= 2 * (size_t)RECORD_BYTES_MAX;
         want *= 2) {
        KV_TRY(look(r, offset, want, &bytes));
        *out = kv_record_claim(bytes, &r->id, offset);
    }
    return KV_OK;
}

// *valid says whether a record stands at `offset`. Its payload is valid until
// the next look().
static kv_status read_record(log_reader *r, uint64_t offset, bool *valid,
                             kv_record *out)
{
    kv_slice bytes;
    size_t size = 0;
    *valid = false;
    KV_TRY(claim(r, offset, &size));
    if (size == 0 || size > r->size - offset) return KV_OK;
    KV_TRY(look(r, offset, size, &bytes));
    *valid = kv_record_decode(bytes, &r->id, offset, out);
    return KV_OK;
}

// ---- the search for proof ---------------------------------------------------

// A record behind `damage` proves corruption if its mark is larger (R3). Of
// all that stands behind a torn tail, next to nothing has such a mark.
static bool mark_proves(uint32_t mark, uint64_t damage, uint64_t offset)
{
    return damage < mark && mark <= offset;
}

static kv_status try_record(log_reader *r, uint64_t damage, uint64_t offset,
                            kv_record *proof, bool *found)
{
    KV_TRY(read_record(r, offset, found, proof));
    *found = *found && mark_proves(proof->mark, damage, offset);
    return KV_OK;
}

static kv_status search_binary(log_reader *r, uint64_t damage, kv_record *proof,
                               bool *found)
{
    enum { MARK_AT = 4, HEAD_BYTES = 9 };
    kv_slice bytes;
    for (uint64_t at = damage + 1; at + HEAD_BYTES <= r->size;) {
        KV_TRY(look(r, at, HEAD_BYTES, &bytes));
        size_t starts = bytes.len - HEAD_BYTES + 1, i = 0;
        while (i < starts && !mark_proves(kv_get_u32(bytes.data + i + MARK_AT),
                                          damage, at + i)) {
            i++;
        }
        at += i;
        if (i == starts) continue;
        KV_TRY(try_record(r, damage, at, proof, found));
        if (*found) return KV_OK;
        at++;
    }
    return KV_OK;
}

// The line from `line` to its feed before `end`. Where its record starts is not
// certain when the line feed before it may be what was damaged: every start
// within reach is tried, the likeliest first.
static kv_status search_line(log_reader *r, uint64_t damage, uint64_t line,
                             uint64_t end, kv_record *proof, bool *found)
{
    kv_slice bytes;
    uint32_t mark = 0;
    uint64_t tail = end - line > KV_RECORD_OVERHEAD_MAX
                        ? end - KV_RECORD_OVERHEAD_MAX
                        : line;
    KV_TRY(look(r, tail, (size_t)(end - tail), &bytes));
    bytes.len = (size_t)(end - tail) - 1;
    if (!kv_record_peek_mark(bytes, KV_FRAMING_TEXT, &mark) ||
        !mark_proves(mark, damage, end)) {
        return KV_OK;
    }
    KV_TRY(try_record(r, damage, line, proof, found));
    uint64_t at = end - line > TEXT_SCAN_BYTES ? end - TEXT_SCAN_BYTES : line;
    for (at++; !*found && at < end; at++) {
        KV_TRY(look(r, at, (size_t)(end - at), &bytes));
        *found = kv_record_decode(bytes, &r->id, at, proof) &&
                 mark_proves(proof->mark, damage, at);
    }
    return KV_OK;
}

static kv_status search_text(log_reader *r, uint64_t damage, kv_record *proof,
                             bool *found)
{
    kv_slice bytes;
    uint64_t line = damage + 1;
    for (uint64_t at = line; at < r->size && !*found;) {
        KV_TRY(look(r, at, 1, &bytes));
        const uint8_t *feed = memchr(bytes.data, '\n', bytes.len);
        if (feed == NULL) {
            at += bytes.len;
            continue;
        }
        at += (uint64_t)(feed - bytes.data) + 1;
        KV_TRY(search_line(r, damage, line, at, proof, found));
        line = at;
    }
    return KV_OK;
}

// KV_CORRUPT if bytes that were synced are not what they were.
static kv_status judge_damage(log_reader *r, uint64_t damage)
{
    bool found = false;
    kv_record proof = {0};
    if (r->id.framing == KV_FRAMING_TEXT) {
        KV_TRY(search_text(r, damage, &proof, &found));
    } else {
        KV_TRY(search_binary(r, damage, &proof, &found));
    }
    if (!found) return KV_OK;
    return kv_fail(KV_CORRUPT,
                   "%s: damage at byte %llu: a later record says that all "
                   "before byte %lu had reached the disk",
                   kv_file_name(r->file), (unsigned long long)damage,
                   (unsigned long)proof.mark);
}

// ---- the records ------------------------------------------------------------

typedef struct walk {
    kv_record_visitor *visit;
    void *arg;
    uint64_t group; // where the group that is being read began
    kv_recovery found;
} walk;

// Shows the records from the group's start to `end`. They were valid a moment
// ago; a large group is read again rather than held in memory.
static kv_status show_group(log_reader *r, walk *w, uint64_t end)
{
    uint64_t at = w->group;
    while (at < end) {
        bool valid = false;
        kv_record record;
        KV_TRY(read_record(r, at, &valid, &record));
        if (!valid) {
            return kv_fail(KV_IO, "%s: byte %llu changed while it was read",
                           kv_file_name(r->file), (unsigned long long)at);
        }
        w->found.record_count++;
        if (w->visit != NULL) KV_TRY(w->visit(w->arg, at, &record));
        at += record.size;
    }
    return KV_OK;
}

static kv_status walk_records(log_reader *r, walk *w, uint64_t *damage)
{
    kv_recovery *f = &w->found;
    uint64_t at = w->group;
    while (at < r->size && !f->sealed) {
        bool valid = false;
        kv_record record;
        KV_TRY(read_record(r, at, &valid, &record));
        if (!valid || record.mark < f->durable_size) break; // R2
        f->durable_size = record.mark;
        uint64_t end = at + record.size;
        if (!record.more) {
            f->sealed = record.payload.len == 0; // R5
            if (w->group == at && !f->sealed) {
                f->record_count++;
                if (w->visit) KV_TRY(w->visit(w->arg, at, &record));
            } else if (!f->sealed) {
                KV_TRY(show_group(r, w, end));
            }
            w->group = f->good_size = end;
        }
        at = end;
    }
    *damage = at;
    return KV_OK;
}

static kv_status check_id(const char *file, const kv_recordlog_id *got,
                          const kv_recordlog_id *want)
{
    if (want == NULL) return KV_OK;
    if (memcmp(got->kind, want->kind, 4) == 0 &&
        got->store_id == want->store_id && got->number == want->number) {
        return KV_OK;
    }
    return kv_fail(KV_CORRUPT,
                   "%s: is log %.4s %llu of store %016llx, not %.4s %llu of "
                   "store %016llx: it is in the wrong place",
                   file, got->kind, (unsigned long long)got->number,
                   (unsigned long long)got->store_id, want->kind,
                   (unsigned long long)want->number,
                   (unsigned long long)want->store_id);
}

// The header is damaged: torn at birth, or corrupt (R6). The sentence is there.
static kv_status judge_header(log_reader *r, const kv_recordlog_id *expect,
                              kv_status st)
{
    if (st != KV_CORRUPT || r->size > KV_RECORDLOG_HEADER_MAX) return st;
    if (expect == NULL) {
        return r->size < KV_RECORDLOG_HEADER_BYTES ? KV_OK : st;
    }
    r->id = *expect;
    r->id.framing = KV_FRAMING_BINARY;
    KV_TRY(judge_damage(r, 0));
    r->id.framing = KV_FRAMING_TEXT;
    return judge_damage(r, 0);
}

// The tail without the zeroes at its end, which nobody wrote (R8).
static kv_status measure_tail(log_reader *r, kv_recovery *found)
{
    uint64_t end = found->good_size;
    kv_slice bytes;
    for (uint64_t at = end; at < r->size; at += bytes.len) {
        KV_TRY(look(r, at, CHUNK_BYTES, &bytes));
        size_t len = bytes.len;
        while (len > 0 && bytes.data[len - 1] == 0) len--;
        if (len > 0) end = at + len;
    }
    found->torn_bytes = end - found->good_size;
    return KV_OK;
}

static kv_status recover(log_reader *r, const kv_recordlog_id *expect, walk *w)
{
    kv_slice bytes;
    size_t header = 0;
    uint64_t damage = 0;
    KV_TRY(look(r, 0, KV_RECORDLOG_HEADER_MAX, &bytes));
    if (bytes.len > KV_RECORDLOG_HEADER_MAX) {
        bytes.len = KV_RECORDLOG_HEADER_MAX;
    }
    const char *file = kv_file_name(r->file);
    kv_status st = kv_recordlog_decode_header(bytes, file, &r->id, &header);
    if (st != KV_OK) return judge_header(r, expect, st);
    KV_TRY(check_id(file, &r->id, expect));
    w->found.id = r->id;
    w->found.good_size = w->found.durable_size = w->group = header; // R6
    KV_TRY(walk_records(r, w, &damage));
    if (damage < r->size) KV_TRY(judge_damage(r, damage));
    return measure_tail(r, &w->found);
}

kv_status kv_recordlog_recover(kv_file *file, const kv_recordlog_id *expect,
                               kv_record_visitor *visit, void *arg, kv_why why,
                               kv_recovery *out)
{
    log_reader r = {.file = file, .why = why};
    walk w = {.visit = visit, .arg = arg};
    KV_TRY(kv_file_size(file, &r.size));
    kv_status st = recover(&r, expect, &w);
    w.found.file_size = r.size;
    kv_buf_free(&r.window);
    if (st == KV_OK) *out = w.found;
    return st;
}

kv_status kv_recordlog_read_id(kv_file *file, kv_why why, kv_recordlog_id *out)
{
    uint8_t bytes[KV_RECORDLOG_HEADER_MAX];
    size_t got = 0, size = 0;
    KV_TRY(kv_file_read(file, 0, bytes, sizeof bytes, &got, why));
    return kv_recordlog_decode_header(kv_slice_of(bytes, got),
                                      kv_file_name(file), out, &size);
}
