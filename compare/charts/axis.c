// axis.c -- see axis.h.
// SPDX-License-Identifier: MIT

#include "compare/charts/axis.h"

#include <math.h>
#include <stdio.h>

#include "compare/report/text.h"

const cmp_axis cmp_axis_empty = {.min = INFINITY, .max = -INFINITY};

void cmp_axis_take(cmp_axis *a, double value)
{
    if (isnan(value)) return;
    a->min = fmin(a->min, value);
    a->max = fmax(a->max, value);
}

double cmp_axis_span(const cmp_axis *a)
{
    return a->min > 0 ? a->max / a->min : 0;
}

// The largest of 1, 2, 5 times a power of ten that is not above the value, or
// the smallest that is not below.
static double round_number(double value, bool up)
{
    const double times[] = {1, 2, 5, 10};
    double unit = pow(10, floor(log10(value)));
    for (size_t i = 0; i < 4; i++) {
        if (up && times[i] * unit >= value) return times[i] * unit;
        if (!up && times[i + 1 < 4 ? i + 1 : 3] * unit > value) {
            return times[i] * unit;
        }
    }
    return value;
}

double cmp_axis_step(double max, int steps)
{
    if (max <= 0) return 1;
    double unit = pow(10, floor(log10(max / steps)));
    const double times[] = {1, 2, 5, 10};
    for (size_t i = 0; i < 4; i++) {
        if (max / (times[i] * unit) <= steps) return times[i] * unit;
    }
    return 10 * unit;
}

// Numbers of a plain size stand as they are.
static const char *say_number(cmp_number *n, double value)
{
    double size = fabs(value);
    if (size >= 1000) return cmp_si(n, value);
    snprintf(n->text, sizeof n->text, "%.6g", size < 1e-12 ? 0 : value);
    return n->text;
}

static const char *(*say_of(const cmp_axis *a))(cmp_number *, double)
{
    return a->say != NULL ? a->say : say_number;
}

static void tick(cmp_figure *f, const char *text, double at, bool *any)
{
    cmp_append(&f->script, *any ? ", " : "");
    cmp_quoted_tic(&f->script, text);
    kv_buf_printf(&f->script, " %g", at);
    *any = true;
}

static void log_ticks(cmp_figure *f, double low, double high,
                      const char *(*say)(cmp_number *, double))
{
    const double times[] = {1, 2, 5};
    bool is_fine = high / low <= 300; // then powers of ten are too few
    bool is_long = high / low > 2e5;  // then not each of them has room
    bool any = false;
    for (double unit = pow(10, floor(log10(low))); unit <= high;
         unit *= is_long ? 100 : 10) {
        for (size_t i = 0; i < (is_fine ? 3 : 1); i++) {
            double at = times[i] * unit;
            cmp_number n;
            if (at < low * 0.99 || at > high * 1.01) continue;
            tick(f, say(&n, at), at, &any);
        }
    }
}

void cmp_script_log_axis(cmp_figure *f, double min, double max,
                         const char *(*say)(cmp_number *, double))
{
    double low = round_number(min * 0.95, false);
    double high = round_number(max * 1.05, true);
    kv_buf_printf(&f->script, "set logscale x\nset xrange [%g:%g]\nset xtics (",
                  low, high);
    log_ticks(f, low, high, say);
    cmp_append(&f->script, ")\n");
    kv_buf_printf(&f->script, "low = %g\nhigh = %g\n", low, high);
}

static void script_range(cmp_figure *f, char letter, const cmp_axis *a)
{
    kv_buf_printf(
        &f->script, "%s logscale %c\nset %crange [%g:%g]\nset %ctics (",
        a->is_log ? "set" : "unset", letter, letter, a->min, a->max, letter);
}

// Where the names of places are, and how many.
static void named_ticks(cmp_figure *f, cmp_axis *a)
{
    bool any = false;
    size_t count = 0;
    if (*a->names == '\0') tick(f, "", 0, &any);
    for (const char *at = a->names; *at != '\0'; count++) {
        char name[64];
        size_t len = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)len, at);
        tick(f, name, (double)count, &any);
        at += len + strspn(at + len, ", ");
    }
}

static void linear_ticks(cmp_figure *f, const cmp_axis *a, double step)
{
    bool any = false;
    for (double at = ceil(a->min / step - 0.01) * step;
         at <= a->max + step / 100; at += step) {
        cmp_number n;
        tick(f, say_of(a)(&n, at), at, &any);
    }
}

void cmp_axis_script(cmp_figure *f, char letter, cmp_axis *a)
{
    double step = 0;
    if (a->names != NULL) {
        *a = (cmp_axis){
            .min = a->min - 0.5, .max = a->max + 0.5, .names = a->names};
    } else if (a->is_log) {
        double room = fmax(pow(a->max / a->min, 0.05), 1.1); // for its points
        a->min =
            a->is_tight ? a->min / room : round_number(a->min * 0.97, false);
        a->max =
            a->is_tight ? a->max * room : round_number(a->max * 1.03, true);
    } else {
        // From 0, unless that would press all lines together at the top.
        bool from_zero = a->min >= 0 && a->min <= 0.7 * a->max;
        step = cmp_axis_step(from_zero ? a->max : a->max - a->min, 5);
        a->min = from_zero ? 0 : floor(a->min / step) * step;
        a->max = a->is_tight ? a->max + 0.04 * (a->max - a->min)
                             : ceil(a->max * (1 + 1e-9) / step) * step;
        if (a->max <= a->min) a->max = a->min + step;
    }
    script_range(f, letter, a);
    if (a->names != NULL) named_ticks(f, a);
    else if (a->is_log) log_ticks(f, a->min, a->max, say_of(a));
    else linear_ticks(f, a, step);
    cmp_append(&f->script, ")\n");
}

double cmp_axis_place(const cmp_axis *a, double value)
{
    if (a->is_log) return log(value / a->min) / log(a->max / a->min);
    return (value - a->min) / (a->max - a->min);
}
