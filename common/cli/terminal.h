// terminal.h -- the three open files a program starts with, and Ctrl-C.
// SPDX-License-Identifier: MIT

#ifndef COMMON_CLI_TERMINAL_H
#define COMMON_CLI_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum cli_color {
    CLI_COLOR_AUTO,
    CLI_COLOR_ALWAYS,
    CLI_COLOR_NEVER
} cli_color;

// Call first. A standard file that was closed is given to the null device the
// wrong way round: otherwise the first file of the store would get its number,
// and what is printed would end up in the store. Reading or writing it fails,
// as it should. A reader that goes away becomes a failed write.
void cli_terminal_init(void);

// From now on Ctrl-C and the like only make cli_interrupted() true, so that
// the store is closed properly; a second one ends the program at once.
void cli_catch_interrupts(void);
bool cli_interrupted(void);

bool cli_is_terminal(FILE *stream);
// Whether a line on stderr may be redrawn in place.
bool cli_can_redraw(void);
// What NO_COLOR, CLICOLOR_FORCE, TERM and `wish` say about colour on `stream`.
bool cli_wants_color(FILE *stream, cli_color wish);
// Bytes from here to the end of a regular file; 0 when that is unknown.
uint64_t cli_bytes_ahead(FILE *stream);

#endif
