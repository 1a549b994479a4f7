// disk_fault.c -- see disk_fault.h.
// SPDX-License-Identifier: MIT

#include "common/disk_fault.h"

#include <ctype.h>

#include "common/mem.h"
#include "common/thread.h"

typedef enum call {
    CALL_OPEN,
    CALL_READ,
    CALL_MAP,
    CALL_WRITE,
    CALL_TRUNCATE,
    CALL_ALLOCATE,
    CALL_SIZE,
    CALL_SYNC,
    CALL_CLOSE,
    CALL_LIST,
    CALL_RENAME,
    CALL_REMOVE,
    CALL_LINK,
    CALL_SYNC_DIR,
    CALL_LOCK,
    CALLS // how many; in a rule: any
} call;

static const char *const call_words[CALLS] = {
    "open",  "read", "map",    "write",  "truncate", "allocate", "size", "sync",
    "close", "list", "rename", "remove", "link",     "sync_dir", "lock",
};

typedef enum fault_kind { FAIL, SHORT, TORN, DROP, FLIP, NOTHING } fault_kind;

#define BIT(c)   (1u << (c))
#define ANY_CALL (BIT(CALLS) - 1)

typedef struct fault {
    const char *word;
    fault_kind kind;
    kv_status status;
    unsigned calls; // that can have it
    const char *sentence;
} fault;

static const fault faults[] = {
    {"EIO", FAIL, KV_IO, ANY_CALL, "Input/output error"},
    {"ENOSPC", FAIL, KV_NO_SPACE, ANY_CALL, "No space left on device"},
    {"EDQUOT", FAIL, KV_NO_SPACE, ANY_CALL, "Disk quota exceeded"},
    {"EMFILE", FAIL, KV_IO, ANY_CALL, "Too many open files"},
    {"ENFILE", FAIL, KV_IO, ANY_CALL, "Too many open files in system"},
    {"EACCES", FAIL, KV_IO, ANY_CALL, "Permission denied"},
    {"EROFS", FAIL, KV_IO, ANY_CALL, "Read-only file system"},
    {"EXDEV", FAIL, KV_UNSUPPORTED, BIT(CALL_LINK),
     "Invalid cross-device link"},
    {"short", SHORT, KV_NO_SPACE, BIT(CALL_WRITE), "the disk is full half-way"},
    {"torn", TORN, KV_IO, BIT(CALL_WRITE), "Input/output error half-way"},
    {"drop", DROP, KV_OK,
     BIT(CALL_WRITE) | BIT(CALL_SYNC) | BIT(CALL_SYNC_DIR) |
         BIT(CALL_TRUNCATE) | BIT(CALL_REMOVE),
     ""},
    {"flip", FLIP, KV_OK, BIT(CALL_READ) | BIT(CALL_WRITE), ""},
};

enum { FAULTS = sizeof faults / sizeof faults[0], RULES_MAX = 16 };

typedef struct rule {
    unsigned reason; // KV_REASONS: any
    unsigned call;   // CALLS: any
    uint64_t nth;
    bool and_after;
    const fault *what;
    uint64_t matches; // so far
} rule;

typedef struct rule_set {
    rule rules[RULES_MAX];
    size_t count;
} rule_set;

typedef struct fault_disk fault_disk;
struct fault_disk {
    kv_disk base;
    kv_disk *below;
    fault_disk *first; // whose rules it meets: itself, or what it is beside
    kv_mutex lock;     // of the first one; guards what follows
    rule_set set;
    uint64_t calls, hits;
};

typedef struct fault_file {
    kv_file base;
    kv_file *below;
} fault_file;

static const kv_disk_ops fault_ops;

static fault_disk *disk_of(kv_disk *d) { return (fault_disk *)d; }

static kv_file *below_of(kv_file *f) { return ((fault_file *)f)->below; }

// ---- rules as text ----------------------------------------------------------

static kv_status bad_rule(kv_slice text, const char *what, kv_slice word)
{
    kv_quoted q, w;
    return kv_fail(KV_INVALID,
                   "fault rule \"%s\": %s \"%s\"; a rule is "
                   "reason:call:n:what, as in data:sync:7:EIO or "
                   "*:write:3+:ENOSPC",
                   kv_quote(&q, text), what, kv_quote(&w, word));
}

static bool is_word(kv_slice text, const char *word)
{
    return kv_slice_equal(text, kv_str(word));
}

typedef enum part { REASON, CALL, NTH, WHAT, PARTS } part;

