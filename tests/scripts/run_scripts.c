// run_scripts.c -- runs golden scripts on one stage's program and compares.
// SPDX-License-Identifier: MIT
//
//     run_scripts PROGRAM [OPTION...] -- SCRIPT...
//
// A script (*.kvs) is what `PROGRAM DIR repl --echo` prints, written down:
//
//    # Why this script is here.
//     needs: ordered durable        only engines with these abilities run it
//     > put a 1                     a line that is typed
//     > get a
//     1                             what it prints; ... is anything
//
// Empty lines and those that start with # are for the reader. What a scan or
// dump prints is sorted first where the engine keeps no order.

#define _XOPEN_SOURCE 700

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scripts/transcript.h"

typedef struct subject {
    const char *program;
    kv_buf options;   // as a shell takes them
    kv_buf abilities; // " ordered durable "
    bool is_durable, is_ordered;
} subject;

// A shell command's output, both streams.
static kv_buf shell(const char *dir, const char *command)
{
    kv_buf all = {0}, path = {0};
    kv_buf_printf(&path, "%s/output%c", dir, '\0');
    kv_buf_printf(&all, "(%s) >'%s' 2>&1%c", command, path.data, '\0');
    // The exit code does not matter here: a failure shows in what is printed.
    int code = system((const char *)all.data);
    kv_buf output = transcript_read((const char *)path.data);
    if (code == -1) kv_buf_printf(&output, "the shell did not start\n");
    kv_buf_free(&all);
    kv_buf_free(&path);
    return output;
}

static void ask_abilities(subject *s, const char *dir)
{
    kv_buf command = {0};
    kv_buf_printf(&command, "'%s' --version%c", s->program, '\0');
    kv_buf output = shell(dir, (const char *)command.data);
    kv_buf_append(&output, kv_slice_of("", 1));
    const char *line = strstr((const char *)output.data, "abilities:");
    if (line == NULL) {
        fprintf(stderr, "%s --version names no abilities\n", s->program);
        exit(2);
    }
    line += strlen("abilities:");
    kv_buf_printf(&s->abilities, "%.*s %c", (int)strcspn(line, "\n"), line,
                  '\0');
    s->is_durable = strstr((char *)s->abilities.data, " durable ") != NULL;
    s->is_ordered = strstr((char *)s->abilities.data, " ordered ") != NULL;
    kv_buf_free(&command);
    kv_buf_free(&output);
}

static bool has_all(const subject *s, char *needs)
{
    for (char *word = strtok_r(needs, " ", &needs); word != NULL;
         word = strtok_r(NULL, " ", &needs)) {
        kv_buf padded = {0};
        kv_buf_printf(&padded, " %s %c", word, '\0');
        bool has = strstr((const char *)s->abilities.data,
                          (const char *)padded.data) != NULL;
        kv_buf_free(&padded);
        if (!has) return false;
    }
    return true;
}

static bool is_typed(const text_line *line)
{
    return strncmp(line->text, "> ", 2) == 0 || strcmp(line->text, ">") == 0;
}

static bool is_prose(const text_line *line)
{
    return line->text[0] == '\0' || line->text[0] == '#';
}

// From one typed line up to the next; returns the index behind them.
static size_t block(const text_lines *from, size_t i, text_lines *to)
{
    to->count = 0;
    for (i++; i < from->count && !is_typed(&from->line[i]); i++) {
        if (!is_prose(&from->line[i])) text_lines_add(to, from->line[i]);
    }
    return i;
}

static bool has_no_order(const subject *s, const char *typed)
{
    return !s->is_ordered && (strncmp(typed, "> scan", 6) == 0 ||
                              strncmp(typed, "> dump", 6) == 0);
}

static size_t next_typed(const text_lines *lines, size_t i)
{
    while (i < lines->count && !is_typed(&lines->line[i])) i++;
    return i;
}

// The program ended too soon: its last words say why.
static void show_end(const text_lines *printed)
{
    size_t first = printed->count > 5 ? printed->count - 5 : 0;
    fprintf(stderr, "  the program ended before this; its last lines\n");
    for (size_t i = first; i < printed->count; i++) {
        fprintf(stderr, "    | %s\n", printed->line[i].text);
    }
}

