// open.c -- kv_open and kv_close: the directory, its lock and identity, the
// count layer, and then the stage.
// SPDX-License-Identifier: MIT

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/disk_count.h"
#include "common/front.h"
#include "common/mem.h"
#include "common/rng.h"

// ---- read-only --------------------------------------------------------------

kv_status kv_go_read_only(kv *db, kv_status st)
{
    struct kv_front *front = db->front;
    kv_mutex_lock(&front->read_only_lock);
    if (!atomic_load(&front->is_read_only)) {
        snprintf(front->read_only_because, sizeof front->read_only_because,
                 "%s", kv_last_error());
        atomic_store(&front->is_read_only, true);
    }
    kv_mutex_unlock(&front->read_only_lock);
    return st;
}

kv_status kv_front_writable(kv *db)
{
    struct kv_front *front = db->front;
    if (!KV_LIKELY(!db->read_only)) {
        return kv_fail(KV_READ_ONLY,
                       "%s: the store was opened for reading only", db->path);
    }
    if (KV_LIKELY(!atomic_load_explicit(&front->is_read_only,
                                        memory_order_acquire))) {
        return KV_OK;
    }
    kv_mutex_lock(&front->read_only_lock);
    kv_status st =
        kv_fail(KV_READ_ONLY,
                "%s: takes no more writes since one failed; reopen the store "
                "to write again. It was: %s",
                db->path, front->read_only_because);
    kv_mutex_unlock(&front->read_only_lock);
    return st;
}

// ---- the ticker -------------------------------------------------------------

static void *run_ticker(void *arg)
{
    kv *db = arg;
    struct kv_front *front = db->front;
    uint64_t seen = 0;
    kv_mutex_lock(&front->ticker_lock);
    while (!front->is_stopping) {
        kv_cond_wait_for(&front->ticker_stop, &front->ticker_lock,
                         front->interval_ns);
        uint64_t ended = atomic_load(&front->writes_ended);
        if (front->is_stopping || ended == seen) continue;
        kv_mutex_unlock(&front->ticker_lock);
        // A failure makes the store read-only: the next write reports it, and
        // kv_sync does not reach the disk again (D4).
        if (kv_sync(db) == KV_OK) seen = ended;
        kv_mutex_lock(&front->ticker_lock);
    }
    kv_mutex_unlock(&front->ticker_lock);
    return NULL;
}

static void start_ticker(kv *db, uint32_t interval_ms)
{
    struct kv_front *front = db->front;
    if (db->sync != KV_SYNC_INTERVAL || db->engine->sync == NULL) return;
    uint64_t ms = interval_ms > 0 ? interval_ms : KV_INTERVAL_MS_DEFAULT;
    front->interval_ns = ms * 1000000;
    kv_mutex_init(&front->ticker_lock);
    kv_cond_init(&front->ticker_stop);
    kv_thread_start(&front->ticker, run_ticker, db);
    front->has_ticker = true;
}

static void stop_ticker(struct kv_front *front)
{
    if (!front->has_ticker) return;
    kv_mutex_lock(&front->ticker_lock);
    front->is_stopping = true;
    kv_cond_signal(&front->ticker_stop);
    kv_mutex_unlock(&front->ticker_lock);
    kv_thread_join(&front->ticker);
    kv_cond_free(&front->ticker_stop);
    kv_mutex_free(&front->ticker_lock);
}

// ---- the directory ----------------------------------------------------------

static kv_status no_store(const char *path)
{
    return kv_fail(KV_NOT_FOUND,
                   "%s: there is no store here; a write makes one, or name "
                   "another directory",
                   path);
}

static kv_status open_disk(kv *db, const kv_options *options)
{
    kv_disk *below = options->disk;
    if (below == NULL) {
        bool create = options->create && !options->read_only;
        kv_status st = kv_disk_open_real(db->path, create, &below);
        if (st == KV_NOT_FOUND) return no_store(db->path);
        KV_TRY(st);
    }
    kv_status st = kv_disk_open_count(below, &db->disk);
    if (st != KV_OK && options->disk == NULL) kv_disk_close(below);
    return st;
}

// I3, and whether this is the engine that wrote the directory.
static kv_status check_identity(kv *db)
{
    const kv_engine_info *info = &db->engine->info;
    const kv_identity *found = &db->front->identity;
    if (strcmp(found->engine, info->name) != 0) {
        return kv_fail(KV_INVALID,
                       "%s: holds a store of the engine \"%s\", not \"%s\"; "
                       "open it with that stage's program",
                       db->path, found->engine, info->name);
    }
    if (found->major > info->format_major) {
        return kv_fail(KV_INVALID,
                       "%s: is in format %u.%u of a newer version; this one "
                       "reads up to %u.%u",
                       db->path, found->major, found->minor, info->format_major,
                       info->format_minor);
    }
    if (found->major == info->format_major &&
        found->minor > info->format_minor) {
        db->read_only = true;
    }
    db->store_id = found->id;
    return KV_OK;
}