// The i-th word that may stand in this part of a rule; NULL behind the last.
static const char *known_word(part p, unsigned i)
{
    if (p == REASON)
        return i < KV_REASONS ? kv_reason_word((kv_reason)i) : NULL;
    if (p == CALL) return i < CALLS ? call_words[i] : NULL;
    return i < FAULTS ? faults[i].word : NULL;
}

// Which of them `text` is; behind the last for "*", which is any of them.
static bool find_word(part p, kv_slice text, unsigned *i)
{
    for (*i = 0; known_word(p, *i) != NULL; ++*i) {
        if (is_word(text, known_word(p, *i))) return true;
    }
    return p != WHAT && is_word(text, "*");
}

static kv_status bad_word(kv_slice text, part p, const char *what,
                          kv_slice word)
{
    kv_buf known = {0};
    for (unsigned i = 0; known_word(p, i) != NULL; i++) {
        kv_buf_printf(&known, "%s%s", i > 0 ? " " : "", known_word(p, i));
    }
    if (p != WHAT) kv_buf_printf(&known, " or *");
    kv_quoted q, w;
    kv_status st = kv_fail(
        KV_INVALID,
        "fault rule \"%s\": no such %s as \"%s\" (it is one of: %.*s); a "
        "rule is reason:call:n:what, as in data:sync:7:EIO",
        kv_quote(&q, text), what, kv_quote(&w, word), (int)known.len,
        (const char *)known.data);
    kv_buf_free(&known);
    return st;
}

static bool parse_nth(kv_slice text, rule *out)
{
    out->nth = 0;
    out->and_after = text.len > 0 && text.data[text.len - 1] == '+';
    if (out->and_after) text.len--;
    if (text.len == 0 || text.len > 18) return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!isdigit(text.data[i])) return false;
        out->nth = out->nth * 10 + (uint64_t)(text.data[i] - '0');
    }
    return out->nth > 0;
}

static kv_status parse_rule(kv_slice text, rule *out)
{
    kv_slice parts[PARTS] = {{0}};
    size_t count = 0, start = 0;
    for (size_t i = 0; i <= text.len && count < PARTS; i++) {
        if (i < text.len && text.data[i] != ':') continue;
        parts[count++] = kv_slice_of(text.data + start, i - start);
        start = i + 1;
    }
    if (count < PARTS || start <= text.len) {
        return bad_rule(text, "not four parts in", text);
    }
    *out = (rule){0};
    unsigned what;
    if (!find_word(REASON, parts[REASON], &out->reason)) {
        return bad_word(text, REASON, "reason", parts[REASON]);
    }
    if (!find_word(CALL, parts[CALL], &out->call)) {
        return bad_word(text, CALL, "call", parts[CALL]);
    }
    if (!parse_nth(parts[NTH], out)) {
        return bad_rule(text, "n is 1, 2, 3 … or 1+, 2+ …, not", parts[NTH]);
    }
    if (!find_word(WHAT, parts[WHAT], &what)) {
        return bad_word(text, WHAT, "fault", parts[WHAT]);
    }
    out->what = &faults[what];
    if (out->call < CALLS && !(out->what->calls & BIT(out->call))) {
        return bad_rule(text, "this call cannot have", parts[WHAT]);
    }
    return KV_OK;
}

static kv_status parse_rules(const char *text, rule_set *out)
{
    *out = (rule_set){0};
    for (const char *at = text != NULL ? text : ""; *at != '\0';) {
        size_t len = strcspn(at, " \t\n");
        if (len > 0) {
            if (out->count == RULES_MAX) {
                return kv_fail(KV_INVALID, "more than %d fault rules",
                               RULES_MAX);
            }
            kv_slice one = kv_slice_of(at, len);
            KV_TRY(parse_rule(one, &out->rules[out->count++]));
        }
        at += len + (at[len] != '\0');
    }
    return KV_OK;
}

// ---- deciding ---------------------------------------------------------------

// The fault this call meets, or NULL. Every rule counts the calls it matches.
static const fault *meet(kv_disk *disk, call which, kv_why why)
{
    fault_disk *d = disk_of(disk)->first;
    const fault *met = NULL;
    kv_mutex_lock(&d->lock);
    d->calls++;
    for (size_t i = 0; i < d->set.count; i++) {
        rule *r = &d->set.rules[i];
        if (r->reason != KV_REASONS && r->reason != why.reason) continue;
        if (r->call != CALLS && r->call != which) continue;
        if (!(r->what->calls & BIT(which))) continue;
        uint64_t n = ++r->matches;
        if (n == r->nth || (r->and_after && n > r->nth)) met = r->what;
    }
    if (met != NULL) d->hits++;
    kv_mutex_unlock(&d->lock);
    return met;
}

