// test_damage.c -- a closed store of the named engine, damaged in every way:
// each bit, each length, files that are missing, extra, foreign, old or
// swapped.
// SPDX-License-Identifier: MIT
//
//     test_damage ENGINE [OPS [SEED]]
//
// The law is in damage.h. With the engine's smallest sizes every bit is
// flipped; with every other word of its knobs, one bit of each byte, or, when
// OPS is given, all of them too. Files of some shorter lives lose their ends:
// their last commits are in no table and no page yet.

#include <stdlib.h>

#include "common/crash/crash.h"
#include "common/identity.h"

#include "tests/fault/damage.h"

enum {
    OPS_DEFAULT = 30,
    SEED_DEFAULT = 3,
    BLOCK_BYTES = 64,
    SHORT_LIVES = 6,
    SHORT_OPS = 7,
};

typedef enum kind {
    FLIP,    // a bit
    CUT,     // the file ends sooner
    BLANK,   // a block of zeroes
    MOVED,   // two blocks of a file change places
    MISSING, // the file is not there
    EXTRA,   // a file more
    FOREIGN, // a file of another store
    STALE,   // a file as it was half a workload ago
    SWAPPED, // two files change places
    KINDS,   // how many
} kind;

static const char *const kind_words[KINDS] = {
    "bit flipped", "cut short", "zeroed",   "blocks moved", "missing",
    "extra file",  "foreign",   "outdated", "swapped",
};

static const kv_engine *subject;
static uint32_t ops = OPS_DEFAULT;
static uint64_t seed = SEED_DEFAULT;
static bool is_thorough;
static uint64_t tally[KINDS][VERDICTS];

static bool has(const kv_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->name[i], name) == 0) return true;
    }
    return false;
}

// Since then nothing but the bytes of one file changed.
static bool is_one_file(const closed_store *s)
{
    size_t changed = 0;
    kv_buf then = {0}, now = {0};
    if (s->names.count != s->old_names.count) return false;
    for (size_t i = 0; i < s->names.count; i++) {
        if (!has(&s->old_names, s->names.name[i])) return false;
    }
    for (size_t i = 0; i < s->names.count; i++) {
        const char *name = s->names.name[i];
        damage_get(s->old, name, &then);
        damage_get(s->now, name, &now);
        changed += !kv_slice_equal(kv_buf_slice(&then), kv_buf_slice(&now));
    }
    kv_buf_free(&then);
    kv_buf_free(&now);
    return changed <= 1;
}

// Two files that change places are two that are damaged. And where one file is
// all there is, that file brought back is the store as it was.
static bool may_be_older(const closed_store *s, kind k)
{
    return k == SWAPPED || (k == STALE && is_one_file(s));
}

static void judge(const closed_store *s, kind k, kv_disk *damaged,
                  const char *what)
{
    verdict v = damage_look(s, damaged, what);
    bool is_lawful =
        v == MIXED ? k == SWAPPED : v != OLDER || may_be_older(s, k);
    if (!is_lawful) {
        print_error("%s{%s}, %s: %s, and nobody says so\n",
                    kv_describe(s->engine)->name, s->knobs, what,
                    v == OLDER ? "an older state" : "the state of no commit");
        v = SILENT;
    }
    tally[k][v]++;
}

// ---- within a file ----------------------------------------------------------

static void with_file(const closed_store *s, kind k, const char *name,
                      kv_slice bytes, const char *what)
{
    kv_disk *disk = kv_disk_sim_kill(s->now);
    damage_set(disk, name, bytes);
    judge(s, k, disk, what);
}

static void flip_bits(const closed_store *s, const char *name, kv_buf *bytes,
                      bool every_bit)
{
    char what[120];
    for (size_t at = 0; at < bytes->len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            if (!every_bit && bit != at % 8) continue;
            snprintf(what, sizeof what, "%s: bit %u of byte %zu", name, bit,
                     at);
            bytes->data[at] ^= (uint8_t)(1u << bit);
            with_file(s, FLIP, name, kv_buf_slice(bytes), what);
            bytes->data[at] ^= (uint8_t)(1u << bit);
        }
    }
}

