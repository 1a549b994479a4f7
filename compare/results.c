// results.c -- see results.h.
// SPDX-License-Identifier: MIT

#include "compare/results.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/report.h"

#include "compare/machine.h"

static const struct {
    const char *name, *columns;
} tables[CMP_TABLES] = {
    [CMP_MANIFEST] = {"manifest", "key\tvalue"},
    [CMP_MEASURES] = {"measures", "engine\tworkload\tphase\trep\tmeasure\t"
                                  "value"},
    [CMP_SPACE] = {"space", "engine\tworkload\trep\tuser_bytes\tdisk_bytes\t"
                            "live_bytes"},
    [CMP_LATENCY] = {"latency", "engine\tworkload\top\tns\tcount"},
    [CMP_TIMELINE] = {"timeline",
                      "engine\tworkload\tshare\tsecond\tops\tp50_ns\tp99_ns\t"
                      "max_ns\twritten_bytes\tbackground_bytes"},
    [CMP_OPENLOOP] = {"openloop",
                      "engine\tworkload\tshare\toffered_per_s\tachieved_per_s\t"
                      "p50_ns\tp99_ns\tp999_ns\tp9999_ns\tmax_ns"},
    [CMP_AGEING] = {"ageing",
                    "engine\tworkload\trep\twindow\tupdates_per_record"
                    "\twa\tdisk_bytes\tlive_bytes"},
    [CMP_VOID] = {"void", "engine\tworkload\trep\treason"},
};

static FILE *open_in(const char *dir, const char *name, const char *mode)
{
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/%s%c", dir, name, '\0');
    FILE *file = fopen((char *)path.data, mode);
    if (file == NULL) {
        kv_fail(errno == ENOSPC ? KV_NO_SPACE : KV_IO, "%s: %s",
                (char *)path.data, strerror(errno));
    }
    kv_buf_free(&path);
    return file;
}

static kv_status close_tables(cmp_results *r)
{
    kv_status st = KV_OK;
    for (int i = 0; i < CMP_TABLES; i++) {
        if (r->file[i] == NULL) continue;
        bool failed = ferror(r->file[i]) != 0;
        failed = fclose(r->file[i]) != 0 || failed;
        if (failed && st == KV_OK) {
            int error = r->error != 0 ? r->error : errno;
            st = kv_fail(error == ENOSPC ? KV_NO_SPACE : KV_IO,
                         "%s/%s.tsv could not be written whole: %s", r->dir,
                         tables[i].name, strerror(error));
        }
    }
    return st;
}

kv_status cmp_results_open(cmp_results *r, const char *dir)
{
    *r = (cmp_results){0};
    KV_TRY(cmp_make_dir(dir));
    r->dir = kv_strdup(dir);
    for (int i = 0; i < CMP_TABLES; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s.tsv", tables[i].name);
        r->file[i] = open_in(dir, name, "w");
        if (r->file[i] == NULL) {
            for (int j = 0; j < i; j++) fclose(r->file[j]);
            kv_free(r->dir);
            *r = (cmp_results){0};
            return KV_IO;
        }
        fprintf(r->file[i], "%s\n", tables[i].columns);
        if (fflush(r->file[i]) != 0 && r->error == 0) r->error = errno;
    }
    if (r->error == 0) return KV_OK;
    kv_status st = close_tables(r);
    kv_free(r->dir);
    *r = (cmp_results){0};
    return st;
}

void cmp_results_row(cmp_results *r, cmp_table table, const char *row)
{
    fprintf(r->file[table], "%s\n", row);
    // What was measured is kept, whatever ends this program.
    if (fflush(r->file[table]) != 0 && r->error == 0) r->error = errno;
}

void cmp_results_fact(cmp_results *r, const char *key, const char *fmt, ...)
{
    char text[2000];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    kv_buf row = {0};
    kv_buf_printf(&row, "%s\t", key);
    kv_escape(&row, kv_str(text));
    kv_buf_append(&row, kv_slice_of("", 1));
    cmp_results_row(r, CMP_MANIFEST, (char *)row.data);
    kv_buf_free(&row);
}

// Without its newline; false at the end.
static bool read_line(FILE *file, kv_buf *line)
{
    char part[4096];
    kv_buf_clear(line);
    while (fgets(part, sizeof part, file) != NULL) {
        kv_buf_append(line, kv_str(part));
        if (line->data[line->len - 1] == '\n') {
            line->len--;
            break;
        }
    }
    bool is_there = line->len > 0 || !feof(file);
    kv_buf_append(line, kv_slice_of("", 1));
    return is_there && !ferror(file);
}

