// record.c -- see recordlog.h: the header and the records as bytes.
// SPDX-License-Identifier: MIT

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/coding.h"
#include "common/recordlog.h"
#include "common/rng.h"

enum {
    FORMAT_MAJOR = 1,
    FORMAT_MINOR = 0,
    // Binary.
    RECORD_MARK = 4,
    RECORD_SIZE = 8,
    CHECK_BYTES = 4,
    SIZE_VARINT_MAX = 5,
    // Text: "  ~5b3c1f0a@00000072" and "+" and a line feed.
    TRAILER_BYTES = 20,
    TRAILER_CRC = 3,
    TRAILER_AT = 11,
    TRAILER_MARK = 12,
};

static const char magic[8] = {'S', 'C', 'R', 'L', 'O', 'G', '\r', '\n'};

static uint32_t salt_of(const kv_recordlog_id *id)
{
    return (uint32_t)kv_mix64(id->store_id ^ kv_mix64(id->number));
}

static uint32_t seed_of(const kv_recordlog_id *id, uint64_t offset)
{
    return salt_of(id) ^ (uint32_t)offset;
}

// ---- the header -------------------------------------------------------------

static void encode_header_binary(const kv_recordlog_id *id, kv_buf *to)
{
    kv_buf_reserve(to, KV_RECORDLOG_HEADER_BYTES);
    uint8_t *at = to->data + to->len;
    memcpy(at, magic, sizeof magic);
    kv_put_u16(at + 8, FORMAT_MAJOR);
    kv_put_u16(at + 10, FORMAT_MINOR);
    memcpy(at + 12, id->kind, 4);
    kv_put_u64(at + 16, id->store_id);
    kv_put_u64(at + 24, id->number);
    kv_put_u64(at + 32, id->previous_size);
    kv_put_u32(at + 40, salt_of(id));
    kv_put_u32(at + 44, (uint32_t)id->framing);
    kv_put_u32(at + 48, kv_crc32c(0, kv_slice_of(at, 48)));
    to->len += KV_RECORDLOG_HEADER_BYTES;
}

static void encode_header_text(const kv_recordlog_id *id, kv_buf *to)
{
    size_t start = to->len;
    kv_buf_printf(to,
                  "# stagecoach log %.4s %d.%d store %016" PRIx64
                  " number %" PRIu64 " previous %" PRIu64 " salt %08" PRIx32,
                  id->kind, FORMAT_MAJOR, FORMAT_MINOR, id->store_id,
                  id->number, id->previous_size, salt_of(id));
    kv_slice line = kv_slice_of(to->data + start, to->len - start);
    kv_buf_printf(to, " ~%08" PRIx32 "\n", kv_crc32c(0, line));
}

void kv_recordlog_encode_header(const kv_recordlog_id *id, kv_buf *to)
{
    assert(strlen(id->kind) == 4);
    if (id->framing == KV_FRAMING_TEXT) encode_header_text(id, to);
    else encode_header_binary(id, to);
}

static kv_status bad_header(const char *file)
{
    return kv_fail(KV_CORRUPT,
                   "%s: bytes 0 on are not a record log's header; restore it "
                   "from a backup, or take it away if it is not the store's",
                   file);
}

static kv_status newer_header(const char *file, unsigned major, unsigned minor)
{
    return kv_fail(KV_UNSUPPORTED,
                   "%s: a log of format %u.%u; this program knows %d.%d", file,
                   major, minor, FORMAT_MAJOR, FORMAT_MINOR);
}

static kv_status decode_header_binary(kv_slice bytes, const char *file,
                                      kv_recordlog_id *id, size_t *size)
{
    const uint8_t *at = bytes.data;
    if (bytes.len < KV_RECORDLOG_HEADER_BYTES ||
        memcmp(at, magic, sizeof magic) != 0 ||
        kv_get_u32(at + 48) != kv_crc32c(0, kv_slice_of(at, 48))) {
        return bad_header(file);
    }
    if (kv_get_u16(at + 8) != FORMAT_MAJOR ||
        kv_get_u16(at + 10) > FORMAT_MINOR) {
        return newer_header(file, kv_get_u16(at + 8), kv_get_u16(at + 10));
    }
    kv_recordlog_id got = {.store_id = kv_get_u64(at + 16),
                           .number = kv_get_u64(at + 24),
                           .previous_size = kv_get_u64(at + 32),
                           .framing = KV_FRAMING_BINARY};
    memcpy(got.kind, at + 12, 4);
    if (kv_get_u32(at + 40) != salt_of(&got) ||
        kv_get_u32(at + 44) != KV_FRAMING_BINARY) {
        return bad_header(file);
    }
    *id = got;
    *size = KV_RECORDLOG_HEADER_BYTES;
    return KV_OK;
}

