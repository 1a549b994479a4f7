// words.c -- see words.h.
// SPDX-License-Identifier: MIT

#include "common/cli/words.h"

#include <stdlib.h>

#include "common/distance.h"
#include "common/mem.h"

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void add_byte(kv_cli_words *words, uint8_t byte)
{
    kv_buf_append(&words->text, kv_slice_of(&byte, 1));
}

// One word from `at` on, without its quotes; returns where it ends.
static kv_status cut_one(kv_cli_words *words, kv_slice line, size_t *at)
{
    uint8_t quote = 0;
    size_t opened = 0;
    for (; *at < line.len; (*at)++) {
        uint8_t byte = line.data[*at];
        if (byte == '\0') {
            return kv_fail(KV_INVALID, "column %zu: a byte 0 (write \\x00)",
                           *at + 1);
        }
        if (quote == 0 && is_blank(byte)) break;
        if (quote != 0 ? byte == quote : byte == '"' || byte == '\'') {
            quote = quote ? 0 : byte;
            opened = *at + 1;
        } else {
            add_byte(words, byte);
        }
    }
    if (quote != 0) {
        return kv_fail(KV_INVALID, "column %zu: this %c is never closed",
                       opened, quote);
    }
    add_byte(words, '\0');
    return KV_OK;
}

kv_status kv_cli_words_cut(kv_cli_words *words, const char *program,
                           kv_slice line)
{
    kv_buf_clear(&words->text);
    kv_buf_append(&words->text, kv_slice_of(program, strlen(program) + 1));
    words->count = 1;
    for (size_t at = 0;;) {
        while (at < line.len && is_blank(line.data[at])) at++;
        if (at == line.len || line.data[at] == '#') break;
        KV_TRY(cut_one(words, line, &at));
        words->count++;
    }

    // Only now: `text` has stopped moving.
    size_t room = ((size_t)words->count + 1) * sizeof words->word[0];
    words->word = kv_realloc(words->word, room);
    char *next = (char *)words->text.data;
    for (int i = 0; i < words->count; i++) {
        words->word[i] = next;
        next += strlen(next) + 1;
    }
    words->word[words->count] = NULL;
    return KV_OK;
}

void kv_cli_words_free(kv_cli_words *words)
{
    kv_free(words->word);
    kv_buf_free(&words->text);
    *words = (kv_cli_words){0};
}

const char *kv_cli_nearest(const char *word,
                           const char *(*candidate)(size_t index))
{
    const char *best = NULL;
    size_t least_far = (strlen(word) + 2) / 3 + 1;
    for (size_t i = 0; candidate(i) != NULL; i++) {
        size_t far = kv_distance(kv_str(word), kv_str(candidate(i)));
        if (far >= least_far || far >= strlen(candidate(i))) continue;
        best = candidate(i);
        least_far = far;
    }
    return best;
}