// Prints every difference; returns how many.
static int compare(const subject *s, const char *script,
                   const text_lines *wanted, const text_lines *printed)
{
    text_lines want = {0}, got = {0};
    int differences = 0;
    size_t p = next_typed(printed, 0);
    for (size_t w = next_typed(wanted, 0); w < wanted->count;) {
        text_line typed = wanted->line[w];
        w = block(wanted, w, &want);
        got.count = 0;
        bool is_there = p < printed->count;
        if (is_there) p = block(printed, p, &got);
        if (has_no_order(s, typed.text)) {
            text_lines_sort(&want);
            text_lines_sort(&got);
        }
        if (is_there && transcript_compare(&want, &got) < 0) continue;
        transcript_complain(script, typed.number, typed.text, &want, &got);
        differences++;
        if (is_there) continue;
        show_end(printed);
        break;
    }
    text_lines_free(&want);
    text_lines_free(&got);
    return differences;
}

static kv_buf run(const subject *s, const char *dir, const text_lines *script)
{
    kv_buf input = {0}, path = {0}, command = {0};
    for (size_t i = 0; i < script->count; i++) {
        if (!is_typed(&script->line[i])) continue;
        const char *text = script->line[i].text;
        kv_buf_printf(&input, "%s\n", text[1] == ' ' ? text + 2 : "");
    }
    kv_buf_append(&input, kv_slice_of("", 1));
    kv_buf_printf(&path, "%s/input%c", dir, '\0');
    transcript_write((const char *)path.data, (const char *)input.data);
    kv_buf_printf(&command, "cd '%s' && '%s' %s%s repl --echo <input%c", dir,
                  s->program, s->is_durable ? "store" : "-",
                  s->options.len > 0 ? (const char *)s->options.data : "",
                  '\0');
    kv_buf output = shell(dir, (const char *)command.data);
    kv_buf_free(&input);
    kv_buf_free(&path);
    kv_buf_free(&command);
    return output;
}

// 1: ran and fits, 0: is not for this engine, -1: differs.
static int run_script(const subject *s, const char *path)
{
    kv_buf bytes = transcript_read(path);
    text_lines script = {0}, printed = {0};
    text_lines_cut(&script, &bytes);
    bool is_for_us = true;
    for (size_t i = 0; i < next_typed(&script, 0); i++) {
        char *text = script.line[i].text;
        if (strncmp(text, "needs:", 6) != 0) continue;
        is_for_us = has_all(s, text + 6);
    }
    int verdict = 0;
    if (is_for_us) {
        char *dir = transcript_make_dir();
        kv_buf output = run(s, dir, &script);
        text_lines_cut(&printed, &output);
        verdict = compare(s, path, &script, &printed) == 0 ? 1 : -1;
        transcript_remove_dir(dir);
    }
    text_lines_free(&script);
    text_lines_free(&printed);
    return verdict;
}

int main(int argc, char **argv)
{
    char *program = argc > 1 ? realpath(argv[1], NULL) : NULL;
    if (program == NULL) {
        fprintf(stderr, "run_scripts PROGRAM [OPTION...] -- SCRIPT...\n");
        return 2;
    }
    subject s = {.program = program};
    int i = 2;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        kv_buf_printf(&s.options, " '%s'", argv[i]);
    }
    if (s.options.len > 0) kv_buf_append(&s.options, kv_slice_of("", 1));
    char *dir = transcript_make_dir();
    ask_abilities(&s, dir);
    transcript_remove_dir(dir);
    int fit = 0, differ = 0, skipped = 0;
    for (i++; i < argc; i++) {
        int verdict = run_script(&s, argv[i]);
        fit += verdict > 0;
        differ += verdict < 0;
        skipped += verdict == 0;
    }
    printf("%d scripts fit, %d differ, %d are not for this engine\n", fit,
           differ, skipped);
    kv_buf_free(&s.options);
    kv_buf_free(&s.abilities);
    free(program);
    return fit > 0 && differ == 0 ? 0 : 1;
}
