// engines.c -- see engines.h.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include "compare/engines.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cli/words.h"
#include "common/engine_impl.h"

#include "compare/machine.h"

// Made by kv_engine_table (CMake).
extern const kv_engine *const kv_all_engines[];

static const struct {
    const char *name, *package;
} yardsticks[] = {
    {"glib", "libglib2.0-dev"},
    {"tkrzw", "libtkrzw-dev"},
    {"kyoto", "libkyotocabinet-dev"},
    {"leveldb", "libleveldb-dev"},
    {"lmdb", "liblmdb-dev"},
    {"rocksdb", "librocksdb-dev"},
    {"sqlite", "libsqlite3-dev"},
    {"berkeley", "libdb5.3-dev"},
    {"wiredtiger", "libwiredtiger-dev"},
};

enum { YARDSTICKS = sizeof yardsticks / sizeof *yardsticks };

static size_t stage_count(void)
{
    size_t n = 0;
    while (kv_all_engines[n] != NULL) n++;
    return n;
}

const char *cmp_engine_name(size_t index)
{
    size_t stages = stage_count();
    if (index < stages) return kv_describe(kv_all_engines[index])->name;
    index -= stages;
    return index < YARDSTICKS ? yardsticks[index].name : NULL;
}

// ---- modules ----------------------------------------------------------------

static kv_status load(cmp_engine *e, const char *path)
{
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) return kv_fail(KV_INVALID, "%s", dlerror());
    const kv_engine *engine = dlsym(module, "kv_engine_plugin");
    if (engine == NULL) {
        return kv_fail(KV_INVALID, "%s exports no kv_engine_plugin", path);
    }
    if (engine->abi != KV_ENGINE_ABI) {
        return kv_fail(KV_INVALID,
                       "%s was built for interface %u, this program has %u: "
                       "build it again",
                       path, engine->abi, (unsigned)KV_ENGINE_ABI);
    }
    e->engine = engine;
    e->is_module = true;
    e->yardstick = dlsym(module, "kv_yardstick");
    // C has no conversion to a pointer to a function; POSIX says it is one.
    void *last_error = dlsym(module, "kv_last_error");
    memcpy(&e->last_error, &last_error, sizeof last_error);
    return KV_OK;
}

static void module_path(kv_buf *path, const char *kind, const char *name)
{
    cmp_program_dir(path);
    kv_buf_printf(path, "/../lib/stagecoach/%s_%s.so%c", kind, name, '\0');
}

static kv_status load_yardstick(cmp_engine *e, size_t index)
{
    kv_buf path = {0};
    module_path(&path, "yardstick", yardsticks[index].name);
    kv_status st = KV_OK;
    if (cmp_file_is_there((char *)path.data)) {
        st = load(e, (char *)path.data);
    } else {
        snprintf(e->absent, sizeof e->absent,
                 "absent: the yardstick %s was not built; install %s and "
                 "build again",
                 yardsticks[index].name, yardsticks[index].package);
    }
    kv_buf_free(&path);
    return st;
}

// ---- by name ----------------------------------------------------------------

static kv_status find_name(cmp_engine *e, const char *name)
{
    for (size_t i = 0; kv_all_engines[i] != NULL; i++) {
        if (strcmp(kv_describe(kv_all_engines[i])->name, name) != 0) continue;
        e->engine = kv_all_engines[i];
        return KV_OK;
    }
    for (size_t i = 0; i < YARDSTICKS; i++) {
        if (strcmp(yardsticks[i].name, name) == 0) return load_yardstick(e, i);
    }
    const char *nearest = kv_cli_nearest(name, cmp_engine_name);
    return kv_fail(KV_INVALID, "there is no engine \"%s\"%s%s%s", name,
                   nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                   nearest ? "\"?"
                           : " (compare list names them; a path to a "
                             "module needs a slash)");
}

static const char command_front[] = "cmd:";

static kv_status load_command(cmp_engine *e, const char *command)
{
    size_t len = strlen(command);
    if (len == 0 || len >= sizeof e->command) {
        return kv_fail(KV_INVALID,
                       "cmd: wants a program in less than %zu bytes, as in "
                       "cmd:./mine",
                       sizeof e->command);
    }
    if (strchr(command, '/') != NULL && !cmp_file_can_run(command)) {
        return kv_fail(KV_INVALID,
                       "cmd:%s: %s; a path begins at the directory you are in",
                       command,
                       cmp_file_is_there(command)
                           ? "this file is no program (chmod +x makes it one)"
                           : "there is no such file");
    }
    kv_buf path = {0};
    module_path(&path, "engine", "command");
    kv_status st = load(e, (char *)path.data);
    kv_buf_free(&path);
    memcpy(e->command, command, len + 1);
    // On charts it is called as its file is.
    const char *name = strrchr(command, '/');
    snprintf(e->label, sizeof e->label, "%.90s", name ? name + 1 : command);
    return st;
}

