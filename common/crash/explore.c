// explore.c -- see crash.h: the workload, the moments, and the ledger of disks
// already judged.
// SPDX-License-Identifier: MIT

#include <assert.h>
#include <inttypes.h>

#include "common/crash/address.h"
#include "common/crash/judge.h"
#include "common/crash/ledger.h"
#include "common/crash/moment.h"
#include "common/crash/states.h"
#include "common/mem.h"
#include "common/rng.h"

enum {
    OPS_DEFAULT = 40,
    NEST_EVERY = 61,           // distinct disks
    NEST_SAMPLE = 30,          // of their recoveries' disks, one in so many
    INTERVAL_MS = 3600 * 1000, // the ticker never ticks by the clock …
    TICK_EVERY = 5,         // … but behind each so-manieth step, see tick()
    MEMORY_BYTES = 1 << 20, // of a store: a dozen keys need no more
};

// ---- exploring --------------------------------------------------------------

typedef struct explorer {
    const kv_engine *engine;
    const kv_crash_options *options;
    kv_crash_workload work;
    kv_disk *sim;
    kv_crash_moment moment; // of the store that the workload runs on
    uint32_t acked, issued; // commits: promised to be there, begun
    kv_crash_address at;
    bool is_counting;  // only how many disks there are
    uint64_t possible; // disks, once they are counted
    kv_crash_ledger seen;
    kv_crash_result *result;
    FILE *out;
    const kv_crash_address *wanted; // replay: do not judge, copy this one
    kv_disk *copy_to;
    kv_status copied;
} explorer;

static void report(explorer *x, const kv_buf *why)
{
    x->result->violations++;
    if (x->out == NULL) return;
    kv_buf where = {0};
    kv_crash_address_print(x->options, &x->at, &where);
    fprintf(x->out, "VIOLATION %s %.*s -- crash replay %.*s DIR\n",
            kv_describe(x->engine)->name, (int)why->len,
            (const char *)why->data, (int)where.len, (const char *)where.data);
    kv_buf_free(&where);
}

// A sample takes from every moment, and from all its disks, alike.
static bool is_in_sample(void *arg, uint64_t index)
{
    explorer *x = arg;
    const kv_crash_options *o = x->options;
    if (x->is_counting) return x->possible++, false;
    if (x->wanted != NULL || o->states_max == 0) return true;
    uint64_t lot = kv_mix64(o->seed ^ kv_mix64(x->at.event << 32 ^ index));
    return lot % x->possible < o->states_max;
}

static void nest(explorer *x, kv_disk *image);

// Judges one disk, or copies it if it is the one that is looked for.
static void weigh(explorer *x, kv_disk *image)
{
    kv_crash_result *r = x->result;
    if (x->wanted != NULL) {
        if (kv_crash_address_equal(&x->at, x->wanted)) {
            x->copied = kv_disk_copy(image, x->copy_to);
        }
        return;
    }
    r->states++;
    kv_sim_hash hash = kv_disk_sim_hash(image);
    if (!kv_crash_ledger_add(&x->seen, hash, x->acked)) return;
    r->distinct++;
    r->nested += x->at.is_nested;
    bool is_fresh = x->options->met == NULL ||
                    kv_crash_ledger_add(x->options->met, hash, 0);
    r->fresh += is_fresh && !x->at.is_nested;
    kv_crash_case c = {.engine = x->engine,
                       .knobs = x->options->knobs,
                       .work = &x->work,
                       .acked = x->options->may_lose ? 0 : x->acked,
                       .issued = x->issued,
                       .is_brief = x->at.is_nested};
    kv_buf why = {0};
    if (!kv_crash_judge(&c, image, &why)) report(x, &why);
    kv_buf_free(&why);
}

static void visit(void *arg, uint64_t index, kv_disk *image)
{
    explorer *x = arg;
    x->at.index = index;
    uint64_t before = x->result->distinct;
    kv_status st = x->options->spoil ? x->options->spoil(image) : KV_OK;
    assert(st == KV_OK); // a simulated disk that nobody made fail
    (void)st;
    weigh(x, image);
    bool is_new = x->result->distinct > before;
    bool samples = is_new && x->result->distinct % NEST_EVERY == 0;
    bool leads = x->wanted != NULL && x->wanted->is_nested &&
                 x->wanted->event == x->at.event && x->wanted->index == index;
    if (x->options->depth >= 2 && (samples || leads)) nest(x, image);
    kv_disk_close(image);
}

static void look(explorer *x, const kv_trace_event *event)
{
    x->result->epochs++;
    size_t pending = 0;
    (void)kv_disk_sim_atoms(x->sim, &pending);
    if (pending > x->result->pending_max) x->result->pending_max = pending;
    kv_crash_states(x->options->model, x->sim, event, x->options->seed,
                    is_in_sample, visit, x);
}

