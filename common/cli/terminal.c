// terminal.c -- see terminal.h.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include "common/cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t interrupts;
static int ended_input = -1; // the null device, where a script is read

static void fill(int number, int mode)
{
    if (fcntl(number, F_GETFD) >= 0) return;
    int got = open("/dev/null", mode); // the lowest number that is free
    if (got != number && got >= 0) close(got);
}

void kv_cli_terminal_init(void)
{
    fill(STDIN_FILENO, O_WRONLY);
    fill(STDOUT_FILENO, O_RDONLY);
    fill(STDERR_FILENO, O_RDONLY);
    signal(SIGPIPE, SIG_IGN);
}

// A read under way is cut short, but one that is only about to begin would
// wait on: it finds the end of its input instead.
static void interrupt(int number)
{
    int before = errno;
    interrupts++;
    if (ended_input >= 0) dup2(ended_input, STDIN_FILENO);
    signal(number, SIG_DFL);
    errno = before;
}

void kv_cli_catch_interrupts(void)
{
    // A terminal stays: its modes must be put back, and a person who sees
    // nothing happen presses once more.
    if (isatty(STDIN_FILENO) == 0) {
        ended_input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    // Without SA_RESTART, so that a read that waits for a person ends.
    struct sigaction action = {.sa_handler = interrupt};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

bool kv_cli_interrupted(void) { return interrupts > 0; }

bool kv_cli_is_terminal(FILE *stream)
{
    int number = fileno(stream); // -1 for a stream in memory
    return number >= 0 && isatty(number);
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

static bool is_dumb(void)
{
    const char *term = getenv("TERM");
    return term == NULL || strcmp(term, "dumb") == 0;
}

bool kv_cli_can_redraw(void)
{
    return kv_cli_is_terminal(stderr) && !is_dumb() && !is_set("CI");
}

bool kv_cli_wants_color(FILE *stream, kv_cli_color wish)
{
    if (wish != CLI_COLOR_AUTO) return wish == CLI_COLOR_ALWAYS;
    if (is_set("NO_COLOR")) return false;
    if (is_set("CLICOLOR_FORCE")) return true;
    return kv_cli_is_terminal(stream) && !is_dumb();
}

uint64_t kv_cli_bytes_ahead(FILE *stream)
{
    struct stat about;
    int number = fileno(stream);
    if (number < 0 || fstat(number, &about) != 0) return 0;
    if (!S_ISREG(about.st_mode)) return 0;
    off_t at = ftello(stream);
    return at < 0 || at > about.st_size ? 0 : (uint64_t)(about.st_size - at);
}