static kv_status become_store(kv *db)
{
    const kv_engine_info *info = &db->engine->info;
    kv_identity *identity = &db->front->identity;
    snprintf(identity->engine, sizeof identity->engine, "%s", info->name);
    identity->major = info->format_major;
    identity->minor = info->format_minor;
    identity->id = kv_mix64(db->seed);
    db->is_new = true;
    db->store_id = identity->id;
    return kv_identity_write(db->disk, identity);
}

static kv_status enter_directory(kv *db, const kv_options *options)
{
    struct kv_front *front = db->front;
    bool may_create = options->create && !options->read_only;
    // Looked at before anything is made in a directory that is not ours.
    kv_status st = kv_identity_read(db->disk, db->path, &front->identity);
    if (st == KV_NOT_FOUND && !may_create) return no_store(db->path);
    if (st != KV_OK && st != KV_NOT_FOUND) return st;
    if (st == KV_OK) KV_TRY(check_identity(db));
    KV_TRY(kv_identity_lock(db->disk, db->path, &front->lock));
    if (!db->read_only) KV_TRY(kv_identity_sign_lock(front->lock));
    if (st == KV_OK) {
        return db->read_only ? KV_OK : kv_identity_tidy(db->disk);
    }
    // Somebody may have made it since; we hold the lock now.
    st = kv_identity_read(db->disk, db->path, &front->identity);
    if (st == KV_OK) return check_identity(db);
    return st == KV_NOT_FOUND ? become_store(db) : st;
}

// ---- open and close ---------------------------------------------------------

static kv_status check_options(const kv_engine *engine,
                               const kv_options *options)
{
    const char *name = engine->info.name;
    if (engine->abi != KV_ENGINE_ABI) {
        return kv_fail(KV_INVALID,
                       "this engine was built for interface %u, and this is "
                       "interface %u; build it again",
                       engine->abi, KV_ENGINE_ABI);
    }
    // Tables are cut to the budget: an absurd one would be out of memory.
    if (options->memory_bytes > kv_machine_bytes()) {
        return kv_fail(KV_INVALID,
                       "a memory budget of %" PRIu64 " MiB: this machine has "
                       "%zu MiB",
                       options->memory_bytes >> 20, kv_machine_bytes() >> 20);
    }
    bool is_durable = (engine->info.caps & KV_CAP_DURABLE) != 0;
    if (is_durable && options->path == NULL && options->disk == NULL) {
        return kv_fail(KV_INVALID,
                       "the engine \"%s\" keeps files: name a directory", name);
    }
    return KV_OK;
}

static kv_status start(kv *db, const kv_options *options)
{
    const kv_engine_info *info = &db->engine->info;
    KV_TRY(kv_knobs_parse(info->knobs, info->knob_count, options->knobs,
                          db->knob));
    db->knobs_given =
        kv_knobs_given(info->knobs, info->knob_count, options->knobs);
    if (kv_has(db, KV_CAP_DURABLE)) {
        KV_TRY(open_disk(db, options));
        KV_TRY(enter_directory(db, options));
    }
    db->front->is_open = true;
    KV_TRY(db->engine->open(db));
    start_ticker(db, options->interval_ms);
    return KV_OK;
}

kv_status kv_open(const kv_engine *engine, const kv_options *options, kv **out)
{
    KV_TRY(check_options(engine, options));
    kv *db = kv_alloc_pages(engine->store_size);
    struct kv_front *front = kv_alloc_pages(sizeof *front);
    kv_mutex_init(&front->read_only_lock);
    front->path = kv_strdup(options->path != NULL ? options->path : "-");
    front->callers_disk = options->disk;
    db->front = front;
    db->engine = engine;
    db->path = front->path;
    db->sync = options->sync;
    db->read_only = options->read_only;
    db->key_max = engine->info.key_max;
    db->memory_bytes =
        options->memory_bytes > 0 ? options->memory_bytes : KV_MEMORY_DEFAULT;
    db->seed = options->seed != 0 ? options->seed : kv_entropy();
    kv_status st = start(db, options);
    if (st == KV_OK) {
        *out = db;
        return KV_OK;
    }
    // Closing may fail too; the first sentence is the one that helps.
    char sentence[512];
    snprintf(sentence, sizeof sentence, "%s", kv_last_error());
    kv_close(db);
    return kv_fail(st, "%s", sentence);
}

kv_status kv_close(kv *db)
{
    if (db == NULL) return KV_OK;
    struct kv_front *front = db->front;
    stop_ticker(front);
    kv_status st = front->is_open ? db->engine->close(db) : KV_OK;
    kv_status unlocked = kv_file_close(front->lock);
    if (st == KV_OK) st = unlocked;
    if (db->disk != NULL && front->callers_disk != NULL) {
        kv_disk_count_release(db->disk);
    } else {
        kv_disk_close(db->disk);
    }
    kv_mutex_free(&front->read_only_lock);
    kv_free(front->path);
    kv_free_pages(front, sizeof *front);
    kv_free_pages(db, db->engine->store_size);
    return st;
}
