// backup.h -- a copy of one moment of a store, while reads and writes go on.
// SPDX-License-Identifier: MIT
//
// A cursor shows the moment; what it shows is put into a new store, in order,
// so that the copy has full pages and no holes. Nothing of it is logged, and
// each page is written about once: whoever asked for the copy makes a store of
// it when it is complete (common/identity.h), and not before.
//
// Book: none

#ifndef BT_BACKUP_H
#define BT_BACKUP_H

#include "store.h"

KV_MUST_USE kv_status bt_backup(bt_store *s, kv_disk *target);

#endif