static kv_status injected(const fault *met, call which, const char *name)
{
    return kv_fail(met->status, "%s: %s: %s (a fault rule's)", name,
                   call_words[which], met->sentence);
}

// Where a layer's call can only fail or be passed on.
#define MEET_FAILURE(disk, which, why, name)                                   \
    do {                                                                       \
        const fault *met_ = meet((disk), (which), (why));                      \
        if (met_ != NULL) return injected(met_, (which), (name));              \
    } while (0)

// Where it can also be dropped.
#define MEET_OR_DROP(disk, which, why, name)                                   \
    do {                                                                       \
        const fault *met_ = meet((disk), (which), (why));                      \
        if (met_ != NULL && met_->kind == DROP) return KV_OK;                  \
        if (met_ != NULL) return injected(met_, (which), (name));              \
    } while (0)

// ---- files ------------------------------------------------------------------

static kv_file *wrap(kv_disk *d, const char *name, kv_file *below)
{
    fault_file *f = kv_zalloc(sizeof *f);
    f->base = (kv_file){.disk = d, .name = kv_strdup(name)};
    f->below = below;
    return &f->base;
}

static kv_status fault_open(kv_disk *d, const char *name, kv_open_how how,
                            kv_why why, kv_file **out)
{
    kv_file *below = NULL;
    MEET_FAILURE(d, CALL_OPEN, why, name);
    KV_TRY(kv_file_open(disk_of(d)->below, name, how, why, &below));
    *out = wrap(d, name, below);
    return KV_OK;
}

static kv_status fault_read(kv_file *f, uint64_t offset, void *to, size_t len,
                            size_t *got, kv_why why)
{
    const fault *met = meet(f->disk, CALL_READ, why);
    if (met != NULL && met->kind == FAIL) {
        return injected(met, CALL_READ, f->name);
    }
    KV_TRY(kv_file_read(below_of(f), offset, to, len, got, why));
    if (met != NULL && *got > 0) ((uint8_t *)to)[*got / 2] ^= 1;
    return KV_OK;
}

static kv_status fault_map(kv_file *f, uint64_t offset, size_t len, kv_why why,
                           kv_slice *out)
{
    MEET_FAILURE(f->disk, CALL_MAP, why, f->name);
    return kv_file_map(below_of(f), offset, len, why, out);
}

static kv_status write_flipped(kv_file *f, uint64_t offset, kv_slice bytes,
                               kv_why why)
{
    kv_buf copy = {0};
    kv_buf_append(&copy, bytes);
    if (copy.len > 0) copy.data[copy.len / 2] ^= 1;
    kv_status st = kv_file_write(below_of(f), offset, kv_buf_slice(&copy), why);
    kv_buf_free(&copy);
    return st;
}

static kv_status fault_write(kv_file *f, uint64_t offset, kv_slice bytes,
                             kv_why why)
{
    const fault *met = meet(f->disk, CALL_WRITE, why);
    switch (met != NULL ? met->kind : NOTHING) {
    case DROP:
        return KV_OK;
    case FLIP:
        return write_flipped(f, offset, bytes, why);
    case SHORT:
    case TORN:
        KV_TRY(kv_file_write(below_of(f), offset,
                             kv_slice_of(bytes.data, bytes.len / 2), why));
        return injected(met, CALL_WRITE, f->name);
    case FAIL:
        return injected(met, CALL_WRITE, f->name);
    case NOTHING:
        break;
    }
    return kv_file_write(below_of(f), offset, bytes, why);
}

static kv_status fault_truncate(kv_file *f, uint64_t size, kv_why why)
{
    MEET_OR_DROP(f->disk, CALL_TRUNCATE, why, f->name);
    return kv_file_truncate(below_of(f), size, why);
}

static kv_status fault_allocate(kv_file *f, uint64_t size, kv_why why)
{
    MEET_FAILURE(f->disk, CALL_ALLOCATE, why, f->name);
    return kv_file_allocate(below_of(f), size, why);
}

static kv_status fault_size(kv_file *f, uint64_t *size)
{
    MEET_FAILURE(f->disk, CALL_SIZE, kv_for(KV_FOR_META), f->name);
    return kv_file_size(below_of(f), size);
}

static kv_status fault_sync(kv_file *f, kv_why why)
{
    MEET_OR_DROP(f->disk, CALL_SYNC, why, f->name);
    return kv_file_sync(below_of(f), why);
}

