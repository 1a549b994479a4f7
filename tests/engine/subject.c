// subject.c -- see subject.h.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include "tests/engine/subject.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/rng.h"

#include "tests/support/memory_engine.h"

// ---- which engines ----------------------------------------------------------

static const kv_engine *load_plugin(const char *file)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return NULL;
    }
    const kv_engine *engine = dlsym(library, "kv_engine_plugin");
    if (engine == NULL) {
        fprintf(stderr,
                "%s: exports no `const kv_engine kv_engine_plugin`; "
                "tests/support/memory_engine.c shows how one looks\n",
                file);
    }
    return engine;
}

const kv_engine *subject_find_engine(const char *name)
{
    if (strpbrk(name, "/.") != NULL) return load_plugin(name);
    if (strcmp(name, "memory") == 0) return &memory_engine;
    const kv_engine *engine = test_engine(name);
    if (engine == NULL) fprintf(stderr, "there is no engine \"%s\"\n", name);
    return engine;
}

// ---- settings ---------------------------------------------------------------

static void add_setting(kv_names *out, kv_buf *text)
{
    kv_buf_append(text, kv_slice_of("", 1));
    bool is_new = true;
    for (size_t i = 0; i < out->count; i++) {
        is_new &= strcmp(out->name[i], (const char *)text->data) != 0;
    }
    if (is_new) kv_names_add(out, (const char *)text->data);
    kv_buf_clear(text);
}

uint64_t subject_word_count(const kv_knob *knob)
{
    uint64_t count = 1;
    for (const char *at = knob->words; *at != '\0'; at++) count += *at == ' ';
    return count;
}

// In the middle as multiplication counts it: 1 KiB is between 1 and 1 MiB.
static uint64_t middle(uint64_t min, uint64_t max)
{
    uint64_t low = min > 0 ? min : 1, n = low;
    while (n < max / 2 && n / low < max / (n * 2)) n *= 2;
    return n;
}

// So small that what is rare becomes frequent. A default of 0 is taken to mean
// "as the engine sees fit".
static uint64_t tiny(const kv_knob *knob)
{
    if (knob->min > 0 || knob->value > 0) return knob->min;
    uint64_t small = strstr(knob->name, "_bytes") != NULL ? 4096 : 1;
    return small < knob->max ? small : knob->max;
}

// Every number tiny; a word stays at its default.
static void append_tiny(const kv_engine_info *info, kv_buf *text)
{
    for (size_t i = 0; i < info->knob_count; i++) {
        const kv_knob *knob = &info->knobs[i];
        if (knob->words != NULL) continue;
        if (text->len > 0) kv_buf_append(text, kv_str(","));
        kv_knob_print(knob, tiny(knob), text);
    }
}

static void add_numbers(const kv_knob *knob, kv_names *out)
{
    uint64_t values[] = {tiny(knob), middle(knob->min, knob->max), knob->max};
    kv_buf text = {0};
    for (int i = 0; i < 3; i++) {
        if (values[i] == knob->value) continue;
        kv_knob_print(knob, values[i], &text);
        add_setting(out, &text);
    }
    kv_buf_free(&text);
}

static void add_words(const kv_engine_info *info, const kv_knob *knob,
                      kv_names *out)
{
    kv_buf text = {0};
    for (uint64_t word = 0; word < subject_word_count(knob); word++) {
        if (word == knob->value) continue;
        kv_knob_print(knob, word, &text);
        add_setting(out, &text);
        append_tiny(info, &text);
        if (text.len > 0) kv_buf_append(&text, kv_str(","));
        kv_knob_print(knob, word, &text);
        add_setting(out, &text);
    }
    kv_buf_free(&text);
}

void subject_settings(const kv_engine *engine, kv_names *out)
{
    const kv_engine_info *info = kv_describe(engine);
    kv_buf text = {0};
    add_setting(out, &text);
    append_tiny(info, &text);
    add_setting(out, &text);
    for (size_t i = 0; i < info->knob_count; i++) {
        if (strcmp(info->knobs[i].name, "background") != 0) continue;
        append_tiny(info, &text); // the same with threads (engine.h)
        kv_buf_append(&text, kv_str(",background=2"));
        add_setting(out, &text);
    }
    kv_buf_free(&text);
    for (size_t i = 0; i < info->knob_count; i++) {
        if (info->knobs[i].words != NULL) add_words(info, &info->knobs[i], out);
        else add_numbers(&info->knobs[i], out);
    }
}

