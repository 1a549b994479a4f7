// words.h -- a line of the repl, cut into words.
// SPDX-License-Identifier: MIT
//
//     put "a key" ''      ->  put | a key | (empty)
//
// Blanks separate; '...' and "..." keep blanks and may be empty; # begins a
// comment where a word could begin. A backslash means nothing here: keys and
// values are unescaped later, as on the command line.

#ifndef COMMON_CLI_WORDS_H
#define COMMON_CLI_WORDS_H

#include "common/bytes.h"

// All words live in `text`; word[0] is the caller's (a program's name, as in
// argv), and word[count] is NULL.
typedef struct kv_cli_words {
    char **word;
    int count;
    kv_buf text;
} kv_cli_words;

// KV_INVALID for a quote that is not closed, or a byte 0. Replaces what the
// words were before.
KV_MUST_USE kv_status kv_cli_words_cut(kv_cli_words *words, const char *program,
                                       kv_slice line);
void kv_cli_words_free(kv_cli_words *words);

// The candidate that `word` most likely meant, or NULL if none is near: at
// most a third of its letters are wrong. candidate() returns NULL at the end.
const char *kv_cli_nearest(const char *word,
                           const char *(*candidate)(size_t index));

#endif
