// states.c -- see states.h.
// SPDX-License-Identifier: MIT

#include "common/crash/states.h"

#include "common/mem.h"
#include "common/rng.h"

enum {
    ALL_SUBSETS_MAX = 12, // atoms
    PAIRS_MAX = 64,       // atoms
    RANDOM_SUBSETS = 96,  // for each of three shares
    COMBINATIONS_MAX = 2000,
    CUTS_MAX = 512, // of one write
};

typedef struct chooser {
    kv_crash_model model;
    kv_disk *sim;
    const kv_sim_atom *atoms;
    size_t count;
    uint8_t *keep;
    kv_rng rng;
    uint64_t index;
    kv_crash_chooser *wants;
    kv_crash_visitor *visit;
    void *arg;
} chooser;

// Numbers the next disk; true if it is to be built.
static bool is_wanted(chooser *c)
{
    uint64_t index = c->index++;
    return c->wants == NULL || c->wants(c->arg, index);
}

bool kv_crash_is_moment(kv_crash_model model, const kv_trace_event *event)
{
    if (event == NULL) return true;
    if (event->kind == KV_TRACE_MARK) return false;
    if (model == KV_CRASH_KILL) return true;
    return event->kind == KV_TRACE_SYNC || event->kind == KV_TRACE_SYNC_DIR;
}

// ---- kill -------------------------------------------------------------------

// The disk with the first `len` bytes of the write done. The file may have lost
// its name by now; then its bytes do not matter.
static kv_disk *cut_write(kv_disk *sim, const kv_trace_event *event, size_t len)
{
    kv_disk *image = kv_disk_sim_kill(sim);
    kv_file *f = NULL;
    kv_open_how how = {.mode = KV_OPEN_WRITE};
    kv_why why = event->why;
    if (len == 0 || kv_file_open(image, event->name, how, why, &f) != KV_OK) {
        return image;
    }
    kv_slice part = {event->bytes.data, len};
    kv_status st = kv_file_write(f, event->offset, part, why);
    if (st == KV_OK) st = kv_file_sync(f, why);
    (void)st; // a full disk cuts it, which is as good
    (void)kv_file_close(f);
    return image;
}

static void show_cuts(chooser *c, const kv_trace_event *event)
{
    size_t len = 0;
    if (event != NULL && event->kind == KV_TRACE_WRITE) len = event->bytes.len;
    // A long write is cut at every byte of its start and end only.
    size_t skip_from = len > CUTS_MAX ? CUTS_MAX / 2 : len + 1;
    size_t skip_to = len > CUTS_MAX ? len - CUTS_MAX / 2 : len + 1;
    for (size_t cut = 0; cut <= len; cut++) {
        if (cut == skip_from) cut = skip_to;
        if (!is_wanted(c)) continue;
        kv_disk *image =
            len > 0 ? cut_write(c->sim, event, cut) : kv_disk_sim_kill(c->sim);
        c->visit(c->arg, c->index - 1, image);
    }
}

// ---- power cuts -------------------------------------------------------------

static void show(chooser *c)
{
    bool loses_bytes = false;
    for (size_t i = 0; i < c->count; i++) {
        loses_bytes |= !c->keep[i] && c->atoms[i].kind == KV_SIM_WRITE;
    }
    int fills = loses_bytes && c->model == KV_CRASH_POSIX ? KV_SIM_FILLS : 1;
    for (int fill = 0; fill < fills; fill++) {
        if (!is_wanted(c)) continue;
        kv_disk *image = kv_disk_sim_crash(c->sim, c->keep, (kv_sim_fill)fill);
        c->visit(c->arg, c->index - 1, image);
    }
}

static void set_all(chooser *c, uint8_t value)
{
    memset(c->keep, value, c->count);
}

static void show_all_subsets(chooser *c)
{
    for (uint32_t bits = 0; bits < 1u << c->count; bits++) {
        for (size_t i = 0; i < c->count; i++) c->keep[i] = bits >> i & 1;
        show(c);
    }
}

static void show_pairs_dropped(chooser *c)
{
    set_all(c, 1);
    for (size_t i = 0; i < c->count; i++) {
        c->keep[i] = 0;
        for (size_t j = i + 1; j < c->count; j++) {
            c->keep[j] = 0;
            show(c);
            c->keep[j] = 1;
        }
        c->keep[i] = 1;
    }
}

