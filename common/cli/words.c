// words.c -- see words.h.
// SPDX-License-Identifier: MIT

#include "common/cli/words.h"

#include <stdlib.h>

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

enum { NEAR_MAX = 31 }; // letters; no command is longer

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// Letters to insert, drop, change, or swap with their neighbour on the way
// from one to the other.
static size_t distance(const char *from, size_t from_len, const char *to,
                       size_t to_len)
{
    size_t far[NEAR_MAX + 1][NEAR_MAX + 1];
    for (size_t y = 0; y <= from_len; y++) {
        for (size_t x = 0; x <= to_len; x++) {
            if (x == 0 || y == 0) {
                far[y][x] = x + y;
                continue;
            }
            bool is_same = from[y - 1] == to[x - 1];
            far[y][x] = least(least(far[y - 1][x], far[y][x - 1]) + 1,
                              far[y - 1][x - 1] + !is_same);
            bool is_swapped = x > 1 && y > 1 && from[y - 1] == to[x - 2] &&
                              from[y - 2] == to[x - 1];
            if (is_swapped) far[y][x] = least(far[y][x], far[y - 2][x - 2] + 1);
        }
    }
    return far[from_len][to_len];
}

const char *kv_cli_nearest(const char *word,
                           const char *(*candidate)(size_t index))
{
    const char *best = NULL;
    size_t len = strlen(word), least_far = (len + 2) / 3 + 1;
    for (size_t i = 0; candidate(i) != NULL && len <= NEAR_MAX; i++) {
        size_t candidate_len = strlen(candidate(i));
        if (candidate_len > NEAR_MAX) continue;
        size_t far = distance(word, len, candidate(i), candidate_len);
        if (far >= least_far || far >= candidate_len) continue;
        best = candidate(i);
        least_far = far;
    }
    return best;
}
