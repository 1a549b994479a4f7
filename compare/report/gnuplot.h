// gnuplot.h -- runs gnuplot as a child process, without a shell.
// SPDX-License-Identifier: MIT

#ifndef COMPARE_REPORT_GNUPLOT_H
#define COMPARE_REPORT_GNUPLOT_H

#include "common/status.h"

// Runs `gnuplot SCRIPT` in the directory after the statements `set`
// ("narrow = 1"; NULL for none) and checks that it ended well and that the
// file `output` is there and not empty. KV_UNSUPPORTED, with what to install,
// if there is no gnuplot; KV_IO with gnuplot's own complaint if it failed.
KV_MUST_USE kv_status cmp_gnuplot_run(const char *dir, const char *script,
                                      const char *set, const char *output);

#endif
