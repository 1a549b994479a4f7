// commit.c -- see commit.h.
// SPDX-License-Identifier: MIT

#include "common/commit.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"

// A group that is written faster than threads wake up is not worth a wait.
enum { SLOW_GROUP_NS = 20000 };

// A caller in line, on its own stack. The line's head is the leader.
struct kv_commit_waiter {
    kv_commit_entry entry;
    kv_status (*exclusive)(void *arg); // instead of an entry
    void *exclusive_arg;
    struct kv_commit_waiter *next;
    kv_cond turn; // signalled when done, or when it is to lead
    bool has_cond;
    bool is_done;
    kv_status status;
    char sentence[256];
};

typedef struct kv_commit_waiter waiter;

void kv_commit_open(kv_commit_line *line, kv_commit_group *run, void *arg)
{
    *line = (kv_commit_line){.run = run, .arg = arg};
    kv_mutex_init(&line->lock);
}

void kv_commit_close(kv_commit_line *line)
{
    if (line->run == NULL) return;
    kv_mutex_free(&line->lock);
    *line = (kv_commit_line){0};
}

static size_t entry_bytes(const kv_commit_entry *entry)
{
    size_t sum = 0;
    for (size_t i = 0; i < entry->count; i++) {
        sum += entry->changes[i].key.len + entry->changes[i].value.len;
    }
    return sum;
}

// The entries from the head of the line that make one group; the last waiter
// of them in *last. An exclusive waiter is a group of its own.
static size_t gather(const waiter *head, kv_commit_entry *entries,
                     const waiter **last)
{
    size_t count = 0, bytes = 0;
    for (const waiter *w = head; w != NULL; w = w->next) {
        if (w->exclusive != NULL || count == KV_COMMIT_GROUP_MAX) break;
        bytes += w->next == NULL && count == 0 ? 0 : entry_bytes(&w->entry);
        if (count > 0 && bytes > KV_COMMIT_GROUP_BYTES) break;
        entries[count++] = w->entry;
        *last = w;
    }
    return count;
}

// Takes the group off the line and wakes its members, and the next leader.
static void dismiss(kv_commit_line *line, const waiter *last, kv_status st)
{
    for (bool more = true; more;) {
        waiter *w = line->first;
        more = w != last;
        line->first = w->next;
        line->length--;
        w->status = st;
        if (st != KV_OK && w->has_cond) {
            snprintf(w->sentence, sizeof w->sentence, "%s", kv_last_error());
        }
        // From here on the waiter may be gone: its stack is its own again.
        w->is_done = true;
        if (w->has_cond) kv_cond_signal(&w->turn);
    }
    if (line->first == NULL) {
        line->last = NULL;
    } else if (line->first->has_cond) {
        kv_cond_signal(&line->first->turn);
    }
}

// Lets those come who shared the last group and are just waking up.
static void wait_for_companions(kv_commit_line *line)
{
    if (line->last_ns < SLOW_GROUP_NS) return;
    uint64_t until = kv_now_ns() + line->last_ns / 2;
    while (line->length < line->last_count && kv_now_ns() < until) {
        kv_mutex_unlock(&line->lock);
        kv_thread_yield();
        kv_mutex_lock(&line->lock);
    }
}

// Runs the group at the head of the line, which `self` leads.
static void lead(kv_commit_line *line, waiter *self)
{
    if (self->exclusive == NULL) wait_for_companions(line);
    kv_commit_entry entries[KV_COMMIT_GROUP_MAX];
    const waiter *last = self;
    size_t count = gather(self, entries, &last);
    line->groups++;
    line->entries += count;
    kv_mutex_unlock(&line->lock);
    uint64_t begun = count > 1 ? kv_now_ns() : 0;
    kv_status st = self->exclusive != NULL
                       ? self->exclusive(self->exclusive_arg)
                       : line->run(line->arg, entries, count);
    uint64_t took = count > 1 ? kv_now_ns() - begun : 0;
    kv_mutex_lock(&line->lock);
    line->last_count = count;
    line->last_ns = took;
    dismiss(line, last, st);
}

static kv_status join(kv_commit_line *line, waiter *self)
{
    kv_mutex_lock(&line->lock);
    bool must_wait = line->first != NULL;
    if (must_wait) {
        kv_cond_init(&self->turn);
        self->has_cond = true;
        line->last->next = self;
    } else {
        line->first = self;
    }
    line->last = self;
    line->length++;
    while (!self->is_done && line->first != self) {
        kv_cond_wait(&self->turn, &line->lock);
    }
    bool is_leader = !self->is_done;
    if (is_leader) lead(line, self);
    kv_mutex_unlock(&line->lock);
    if (must_wait) kv_cond_free(&self->turn);
    if (!is_leader && self->status != KV_OK) {
        return kv_fail(self->status, "%s", self->sentence);
    }
    return self->status;
}

kv_status kv_commit(kv_commit_line *line, const kv_change *changes,
                    size_t count)
{
    waiter self;
    // Not all of it: the sentence is written before it is read.
    memset(&self, 0, offsetof(waiter, sentence));
    self.entry = (kv_commit_entry){changes, count};
    self.sentence[0] = self.sentence[sizeof self.sentence - 1] = '\0';
    return join(line, &self);
}

kv_status kv_commit_exclusive(kv_commit_line *line,
                              kv_status (*work)(void *arg), void *arg)
{
    waiter self = {.exclusive = work, .exclusive_arg = arg};
    return join(line, &self);
}
