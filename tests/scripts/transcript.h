// transcript.h -- what a program printed against what somebody wrote down.
// SPDX-License-Identifier: MIT
//
//     want                      fits
//     a line                    that line
//     states ..., violations 0  ... is anything, also nothing
//     ...                       alone: any lines, also none

#ifndef TESTS_SCRIPTS_TRANSCRIPT_H
#define TESTS_SCRIPTS_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/bytes.h"

typedef struct text_line {
    char *text; // without its newline; the owner's buffer holds it
    int number; // in its file; the first is 1
} text_line;

typedef struct text_lines {
    text_line *line;
    size_t count, cap;
    kv_buf bytes;
} text_lines;

// Cuts the buffer into lines and takes it over.
void text_lines_cut(text_lines *to, kv_buf *bytes);
void text_lines_add(text_lines *to, text_line line); // borrows the text
void text_lines_sort(text_lines *lines);
void text_lines_free(text_lines *lines);

bool transcript_line_fits(const char *want, const char *got);
// The index in `want` of the first line that does not fit, or want's count when
// there is too much in `got`; -1 if all is well.
int transcript_compare(const text_lines *want, const text_lines *got);
// Prints place, command, what was wanted and what came.
void transcript_complain(const char *file, int line, const char *command,
                         const text_lines *want, const text_lines *got);

// The whole file, or an end of the program with a sentence.
kv_buf transcript_read(const char *path);
void transcript_write(const char *path, const char *text);
// A new directory below $TMPDIR, and its end.
char *transcript_make_dir(void);
void transcript_remove_dir(char *path);

#endif
