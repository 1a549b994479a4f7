// terminal.h -- the three open files a program starts with, and Ctrl-C.
// SPDX-License-Identifier: MIT

#ifndef COMMON_CLI_TERMINAL_H
#define COMMON_CLI_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum kv_cli_color {
    CLI_COLOR_AUTO,
    CLI_COLOR_ALWAYS,
    CLI_COLOR_NEVER
} kv_cli_color;

// Call first. A standard file that was closed is given to the null device the
// wrong way round: otherwise the first file of the store would get its number,
// and what is printed would end up in the store. Reading or writing it fails,
// as it should. A reader that goes away becomes a failed write.
void kv_cli_terminal_init(void);

// From now on Ctrl-C and the like only make kv_cli_interrupted() true and end
// standard input, whenever they come, so that the store is closed properly; a
// second one ends the program at once.
void kv_cli_catch_interrupts(void);
bool kv_cli_interrupted(void);

bool kv_cli_is_terminal(FILE *stream);
// Whether a line on stderr may be redrawn in place.
bool kv_cli_can_redraw(void);
// What NO_COLOR, CLICOLOR_FORCE, TERM and `wish` say about colour on `stream`.
bool kv_cli_wants_color(FILE *stream, kv_cli_color wish);
// Bytes from here to the end of a regular file; 0 when that is unknown.
uint64_t kv_cli_bytes_ahead(FILE *stream);

#endif
