// run_console.c -- runs the examples that pages of text show, and compares.
// SPDX-License-Identifier: MIT
//
//     run_console BIN PAGE...
//
// In each page, every block that opens with ```console is run, in order, in one
// scratch directory of the page's own, with BIN first in PATH:
//
//     $ stage2_log pets put cat meow       typed; lines that start with > go on
//     $ stage2_log pets get cat            a command that the one before began
//     meow                                 what it prints, on either stream
//
// ... is anything: inside a line, or alone for any lines. Fails if any output
// differs, and if no page has a block.

#define _XOPEN_SOURCE 700

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"

#include "tests/scripts/transcript.h"

enum {
    LIMIT_S = 120,  // so that a command that hangs is named
    TIMED_OUT = 124 // what timeout(1) says then
};

typedef struct page {
    const char *path;
    text_lines lines;
    char *scratch;
    int commands, differences;
} page;

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

// The lines that `command` prints.
static void run(const page *p, const kv_buf *command, text_lines *got)
{
    kv_buf script = {0}, output = {0}, line = {0};
    kv_buf_printf(&script, "%s/.command%c", p->scratch, '\0');
    kv_buf_printf(&output, "%s/.output%c", p->scratch, '\0');
    transcript_write((const char *)script.data, (const char *)command->data);
    kv_buf_printf(
        &line, "cd '%s' && timeout %d sh .command >.output 2>&1 </dev/null%c",
        p->scratch, LIMIT_S, '\0');
    int code = system((const char *)line.data);
    kv_buf printed = transcript_read((const char *)output.data);
    if (code == -1) kv_buf_printf(&printed, "the shell did not start\n");
    if (WIFEXITED(code) && WEXITSTATUS(code) == TIMED_OUT) {
        kv_buf_printf(&printed, "not done in %d s: ended\n", LIMIT_S);
    }
    text_lines_cut(got, &printed);
    kv_buf_free(&script);
    kv_buf_free(&output);
    kv_buf_free(&line);
}

// One command, from line `i` of the page on; returns the index behind what it
// prints.
static size_t run_command(page *p, size_t i)
{
    const text_line *line = p->lines.line;
    text_line typed = line[i];
    kv_buf command = {0};
    text_lines want = {0}, got = {0};
    kv_buf_printf(&command, "%s", typed.text + 2);
    for (i++; i < p->lines.count && starts(line[i].text, "> "); i++) {
        kv_buf_printf(&command, "\n%s", line[i].text + 2);
    }
    kv_buf_append(&command, kv_slice_of("\n", 2)); // with its NUL
    for (; i < p->lines.count; i++) {
        if (starts(line[i].text, "$ ") || starts(line[i].text, "```")) break;
        text_lines_add(&want, line[i]);
    }
    run(p, &command, &got);
    p->commands++;
    if (transcript_compare(&want, &got) >= 0) {
        p->differences++;
        transcript_complain(p->path, typed.number, typed.text, &want, &got);
    }
    kv_buf_free(&command);
    text_lines_free(&want);
    text_lines_free(&got);
    return i;
}

static void run_block(page *p, size_t i)
{
    while (i < p->lines.count && !starts(p->lines.line[i].text, "```")) {
        if (starts(p->lines.line[i].text, "$ ")) {
            i = run_command(p, i);
            continue;
        }
        fprintf(stderr, "%s:%d: a console block begins with a command: $ ...\n",
                p->path, p->lines.line[i].number);
        p->differences++;
        return;
    }
}

static void run_page(page *p)
{
    kv_buf bytes = transcript_read(p->path);
    text_lines_cut(&p->lines, &bytes);
    p->scratch = transcript_make_dir();
    for (size_t i = 0; i < p->lines.count; i++) {
        if (starts(p->lines.line[i].text, "```console")) run_block(p, i + 1);
    }
    transcript_remove_dir(p->scratch);
    text_lines_free(&p->lines);
}

static void prepend_path(const char *bin)
{
    const char *old = getenv("PATH");
    char *whole = realpath(bin, NULL);
    kv_buf path = {0};
    kv_buf_printf(&path, "%s:%s%c", whole ? whole : bin, old ? old : "", '\0');
    setenv("PATH", (const char *)path.data, 1);
    kv_buf_free(&path);
    free(whole);
}

int main(int argc, char **argv)
{
    int commands = 0, differences = 0;
    if (argc > 1) prepend_path(argv[1]);
    for (int i = 2; i < argc; i++) {
        page p = {.path = argv[i]};
        run_page(&p);
        commands += p.commands;
        differences += p.differences;
    }
    printf("%d commands of %d pages ran, %d print something else\n", commands,
           argc > 2 ? argc - 2 : 0, differences);
    if (commands == 0) fprintf(stderr, "no console block was found\n");
    return commands > 0 && differences == 0 ? 0 : 1;
}
