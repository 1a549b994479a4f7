// line_store.c -- a program that keeps keys and values in memory and in a file,
// and speaks the lines of compare/command.c: what the laws are tried on.
// SPDX-License-Identifier: MIT
//
// Keys and values stay escaped, as they come: equal bytes are equal text.

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    char *key, *value;
    struct row *next;
};

static struct row *rows;
static FILE *file;

static struct row **find(const char *key)
{
    struct row **at = &rows;
    while (*at != NULL && strcmp((*at)->key, key) != 0) at = &(*at)->next;
    return at;
}

static void drop(const char *key)
{
    struct row **at = find(key), *row = *at;
    if (row == NULL) return;
    *at = row->next;
    free(row->key);
    free(row->value);
    free(row);
}

static void put(const char *key, const char *value)
{
    drop(key);
    struct row *row = malloc(sizeof *row);
    if (row == NULL) exit(1);
    *row = (struct row){strdup(key), strdup(value), rows};
    rows = row;
}

// A change as its request told it; false if it is none.
static int change(const char *call, const char *key, const char *value)
{
    if (strcmp(call, "put") == 0) put(key, value);
    else if (strcmp(call, "del") == 0) drop(key);
    else return 0;
    return 1;
}

static void answer(const char *call, const char *key)
{
    if (strcmp(call, "get") == 0) {
        struct row *row = *find(key);
        if (row != NULL) printf("ok\t%s\n", row->value);
        else printf("none\n");
    } else if (strcmp(call, "scan") == 0) {
        for (struct row *row = rows; row != NULL; row = row->next) {
            printf("row\t%s\t%s\n", row->key, row->value);
        }
        printf("end\n");
    } else {
        printf("ok\n");
    }
}

// "call\tkey\tvalue\n" in three.
static void part(char *line, char **key, char **value)
{
    line[strcspn(line, "\n")] = '\0';
    char *tab = strchr(line, '\t');
    *key = *value = line + strlen(line);
    if (tab == NULL) return;
    *tab = '\0';
    *key = tab + 1;
    tab = strchr(*key, '\t');
    if (tab == NULL) return;
    *tab = '\0';
    *value = tab + 1;
}

int main(int argc, char **argv)
{
    char path[4096], *line = NULL, *key, *value;
    size_t cap = 0;
    if (argc != 2) return 2;
    snprintf(path, sizeof path, "%s/lines", argv[1]);
    file = fopen(path, "a+");
    if (file == NULL) return printf("error\t%s cannot be opened\n", path), 1;
    rewind(file);
    while (getline(&line, &cap, file) > 0) {
        part(line, &key, &value);
        change(line, key, value);
    }
    while (getline(&line, &cap, stdin) > 0) {
        part(line, &key, &value);
        if (change(line, key, value)) {
            fprintf(file, "%s\t%s\t%s\n", line, key, value);
            fflush(file);
        }
        answer(line, key);
        fflush(stdout);
        if (strcmp(line, "close") == 0) break;
    }
    return fclose(file) != 0;
}
