// test_cage.c -- who takes more than the cage holds is ended, or pays with its
// pages; who takes less notices nothing.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

#include "compare/cage.h"
#include "compare/child.h"
#include "compare/machine.h"
#include "tests/support/test.h"

enum { MIB = 1 << 20, CAGE = 64 * MIB, MODEST = 16 * MIB, GREEDY = 256 * MIB };

struct prisoner {
    const char *cage;
    size_t bytes;
};

// Prints how much of what it took it still has in memory.
static void take(FILE *out, void *arg)
{
    const struct prisoner *p = arg;
    uint64_t before = cmp_resident_bytes();
    if (cmp_cage_enter(p->cage) != KV_OK) abort();
    uint8_t *memory = kv_alloc_pages(p->bytes);
    memset(memory, 1, p->bytes);
    fprintf(out, "%llu", (unsigned long long)(cmp_resident_bytes() - before));
    kv_free_pages(memory, p->bytes);
}

static cmp_child run(struct prisoner *p)
{
    cmp_child child = {.work = take, .arg = p, .limit_s = 60};
    cmp_child_run(&child);
    kv_buf_append(&child.text, kv_slice_of("", 1));
    return child;
}

static void a_cage_holds(void **state)
{
    (void)state;
    kv_buf cage = {0};
    kv_status st = cmp_cage_make(&cage, CAGE, "/");
    if (st != KV_OK) {
        assert_status(st, KV_UNSUPPORTED);
        print_message("not here: %s\n", kv_last_error());
        kv_buf_free(&cage);
        skip();
    }
    struct prisoner modest = {(char *)cage.data, MODEST};
    cmp_child child = run(&modest);
    assert_int_equal(child.ending, CMP_ENDED_WELL);
    assert_true(strtoull((char *)child.text.data, NULL, 10) >= MODEST);
    kv_buf_free(&child.text);
    struct prisoner greedy = {(char *)cage.data, GREEDY};
    child = run(&greedy);
    if (child.ending == CMP_ENDED_WELL) { // there is a place to swap to
        assert_true(strtoull((char *)child.text.data, NULL, 10) <= CAGE);
    } else {
        assert_string_equal(child.reason, "crashed: signal 9 (Killed)");
    }
    kv_buf_free(&child.text);
    cmp_cage_remove((char *)cage.data);
    assert_false(cmp_file_is_there((char *)cage.data));
    kv_buf_free(&cage);
}

static void a_store_in_memory_is_told(void **state)
{
    (void)state;
    kv_buf cage = {0};
    if (!cmp_has_exact_blocks("/dev/shm")) skip();
    assert_status(cmp_cage_make(&cage, CAGE, "/dev/shm"), KV_UNSUPPORTED);
    assert_non_null(strstr(kv_last_error(), "in memory itself"));
    assert_status(cmp_cage_enter("/nowhere"), KV_IO);
    kv_buf_free(&cage);
}

static void put_dir(const char *root, const char *name, long number)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s%ld", root, name, number);
    assert_int_equal(mkdir(path, 0755), 0);
}

static bool is_there(const char *root, const char *name, long number)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s%ld", root, name, number);
    return cmp_file_is_there(path);
}

// As a program leaves it that is ended by force. The root of the groups is an
// ordinary directory here, which takes no rights.
static void what_the_dead_left_is_removed(void **state)
{
    (void)state;
    enum { NOBODY = 999999999 }; // more than there can be processes
    long self = (long)getpid();
    char *root = test_make_dir();
    put_dir(root, "stagecoach-", NOBODY);
    put_dir(root, "stagecoach-", self);
    put_dir(root, "another-", NOBODY);
    cmp_cages_sweep(root);
    assert_false(is_there(root, "stagecoach-", NOBODY));
    assert_true(is_there(root, "stagecoach-", self));
    assert_true(is_there(root, "another-", NOBODY));
    cmp_cages_sweep("/nowhere");
    test_remove_dir(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cage_holds),
        cmocka_unit_test(a_store_in_memory_is_told),
        cmocka_unit_test(what_the_dead_left_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