// What a crash now leaves of the backup that is taken, or done (J7).
static void look_at_backup(explorer *x, bool is_done)
{
    if (x->is_counting || x->wanted != NULL) return;
    kv_disk *beside = kv_disk_sim_beside(x->sim);
    size_t atoms = 0;
    (void)kv_disk_sim_atoms(beside, &atoms);
    kv_buf none = {0}, why = {0};
    kv_buf_reserve(&none, atoms + 1);
    memset(none.data, 0, atoms + 1);
    kv_disk *left = x->options->model == KV_CRASH_KILL
                        ? kv_disk_sim_kill(beside)
                        : kv_disk_sim_crash(beside, none.data, KV_SIM_SHORT);
    kv_crash_case c = {.engine = x->engine,
                       .knobs = x->options->knobs,
                       .work = &x->work,
                       .acked = x->issued,
                       .issued = x->issued};
    if (!kv_crash_judge_backup(&c, left, is_done, &why)) report(x, &why);
    kv_disk_close(left);
    kv_buf_free(&none);
    kv_buf_free(&why);
}

static kv_status take_backup(explorer *x, kv *db)
{
    KV_TRY(kv_crash_backup(db));
    if (kv_describe(x->engine)->caps & KV_CAP_BACKUP) look_at_backup(x, true);
    return KV_OK;
}

static void observe(void *arg, const kv_trace_event *event)
{
    explorer *x = arg;
    if (event->is_beside) {
        look_at_backup(x, false);
        return;
    }
    x->at.event = event->number;
    if (!kv_crash_is_moment(x->options->model, event)) return;
    if (x->wanted != NULL && x->wanted->event != event->number) return;
    look(x, event);
}

// ---- a crash within a recovery ----------------------------------------------

typedef struct nested {
    explorer *x;
    kv_disk *sim;
} nested;

static bool is_in_nested_sample(void *arg, uint64_t index)
{
    const explorer *x = ((const nested *)arg)->x;
    // Where all disks are judged, all of their recoveries' are.
    if (x->wanted != NULL || x->possible <= x->options->states_max) return true;
    uint64_t lot = x->at.event << 32 ^ x->at.inner_event << 16 ^ index;
    return kv_mix64(lot) % NEST_SAMPLE == 0;
}

static void visit_nested(void *arg, uint64_t index, kv_disk *image)
{
    nested *n = arg;
    n->x->at.inner_index = index;
    weigh(n->x, image);
    kv_disk_close(image);
}

static void observe_nested(void *arg, const kv_trace_event *event)
{
    nested *n = arg;
    explorer *x = n->x;
    x->at.inner_event = event->number;
    if (!kv_crash_is_moment(x->options->model, event)) return;
    kv_crash_states(x->options->model, n->sim, event, x->options->seed,
                    is_in_nested_sample, visit_nested, n);
}

static kv_options open_options(const explorer *x, kv_disk *disk)
{
    return (kv_options){.path = "crash",
                        .knobs = x->options->knobs,
                        .disk = disk,
                        .sync = x->options->sync,
                        .interval_ms = INTERVAL_MS,
                        .memory_bytes = MEMORY_BYTES,
                        .seed = x->options->seed + 1,
                        .create = true};
}

static void nest(explorer *x, kv_disk *image)
{
    nested n = {.x = x, .sim = kv_disk_sim_kill(image)};
    kv_disk *traced = NULL;
    kv *db = NULL;
    x->at.is_nested = true;
    kv_status st = kv_disk_open_trace(n.sim, observe_nested, &n, &traced);
    assert(st == KV_OK);
    kv_options options = open_options(x, traced);
    // That it opens has been judged already.
    st = kv_open(x->engine, &options, &db);
    if (st == KV_OK) (void)kv_close(db);
    x->at.is_nested = false;
    kv_disk_close(traced);
}

// ---- the workload -----------------------------------------------------------

// A commit that returned is promised when its process is killed, and in
// KV_SYNC_COMMIT when power goes; a sync promises all before it.
static bool promises(const explorer *x, const kv_crash_step *step)
{
    if (x->options->model == KV_CRASH_KILL) return true;
    if (x->options->sync == KV_SYNC_COMMIT) return true;
    return step->kind == KV_CRASH_SYNC || step->kind == KV_CRASH_SETTLE ||
           step->kind == KV_CRASH_REOPEN;
}

static kv_status reopen(explorer *x, kv_disk *traced, kv **db)
{
    if (*db != NULL) {
        kv *old = *db;
        *db = NULL;
        kv_status st = kv_crash_moment_end(&x->moment, &x->work);
        kv_status closed = kv_close(old);
        if (st != KV_OK || closed != KV_OK) return st != KV_OK ? st : closed;
    }
    kv_options options = open_options(x, traced);
    return kv_open(x->engine, &options, db);
}

static kv_status run_step(explorer *x, kv_disk *traced, kv **db,
                          const kv_crash_step *step)
{
    bool did_work = false;
    switch (step->kind) {
    case KV_CRASH_WRITE:
        return kv_crash_write(*db, step);
    case KV_CRASH_SYNC:
        return kv_sync(*db);
    case KV_CRASH_MAINTAIN:
        return kv_maintain(*db, &did_work);
    case KV_CRASH_SETTLE:
        return kv_settle(*db);
    case KV_CRASH_REOPEN:
        return reopen(x, traced, db);
    case KV_CRASH_COMPACT:
        return kv_crash_compact(*db, step);
    case KV_CRASH_MOMENT:
        return kv_crash_moment_turn(&x->moment, *db, &x->work, step->commit);
    case KV_CRASH_BACKUP:
        return take_backup(x, *db);
    }
    return KV_OK;
}

