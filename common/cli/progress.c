// progress.c -- see progress.h.
// SPDX-License-Identifier: MIT

#include "common/cli/progress.h"

#include <stdio.h>

#include "common/cli/terminal.h"
#include "common/clock.h"

static const uint64_t redraw_ns = 100000000;

void kv_cli_progress_begin(kv_cli_progress *p, const char *doing, bool is_on)
{
    uint64_t now = kv_now_ns();
    *p = (kv_cli_progress){doing, is_on && kv_cli_can_redraw(), now, now};
}

void kv_cli_print_grouped(kv_buf *to, uint64_t n)
{
    if (n >= 1000) {
        kv_cli_print_grouped(to, n / 1000);
        kv_buf_printf(to, ",%03u", (unsigned)(n % 1000));
    } else {
        kv_buf_printf(to, "%u", (unsigned)n);
    }
}

void kv_cli_progress_line(kv_buf *to, const char *doing, double seconds,
                          uint64_t records, uint64_t done, uint64_t total)
{
    kv_buf_printf(to, "%s ", doing);
    kv_cli_print_grouped(to, records);
    kv_buf_printf(to, " records");
    if (total > 0) {
        double share = (double)done / (double)total;
        kv_buf_printf(to, "  %d %%", (int)((share > 1 ? 1 : share) * 100));
    }
    if (seconds <= 0) return;
    kv_buf_printf(to, "  ");
    kv_cli_print_grouped(to, (uint64_t)((double)records / seconds));
    kv_buf_printf(to, "/s");
    if (total == 0 || done == 0 || done >= total) return;
    double ahead = (double)(total - done) * seconds / (double)done;
    uint64_t left = (uint64_t)(ahead + 0.5);
    kv_buf_printf(to, "  %llu:%02u left", (unsigned long long)(left / 60),
                  (unsigned)(left % 60));
}

void kv_cli_progress_show(kv_cli_progress *p, uint64_t records, uint64_t done,
                          uint64_t total)
{
    if (!p->is_on) return;
    uint64_t now = kv_now_ns();
    if (now - p->drawn_ns < redraw_ns) return;
    p->drawn_ns = now;
    kv_buf line = {0};
    double seconds = (double)(now - p->start_ns) / 1e9;
    kv_cli_progress_line(&line, p->doing, seconds, records, done, total);
    fprintf(stderr, "\r\033[K%.*s", (int)line.len, (const char *)line.data);
    fflush(stderr);
    kv_buf_free(&line);
}

void kv_cli_progress_end(kv_cli_progress *p)
{
    if (!p->is_on || p->drawn_ns == p->start_ns) return;
    fprintf(stderr, "\r\033[K");
    fflush(stderr);
}
