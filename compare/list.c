// list.c -- `compare list`.
// SPDX-License-Identifier: MIT

#include <stdio.h>

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
    printf("\nworkloads\n");
    for (size_t i = 0; (name = cmp_workload_name(i)) != NULL; i++) {
        cmp_workload w;
        if (cmp_workload_find(&w, name) != KV_OK) continue;
        printf("  %-20s %s\n", name, w.about);
    }
    printf("  a path with a slash  your own, as YCSB's property files are "
           "written\n"
           "  data-* are of the records of --data FILE, and named after it\n");
}

void cmp_list(void)
{
    list_engines();
    list_workloads();
    printf("\nprofiles\n");
    for (const cmp_profile *p = cmp_profiles; p->name; p++) {
        printf("  %-8s %9u records  %s\n", p->name, (unsigned)p->records,
               p->about);
    }
    printf("\nmeasures\n");
    for (const cmp_measure *m = cmp_measures; m->name; m++) {
        printf("  %-18s %-9s %-7s %s\n", m->name, m->unit,
               m->better == CMP_HIGHER ? "higher" : "lower", m->definition);
    }
}
