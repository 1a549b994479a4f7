// recordlog_xray.h -- a record log's bytes with their meaning: see xray.h.
// SPDX-License-Identifier: MIT

#ifndef COMMON_RECORDLOG_XRAY_H
#define COMMON_RECORDLOG_XRAY_H

#include "common/recordlog.h"
#include "common/xray.h"

// Draws the payload of one record, which stands at `offset`.
typedef void kv_payload_xray(kv_xray *x, const kv_recordlog_id *id,
                             uint64_t offset, kv_slice payload);

// Draws a whole log: header, records, what is damaged, and from where on
// records are valid again. `name` is the file's, `bytes` all of it.
void kv_recordlog_xray(kv_slice bytes, const char *name,
                       kv_payload_xray *payload, kv_xray *x);

// Reads a file whole, to be drawn; a log or another. KV_INVALID if there is
// none of that name.
KV_MUST_USE kv_status kv_xray_read(kv_disk *disk, const char *name,
                                   kv_buf *bytes);

#endif
