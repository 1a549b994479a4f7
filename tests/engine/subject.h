// subject.h -- the engine under test, with one setting of its knobs.
// SPDX-License-Identifier: MIT
//
// Every law in this directory is a function of a subject: an engine that is
// known by its abilities alone, a line of knobs, and a store of it in a
// directory that is new for each law.
//
//     subject_put(s, "cat", "meow");       the store and the model
//     subject_reopen(s);                   what is not durable is lost in both
//     subject_compare(s);                  is the store what the model says?

#ifndef TESTS_ENGINE_SUBJECT_H
#define TESTS_ENGINE_SUBJECT_H

#include "tests/engine/model.h"
#include "tests/support/test.h"

typedef struct subject {
    const kv_engine *engine;
    const kv_engine_info *info;
    char *knobs; // "" for the defaults
    kv_options options;
    char *parent; // a new directory; the store is in it
    char *path;
    kv *db;
    model model;
} subject;

static inline bool subject_can(const subject *s, unsigned caps)
{
    return (s->info->caps & caps) == caps;
}

// By its name, or, where `name` has a slash or a dot, from a shared library
// that exports `const kv_engine kv_engine_plugin`. NULL, and the reason on
// stderr, if there is none.
const kv_engine *subject_find_engine(const char *name);

// The settings to test an engine with: the defaults; each knob alone at a tiny,
// a middle and its greatest value and at each of its words; all numbers tiny,
// so that what is rare becomes frequent; and that with each word, and with
// threads in the background.
void subject_settings(const kv_engine *engine, kv_names *out);

// How many words a knob with words has.
uint64_t subject_word_count(const kv_knob *knob);

// In a new directory, with everything that `knobs` says; opened.
void subject_begin(subject *s, const kv_engine *engine, const char *knobs);
void subject_end(subject *s);
void subject_close(subject *s);
void subject_open(subject *s);
// Closes and opens. Without KV_CAP_DURABLE the model is emptied.
void subject_reopen(subject *s);

// On the store, which has to say KV_OK, and on the model.
void subject_put(subject *s, kv_slice key, kv_slice value);
void subject_del(subject *s, kv_slice key);
void subject_del_range(subject *s, kv_slice from, kv_slice to);
// So many puts and dels of short values and few keys, from the `from`-th on.
void subject_churn(subject *s, unsigned from, unsigned count);
// Fails the test unless the store holds what the model does, and is sound.
void subject_compare(subject *s);
void subject_compare_range(subject *s, kv_range range);

// "key-000017" and the like, in `to`, which is good for one expression.
kv_slice subject_key(char to[32], unsigned n);
// `len` bytes that follow from `seed`, of any value; the caller's to free.
kv_buf subject_value(uint64_t seed, size_t len);

// ---- programs ---------------------------------------------------------------

typedef struct law {
    const char *name;
    void (*run)(subject *s);
} law;

#define LAW(function)                                                          \
    {                                                                          \
#function, function                                                    \
    }

typedef struct arguments {
    const char *engine;  // NULL: all, and the memory engine
    const char *setting; // NULL: all of subject_settings
    const char *only;    // a pattern with * and ?; NULL: all laws
    uint64_t settings;   // at most so many of them, 3 and more; 0: all
    uint64_t seed;       // 0: from the operating system
    uint64_t scale;      // multiplies budgets
    uint64_t shrink;     // 0: a failing run is left as it is
} arguments;

// --engine NAME|FILE, --setting KNOBS, --only PATTERN, --seed N, --scale N,
// --shrink 0|1, --settings N.
// Ends the program with a sentence for anything else.
arguments subject_arguments(int argc, char **argv);

// The engines that the arguments name; NULL at the end. `to` has room for 16.
void subject_engines(const arguments *args, const kv_engine **to);

// Runs every law on every engine with every setting, as one cmocka group for
// each engine and setting. Returns the number of failures; a run of no law is
// one.
int subject_run_laws(const arguments *args, const law *laws, size_t count);

#endif
