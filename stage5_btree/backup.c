// backup.c -- see backup.h.
// SPDX-License-Identifier: MIT

#include "backup.h"

#include "common/mem.h"

#include "cursor.h"

enum { BATCH_BYTES = 1 << 20, MEMORY_BYTES = 16 << 20 };

static kv_status write_batch(bt_store *copy, kv_batch *batch)
{
    size_t count;
    const kv_change *changes = kv_batch_changes(batch, &count);
    kv_status st = bt_store_write(copy, changes, count);
    kv_batch_clear(batch);
    return st;
}

static kv_status copy_entries(bt_cursor *c, bt_store *copy)
{
    kv_batch batch = {0};
    kv_slice key, value;
    kv_status st;
    while ((st = bt_cursor_next(c, &key, &value)) == KV_OK) {
        kv_batch_put(&batch, key, value);
        if (batch.bytes.len < BATCH_BYTES) continue;
        if ((st = write_batch(copy, &batch)) != KV_OK) break;
    }
    if (st == KV_END) st = write_batch(copy, &batch);
    kv_batch_free(&batch);
    return st;
}

static kv_status checkpoint(void *arg) { return bt_store_checkpoint(arg); }

kv_status bt_backup(bt_store *s, kv_disk *target)
{
    static const kv_explainer nobody;
    bt_config config = s->config;
    config.disk = target;
    config.sync_commits = config.read_only = false;
    config.steps_inline = config.is_unlogged = true;
    config.torn = BT_TORN_UNSAFE; // there is no log that could mend
    config.memory_bytes = MEMORY_BYTES;
    bt_store *copy = kv_alloc_pages(sizeof *copy);
    bt_cursor cursor = {0};
    kv_slice all = {0};
    kv_status st = bt_cursor_open(&cursor, s, all, all, false);
    if (st == KV_OK) st = bt_store_open(copy, &config, &nobody);
    if (st == KV_OK) st = copy_entries(&cursor, copy);
    if (st == KV_OK) st = kv_commit_exclusive(&copy->line, checkpoint, copy);
    bt_cursor_close(&cursor);
    kv_status closed = bt_store_close(copy);
    kv_free_pages(copy, sizeof *copy);
    return st != KV_OK ? st : closed;
}
