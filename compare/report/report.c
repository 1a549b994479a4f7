// report.c -- see report.h.
// SPDX-License-Identifier: MIT

#include "compare/report/report.h"

#include <errno.h>
#include <stdio.h>

#include "common/mem.h"

#include "compare/report/assets.h"
#include "compare/report/gnuplot.h"
#include "compare/report/page.h"

enum { CHARTS_MAX = 32 };

static kv_status write_file(const char *dir, const char *name,
                            const char *suffix, kv_slice bytes)
{
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/%s%s%c", dir, name, suffix, 0);
    kv_status st = cmp_file_write((char *)path.data, bytes);
    kv_buf_free(&path);
    return st;
}

static kv_status read_file(const char *dir, const char *name,
                           const char *suffix, kv_buf *out)
{
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/%s%s%c", dir, name, suffix, 0);
    kv_status st = cmp_file_read((char *)path.data, out);
    kv_buf_free(&path);
    return st;
}

// ---- one chart --------------------------------------------------------------

static kv_status run_gnuplot(const char *dir, const char *name, const char *set,
                             const char *suffix)
{
    kv_buf script = {0}, output = {0};
    kv_buf_printf(&script, "%s.gp%c", name, 0);
    kv_buf_printf(&output, "%s%s%c", name, suffix, 0);
    kv_status st =
        cmp_gnuplot_run(dir, (char *)script.data, set, (char *)output.data);
    kv_buf_free(&script);
    kv_buf_free(&output);
    return st;
}

static kv_status draw(const char *dir, cmp_drawing *d)
{
    const char *name = d->figure.chart->name;
    KV_TRY(run_gnuplot(dir, name, NULL, ".svg"));
    KV_TRY(run_gnuplot(dir, name, "narrow = 1", ".narrow.svg"));
    KV_TRY(read_file(dir, name, ".svg", &d->wide));
    return read_file(dir, name, ".narrow.svg", &d->narrow);
}

// Table and script.
static kv_status write_source(const char *dir, const cmp_figure *f)
{
    const char *name = f->chart->name;
    KV_TRY(write_file(dir, name, ".tsv", kv_buf_slice(&f->data)));
    if (f->panels == 0) return KV_OK;
    return write_file(dir, name, ".gp", kv_buf_slice(&f->script));
}

// ---- all of them ------------------------------------------------------------

static kv_status write_page(const cmp_rundir *r, const cmp_drawing *drawings,
                            size_t count)
{
    kv_buf page = {0}, part = {0}, whole = {0};
    kv_buf_printf(&part, "%s/index.html.part%c", r->path, 0);
    kv_buf_printf(&whole, "%s/index.html%c", r->path, 0);
    kv_status st = cmp_page_draw(r, drawings, count, &page);
    if (st == KV_OK)
        st = cmp_file_write((char *)part.data, kv_buf_slice(&page));
    if (st == KV_OK &&
        rename((char *)part.data, (char *)whole.data) != 0) { // R1
        st = kv_fail(KV_IO, "%s: cannot be put in place (%s)",
                     (char *)whole.data, strerror(errno));
    }
    if (st != KV_OK) remove((char *)part.data);
    kv_buf_free(&page);
    kv_buf_free(&part);
    kv_buf_free(&whole);
    return st;
}

// Draws what has panels. A failure is noted with the figure and in *trouble;
// the next figure is tried all the same, unless there is no gnuplot at all.
static void draw_all(const char *dir, cmp_drawing *drawings, size_t count,
                     kv_status *trouble)
{
    for (size_t i = 0; i < count; i++) {
        if (drawings[i].figure.panels == 0) continue;
        kv_status st = *trouble == KV_UNSUPPORTED ? KV_UNSUPPORTED
                                                  : draw(dir, &drawings[i]);
        if (st == KV_OK) continue;
        drawings[i].failure = kv_strdup(kv_last_error());
        *trouble = st;
    }
}

kv_status cmp_report_write(const char *run_dir)
{
    cmp_rundir r = {0};
    cmp_drawing drawings[CHARTS_MAX] = {0};
    char *sentence = NULL;
    size_t count = 0;
    kv_status trouble = KV_OK;
    KV_TRY(cmp_rundir_read(run_dir, &r));
    kv_status st = write_file(run_dir, "style", ".gp", kv_str(cmp_style_gp));
    for (; st == KV_OK && cmp_charts[count].make != NULL; count++) {
        cmp_figure_make(&cmp_charts[count], &r, &drawings[count].figure);
        st = write_source(run_dir, &drawings[count].figure);
    }
    if (st != KV_OK) goto out;
    draw_all(run_dir, drawings, count, &trouble);
    sentence = kv_strdup(kv_last_error());
    st = write_page(&r, drawings, count);
    if (st == KV_OK && trouble != KV_OK) st = kv_fail(trouble, "%s", sentence);
out:
    kv_free(sentence);
    for (size_t i = 0; i < CHARTS_MAX; i++) {
        cmp_figure_free(&drawings[i].figure);
        kv_buf_free(&drawings[i].wide);
        kv_buf_free(&drawings[i].narrow);
        kv_free(drawings[i].failure);
    }
    cmp_rundir_free(&r);
    return st;
}

// Every chart that has a script, once more in another form.
static kv_status draw_again(const char *run_dir, const char *set,
                            const char *suffix, FILE *to)
{
    for (const cmp_chart *c = cmp_charts; c->make != NULL; c++) {
        kv_buf text = {0};
        kv_status st = read_file(run_dir, c->name, ".gp", &text);
        kv_buf_clear(&text);
        if (st == KV_OK) {
            st = run_gnuplot(run_dir, c->name, set, suffix);
            if (st == KV_OK && to != NULL) {
                st = read_file(run_dir, c->name, suffix, &text);
            }
            if (text.len > 0) fwrite(text.data, 1, text.len, to);
        } else if (st == KV_NOT_FOUND) {
            st = KV_OK; // nothing to draw in this run
        }
        kv_buf_free(&text);
        KV_TRY(st);
    }
    return KV_OK;
}

kv_status cmp_report_png(const char *run_dir)
{
    return draw_again(run_dir, "form = 'png'", ".png", NULL);
}

kv_status cmp_report_text(const char *run_dir, FILE *to)
{
    return draw_again(run_dir, "form = 'txt'; narrow = 1", ".txt", to);
}