// There is one spelling: what is read, spelled again, is what was there.
static bool spells(const kv_recordlog_id *id, kv_slice line)
{
    kv_buf again = {0};
    encode_header_text(id, &again);
    bool same = kv_slice_equal(kv_buf_slice(&again), line);
    kv_buf_free(&again);
    return same;
}

static kv_status decode_header_text(kv_slice bytes, const char *file,
                                    kv_recordlog_id *id, size_t *size)
{
    char line[KV_RECORDLOG_HEADER_MAX + 1] = {0};
    size_t len = bytes.len < KV_RECORDLOG_HEADER_MAX ? bytes.len
                                                     : KV_RECORDLOG_HEADER_MAX;
    memcpy(line, bytes.data, len);
    const char *end = memchr(line, '\n', len);
    if (end == NULL) return bad_header(file);
    kv_recordlog_id got = {.framing = KV_FRAMING_TEXT};
    unsigned major = 0, minor = 0;
    // The numbers are bounded by the length of the line, and checked by
    // spells().
    int found = sscanf(line, // NOLINT(cert-err34-c)
                       "# stagecoach log %4c %u.%u store %16" SCNx64
                       " number %" SCNu64 " previous %" SCNu64,
                       got.kind, &major, &minor, &got.store_id, &got.number,
                       &got.previous_size);
    if (found == 6 && (major != FORMAT_MAJOR || minor > FORMAT_MINOR)) {
        return newer_header(file, major, minor);
    }
    *size = (size_t)(end - line) + 1;
    if (found != 6 || strlen(got.kind) != 4 ||
        !spells(&got, kv_slice_of(line, *size))) {
        return bad_header(file);
    }
    *id = got;
    return KV_OK;
}

kv_status kv_recordlog_decode_header(kv_slice bytes, const char *file,
                                     kv_recordlog_id *id, size_t *size)
{
    if (bytes.len > 0 && bytes.data[0] == '#') {
        return decode_header_text(bytes, file, id, size);
    }
    return decode_header_binary(bytes, file, id, size);
}

// ---- a binary record --------------------------------------------------------

static void encode_binary(kv_buf *to, uint32_t seed, uint32_t mark, bool more,
                          kv_slice payload)
{
    kv_buf_reserve(to, KV_RECORD_OVERHEAD_MAX + payload.len);
    uint8_t *at = to->data + to->len;
    kv_put_u32(at + RECORD_MARK, mark);
    uint64_t size_and_more = (uint64_t)payload.len * 2 + (more ? 1 : 0);
    size_t head = RECORD_SIZE + kv_put_varint(at + RECORD_SIZE, size_and_more);
    uint32_t crc =
        kv_crc32c(seed, kv_slice_of(at + RECORD_MARK, head - RECORD_MARK));
    if (payload.len >= KV_RECORD_LARGE) {
        kv_put_u32(at + head, crc);
        head += CHECK_BYTES;
    }
    kv_put_u32(at, kv_crc32c(crc, payload));
    if (payload.len > 0) memcpy(at + head, payload.data, payload.len);
    to->len += head + payload.len;
}

typedef struct record_head {
    size_t head, size; // bytes: before the payload, and of the payload
    bool more;
    uint32_t crc; // of mark and size
} record_head;

static bool decode_head(kv_slice bytes, uint32_t seed, record_head *out)
{
    if (bytes.len <= RECORD_SIZE) return false;
    uint64_t n = 0;
    kv_slice from = {bytes.data + RECORD_SIZE, bytes.len - RECORD_SIZE};
    size_t varint = kv_get_varint(from, &n);
    if (varint == 0 || varint > SIZE_VARINT_MAX || n / 2 > KV_RECORD_MAX) {
        return false;
    }
    out->head = RECORD_SIZE + varint;
    out->size = (size_t)(n / 2);
    out->more = n % 2 == 1;
    out->crc = kv_crc32c(
        seed, kv_slice_of(bytes.data + RECORD_MARK, out->head - RECORD_MARK));
    if (out->size < KV_RECORD_LARGE) return true;
    if (bytes.len < out->head + CHECK_BYTES ||
        kv_get_u32(bytes.data + out->head) != out->crc) {
        return false;
    }
    out->head += CHECK_BYTES;
    return true;
}

static bool decode_binary(kv_slice bytes, uint32_t seed, kv_record *out)
{
    record_head head;
    if (!decode_head(bytes, seed, &head)) return false;
    if (bytes.len - head.head < head.size) return false;
    kv_slice payload = {bytes.data + head.head, head.size};
    if (kv_get_u32(bytes.data) != kv_crc32c(head.crc, payload)) return false;
    out->payload = payload;
    out->mark = kv_get_u32(bytes.data + RECORD_MARK);
    out->more = head.more;
    out->size = head.head + head.size;
    return true;
}

