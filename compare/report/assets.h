// assets.h -- files of the source tree that the program carries with it, as
// text; made at build time by embed.cmake.
// SPDX-License-Identifier: MIT

#ifndef COMPARE_REPORT_ASSETS_H
#define COMPARE_REPORT_ASSETS_H

extern const char cmp_style_gp[]; // charts/style.gp
extern const char cmp_page_css[]; // report/page.css
extern const char cmp_page_js[];  // report/page.js

#endif
