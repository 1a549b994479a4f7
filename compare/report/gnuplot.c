// gnuplot.c -- see gnuplot.h.
// SPDX-License-Identifier: MIT

// posix_spawn and the environment are POSIX, not C.
#define _POSIX_C_SOURCE 200809L

#include "compare/report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "common/mem.h"

#include "compare/report/sheet.h"
#include "compare/report/text.h"

extern char **environ;

// The environment with C.UTF-8 in place of the user's, so that a decimal
// point is a point. The caller frees the array.
static char **plain_environment(void)
{
    static char locale[] = "LC_ALL=C.UTF-8";
    size_t count = 0, kept = 0;
    while (environ[count] != NULL) count++;
    char **copy = kv_alloc((count + 2) * sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environ[i], "LC_ALL=", 7) != 0) copy[kept++] = environ[i];
    }
    copy[kept++] = locale;
    copy[kept] = NULL;
    return copy;
}

// Starts the program with its output in the file `log`; its exit code.
static kv_status run(char *const *arguments, const char *log, int *code)
{
    pid_t child = 0;
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, log,
                                     O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    char **environment = plain_environment();
    int error = posix_spawnp(&child, arguments[0], &files, NULL, arguments,
                             environment);
    kv_free(environment);
    posix_spawn_file_actions_destroy(&files);
    if (error == ENOENT || error == EACCES) {
        return kv_fail(KV_UNSUPPORTED,
                       "gnuplot is not installed, so there are no pictures: "
                       "apt-get install gnuplot-nox, then: compare chart DIR");
    }
    if (error != 0) {
        return kv_fail(KV_IO, "gnuplot cannot be started (%s)",
                       strerror(error));
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return kv_fail(KV_IO, "gnuplot: lost track of it");
    }
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return KV_OK;
}

// What gnuplot said, on one line.
static const char *complaint(const char *log, kv_buf *said)
{
    if (cmp_file_read(log, said) != KV_OK) return "(it said nothing)";
    while (said->len > 0 && said->data[said->len - 1] <= ' ') said->len--;
    for (size_t i = 0; i < said->len; i++) {
        if (said->data[i] < ' ') said->data[i] = ' ';
    }
    kv_buf_append(said, kv_slice_of("", 1));
    return (char *)said->data;
}

static kv_status check_output(const char *path, const char *script)
{
    kv_buf output = {0};
    kv_status st = cmp_file_read(path, &output);
    if (st != KV_OK || output.len == 0) {
        st = kv_fail(KV_IO, "%s: gnuplot ended well but %s is %s", script, path,
                     st != KV_OK ? "not there" : "empty");
    }
    kv_buf_free(&output);
    return st;
}

// Formats a NUL-terminated path into `to`.
static char *path_in(kv_buf *to, const char *dir, const char *name)
{
    kv_buf_printf(to, "%s/%s%c", dir, name, 0);
    return (char *)to->data;
}

kv_status cmp_gnuplot_run(const char *dir, const char *script, const char *set,
                          const char *output)
{
    kv_buf change = {0}, settings = {0}, log = {0}, picture = {0}, name = {0};
    kv_buf said = {0};
    cmp_append(&change, "cd ");
    cmp_quoted(&change, dir);
    kv_buf_append(&change, kv_slice_of("", 1));
    kv_buf_printf(&settings, "%s%c", set != NULL ? set : "", 0);
    kv_buf_printf(&name, "%s%c", script, 0);
    path_in(&log, dir, "gnuplot.log");
    path_in(&picture, dir, output);

    char program[] = "gnuplot", defaults[] = "-d", execute[] = "-e";
    char *arguments[] = {program,
                         defaults, // without the user's ~/.gnuplot
                         execute,           (char *)change.data,
                         execute,           (char *)settings.data,
                         (char *)name.data, NULL};
    int code = 0;
    remove((char *)picture.data);
    kv_status st = run(arguments, (char *)log.data, &code);
    if (st == KV_OK && code != 0) {
        st = kv_fail(KV_IO, "%s: gnuplot ended with code %d: %s", script, code,
                     complaint((char *)log.data, &said));
    }
    if (st == KV_OK) st = check_output((char *)picture.data, script);
    remove((char *)log.data);
    kv_buf_free(&change);
    kv_buf_free(&settings);
    kv_buf_free(&log);
    kv_buf_free(&picture);
    kv_buf_free(&name);
    kv_buf_free(&said);
    return st;
}
