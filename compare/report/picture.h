// picture.h -- an SVG file made fit to stand inside a page.
// SPDX-License-Identifier: MIT

#ifndef COMPARE_REPORT_PICTURE_H
#define COMPARE_REPORT_PICTURE_H

#include "common/bytes.h"

typedef struct cmp_picture {
    const char *prefix; // for every id, so that two pictures do not clash
    const char *class;
    const char *title, *description; // for those who cannot see it
} cmp_picture;

// Appends the <svg> element of gnuplot's output: ids prefixed, gnuplot's own
// titles replaced. KV_INVALID if there is no svg element in it.
KV_MUST_USE kv_status cmp_picture_draw(const cmp_picture *p, kv_slice svg,
                                       kv_buf *to);

#endif