static void cut_file(const closed_store *s, const char *name,
                     const kv_buf *bytes, size_t step)
{
    char what[120];
    for (size_t len = 0; len < bytes->len; len += step) {
        snprintf(what, sizeof what, "%s: cut at byte %zu", name, len);
        with_file(s, CUT, name, kv_slice_of(bytes->data, len), what);
    }
}

static void blank_blocks(const closed_store *s, const char *name,
                         const kv_buf *bytes)
{
    char what[120];
    kv_buf copy = {0};
    for (size_t at = 0; at < bytes->len; at += BLOCK_BYTES) {
        size_t len = bytes->len - at < BLOCK_BYTES ? bytes->len - at
                                                   : (size_t)BLOCK_BYTES;
        kv_buf_set(&copy, kv_buf_slice(bytes));
        memset(copy.data + at, 0, len);
        snprintf(what, sizeof what, "%s: zeroes at byte %zu", name, at);
        with_file(s, BLANK, name, kv_buf_slice(&copy), what);
    }
    kv_buf_free(&copy);
}

static void move_blocks(const closed_store *s, const char *name,
                        const kv_buf *bytes)
{
    char what[120];
    kv_buf copy = {0};
    for (size_t at = BLOCK_BYTES; at + BLOCK_BYTES <= bytes->len;
         at += BLOCK_BYTES) {
        uint8_t *left, *right;
        kv_buf_set(&copy, kv_buf_slice(bytes));
        left = copy.data + at - BLOCK_BYTES;
        right = copy.data + at;
        memcpy(left, bytes->data + at, BLOCK_BYTES);
        memcpy(right, bytes->data + at - BLOCK_BYTES, BLOCK_BYTES);
        snprintf(what, sizeof what, "%s: blocks around byte %zu", name, at);
        with_file(s, MOVED, name, kv_buf_slice(&copy), what);
    }
    kv_buf_free(&copy);
}

static void damage_files(const closed_store *s, bool every_bit)
{
    kv_buf bytes = {0};
    for (size_t i = 0; i < s->names.count; i++) {
        const char *name = s->names.name[i];
        damage_get(s->now, name, &bytes);
        flip_bits(s, name, &bytes, every_bit);
        cut_file(s, name, &bytes, every_bit ? 1 : 7);
        blank_blocks(s, name, &bytes);
        move_blocks(s, name, &bytes);
    }
    kv_buf_free(&bytes);
}

// The ends of files that were closed a moment ago.
static void cut_ends(const char *knobs)
{
    static const size_t lost[] = {1, 2, 10, 20, 50, 100};
    char what[120];
    kv_buf bytes = {0};
    for (uint64_t life = 0; life < SHORT_LIVES; life++) {
        closed_store s;
        damage_make(&s, subject, knobs, seed + life, SHORT_OPS);
        for (size_t i = 0; i < s.names.count; i++) {
            const char *name = s.names.name[i];
            damage_get(s.now, name, &bytes);
            for (size_t j = 0; j < sizeof lost / sizeof lost[0]; j++) {
                if (lost[j] > bytes.len) break;
                snprintf(what, sizeof what, "%s of seed %llu: %zu bytes less",
                         name, (unsigned long long)(seed + life), lost[j]);
                with_file(&s, CUT, name,
                          kv_slice_of(bytes.data, bytes.len - lost[j]), what);
            }
        }
        damage_free(&s);
    }
    kv_buf_free(&bytes);
}

// ---- whole files ------------------------------------------------------------

static void remove_files(const closed_store *s)
{
    char what[120];
    for (size_t i = 0; i < s->names.count; i++) {
        kv_disk *disk = kv_disk_sim_kill(s->now);
        assert_ok(kv_disk_remove(disk, s->names.name[i], kv_for(KV_FOR_META)));
        snprintf(what, sizeof what, "%s is missing", s->names.name[i]);
        judge(s, MISSING, disk, what);
    }
}