static void show_random(chooser *c)
{
    static const uint64_t percent[] = {20, 50, 80};
    for (size_t n = 0; n < 3 * (size_t)RANDOM_SUBSETS; n++) {
        for (size_t i = 0; i < c->count; i++) {
            c->keep[i] = kv_rng_below(&c->rng, 100) < percent[n % 3];
        }
        show(c);
    }
}

static void show_families(chooser *c)
{
    for (size_t i = 0; i <= c->count; i++) { // prefixes, none and all
        set_all(c, 0);
        memset(c->keep, 1, i);
        show(c);
    }
    for (int others = 0; others < 2; others++) { // one kept, one dropped
        set_all(c, (uint8_t)others);
        for (size_t i = 0; i < c->count; i++) {
            c->keep[i] = !others;
            show(c);
            c->keep[i] = (uint8_t)others;
        }
    }
    if (c->count <= PAIRS_MAX) show_pairs_dropped(c);
    show_random(c);
}

// ---- prefixes of each file --------------------------------------------------

// Atoms fall into queues: one of each file's data, one of the names. A choice
// is how many each keeps.
typedef struct queues {
    size_t *of;    // atom -> queue
    size_t *len;   // queue -> atoms
    size_t *taken; // queue -> kept
    size_t count;
} queues;

static void sort_into_queues(const chooser *c, queues *q)
{
    q->of = kv_zalloc(c->count * sizeof *q->of + 1);
    q->len = kv_zalloc((c->count + 1) * sizeof *q->len);
    q->taken = kv_zalloc((c->count + 1) * sizeof *q->taken);
    for (size_t i = 0; i < c->count; i++) {
        bool is_name = c->atoms[i].kind >= KV_SIM_NAME;
        size_t first = 0;
        while (first < i &&
               ((c->atoms[first].kind >= KV_SIM_NAME) != is_name ||
                (!is_name && c->atoms[first].node != c->atoms[i].node))) {
            first++;
        }
        q->of[i] = first < i ? q->of[first] : q->count++;
        q->len[q->of[i]]++;
    }
}

static void show_taken(chooser *c, const queues *q)
{
    size_t *met = kv_zalloc((q->count + 1) * sizeof *met);
    for (size_t i = 0; i < c->count; i++) {
        size_t queue = q->of[i];
        c->keep[i] = met[queue]++ < q->taken[queue];
    }
    kv_free(met);
    show(c);
}

// The next combination, as an odometer counts; false after the last.
static bool next_combination(queues *q)
{
    for (size_t i = 0; i < q->count; i++) {
        if (q->taken[i]++ < q->len[i]) return true;
        q->taken[i] = 0;
    }
    return false;
}

static void show_prefixes(chooser *c)
{
    queues q = {0};
    sort_into_queues(c, &q);
    uint64_t combinations = 1;
    for (size_t i = 0; i < q.count && combinations <= COMBINATIONS_MAX; i++) {
        combinations *= q.len[i] + 1;
    }
    if (combinations <= COMBINATIONS_MAX) {
        do show_taken(c, &q);
        while (next_combination(&q));
    } else {
        for (size_t n = 0; n < COMBINATIONS_MAX; n++) {
            for (size_t i = 0; i < q.count; i++) {
                // The ends are likelier than chance makes them.
                uint64_t toss = kv_rng_below(&c->rng, 4);
                q.taken[i] = toss == 0 ? 0
                             : toss == 1
                                 ? q.len[i]
                                 : (size_t)kv_rng_below(&c->rng, q.len[i] + 1);
            }
            show_taken(c, &q);
        }
    }
    kv_free(q.of);
    kv_free(q.len);
    kv_free(q.taken);
}

void kv_crash_states(kv_crash_model model, kv_disk *sim,
                     const kv_trace_event *event, uint64_t seed,
                     kv_crash_chooser *wants, kv_crash_visitor *visit,
                     void *arg)
{
    chooser c = {
        .model = model, .sim = sim, .wants = wants, .visit = visit, .arg = arg};
    if (model == KV_CRASH_KILL) {
        show_cuts(&c, event);
        return;
    }
    c.atoms = kv_disk_sim_atoms(sim, &c.count);
    c.keep = kv_zalloc(c.count + 1);
    kv_rng_seed(&c.rng, seed + (event != NULL ? event->number : 0));
    if (model == KV_CRASH_EXT4) show_prefixes(&c);
    else if (c.count <= ALL_SUBSETS_MAX) show_all_subsets(&c);
    else show_families(&c);
    kv_free(c.keep);
}