void cmp_engine_prepare(const cmp_engine *e)
{
    if (e->command[0] != '\0') setenv("KV_COMMAND", e->command, true);
}

kv_status cmp_engine_find(cmp_engine *e, const char *spec)
{
    *e = (cmp_engine){0};
    size_t front = strlen(command_front);
    if (strncmp(spec, command_front, front) == 0) {
        return load_command(e, spec + front);
    }
    const char *colon = strchr(spec, ':');
    size_t len = colon ? (size_t)(colon - spec) : strlen(spec);
    kv_buf name = {0};
    kv_buf_append(&name, kv_slice_of(spec, len));
    kv_buf_append(&name, kv_slice_of("", 1));
    bool is_path = memchr(name.data, '/', len) != NULL;
    kv_status st =
        is_path ? load(e, (char *)name.data) : find_name(e, (char *)name.data);
    if (st == KV_OK) {
        const char *label = is_path ? e->engine->info.name : (char *)name.data;
        snprintf(e->label, sizeof e->label, "%s%s", label, colon ? colon : "");
        if (colon != NULL) st = cmp_engine_set(e, colon + 1);
    }
    kv_buf_free(&name);
    return st;
}

// ---- knobs ------------------------------------------------------------------

kv_status cmp_engine_set(cmp_engine *e, const char *knobs)
{
    size_t used = strlen(e->knobs);
    if (used + strlen(knobs) + 2 > sizeof e->knobs) {
        return kv_fail(KV_TOO_BIG, "%s: over %zu bytes of knobs", e->label,
                       sizeof e->knobs);
    }
    if (knobs[0] == '\0') return KV_OK;
    snprintf(e->knobs + used, sizeof e->knobs - used, "%s%s", used ? "," : "",
             knobs);
    if (e->engine == NULL) return KV_OK;
    uint64_t values[KV_KNOBS_MAX];
    const kv_engine_info *info = kv_describe(e->engine);
    return kv_knobs_parse(info->knobs, info->knob_count, e->knobs, values);
}

uint64_t cmp_engine_knob(const cmp_engine *e, const char *knob,
                         uint64_t otherwise)
{
    uint64_t values[KV_KNOBS_MAX];
    const kv_engine_info *info = kv_describe(e->engine);
    const char *knobs = e->knobs[0] ? e->knobs : NULL;
    if (kv_knobs_parse(info->knobs, info->knob_count, knobs, values) != KV_OK) {
        return otherwise;
    }
    for (size_t i = 0; i < info->knob_count; i++) {
        if (strcmp(info->knobs[i].name, knob) == 0) return values[i];
    }
    return otherwise;
}

// ---- describing -------------------------------------------------------------

cmp_bytes cmp_engine_bytes(const cmp_engine *e)
{
    if (e->yardstick != NULL) return e->yardstick->bytes;
    bool is_durable = (kv_describe(e->engine)->caps & KV_CAP_DURABLE) != 0;
    return is_durable ? CMP_BYTES_COUNTED : CMP_BYTES_NONE;
}

const char *cmp_bytes_word(cmp_bytes bytes)
{
    static const char *const words[] = {
        [CMP_BYTES_COUNTED] = "counted", [CMP_BYTES_CALLS] = "calls",
        [CMP_BYTES_WRITTEN] = "written", [CMP_BYTES_MAPPED] = "mapped",
        [CMP_BYTES_NONE] = "none",
    };
    return words[bytes];
}

void cmp_engine_title(const cmp_engine *e, kv_buf *to)
{
    kv_buf_printf(to, "%s", kv_describe(e->engine)->title);
    if (e->yardstick != NULL) {
        kv_buf_printf(to, " (%s)", e->yardstick->library());
    }
}

void cmp_engine_caps(const cmp_engine *e, kv_buf *to)
{
    static const struct {
        unsigned cap;
        const char *word;
    } words[] = {
        {KV_CAP_DURABLE, "durable"},           {KV_CAP_ORDERED, "ordered"},
        {KV_CAP_KEYS_ON_DISK, "keys-on-disk"}, {KV_CAP_RECLAIMS, "reclaims"},
        {KV_CAP_SNAPSHOT, "snapshot"},         {KV_CAP_BACKUP, "backup"},
        {KV_CAP_RANGE_DELETE, "range-delete"}, {KV_CAP_COMPACT, "compact"},
    };
    size_t from = to->len;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if ((kv_describe(e->engine)->caps & words[i].cap) == 0) continue;
        kv_buf_printf(to, "%s%s", to->len > from ? " " : "", words[i].word);
    }
}