// The name with its last digit counted on, until it is new.
static bool next_name(const closed_store *s, const char *name, char to[80])
{
    snprintf(to, 80, "%s", name);
    size_t at = strcspn(to, ".");
    while (at > 0 && (to[at - 1] < '0' || to[at - 1] > '9')) at--;
    if (at == 0) return false;
    while (to[at - 1] < '9' && has(&s->names, to)) to[at - 1]++;
    return !has(&s->names, to);
}

static void add_file(const closed_store *s, const char *name, kv_slice bytes)
{
    char what[120];
    if (kv_identity_owns(name) || has(&s->names, name)) return;
    kv_disk *disk = kv_disk_sim_kill(s->now);
    damage_set(disk, name, bytes);
    snprintf(what, sizeof what, "%s, %zu bytes, was added", name, bytes.len);
    judge(s, EXTRA, disk, what);
}

static void add_files(const closed_store *s, const closed_store *other)
{
    char name[80];
    kv_buf bytes = {0};
    add_file(s, "notes.txt", kv_str("somebody's shopping list\n"));
    add_file(s, "notes.txt", kv_str(""));
    add_file(s, "0", kv_str("0"));
    for (size_t i = 0; i < s->names.count; i++) {
        damage_get(s->now, s->names.name[i], &bytes);
        snprintf(name, sizeof name, "%s.old", s->names.name[i]);
        add_file(s, name, kv_buf_slice(&bytes));
        snprintf(name, sizeof name, "%s.tmp", s->names.name[i]);
        add_file(s, name, kv_buf_slice(&bytes));
        if (!next_name(s, s->names.name[i], name)) continue;
        add_file(s, name, kv_buf_slice(&bytes));
        add_file(s, name, kv_str(""));
    }
    for (size_t i = 0; i < other->names.count; i++) {
        damage_get(other->now, other->names.name[i], &bytes);
        add_file(s, other->names.name[i], kv_buf_slice(&bytes));
    }
    kv_buf_free(&bytes);
}

// Each file of `s` becomes each file of the other store.
static void mix_stores(const closed_store *s, const closed_store *other)
{
    char what[200];
    kv_buf bytes = {0};
    for (size_t i = 0; i < s->names.count; i++) {
        for (size_t j = 0; j < other->names.count; j++) {
            damage_get(other->now, other->names.name[j], &bytes);
            snprintf(what, sizeof what, "%s is %s of %s store",
                     s->names.name[i], other->names.name[j],
                     other->engine == s->engine ? "another"
                                                : "another engine's");
            with_file(s, FOREIGN, s->names.name[i], kv_buf_slice(&bytes), what);
        }
    }
    kv_buf_free(&bytes);
}

// A file as it was, also where it is gone by now.
static void bring_back(const closed_store *s)
{
    char what[120];
    kv_buf bytes = {0};
    for (size_t i = 0; i < s->old_names.count; i++) {
        damage_get(s->old, s->old_names.name[i], &bytes);
        snprintf(what, sizeof what, "%s is as it was", s->old_names.name[i]);
        with_file(s, STALE, s->old_names.name[i], kv_buf_slice(&bytes), what);
    }
    kv_buf_free(&bytes);
}

static void swap_files(const closed_store *s)
{
    char what[200];
    kv_buf one = {0}, two = {0};
    for (size_t i = 0; i < s->names.count; i++) {
        for (size_t j = i + 1; j < s->names.count; j++) {
            damage_get(s->now, s->names.name[i], &one);
            damage_get(s->now, s->names.name[j], &two);
            if (kv_slice_equal(kv_buf_slice(&one), kv_buf_slice(&two))) {
                continue;
            }
            kv_disk *disk = kv_disk_sim_kill(s->now);
            damage_set(disk, s->names.name[i], kv_buf_slice(&two));
            damage_set(disk, s->names.name[j], kv_buf_slice(&one));
            snprintf(what, sizeof what, "%s and %s are swapped",
                     s->names.name[i], s->names.name[j]);
            judge(s, SWAPPED, disk, what);
        }
    }
    kv_buf_free(&one);
    kv_buf_free(&two);
}

