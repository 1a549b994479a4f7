// request.c -- see request.h.
// SPDX-License-Identifier: MIT

#include "common/cli/request.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>

#include "common/cli/words.h"
#include "common/mem.h"

enum { // keys beyond the letters
    OPT_SET = 256,
    OPT_SYNC,
    OPT_MEMORY,
    OPT_READ_ONLY,
    OPT_FAULT,
    OPT_NO_PROGRESS,
    OPT_COLOR,
    OPT_HELP,
    OPT_VERSION,
    OPT_FLAGS, // OPT_FLAGS + n is the flag 1 << n
    OPT_REVERSE = OPT_FLAGS,
    OPT_LIMIT,
    OPT_RAW,
    OPT_BATCH,
    OPT_STEP,
    OPT_AT,
    OPT_LIVE,
    OPT_STRICT,
    OPT_ECHO,
    OPT_JSON,
    OPT_HISTORY,
};

static const struct argp_option options[] = {
    {"set", OPT_SET, "KNOB=VALUE", 0, "turn a knob of the engine", 0},
    {"sync", OPT_SYNC, "MODE", 0,
     "when a write is safe: commit (at once; the default), interval, none", 0},
    {"memory", OPT_MEMORY, "SIZE", 0,
     "for tables, caches and filters, such as 64MiB", 0},
    {"read-only", OPT_READ_ONLY, NULL, 0, "change nothing on disk", 0},
    {"fault", OPT_FAULT, "RULE", 0,
     "let the disk fail on purpose: reason:call:n:what, such as *:sync:7:EIO",
     0},
    {"no-progress", OPT_NO_PROGRESS, NULL, 0, "no moving line on stderr", 0},
    {"color", OPT_COLOR, "WHEN", 0, "auto (the default), always or never", 0},
    {"help", OPT_HELP, NULL, 0, "say how it is used, and stop", 0},
    {"version", OPT_VERSION, NULL, 0, "say what this is, and stop", 0},
    {"reverse", OPT_REVERSE, NULL, 0, "from the last key to the first", 0},
    {"limit", OPT_LIMIT, "N", 0, "stop after N records", 0},
    {"raw", OPT_RAW, NULL, 0, "bytes as they are, not escaped", 0},
    {"batch", OPT_BATCH, "N", 0, "records written as one (1000)", 0},
    {"step", OPT_STEP, NULL, 0, "one step only", 0},
    {"at", OPT_AT, "OFFSET", 0, "only what is near this byte of the file", 0},
    {"live", OPT_LIVE, NULL, 0,
     "read every record, to know the space that live data needs", 0},
    {"strict", OPT_STRICT, NULL, 0, "stop at the first line that fails", 0},
    {"echo", OPT_ECHO, NULL, 0, "print each line before what it prints", 0},
    {"json", OPT_JSON, NULL, 0,
     "print JSON, where bytes that are not UTF-8 look like \\xHH: dump is "
     "exact",
     0},
    {"history", OPT_HISTORY, NULL, 0,
     "step by step, how the store came to be as it is", 0},
    {0},
};

enum { FIRST_GROUP = 9 }; // options before "reverse"

typedef struct parse {
    kv_cli_request *request;
    kv_cli_request_kind kind;
    bool (*is_foreign)(const char *word);
    kv_status st;        // of an option that argp took and we refused
    const char *refused; // by argp itself
} parse;

// ---- values -----------------------------------------------------------------

static kv_status one_of(const char *option, const char *text,
                        const char *const *words, unsigned *index)
{
    for (unsigned i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], text) != 0) continue;
        *index = i;
        return KV_OK;
    }
    return kv_fail(KV_INVALID, "%s takes %s, %s or %s, not \"%s\"", option,
                   words[0], words[1], words[2], text);
}

static kv_status number(const char *option, const char *text, uint64_t least,
                        uint64_t *value)
{
    char *end = NULL;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 0);
    bool is_number = text[0] >= '0' && text[0] <= '9' && *end == '\0';
    if (!is_number || errno != 0 || n < least) {
        return kv_fail(KV_INVALID, "%s takes a number from %llu up, not \"%s\"",
                       option, (unsigned long long)least, text);
    }
    *value = n;
    return KV_OK;
}

// Another piece of a list; what ends in a NUL stays so.
static void join(kv_buf *list, char separator, const char *text)
{
    if (list->len > 0) list->data[list->len - 1] = (uint8_t)separator;
    kv_buf_append(list, kv_slice_of(text, strlen(text) + 1));
}

static kv_status first_group(kv_cli_request *r, int key, const char *text)
{
    static const char *const modes[] = {"commit", "interval", "none", NULL};
    static const char *const colors[] = {"auto", "always", "never", NULL};
    unsigned index = 0;
    switch (key) {
    case OPT_SET:
        join(&r->knobs, ',', text);
        break;
    case OPT_SYNC:
        KV_TRY(one_of("--sync", text, modes, &index));
        r->sync = (kv_sync_mode)index;
        break;
    case OPT_MEMORY:
        KV_TRY(kv_parse_bytes(text, &r->memory_bytes));
        break;
    case OPT_READ_ONLY:
        r->read_only = true;
        break;
    case OPT_FAULT:
        join(&r->faults, ' ', text);
        break;
    case OPT_NO_PROGRESS:
        r->no_progress = true;
        break;
    case OPT_COLOR:
        KV_TRY(one_of("--color", text, colors, &index));
        r->color = (kv_cli_color)index;
        break;
    case OPT_VERSION:
        r->version = true;
        break;
    default:
        break;
    }
    return KV_OK;
}