kv_status cmp_results_each(const char *dir, cmp_table table,
                           void (*each)(void *arg, char *row), void *arg)
{
    char name[32];
    snprintf(name, sizeof name, "%s.tsv", tables[table].name);
    FILE *file = open_in(dir, name, "r");
    if (file == NULL) return KV_IO;
    kv_buf line = {0};
    kv_status st = KV_OK;
    for (bool is_first = true; read_line(file, &line); is_first = false) {
        if (!is_first) {
            if (each != NULL) each(arg, (char *)line.data);
        } else if (strcmp((char *)line.data, tables[table].columns) != 0) {
            st = kv_fail(KV_INVALID,
                         "%s/%s: its columns are not those this program "
                         "writes: %.60s",
                         dir, name, (char *)line.data);
            break;
        }
    }
    if (ferror(file))
        st = kv_fail(KV_IO, "%s/%s: %s", dir, name, strerror(errno));
    kv_buf_free(&line);
    fclose(file);
    return st;
}

// ---- results.json -----------------------------------------------------------

// A number as it is, NA as null, all else as a string.
static void put_value(kv_buf *to, char *cell)
{
    char *end;
    if (strcmp(cell, "NA") == 0) {
        kv_buf_printf(to, "null");
        return;
    }
    strtod(cell, &end);
    // What strtod takes and JSON does not: nan, infinity, 0x10, +1, .5
    bool is_number = *cell != '\0' && *end == '\0' &&
                     strspn(cell, "0123456789.eE+-") == strlen(cell) &&
                     *cell != '+' && *cell != '.' && end[-1] != '.' &&
                     !(cell[0] == '0' && cell[1] >= '0' && cell[1] <= '9');
    if (is_number) {
        kv_buf_printf(to, "%s", cell);
        return;
    }
    kv_buf text = {0};
    if (kv_unescape(&text, kv_str(cell)) != KV_OK) {
        kv_buf_clear(&text);
        kv_buf_append(&text, kv_str(cell));
    }
    kv_json_string(to, kv_buf_slice(&text));
    kv_buf_free(&text);
}

static char *next_cell(char **rest)
{
    char *cell = *rest;
    size_t len = strcspn(cell, "\t\n");
    *rest = cell + len + (cell[len] == '\t');
    cell[len] = '\0';
    return cell;
}

static void put_row(kv_buf *to, const char *columns, char *line)
{
    char names[128];
    snprintf(names, sizeof names, "%s", columns);
    char *name_rest = names;
    kv_buf_printf(to, "{");
    for (const char *comma = ""; *name_rest != '\0'; comma = ", ") {
        kv_buf_printf(to, "%s\"%s\": ", comma, next_cell(&name_rest));
        put_value(to, next_cell(&line));
    }
    kv_buf_printf(to, "}");
}

struct putting {
    kv_buf *to;
    cmp_table table;
    const char *comma;
};

static void put_line(void *arg, char *line)
{
    struct putting *p = arg;
    kv_buf_printf(p->to, "%s", p->comma);
    p->comma = ",\n  ";
    if (p->table != CMP_MANIFEST) {
        put_row(p->to, tables[p->table].columns, line);
        return;
    }
    kv_json_string(p->to, kv_str(next_cell(&line)));
    kv_buf_printf(p->to, ": ");
    put_value(p->to, next_cell(&line));
}

static kv_status put_table(kv_buf *to, const char *dir, cmp_table table)
{
    struct putting p = {to, table, "\n  "};
    bool is_fact = table == CMP_MANIFEST;
    kv_buf_printf(to, "\"%s\": %s", tables[table].name, is_fact ? "{" : "[");
    KV_TRY(cmp_results_each(dir, table, put_line, &p));
    kv_buf_printf(to, "%s", is_fact ? "}" : "]");
    return KV_OK;
}

static kv_status write_json(const char *dir)
{
    kv_buf json = {0};
    kv_status st = KV_OK;
    FILE *file = NULL;
    for (int i = 0; i < CMP_TABLES; i++) {
        kv_buf_printf(&json, "%s", i == 0 ? "{" : ",\n");
        if ((st = put_table(&json, dir, (cmp_table)i)) != KV_OK) goto out;
    }
    kv_buf_printf(&json, "}\n");
    file = open_in(dir, "results.json", "w");
    if (file == NULL) st = KV_IO;
    else if (fwrite(json.data, 1, json.len, file) != json.len) {
        st = kv_fail(KV_IO, "%s/results.json: %s", dir, strerror(errno));
    }
out:
    if (file != NULL && fclose(file) != 0 && st == KV_OK) {
        st = kv_fail(KV_IO, "%s/results.json: %s", dir, strerror(errno));
    }
    kv_buf_free(&json);
    return st;
}

kv_status cmp_results_close(cmp_results *r)
{
    kv_status st = close_tables(r);
    if (st == KV_OK) st = write_json(r->dir);
    kv_free(r->dir);
    *r = (cmp_results){0};
    return st;
}