// In KV_SYNC_INTERVAL the clock calls kv_sync. Here the step's number does, so
// that the same workload always has the same crashes.
static kv_status tick(const explorer *x, kv *db, size_t step, bool *ticked)
{
    *ticked = x->options->sync == KV_SYNC_INTERVAL &&
              step % TICK_EVERY == TICK_EVERY - 1;
    return *ticked ? kv_sync(db) : KV_OK;
}

static kv_status run_workload(explorer *x, kv_disk *traced)
{
    kv *db = NULL;
    kv_status st = reopen(x, traced, &db);
    for (size_t i = 0; i < x->work.count && st == KV_OK; i++) {
        const kv_crash_step *step = &x->work.steps[i];
        x->issued = step->commit;
        st = run_step(x, traced, &db, step);
        if (st == KV_OK && promises(x, step)) x->acked = step->commit;
        bool ticked = false;
        if (st == KV_OK) st = tick(x, db, i, &ticked);
        if (st == KV_OK && ticked) x->acked = step->commit;
    }
    kv_status ended = kv_crash_moment_end(&x->moment, &x->work);
    if (st == KV_OK) st = ended;
    kv_status closed = kv_close(db);
    if (st == KV_OK) st = closed;
    x->at.event++; // the moment after the last event
    bool skips = x->wanted != NULL && x->wanted->event != x->at.event;
    if (st == KV_OK && !skips) look(x, NULL);
    return st;
}

static kv_status explore(explorer *x)
{
    const kv_crash_options *o = x->options;
    kv_sim_options sim = {.sector = o->sector,
                          .names_with_sync = o->model == KV_CRASH_EXT4};
    kv_disk *traced = NULL;
    kv_crash_workload_make(&x->work, o->seed, o->ops);
    KV_TRY(kv_disk_open_sim(&sim, &x->sim));
    kv_status st = kv_disk_open_trace(x->sim, observe, x, &traced);
    assert(st == KV_OK);
    st = run_workload(x, traced);
    kv_disk_close(traced);
    kv_crash_workload_free(&x->work);
    kv_crash_ledger_free(&x->seen);
    return st;
}

// The same workload, for the number of its disks.
static kv_status count_disks(const explorer *x, uint64_t *possible)
{
    kv_crash_result unused = {0};
    explorer counter = {.engine = x->engine,
                        .options = x->options,
                        .result = &unused,
                        .is_counting = true};
    kv_status st = explore(&counter);
    *possible = counter.possible;
    return st;
}

static kv_crash_options with_defaults(const kv_crash_options *options)
{
    kv_crash_options o = *options;
    if (o.ops == 0) o.ops = OPS_DEFAULT;
    // The kind file system keeps or loses pages; the other, sectors.
    if (o.sector == 0) o.sector = o.model == KV_CRASH_EXT4 ? 4096 : 512;
    return o;
}

static kv_status check_engine(const kv_engine *engine)
{
    const kv_engine_info *info = kv_describe(engine);
    if (info->caps & KV_CAP_DURABLE) return KV_OK;
    return kv_fail(KV_UNSUPPORTED,
                   "the engine \"%s\" keeps nothing on disk: there is no crash "
                   "to survive",
                   info->name);
}

kv_status kv_crash_explore(const kv_engine *engine,
                           const kv_crash_options *options, FILE *out,
                           kv_crash_result *result)
{
    KV_TRY(check_engine(engine));
    kv_crash_options o = with_defaults(options);
    kv_names smallest = {0};
    kv_crash_knobs(engine, &smallest);
    if (o.knobs == NULL) o.knobs = smallest.name[0];
    *result = (kv_crash_result){0};
    explorer x = {
        .engine = engine, .options = &o, .result = result, .out = out};
    kv_status st = o.states_max > 0 ? count_disks(&x, &x.possible) : KV_OK;
    if (st == KV_OK) st = explore(&x);
    kv_names_free(&smallest);
    return st;
}

// ---- replay -----------------------------------------------------------------

kv_status kv_crash_replay(const kv_engine *engine, const char *state,
                          const char *path)
{
    kv_crash_options o;
    kv_crash_address wanted;
    KV_TRY(check_engine(engine));
    KV_TRY(kv_crash_address_parse(state, &o, &wanted));
    kv_crash_result result = {0};
    explorer x = {.engine = engine,
                  .options = &o,
                  .result = &result,
                  .wanted = &wanted,
                  .copied = KV_NOT_FOUND};
    KV_TRY(kv_disk_open_real(path, true, &x.copy_to));
    kv_status st = explore(&x);
    kv_disk_close(x.copy_to);
    if (st == KV_OK && x.copied == KV_NOT_FOUND) {
        return kv_fail(KV_INVALID,
                       "%s: that workload has no such event, or the event no "
                       "such disk",
                       state);
    }
    return st != KV_OK ? st : x.copied;
}
