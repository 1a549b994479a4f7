// words.c -- see words.h.
// SPDX-License-Identifier: MIT

#include "tests/stage4_lsm/words.h"

#include "common/mem.h"

#include "tests/support/test.h"

const lsm_shape leveled = {.policy = LSM_LEVELED,
                           .size_ratio = 10,
                           .level0_runs = 4,
                           .base_bytes = 4 * MIB};
const lsm_shape tiered = {
    .policy = LSM_TIERED, .size_ratio = 3, .level0_runs = 3};
const lsm_busy nobody = {0};

enum { TABLES = 40 };

static lsm_table *tables[TABLES + 1]; // by number
static size_t table_count;

lsm_edit_table table(uint32_t level, uint64_t run, const char *first,
                     const char *last, uint64_t bytes)
{
    assert_true(table_count < TABLES);
    lsm_table *t = kv_zalloc(sizeof *t);
    t->refs = 1;
    t->id.number = ++table_count;
    t->props = (lsm_properties){.file_bytes = bytes,
                                .entry_count = 100,
                                .seq_min = t->id.number * 10,
                                .seq_max = t->id.number * 10 + 9,
                                .first_key = kv_str(first),
                                .last_key = kv_str(last)};
    tables[table_count] = t;
    return lsm_table_facts(t, level, run);
}

lsm_table *number(uint64_t n) { return tables[n]; }

int forget_tables(void **state)
{
    (void)state;
    for (; table_count > 0; table_count--) lsm_table_unref(number(table_count));
    return 0;
}

lsm_version *version_of(const lsm_edit_table *added, size_t count)
{
    lsm_edit edit = {0};
    for (size_t i = 0; i < count; i++) lsm_edit_add(&edit, &added[i]);
    lsm_version *empty = lsm_version_new();
    lsm_version *v = lsm_version_after(empty, &edit, tables + 1, table_count);
    lsm_version_unref(empty);
    lsm_edit_free(&edit);
    assert_ok(lsm_version_check(v));
    return v;
}

const char *inputs(const lsm_pick *p)
{
    static char text[200];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < p->part_count; i++) {
        const lsm_pick_part *part = &p->parts[i];
        for (size_t j = part->first; j < part->first + part->count; j++) {
            len += (size_t)snprintf(
                text + len, sizeof text - len, "%s%llu", len > 0 ? " " : "",
                (unsigned long long)part->run->tables[j]->id.number);
        }
    }
    return text;
}