// ---- a text record ----------------------------------------------------------

static void encode_text(kv_buf *to, uint32_t seed, uint32_t mark, bool more,
                        kv_slice payload)
{
    assert(payload.len == 0 || memchr(payload.data, '\n', payload.len) == NULL);
    char tail[16];
    int len =
        snprintf(tail, sizeof tail, "@%08" PRIx32 "%s", mark, more ? "+" : "");
    uint32_t crc =
        kv_crc32c(kv_crc32c(seed, payload), kv_slice_of(tail, (size_t)len));
    kv_buf_append(to, payload);
    kv_buf_printf(to, "  ~%08" PRIx32 "%s\n", crc, tail);
}

// Eight lower-case digits, nothing else.
static bool decode_hex(const uint8_t *from, uint32_t *out)
{
    uint32_t n = 0;
    for (int i = 0; i < 8; i++) {
        uint8_t c = from[i];
        if (c >= '0' && c <= '9') n = n << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f') n = n << 4 | (uint32_t)(c - 'a' + 10);
        else return false;
    }
    *out = n;
    return true;
}

typedef struct record_trailer {
    size_t size; // bytes, without the line feed
    uint32_t crc, mark;
    bool more;
} record_trailer;

// The end of a line that stops before its feed.
static bool decode_trailer(kv_slice line, record_trailer *out)
{
    out->more = line.len > 0 && line.data[line.len - 1] == '+';
    out->size = TRAILER_BYTES + (out->more ? 1 : 0);
    if (line.len < out->size) return false;
    const uint8_t *at = line.data + line.len - out->size;
    return memcmp(at, "  ~", 3) == 0 && at[TRAILER_AT] == '@' &&
           decode_hex(at + TRAILER_CRC, &out->crc) &&
           decode_hex(at + TRAILER_MARK, &out->mark);
}

static bool decode_text(kv_slice bytes, uint32_t seed, kv_record *out)
{
    const uint8_t *feed = memchr(bytes.data, '\n', bytes.len);
    if (feed == NULL) return false;
    kv_slice line = {bytes.data, (size_t)(feed - bytes.data)};
    record_trailer trailer;
    if (!decode_trailer(line, &trailer)) return false;
    kv_slice payload = {line.data, line.len - trailer.size};
    if (payload.len > KV_RECORD_MAX) return false;
    kv_slice tail = {payload.data + payload.len + TRAILER_AT,
                     trailer.size - TRAILER_AT};
    uint32_t crc = kv_crc32c(kv_crc32c(seed, payload), tail);
    if (trailer.crc != crc) return false;
    *out = (kv_record){payload, trailer.mark, trailer.more, line.len + 1};
    return true;
}

// ---- either -----------------------------------------------------------------

void kv_record_encode(kv_buf *to, const kv_recordlog_id *id, uint64_t offset,
                      uint32_t mark, bool more, kv_slice payload)
{
    assert(payload.len <= KV_RECORD_MAX);
    assert(offset <= KV_RECORDLOG_MAX_BYTES && mark <= offset); // R2
    uint32_t seed = seed_of(id, offset);
    if (id->framing == KV_FRAMING_TEXT) {
        encode_text(to, seed, mark, more, payload);
    } else {
        encode_binary(to, seed, mark, more, payload);
    }
}

bool kv_record_decode(kv_slice bytes, const kv_recordlog_id *id,
                      uint64_t offset, kv_record *out)
{
    if (bytes.len == 0) return false;
    uint32_t seed = seed_of(id, offset);
    kv_record got;
    bool valid = id->framing == KV_FRAMING_TEXT
                     ? decode_text(bytes, seed, &got)
                     : decode_binary(bytes, seed, &got);
    if (!valid || got.mark > offset) return false; // R2
    *out = got;
    return true;
}

size_t kv_record_claim(kv_slice bytes, const kv_recordlog_id *id,
                       uint64_t offset)
{
    if (id->framing == KV_FRAMING_TEXT) {
        const uint8_t *feed =
            bytes.len == 0 ? NULL : memchr(bytes.data, '\n', bytes.len);
        return feed == NULL ? 0 : (size_t)(feed - bytes.data) + 1;
    }
    record_head head;
    if (!decode_head(bytes, seed_of(id, offset), &head)) return 0;
    return head.head + head.size;
}

bool kv_record_peek_mark(kv_slice bytes, kv_framing framing, uint32_t *mark)
{
    if (framing == KV_FRAMING_BINARY) {
        if (bytes.len <= RECORD_SIZE) return false;
        *mark = kv_get_u32(bytes.data + RECORD_MARK);
        return true;
    }
    record_trailer trailer;
    if (!decode_trailer(bytes, &trailer)) return false;
    *mark = trailer.mark;
    return true;
}