// ---- one store --------------------------------------------------------------

void subject_begin(subject *s, const kv_engine *engine, const char *knobs)
{
    *s = (subject){.engine = engine, .info = kv_describe(engine)};
    s->knobs = kv_strdup(knobs);
    s->parent = test_make_dir();
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/store%c", s->parent, '\0');
    s->path = (char *)path.data;
    s->options = (kv_options){.path = s->path,
                              .knobs = s->knobs,
                              .sync = KV_SYNC_NONE,
                              .memory_bytes = 8 << 20,
                              .seed = 1,
                              .create = true};
    subject_open(s);
}

void subject_open(subject *s)
{
    assert_ok(kv_open(s->engine, &s->options, &s->db));
}

void subject_close(subject *s)
{
    kv *db = s->db;
    s->db = NULL;
    assert_ok(kv_close(db));
}

void subject_end(subject *s)
{
    if (s->db != NULL) kv_close(s->db);
    model_free(&s->model);
    if (s->parent != NULL) test_remove_dir(s->parent);
    kv_free(s->path);
    kv_free(s->knobs);
    *s = (subject){0};
}

void subject_reopen(subject *s)
{
    subject_close(s);
    if (!subject_can(s, KV_CAP_DURABLE)) model_free(&s->model);
    subject_open(s);
}

void subject_put(subject *s, kv_slice key, kv_slice value)
{
    assert_ok(kv_put(s->db, key, value));
    model_put(&s->model, key, value);
}

void subject_del(subject *s, kv_slice key)
{
    assert_ok(kv_del(s->db, key));
    model_del(&s->model, key);
}

void subject_del_range(subject *s, kv_slice from, kv_slice to)
{
    assert_ok(kv_del_range(s->db, from, to));
    model_del_range(&s->model, from, to);
}

void subject_compare(subject *s)
{
    assert_ok(model_compare(&s->model, s->db, subject_can(s, KV_CAP_ORDERED)));
    kv_report report = {0};
    kv_status st = kv_check(s->db, &report);
    kv_report_free(&report);
    assert_ok(st);
}

void subject_compare_range(subject *s, kv_range range)
{
    assert_ok(model_compare_range(&s->model, s->db, range,
                                  subject_can(s, KV_CAP_ORDERED)));
}

kv_slice subject_key(char to[32], unsigned n)
{
    snprintf(to, 32, "key-%06u", n);
    return kv_str(to);
}

kv_buf subject_value(uint64_t seed, size_t len)
{
    kv_buf value = {0};
    kv_rng rng;
    kv_rng_seed(&rng, seed);
    kv_buf_reserve(&value, len + 8);
    for (size_t i = 0; i < len; i += 8) {
        uint64_t bits = kv_rng_next(&rng);
        memcpy(value.data + i, &bits, 8);
    }
    value.len = len;
    return value;
}

void subject_churn(subject *s, unsigned from, unsigned count)
{
    char name[32];
    for (unsigned i = from; i < from + count; i++) {
        subject_key(name, i * 7 % 60);
        if (i % 11 == 3) {
            subject_del(s, kv_str(name));
            continue;
        }
        kv_buf value = subject_value(i, i % 200);
        subject_put(s, kv_str(name), kv_buf_slice(&value));
        kv_buf_free(&value);
    }
}

// ---- programs ---------------------------------------------------------------

static uint64_t number_of(const char *option, const char *text)
{
    uint64_t n = 0;
    if (kv_parse_bytes(text, &n) == KV_OK) return n;
    fprintf(stderr, "%s %s: not a number\n", option, text);
    exit(2);
}