static kv_status fault_close(kv_file *f)
{
    const fault *met = meet(f->disk, CALL_CLOSE, kv_for(KV_FOR_META));
    kv_status st = kv_file_close(below_of(f));
    if (met != NULL) st = injected(met, CALL_CLOSE, f->name);
    kv_free(f->name);
    kv_free(f);
    return st;
}

// ---- the directory ----------------------------------------------------------

static kv_status fault_list(kv_disk *d, kv_names *out)
{
    MEET_FAILURE(d, CALL_LIST, kv_for(KV_FOR_META), ".");
    return kv_disk_list(disk_of(d)->below, out);
}

static kv_status fault_rename(kv_disk *d, const char *from, const char *to,
                              kv_why why)
{
    MEET_FAILURE(d, CALL_RENAME, why, from);
    return kv_disk_rename(disk_of(d)->below, from, to, why);
}

static kv_status fault_remove(kv_disk *d, const char *name, kv_why why)
{
    MEET_OR_DROP(d, CALL_REMOVE, why, name);
    return kv_disk_remove(disk_of(d)->below, name, why);
}

static kv_status fault_link(kv_disk *d, const char *name, kv_disk *target,
                            const char *target_name, kv_why why)
{
    MEET_FAILURE(d, CALL_LINK, why, name);
    return kv_disk_link(disk_of(d)->below, name, disk_of(target)->below,
                        target_name, why);
}

static kv_status fault_sync_dir(kv_disk *d, kv_why why)
{
    MEET_OR_DROP(d, CALL_SYNC_DIR, why, ".");
    return kv_disk_sync_dir(disk_of(d)->below, why);
}

static kv_status fault_lock(kv_disk *d, const char *name, kv_file **out)
{
    kv_file *below = NULL;
    MEET_FAILURE(d, CALL_LOCK, kv_for(KV_FOR_META), name);
    kv_status locked = kv_disk_lock(disk_of(d)->below, name, &below);
    if (locked != KV_OK && locked != KV_LOCKED) return locked;
    *out = wrap(d, name, below);
    return locked;
}

static kv_status fault_open_beside(kv_disk *d, const char *path, bool create,
                                   kv_disk **out)
{
    kv_disk *below = NULL;
    KV_TRY(kv_disk_open_beside(disk_of(d)->below, path, create, &below));
    KV_TRY(kv_disk_open_fault(below, NULL, out));
    disk_of(*out)->first = disk_of(d)->first;
    return KV_OK;
}

static void fault_space(kv_disk *d, uint64_t *now, uint64_t *peak)
{
    kv_disk_space(disk_of(d)->below, now, peak);
}

static void fault_close_disk(kv_disk *d)
{
    kv_disk_close(disk_of(d)->below);
    kv_mutex_free(&disk_of(d)->lock);
    kv_free(d);
}

static const kv_disk_ops fault_ops = {
    .open = fault_open,
    .read = fault_read,
    .map = fault_map,
    .write = fault_write,
    .truncate = fault_truncate,
    .allocate = fault_allocate,
    .size = fault_size,
    .sync = fault_sync,
    .close = fault_close,
    .list = fault_list,
    .rename = fault_rename,
    .remove = fault_remove,
    .link = fault_link,
    .sync_dir = fault_sync_dir,
    .lock = fault_lock,
    .open_beside = fault_open_beside,
    .space = fault_space,
    .close_disk = fault_close_disk,
};

kv_status kv_disk_open_fault(kv_disk *below, const char *rules, kv_disk **out)
{
    rule_set set;
    KV_TRY(parse_rules(rules, &set));
    fault_disk *d = kv_zalloc(sizeof *d);
    d->base.ops = &fault_ops;
    d->below = below;
    d->first = d;
    d->set = set;
    kv_mutex_init(&d->lock);
    *out = &d->base;
    return KV_OK;
}

kv_status kv_disk_fault_set(kv_disk *disk, const char *rules)
{
    fault_disk *d = disk_of(disk);
    rule_set set;
    KV_TRY(parse_rules(rules, &set));
    kv_mutex_lock(&d->lock);
    d->set = set;
    d->calls = d->hits = 0;
    kv_mutex_unlock(&d->lock);
    return KV_OK;
}

void kv_disk_fault_counts(kv_disk *disk, uint64_t *calls, uint64_t *hits)
{
    fault_disk *d = disk_of(disk);
    kv_mutex_lock(&d->lock);
    *calls = d->calls;
    *hits = d->hits;
    kv_mutex_unlock(&d->lock);
}
