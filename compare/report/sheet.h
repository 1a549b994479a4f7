// sheet.h -- a TAB-separated file with a header line, in memory.
// SPDX-License-Identifier: MIT
//
//     engine  workload  rep  value        the header names the columns
//     log     overwrite 1    2.25         a cell is text; NA is "not known"
//
// Invariants
//   T1  Every row has as many cells as the header; a line that has not is
//       refused with file and line.
//   T2  Cells live in the sheet's own memory, NUL-terminated, until it is
//       freed.

#ifndef COMPARE_REPORT_SHEET_H
#define COMPARE_REPORT_SHEET_H

#include "common/bytes.h"
#include "common/status.h"

typedef struct cmp_sheet {
    char *name; // the file's, for messages
    char *text; // of all cells
    char **cells;
    size_t columns, rows; // the header is not a row
} cmp_sheet;

// Takes the text apart; `name` is what messages call it.
KV_MUST_USE kv_status cmp_sheet_parse(const char *name, kv_slice text,
                                      cmp_sheet *out);
// Reads the file. Its header must begin with the columns named in `header`
// (words, one blank between them); NULL accepts any. KV_NOT_FOUND, with a
// sentence, if there is no such file.
KV_MUST_USE kv_status cmp_sheet_read(const char *path, const char *header,
                                     cmp_sheet *out);
void cmp_sheet_free(cmp_sheet *t);

const char *cmp_sheet_column(const cmp_sheet *t, size_t column);
const char *cmp_sheet_cell(const cmp_sheet *t, size_t row, size_t column);
// NAN for NA. KV_INVALID names file, line and column of what is no number.
KV_MUST_USE kv_status cmp_sheet_number(const cmp_sheet *t, size_t row,
                                       size_t column, double *out);

// A whole file; KV_NOT_FOUND (with a sentence) or KV_IO.
KV_MUST_USE kv_status cmp_file_read(const char *path, kv_buf *out);
KV_MUST_USE kv_status cmp_file_write(const char *path, kv_slice bytes);

#endif
