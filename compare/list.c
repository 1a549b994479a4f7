// list.c -- `compare list`.
// SPDX-License-Identifier: MIT

#include <stdio.h>

#include "common/cli/words.h"

#include "compare/claims/claim.h"
#include "compare/compare.h"
#include "compare/options.h"

static void list_engines(void)
{
    const char *name;
    printf("engines\n");
    for (size_t i = 0; (name = cmp_engine_name(i)) != NULL; i++) {
        cmp_engine engine;
        kv_buf title = {0};
        if (cmp_engine_find(&engine, name) != KV_OK) {
            kv_buf_printf(&title, "%s", kv_last_error());
        } else if (engine.engine == NULL) {
            kv_buf_printf(&title, "%s", engine.absent);
        } else {
            cmp_engine_title(&engine, &title);
        }
        printf("  %-20s %.*s\n", name, (int)title.len, (char *)title.data);
        kv_buf_free(&title);
    }
}

static void list_workloads(void)
{
    const char *name;
    printf("workloads\n");
    for (size_t i = 0; (name = cmp_workload_name(i)) != NULL; i++) {
        cmp_workload w;
        if (cmp_workload_find(&w, name) != KV_OK) continue;
        printf("  %-20s %s\n", name, w.about);
    }
    printf("  a path with a slash  your own, as YCSB's property files are "
           "written\n"
           "  data-* are of the records of --data FILE, and named after it\n");
}

static void list_profiles(void)
{
    printf("profiles\n");
    for (const cmp_profile *p = cmp_profiles; p->name; p++) {
        printf("  %-8s %9u records  %s\n", p->name, (unsigned)p->records,
               p->about);
    }
}

static void list_measures(void)
{
    printf("measures\n");
    for (const cmp_measure *m = cmp_measures; m->name; m++) {
        printf("  %-18s %-9s %-7s %s\n", m->name, m->unit,
               m->better == CMP_HIGHER ? "higher" : "lower", m->definition);
    }
}

static void list_claims(void)
{
    const cmp_claim *c;
    printf("claims, with the title of their section in the first edition and "
           "in the second\n");
    for (size_t i = 0; (c = cmp_claim_at(i)) != NULL; i++) {
        printf("  %s  %s\n       [%s | %s]\n", c->id, c->text, c->first,
               c->second);
    }
}

static const struct {
    const char *name;
    void (*list)(void);
} parts[] = {{"engines", list_engines},
             {"workloads", list_workloads},
             {"profiles", list_profiles},
             {"measures", list_measures},
             {"claims", list_claims}};
enum { PARTS = sizeof parts / sizeof *parts };

static const char *part_name(size_t index)
{
    return index < PARTS ? parts[index].name : NULL;
}

kv_status cmp_list(const char *part)
{
    bool is_any = false;
    for (size_t i = 0; i < PARTS; i++) {
        if (part != NULL && strcmp(part, parts[i].name) != 0) continue;
        if (is_any) printf("\n");
        parts[i].list();
        is_any = true;
    }
    if (is_any) return KV_OK;
    const char *nearest = kv_cli_nearest(part, part_name);
    return kv_fail(KV_INVALID,
                   "there is no list of \"%s\"; there are engines, workloads, "
                   "profiles, measures and claims%s%s%s",
                   part, nearest ? ": did you mean " : "",
                   nearest ? nearest : "", nearest ? "?" : "");
}