arguments subject_arguments(int argc, char **argv)
{
    arguments args = {.scale = 1, .shrink = 1};
    for (int i = 1; i < argc; i += 2) {
        const char *option = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(option, "--engine") == 0) args.engine = value;
        else if (strcmp(option, "--setting") == 0) args.setting = value;
        else if (strcmp(option, "--only") == 0) args.only = value;
        else if (strcmp(option, "--seed") == 0)
            args.seed = number_of(option, value);
        else if (strcmp(option, "--scale") == 0)
            args.scale = number_of(option, value);
        else if (strcmp(option, "--settings") == 0)
            args.settings = number_of(option, value);
        else if (strcmp(option, "--shrink") == 0)
            args.shrink = number_of(option, value);
        else {
            fprintf(stderr,
                    "%s: unknown; there are --engine NAME|FILE.so, --setting "
                    "KNOBS, --only PATTERN, --seed N, --scale N, --shrink 0|1, "
                    "--settings N\n",
                    option);
            exit(2);
        }
    }
    if (args.seed == 0) args.seed = kv_entropy() >> 32;
    // Thousands of stores with a handful of keys: a large page for each table
    // would be 2 MiB to clear for a hundred bytes.
    (void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    return args;
}

void subject_engines(const arguments *args, const kv_engine **to)
{
    size_t count = 0;
    if (args->engine != NULL) {
        to[count] = subject_find_engine(args->engine);
        if (to[count++] == NULL) exit(2);
    } else {
        to[count++] = &memory_engine;
        for (size_t i = 0; kv_all_engines[i] != NULL && count < 15; i++) {
            to[count++] = kv_all_engines[i];
        }
    }
    to[count] = NULL;
}

// What a law is run with, as cmocka hands it over.
typedef struct trial {
    const law *law;
    const kv_engine *engine;
    const char *setting;
    subject subject;
} trial;

static int begin_trial(void **state)
{
    trial *t = *state;
    subject_begin(&t->subject, t->engine, t->setting);
    return 0;
}

static int end_trial(void **state)
{
    trial *t = *state;
    subject_end(&t->subject);
    return 0;
}

static size_t laws_run;

static void run_trial(void **state)
{
    trial *t = *state;
    laws_run++;
    t->law->run(&t->subject);
}

static int run_group(const kv_engine *engine, const char *setting,
                     const law *laws, size_t count)
{
    trial *trials = kv_zalloc(count * sizeof *trials);
    struct CMUnitTest *tests = kv_zalloc(count * sizeof *tests);
    for (size_t i = 0; i < count; i++) {
        trials[i] = (trial){&laws[i], engine, setting, {0}};
        tests[i] = (struct CMUnitTest){laws[i].name, run_trial, begin_trial,
                                       end_trial, &trials[i]};
    }
    kv_buf name = {0};
    kv_buf_printf(&name, "%s{%s}%c", kv_describe(engine)->name, setting, '\0');
    print_message("%s\n", (const char *)name.data);
    int failed = _cmocka_run_group_tests((const char *)name.data, tests, count,
                                         NULL, NULL);
    kv_buf_free(&name);
    kv_free(tests);
    kv_free(trials);
    return failed;
}

// The first three (subject_settings), and of the others as many as are wanted,
// evenly spread.
static bool is_chosen(const arguments *args, size_t index, size_t count)
{
    const size_t first = 3;
    if (args->settings == 0 || count <= args->settings) return true;
    if (index < first) return true;
    size_t wanted = args->settings > first ? args->settings - first : 0;
    size_t rest = count - first, at = index - first;
    return at * wanted / rest != (at + 1) * wanted / rest;
}

int subject_run_laws(const arguments *args, const law *laws, size_t count)
{
    const kv_engine *engines[16];
    subject_engines(args, engines);
    if (args->only != NULL) cmocka_set_test_filter(args->only);
    int failed = 0;
    for (size_t i = 0; engines[i] != NULL; i++) {
        kv_names settings = {0};
        if (args->setting != NULL) kv_names_add(&settings, args->setting);
        else subject_settings(engines[i], &settings);
        for (size_t j = 0; j < settings.count; j++) {
            if (!is_chosen(args, j, settings.count)) continue;
            failed += run_group(engines[i], settings.name[j], laws, count);
        }
        kv_names_free(&settings);
    }
    if (laws_run > 0) return failed;
    print_error("no law was run\n");
    return 1;
}
