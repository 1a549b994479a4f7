// picture.c -- see picture.h.
// SPDX-License-Identifier: MIT

#include "compare/report/picture.h"

#include "compare/report/text.h"

// Where `word` begins in the text from `at` on; text.len if nowhere.
static size_t find(kv_slice text, size_t at, const char *word)
{
    size_t len = strlen(word);
    for (; at + len <= text.len; at++) {
        if (memcmp(text.data + at, word, len) == 0) return at;
    }
    return text.len;
}

static bool is_at(kv_slice text, size_t at, const char *word)
{
    size_t len = strlen(word);
    return at + len <= text.len && memcmp(text.data + at, word, len) == 0;
}

// The words after which an id follows, in gnuplot's SVG.
static const char *const before_id[] = {" id='",    " id=\"", "href='#",
                                        "href=\"#", "url(#",  "url('#"};
enum { BEFORE_ID = sizeof before_id / sizeof *before_id };

static size_t copy_one(kv_slice svg, size_t at, const char *prefix, kv_buf *to)
{
    for (size_t i = 0; i < BEFORE_ID; i++) {
        if (!is_at(svg, at, before_id[i])) continue;
        cmp_append(to, before_id[i]);
        cmp_append(to, prefix);
        return strlen(before_id[i]);
    }
    // gnuplot titles every plot with its number, which browsers show.
    if (is_at(svg, at, "<title>")) {
        return find(svg, at, "</title>") + strlen("</title>") - at;
    }
    if (is_at(svg, at, "<desc>")) {
        return find(svg, at, "</desc>") + strlen("</desc>") - at;
    }
    kv_buf_append(to, kv_slice_of(svg.data + at, 1));
    return 1;
}

// The third number of the viewBox: the width it was drawn for. A picture that
// is shown larger has letters larger than the page's.
static size_t width_of(kv_slice svg, size_t start, size_t end)
{
    const char *word = "viewBox=\"0 0 ";
    size_t at = find(svg, start, word) + strlen(word), width = 0;
    for (; at < end && svg.data[at] >= '0' && svg.data[at] <= '9'; at++) {
        width = 10 * width + (svg.data[at] - '0');
    }
    return width;
}

kv_status cmp_picture_draw(const cmp_picture *p, kv_slice svg, kv_buf *to)
{
    size_t start = find(svg, 0, "<svg"), body = find(svg, start, ">");
    size_t end = find(svg, body, "</svg>");
    if (end == svg.len) {
        return kv_fail(KV_INVALID,
                       "%s: gnuplot's picture holds no whole "
                       "<svg> element",
                       p->title);
    }
    cmp_append(to, "<svg role=\"img\" class=\"");
    cmp_html(to, p->class);
    cmp_append(to, "\" aria-labelledby=\"");
    kv_buf_printf(to, "%st %sd\"", p->prefix, p->prefix);
    kv_buf_printf(to, " style=\"max-width:%zupx\"", width_of(svg, start, body));
    kv_buf_append(to, kv_slice_of(svg.data + start + 4, body + 1 - start - 4));
    kv_buf_printf(to, "\n<title id=\"%st\">", p->prefix);
    cmp_html(to, p->title);
    kv_buf_printf(to, "</title>\n<desc id=\"%sd\">", p->prefix);
    cmp_html(to, p->description);
    cmp_append(to, "</desc>");
    for (size_t at = body + 1; at < end;) {
        at += copy_one(svg, at, p->prefix, to);
    }
    cmp_append(to, "</svg>\n");
    return KV_OK;
}
