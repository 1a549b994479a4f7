// moment.c -- see moment.h.
// SPDX-License-Identifier: MIT

#include "common/crash/moment.h"

#include "common/front.h"

// The next entry is that of this key, if it is there at all.
static kv_status expect(const kv_crash_moment *m, uint32_t key, uint32_t commit)
{
    kv_slice k, v;
    kv_buf want_key = {0}, want_value = {0};
    kv_status st = kv_cursor_next(m->cursor, &k, &v);
    if (st == KV_OK) {
        kv_crash_key(&want_key, key);
        kv_crash_value(&want_value, commit, key);
        bool is_right = kv_slice_equal(k, kv_buf_slice(&want_key)) &&
                        kv_slice_equal(v, kv_buf_slice(&want_value));
        if (!is_right) st = KV_END;
    }
    kv_buf_free(&want_key);
    kv_buf_free(&want_value);
    if (st != KV_END) return st;
    return kv_fail(KV_CORRUPT,
                   "the cursor of the moment after commit %u does not show "
                   "key%02u of commit %u next",
                   (unsigned)m->commit, (unsigned)key, (unsigned)commit);
}

static kv_status walk(const kv_crash_moment *m, const kv_crash_workload *work)
{
    const uint32_t *state = work->state[m->commit];
    for (uint32_t key = 0; key < KV_CRASH_KEYS; key++) {
        if (state[key] > 0) KV_TRY(expect(m, key, state[key]));
    }
    kv_slice key, value;
    kv_quoted q;
    kv_status st = kv_cursor_next(m->cursor, &key, &value);
    if (st == KV_END) return KV_OK;
    if (st != KV_OK) return st;
    return kv_fail(KV_CORRUPT,
                   "the cursor of the moment after commit %u shows %s, which "
                   "was not there",
                   (unsigned)m->commit, kv_quote(&q, key));
}

kv_status kv_crash_moment_end(kv_crash_moment *m, const kv_crash_workload *work)
{
    if (m->cursor == NULL) return KV_OK;
    kv_status st = walk(m, work);
    kv_cursor_close(m->cursor);
    *m = (kv_crash_moment){0};
    return st;
}

kv_status kv_crash_moment_turn(kv_crash_moment *m, kv *db,
                               const kv_crash_workload *work, uint32_t commit)
{
    if (m->cursor != NULL) return kv_crash_moment_end(m, work);
    if (!kv_has(db, KV_CAP_SNAPSHOT) || !kv_has(db, KV_CAP_ORDERED)) {
        return KV_OK;
    }
    m->commit = commit;
    return kv_scan(db, (kv_range){.reverse = false}, &m->cursor);
}
