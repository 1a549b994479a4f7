// xray.c -- write-ahead logs and the manifest, field by field; see look.h.
// SPDX-License-Identifier: MIT

#include <inttypes.h>

#include "common/recordlog_xray.h"

#include "look.h"

static kv_slice part(kv_slice bytes, size_t from, size_t size)
{
    return kv_slice_of(bytes.data + from, size);
}

// ---- write-ahead logs -------------------------------------------------------

static void draw_change(kv_xray *x, uint64_t offset, kv_slice bytes,
                        const kv_change *change)
{
    static const char *const names[] = {
        [KV_PUT] = "put", [KV_DEL] = "del", [KV_DEL_RANGE] = "del range"};
    static const char *const between[] = {
        [KV_PUT] = " = ", [KV_DEL] = "", [KV_DEL_RANGE] = " up to "};
    kv_quoted key, value;
    kv_xray_field(x, offset, bytes, names[change->kind], "%s%s%s",
                  kv_quote(&key, change->key), between[change->kind],
                  kv_quote(&value, change->value));
}

static void draw_log_payload(kv_xray *x, const kv_recordlog_id *id,
                             uint64_t offset, kv_slice payload)
{
    (void)id;
    lsm_switch before;
    if (lsm_get_switch(payload, &before)) {
        kv_xray_field(x, offset, payload, "follows",
                      "log %" PRIu64 ", when that had %" PRIu64
                      " bytes, %" PRIu64 " of them synced",
                      before.number, before.size, before.synced_size);
        return;
    }
    for (size_t at = 0; at < payload.len;) {
        kv_change change;
        kv_slice rest = part(payload, at, payload.len - at);
        size_t size = lsm_get_change(rest, &change);
        if (size == 0) {
            kv_xray_field(x, offset + at, rest, "payload", "no change");
            kv_xray_damage(x, offset + at, "no change begins here");
            return;
        }
        draw_change(x, offset + at, part(rest, 0, size), &change);
        at += size;
    }
}

// ---- the manifest -----------------------------------------------------------

static void draw_edit(kv_xray *x, const kv_recordlog_id *id, uint64_t offset,
                      kv_slice payload)
{
    (void)id;
    lsm_edit edit = {0};
    if (!lsm_get_edit(payload, &edit)) {
        kv_xray_field(x, offset, payload, "payload", "no edit");
        kv_xray_damage(x, offset, "a record that holds no edit");
        return;
    }
    kv_xray_field(x, offset, payload, "edit",
                  "%s: %zu tables less, %zu more; next number %" PRIu64
                  ", first log %" PRIu64 ", newest change %" PRIu64,
                  lsm_edit_word(edit.what), edit.removed_count,
                  edit.added_count, edit.next, edit.log, edit.last_seq);
    if (edit.what == LSM_EDIT_CLOSE) {
        kv_xray_title(x, offset,
                      "  last log %" PRIu64 ": whole at %" PRIu64 " bytes",
                      edit.closed.log, edit.closed.bytes);
    }
    for (size_t i = 0; i < edit.removed_count; i++) {
        kv_xray_title(x, offset, "  minus table %" PRIu64, edit.removed[i]);
    }
    for (size_t i = 0; i < edit.added_count; i++) {
        const lsm_edit_table *t = &edit.added[i];
        kv_quoted first, last;
        kv_xray_title(x, offset,
                      "  plus table %" PRIu64 ": level %" PRIu32
                      ", run %" PRIu64 ", %" PRIu64 " entries, %s to %s",
                      t->number, t->level, t->run, t->entry_count,
                      kv_quote(&first, t->first_key),
                      kv_quote(&last, t->last_key));
    }
    lsm_edit_free(&edit);
}

kv_status lsm_xray(kv_disk *disk, const char *file, kv_xray *xray)
{
    kv_buf bytes = {0};
    kv_status st = kv_xray_read(disk, file, &bytes);
    kv_slice all = kv_buf_slice(&bytes);
    if (st == KV_OK && lsm_number_of(file, ".log") != 0) {
        kv_recordlog_xray(all, file, draw_log_payload, xray);
    } else if (st == KV_OK && strcmp(file, lsm_manifest_name) == 0) {
        kv_recordlog_xray(all, file, draw_edit, xray);
    } else if (st == KV_OK) {
        lsm_table_xray(all, xray);
    }
    kv_buf_free(&bytes);
    return st;
}