// ---- programs ---------------------------------------------------------------

// Every other durable engine lends a store.
static void mix_engines(const closed_store *s)
{
    for (size_t i = 0; kv_all_engines[i] != NULL; i++) {
        const kv_engine *engine = kv_all_engines[i];
        bool is_durable = (kv_describe(engine)->caps & KV_CAP_DURABLE) != 0;
        if (engine == s->engine || !is_durable) continue;
        kv_names knobs = {0};
        closed_store other;
        kv_crash_knobs(engine, &knobs);
        damage_make(&other, engine, knobs.name[0], seed + 2, OPS_DEFAULT);
        mix_stores(s, &other);
        damage_free(&other);
        kv_names_free(&knobs);
    }
}

static void damage_store(const char *knobs, bool every_bit)
{
    closed_store s, other;
    damage_make(&s, subject, knobs, seed, ops);
    damage_make(&other, subject, knobs, seed + 1, ops);
    // The store itself is sound: what is found later is the damage.
    assert_int_equal(damage_look(&s, kv_disk_sim_kill(s.now), "no damage"),
                     HARMLESS);
    damage_files(&s, every_bit);
    remove_files(&s);
    add_files(&s, &other);
    mix_stores(&s, &other);
    mix_engines(&s);
    bring_back(&s);
    swap_files(&s);
    damage_free(&other);
    damage_free(&s);
}

static void print_tally(void)
{
    const char *name = kv_describe(subject)->name;
    uint64_t structural = 0, silent = 0;
    printf("%-12s %9s %9s %9s %9s %9s %9s\n", name, "harmless", "refused",
           "detected", "older", "mixed", "silent");
    for (int k = 0; k < KINDS; k++) {
        printf("%-12s", kind_words[k]);
        for (int v = 0; v < VERDICTS; v++) {
            printf(" %9llu", (unsigned long long)tally[k][v]);
            if (k != FLIP) structural += tally[k][v];
        }
        printf("\n");
        silent += tally[k][SILENT];
    }
    uint64_t flips = 0;
    for (int v = 0; v < VERDICTS; v++) flips += tally[FLIP][v];
    test_figure("R8", name, "bits flipped", flips);
    test_figure("R9", name, "damaged stores", structural);
    test_figure("R9", name, "violations", silent);
}

static void damage_is_refused_detected_or_harmless(void **state)
{
    (void)state;
    kv_names knobs = {0};
    kv_crash_knobs(subject, &knobs);
    for (size_t i = 0; i < knobs.count; i++) {
        damage_store(knobs.name[i], i == 0 || is_thorough);
        cut_ends(knobs.name[i]);
    }
    kv_names_free(&knobs);
    print_tally();
    for (int k = 0; k < KINDS; k++) {
        uint64_t cases = 0;
        for (int v = 0; v < VERDICTS; v++) cases += tally[k][v];
        assert_true(cases > 0); // a kind that met nothing has proved nothing
        assert_int_equal(tally[k][SILENT], 0);
    }
}

int main(int argc, char **argv)
{
    subject = argc >= 2 && argc <= 4 ? test_engine(argv[1]) : NULL;
    is_thorough = argc > 2;
    if (argc > 2) ops = (uint32_t)strtoul(argv[2], NULL, 10);
    if (argc > 3) seed = strtoull(argv[3], NULL, 10);
    if (subject == NULL || ops == 0) {
        fprintf(stderr, "say test_damage ENGINE [OPS [SEED]], an engine that "
                        "this build has\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_refused_detected_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
