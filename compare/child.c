// child.c -- see child.h.
// SPDX-License-Identifier: MIT

#define _GNU_SOURCE

#include "compare/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

enum { TICK_MS = 200 };

static volatile sig_atomic_t was_stopped;

static void note_stop(int signal)
{
    (void)signal;
    was_stopped = 1;
}

void cmp_catch_stop(void)
{
    struct sigaction action = {.sa_handler = note_stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool cmp_was_stopped(void) { return was_stopped != 0; }

bool cmp_is_terminal(FILE *file) { return isatty(fileno(file)) == 1; }

static _Noreturn void be_child(const cmp_child *c, int to)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN); // the parent decides
    // Kept in memory until the end: the child's own writes would be counted
    // as its store's.
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL) _exit(1);
    c->work(out, c->arg);
    if (fclose(out) != 0) _exit(1);
    for (size_t done = 0; done < len;) {
        ssize_t wrote = write(to, text + done, len - done);
        if (wrote < 0 && errno != EINTR) _exit(1);
        if (wrote > 0) done += (size_t)wrote;
    }
    _exit(0);
}

// Appends what the child wrote. False at its end.
static bool read_some(cmp_child *c)
{
    kv_buf_reserve(&c->text, 64 << 10);
    ssize_t got = read(c->from, c->text.data + c->text.len, 64 << 10);
    if (got > 0) c->text.len += (size_t)got;
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

static void note_ending(cmp_child *c, int status)
{
    if (c->ending == CMP_HUNG) {
        snprintf(c->reason, sizeof c->reason, "hung: not done in %u s",
                 c->limit_s);
    } else if (c->ending == CMP_STOPPED) {
        snprintf(c->reason, sizeof c->reason, "failed: stopped by the user");
    } else if (WIFSIGNALED(status)) {
        c->ending = CMP_ENDED_BADLY;
        snprintf(c->reason, sizeof c->reason, "crashed: signal %d (%s)",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 0) {
        c->ending = CMP_ENDED_BADLY;
        snprintf(c->reason, sizeof c->reason, "crashed: exit status %d",
                 WEXITSTATUS(status));
    }
}

static void start(cmp_child *c)
{
    int ends[2];
    c->pid = -1;
    c->ending = CMP_ENDED_BADLY;
    if (pipe2(ends, O_CLOEXEC) == 0) {
        fflush(NULL); // or the child would write it once more
        c->pid = fork();
        if (c->pid == 0) {
            close(ends[0]);
            be_child(c, ends[1]);
        }
        close(ends[1]);
        if (c->pid < 0) close(ends[0]);
    }
    if (c->pid < 0) {
        snprintf(c->reason, sizeof c->reason, "failed: no process or pipe: %s",
                 strerror(errno));
        return;
    }
    c->from = ends[0];
    c->deadline = kv_now_ns() + (uint64_t)c->limit_s * 1000000000;
    c->ending = CMP_ENDED_WELL;
}

static void finish(cmp_child *c)
{
    int status = 0;
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR) continue;
    note_ending(c, status);
    close(c->from);
    c->pid = -1;
}

// Takes what there is, and ends the child that has had its time.
static void attend(cmp_child *c, bool is_ready)
{
    if (is_ready && !read_some(c)) {
        finish(c);
        return;
    }
    if (was_stopped) c->ending = CMP_STOPPED;
    else if (kv_now_ns() > c->deadline) c->ending = CMP_HUNG;
    if (c->ending == CMP_ENDED_WELL) return;
    kill(c->pid, SIGKILL);
    finish(c);
}

// Waits a tick's time for those that run. False if none does.
static bool attend_all(cmp_child *c, size_t count)
{
    struct pollfd door[CMP_CHILDREN_MAX];
    size_t running = 0;
    for (size_t i = 0; i < count; i++) {
        running += c[i].pid > 0;
        // poll passes over what is negative.
        door[i] = (struct pollfd){.fd = c[i].pid > 0 ? c[i].from : -1,
                                  .events = POLLIN};
    }
    if (running == 0) return false;
    int ready = poll(door, count, TICK_MS);
    for (size_t i = 0; i < count; i++) {
        if (c[i].pid > 0) attend(&c[i], ready > 0 && door[i].revents != 0);
    }
    if (c[0].tick != NULL) c[0].tick(c[0].tick_arg);
    return true;
}

void cmp_children_run(cmp_child *c, size_t count)
{
    assert(count > 0 && count <= CMP_CHILDREN_MAX);
    for (size_t i = 0; i < count; i++) start(&c[i]);
    while (attend_all(c, count)) continue;
}

void cmp_child_run(cmp_child *c) { cmp_children_run(c, 1); }

unsigned cmp_children_at_once(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (processors < 1) return 1;
    return processors < CMP_CHILDREN_MAX ? (unsigned)processors
                                         : CMP_CHILDREN_MAX;
}