static kv_status second_group(kv_cli_request *r, int key, const char *text)
{
    r->flags |= 1U << (key - OPT_FLAGS);
    if (key == OPT_LIMIT) return number("--limit", text, 0, &r->limit);
    if (key == OPT_BATCH) return number("--batch", text, 1, &r->batch);
    if (key == OPT_AT) return number("--at", text, 0, &r->at);
    return KV_OK;
}

// ---- argp -------------------------------------------------------------------

static kv_status option(parse *p, int key, const char *text)
{
    if (key == OPT_HELP) {
        p->request->help = true;
        return KV_OK;
    }
    if (key >= OPT_FLAGS) return second_group(p->request, key, text);
    if (p->kind == CLI_COMMAND_LINE) return first_group(p->request, key, text);
    return kv_fail(KV_INVALID,
                   "--%s belongs on the command line of the program: the "
                   "store is open already",
                   options[key - OPT_SET].name);
}

// Where argp stopped. It is past the word, unless that is a bundle of letters.
static const char *refused_word(const struct argp_state *state)
{
    const char *next = state->argv[state->next];
    bool is_bundle = next != NULL && next[0] == '-' && next[1] != '-' &&
                     next[1] != '\0' && next[2] != '\0';
    return is_bundle ? next : state->argv[state->next - 1];
}

static error_t parse_one(int key, char *text, struct argp_state *state)
{
    parse *p = state->input;
    kv_cli_request *r = p->request;
    if (key == ARGP_KEY_ARG) {
        r->words[r->word_count++] = text;
        if (!p->is_foreign(text)) return 0;
        while (state->next < state->argc) {
            r->words[r->word_count++] = state->argv[state->next++];
        }
        return 0;
    }
    if (key == ARGP_KEY_ERROR) p->refused = refused_word(state);
    if (key < OPT_SET || key > OPT_HISTORY) return ARGP_ERR_UNKNOWN;
    p->st = option(p, key, text);
    return p->st == KV_OK ? 0 : EINVAL;
}

static const char *option_name(size_t index) { return options[index].name; }

// argp refused the word and, asked to be silent, did not say why.
static kv_status refused(const char *word)
{
    if (word[0] == '-' && word[1] != '-') {
        return kv_fail(KV_INVALID,
                       "there is no option \"%s\" (--help says which there "
                       "are); if it is a word, write -- before it",
                       word);
    }
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    for (size_t i = 0; option_name(i) != NULL; i++) {
        if (strncmp(option_name(i), name, len) != 0) continue;
        const char *takes = options[i].arg;
        if (takes == NULL) {
            return kv_fail(KV_INVALID, "--%s takes no value", option_name(i));
        }
        return kv_fail(KV_INVALID, "--%s needs a value: --%s=%s",
                       option_name(i), option_name(i), takes);
    }
    const char *near = kv_cli_nearest(name, option_name);
    return kv_fail(KV_INVALID, "there is no option \"%s\"%s%s", word,
                   near ? "; did you mean --" : "", near ? near : "");
}

kv_status kv_cli_request_parse(kv_cli_request *r, kv_cli_request_kind kind,
                               int argc, char **argv,
                               bool (*is_foreign)(const char *word))
{
    static const struct argp argp = {options, parse_one, NULL, NULL,
                                     NULL,    NULL,      NULL};
    *r = (kv_cli_request){.batch = 1000};
    r->words = kv_alloc(((size_t)argc + 1) * sizeof r->words[0]);
    parse p = {r, kind, is_foreign, KV_OK, NULL};
    unsigned how = ARGP_NO_EXIT | ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_IN_ORDER;
    error_t error = argp_parse(&argp, argc, argv, how, NULL, &p);
    r->words[r->word_count] = NULL;
    if (error == 0) return KV_OK;
    return p.st != KV_OK ? p.st : refused(p.refused);
}

void kv_cli_request_free(kv_cli_request *r)
{
    kv_free(r->words);
    kv_buf_free(&r->knobs);
    kv_buf_free(&r->faults);
    *r = (kv_cli_request){0};
}

// ---- for help ---------------------------------------------------------------

static void describe(kv_buf *to, const struct argp_option *o)
{
    char usage[40];
    snprintf(usage, sizeof usage, "--%s%s%s", o->name, o->arg ? "=" : "",
             o->arg ? o->arg : "");
    kv_buf_printf(to, "  %-20s %s\n", usage, o->doc);
}

void kv_cli_request_options(kv_buf *to, bool is_first_group, unsigned flags)
{
    for (int i = 0; is_first_group && i < FIRST_GROUP; i++) {
        describe(to, &options[i]);
    }
    for (unsigned i = 0; options[FIRST_GROUP + i].name != NULL; i++) {
        if (flags & 1U << i) describe(to, &options[FIRST_GROUP + i]);
    }
}

const char *kv_cli_flag_name(unsigned flag)
{
    unsigned i = 0;
    while (flag >> i != 1) i++;
    return options[FIRST_GROUP + i].name;
}
