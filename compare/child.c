// child.c -- see child.h.
// SPDX-License-Identifier: MIT

#define _GNU_SOURCE

#include "compare/child.h"

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
static bool read_some(cmp_child *c, int from)
{
    kv_buf_reserve(&c->text, 64 << 10);
    ssize_t got = read(from, c->text.data + c->text.len, 64 << 10);
    if (got > 0) c->text.len += (size_t)got;
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

static void listen_to(cmp_child *c, int from, pid_t pid)
{
    uint64_t deadline = kv_now_ns() + (uint64_t)c->limit_s * 1000000000;
    c->ending = CMP_ENDED_WELL;
    for (;;) {
        struct pollfd door = {.fd = from, .events = POLLIN};
        int ready = poll(&door, 1, TICK_MS);
        if (ready > 0 && !read_some(c, from)) return;
        if (c->tick != NULL) c->tick(c->tick_arg);
        if (was_stopped) c->ending = CMP_STOPPED;
        else if (kv_now_ns() > deadline) c->ending = CMP_HUNG;
        if (c->ending != CMP_ENDED_WELL) {
            kill(pid, SIGKILL);
            return;
        }
    }
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

void cmp_child_run(cmp_child *c)
{
    int ends[2];
    c->ending = CMP_ENDED_BADLY;
    snprintf(c->reason, sizeof c->reason, "failed: no process or pipe: %s",
             strerror(errno));
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    fflush(NULL); // or the child would write it once more
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        be_child(c, ends[1]);
    }
    close(ends[1]);
    if (pid > 0) {
        listen_to(c, ends[0], pid);
        int status = 0;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
        note_ending(c, status);
    }
    close(ends[0]);
}
