// main.c -- the program `compare`.
// SPDX-License-Identifier: MIT

#include <stdio.h>

#include "common/cli/words.h"

#include "compare/claims/claims.h"
#include "compare/compare.h"
#include "compare/duel.h"
#include "compare/merge.h"
#include "compare/plan.h"
#include "compare/run.h"

enum { DONE = 0, USAGE = 2, FAILED = 3 };

static const char *command_name(size_t index)
{
    static const char *const names[] = {"run",  "plan",   "merge", "replay",
                                        "duel", "claims", "chart", "list",
                                        "help", NULL};
    return names[index];
}

static int help(FILE *to, int code)
{
    fprintf(to, "usage: compare run [OPTIONS]        every engine, every "
                "workload, a report\n"
                "       compare replay FILE          what a real program "
                "asked (- is standard input)\n"
                "       compare plan [OPTIONS]       the trials of that run, "
                "numbered; --only takes a share\n"
                "       compare merge DIR...         shares of a run, joined "
                "in --out DIR\n"
                "       compare duel A B [OPTIONS]   two of them, in turns\n"
                "       compare claims [C07 ...]     the book's claims, tried "
                "one by one\n"
                "       compare chart DIR [--png|--text]  a run's page, "
                "drawn anew; charts as bitmaps, or in letters\n"
                "       compare list [PART]          engines, workloads, "
                "profiles, measures, claims\n"
                "       compare help\n\noptions\n");
    cmp_options_help(to);
    fprintf(to,
            "\nexamples\n"
            "  compare run --profile ci\n"
            "  compare run --engines hash,log --workloads workloada "
            "--set log:read=map\n"
            "  compare duel log tkrzw --workload fill-random --records "
            "2M\n"
            "  compare run --engines log,cmd:./mine --records 1000\n"
            "  compare run --workloads 'twitter-*,fillseq' --engines lsm,bt\n"
            "  compare run --only 2/3 --out b    on the second of three "
            "machines, then\n"
            "  compare merge a b c --out report  where all of it came "
            "together\n"
            "  compare replay trace.tsv.zst --engines log,lsm,rocksdb\n"
            "\nexit codes: 0 done, 2 the command makes no sense, 3 "
            "something failed\n");
    return code;
}

static int with_options(int argc, char **argv, size_t engines,
                        int (*command)(cmp_options *))
{
    static cmp_options options; // too large for a stack
    int code = USAGE;
    if (cmp_options_read(&options, argc, argv, engines) != KV_OK) {
        fprintf(stderr, "compare: %s\n", kv_last_error());
    } else {
        code = command(&options);
    }
    cmp_options_free(&options);
    return code;
}

static int chart(int argc, char **argv)
{
    bool with_png = argc == 4 && strcmp(argv[3], "--png") == 0;
    bool with_text = argc == 4 && strcmp(argv[3], "--text") == 0;
    if (argc != 3 && !with_png && !with_text) {
        fprintf(stderr, "compare: chart takes a run's directory: compare "
                        "chart DIR [--png | --text]\n");
        return USAGE;
    }
    kv_status st = with_png    ? cmp_report_with_png(argv[2])
                   : with_text ? cmp_report_with_text(argv[2])
                               : cmp_report(argv[2]);
    if (st == KV_OK) return DONE;
    fprintf(stderr, "compare: %s\n", kv_last_error());
    return FAILED;
}

static int list(int argc, char **argv)
{
    if (argc > 3) {
        fprintf(stderr, "compare: list takes one word: compare list claims\n");
        return USAGE;
    }
    if (cmp_list(argc == 3 ? argv[2] : NULL) == KV_OK) return DONE;
    fprintf(stderr, "compare: %s\n", kv_last_error());
    return USAGE;
}

// help, or --help and -h anywhere.
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return argc > 1 && strcmp(argv[1], "help") == 0;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (asks_for_help(argc, argv)) return help(stdout, DONE);
    if (strcmp(command, "run") == 0) {
        return with_options(argc, argv, 0, cmp_run);
    }
    if (strcmp(command, "replay") == 0) {
        return with_options(argc, argv, 0, cmp_run);
    }
    if (strcmp(command, "plan") == 0) {
        return with_options(argc, argv, 0, cmp_plan);
    }
    if (strcmp(command, "merge") == 0) return cmp_merge(argc, argv);
    if (strcmp(command, "duel") == 0) {
        return with_options(argc, argv, 2, cmp_duel);
    }
    if (strcmp(command, "claims") == 0) return cmp_claims(argc, argv);
    if (strcmp(command, "chart") == 0) return chart(argc, argv);
    if (strcmp(command, "list") == 0) return list(argc, argv);
    if (argc < 2) return help(stderr, USAGE);
    const char *nearest = kv_cli_nearest(command, command_name);
    fprintf(stderr, "compare: there is no command \"%s\"; %s%s\n", command,
            nearest ? "did you mean " : "see compare help",
            nearest ? nearest : "");
    return USAGE;
}
