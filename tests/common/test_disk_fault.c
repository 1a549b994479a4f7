// test_disk_fault.c -- fault rules: every clause does what disk_fault.h says,
// and what makes no sense is refused with the rule and the word.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "common/disk_fault.h"
#include "common/disk_sim.h"

#include "tests/support/test.h"

static const kv_why data_why = {KV_FOR_DATA, false};
static const kv_why meta_why = {KV_FOR_META, false};

typedef struct bench {
    kv_disk *sim, *disk;
    kv_file *file; // "f", that holds "0123456789"
} bench;

static void begin(bench *b)
{
    assert_ok(kv_disk_open_sim(NULL, &b->sim));
    assert_ok(kv_disk_open_fault(b->sim, "", &b->disk));
    assert_ok(kv_file_open(b->disk, "f", (kv_open_how){.mode = KV_OPEN_CREATE},
                           data_why, &b->file));
    assert_ok(kv_file_write(b->file, 0, kv_str("0123456789"), data_why));
}

static void end(bench *b)
{
    assert_ok(kv_disk_fault_set(b->disk, NULL));
    assert_ok(kv_file_close(b->file));
    kv_disk_close(b->disk);
}

static void set(bench *b, const char *rules)
{
    assert_ok(kv_disk_fault_set(b->disk, rules));
}

static kv_status append(bench *b, kv_why why)
{
    uint64_t size = 0;
    assert_ok(kv_file_size(b->file, &size));
    return kv_file_write(b->file, size, kv_str("abcdef"), why);
}

static void assert_content(bench *b, const char *want)
{
    uint8_t bytes[100];
    size_t got = 0;
    kv_file *f = NULL;
    assert_ok(kv_file_open(b->sim, "f", (kv_open_how){0}, data_why, &f));
    assert_ok(kv_file_read(f, 0, bytes, sizeof bytes, &got, data_why));
    assert_ok(kv_file_close(f));
    assert_slice(kv_slice_of(bytes, got), want);
}

// ---- when -------------------------------------------------------------------

static void a_rule_counts_its_own_calls(void **state)
{
    (void)state;
    bench b;
    begin(&b);
    set(&b, "*:write:2:EIO");
    assert_ok(append(&b, data_why));
    assert_status(append(&b, data_why), KV_IO);
    assert_ok(append(&b, data_why));
    set(&b, "*:write:2+:EIO"); // counts from 1 again
    assert_ok(append(&b, data_why));
    assert_status(append(&b, data_why), KV_IO);
    assert_status(append(&b, data_why), KV_IO);
    set(&b, "data:write:2:EIO meta:write:1:ENOSPC"); // each its own
    assert_ok(append(&b, data_why));
    assert_status(append(&b, meta_why), KV_NO_SPACE);
    assert_status(append(&b, data_why), KV_IO);
    end(&b);
}

static void a_reason_and_a_call_select(void **state)
{
    (void)state;
    bench b;
    uint64_t size, calls, hits;
    begin(&b);
    set(&b, "wal:write:1+:EIO");
    assert_ok(append(&b, data_why));
    set(&b, "data:*:1+:EIO");
    assert_status(append(&b, data_why), KV_IO);
    assert_status(kv_file_sync(b.file, data_why), KV_IO);
    assert_ok(kv_file_sync(b.file, meta_why));
    set(&b, "meta:size:1:EIO"); // a call without a reason is meta
    assert_status(kv_file_size(b.file, &size), KV_IO);
    set(&b, "*:*:3:EACCES");
    assert_ok(kv_file_size(b.file, &size));
    assert_ok(kv_file_sync(b.file, data_why));
    assert_status(kv_file_sync(b.file, data_why), KV_IO);
    kv_disk_fault_counts(b.disk, &calls, &hits);
    assert_int_equal(calls, 3);
    assert_int_equal(hits, 1);
    end(&b);
}

// ---- which call -------------------------------------------------------------

static void every_call_can_fail(void **state)
{
    (void)state;
    bench b;
    kv_names names = {0};
    kv_file *f = NULL;
    kv_slice view;
    uint8_t byte;
    size_t got;
    uint64_t size;
    begin(&b);
    set(&b, "*:*:1+:EIO");
    assert_status(kv_file_open(b.disk, "f", (kv_open_how){0}, data_why, &f),
                  KV_IO);
    assert_status(kv_file_read(b.file, 0, &byte, 1, &got, data_why), KV_IO);
    assert_status(kv_file_map(b.file, 0, 1, data_why, &view), KV_IO);
    assert_status(kv_file_write(b.file, 0, kv_str("x"), data_why), KV_IO);
    assert_status(kv_file_truncate(b.file, 0, data_why), KV_IO);
    assert_status(kv_file_allocate(b.file, 100, data_why), KV_IO);
    assert_status(kv_file_size(b.file, &size), KV_IO);
    assert_status(kv_file_sync(b.file, data_why), KV_IO);
    assert_status(kv_disk_list(b.disk, &names), KV_IO);
    assert_status(kv_disk_rename(b.disk, "f", "g", data_why), KV_IO);
    assert_status(kv_disk_remove(b.disk, "f", data_why), KV_IO);
    assert_status(kv_disk_link(b.disk, "g", b.disk, "f", data_why), KV_IO);
    assert_status(kv_disk_sync_dir(b.disk, data_why), KV_IO);
    assert_status(kv_disk_lock(b.disk, "LOCK", &f), KV_IO);
    assert_non_null(strstr(kv_last_error(), "LOCK"));
    assert_content(&b, "0123456789"); // none of them did anything
    // A close that fails has closed the file all the same.
    assert_status(kv_file_close(b.file), KV_IO);
    assert_int_equal(kv_disk_sim_open_count(b.sim), 0);
    kv_disk_close(b.disk);
}

static void a_failed_call_is_named_in_its_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        kv_status status;
        const char *says;
    } cases[] = {
        {"EIO", KV_IO, "Input/output error"},
        {"ENOSPC", KV_NO_SPACE, "No space left on device"},
        {"EDQUOT", KV_NO_SPACE, "quota"},
        {"EMFILE", KV_IO, "Too many open files"},
        {"ENFILE", KV_IO, "in system"},
        {"EACCES", KV_IO, "Permission denied"},
        {"EROFS", KV_IO, "Read-only"},
    };
    bench b;
    begin(&b);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char rule[40];
        snprintf(rule, sizeof rule, "*:truncate:1:%s", cases[i].what);
        set(&b, rule);
        assert_status(kv_file_truncate(b.file, 0, data_why), cases[i].status);
        assert_non_null(strstr(kv_last_error(), cases[i].says));
        assert_non_null(strstr(kv_last_error(), "f: truncate"));
        assert_non_null(strstr(kv_last_error(), "fault rule"));
    }
    end(&b);
}

// Whatever a sync failed for, the bytes are in doubt: that is KV_IO (D4).
static void a_failed_sync_leaves_bytes_in_doubt(void **state)
{
    (void)state;
    bench b;
    begin(&b);
    set(&b, "*:sync:1:EDQUOT *:sync_dir:1:ENOSPC");
    assert_status(kv_file_sync(b.file, data_why), KV_IO);
    assert_status(kv_disk_sync_dir(b.disk, data_why), KV_IO);
    end(&b);
}

// ---- what -------------------------------------------------------------------

static void half_a_write_is_done(void **state)
{
    (void)state;
    bench b;
    begin(&b);
    set(&b, "*:write:1:short");
    assert_status(append(&b, data_why), KV_NO_SPACE);
    assert_content(&b, "0123456789abc");
    set(&b, "*:write:1:torn");
    assert_status(append(&b, data_why), KV_IO);
    assert_content(&b, "0123456789abcabc");
    end(&b);
}

static void what_is_dropped_says_that_it_was_done(void **state)
{
    (void)state;
    bench b;
    size_t atoms = 0;
    begin(&b);
    set(&b, "*:*:1+:drop");
    assert_ok(append(&b, data_why));
    assert_ok(kv_file_truncate(b.file, 3, data_why));
    assert_ok(kv_disk_remove(b.disk, "f", data_why));
    assert_content(&b, "0123456789");
    assert_ok(kv_file_sync(b.file, data_why));
    assert_ok(kv_disk_sync_dir(b.disk, data_why));
    (void)kv_disk_sim_atoms(b.sim, &atoms);
    assert_int_equal(atoms, 2); // the name and the bytes, still pending
    end(&b);
}

static void a_flip_changes_one_bit(void **state)
{
    (void)state;
    bench b;
    char bytes[11] = {0};
    begin(&b);
    set(&b, "*:read:1:flip");
    assert_ok(kv_file_read_all(b.file, 0, bytes, 10, data_why));
    assert_string_equal(bytes, "0123446789"); // '5' is '4' with a bit more
    assert_ok(kv_file_read_all(b.file, 0, bytes, 10, data_why));
    assert_string_equal(bytes, "0123456789");
    set(&b, "*:write:1:flip");
    assert_ok(append(&b, data_why));
    assert_content(&b, "0123456789abceef");
    end(&b);
}

// With call * a what waits for a call that can have it.
static void a_what_waits_for_its_call(void **state)
{
    (void)state;
    bench b;
    begin(&b);
    set(&b, "*:*:1:short");
    assert_ok(kv_file_sync(b.file, data_why));
    assert_status(append(&b, data_why), KV_NO_SPACE);
    end(&b);
}

// ---- rules that make no sense -----------------------------------------------

static const struct {
    const char *rules, *says;
} senseless[] = {
    {"data", "not four parts in \"data\""},
    {"data:sync:7", "not four parts in \"data:sync:7\""},
    {"data:sync:7:EIO:more", "not four parts in"},
    {":::", "no such reason as \"\""},
    {"date:sync:7:EIO", "no such reason as \"date\" (it is one of: wal data"},
    {"DATA:sync:7:EIO", "no such reason as \"DATA\""},
    {"data:sink:7:EIO",
     "no such call as \"sink\" (it is one of: open read map"},
    {"data::7:EIO", "no such call as \"\""},
    {"data:sync:0:EIO", "not \"0\""},
    {"data:sync:-1:EIO", "not \"-1\""},
    {"data:sync:x:EIO", "not \"x\""},
    {"data:sync::EIO", "n is 1, 2, 3"},
    {"data:sync:+:EIO", "not \"+\""},
    {"data:sync:7++:EIO", "not \"7++\""},
    {"data:sync:1234567890123456789:EIO", "not \"1234567890123456789\""},
    {"data:sync:7:EI0", "no such fault as \"EI0\" (it is one of: EIO"},
    {"data:sync:7:*", "no such fault as \"*\" (it is one of: EIO"},
    {"data:sync:7:", "no such fault as \"\""},
    {"data:sync:7:short", "this call cannot have \"short\""},
    {"data:open:7:drop", "this call cannot have \"drop\""},
    {"data:sync:7:flip", "this call cannot have \"flip\""},
    {"*:*:1:EIO data:sync:7:EI0", "fault rule \"data:sync:7:EI0\""},
};

static void what_makes_no_sense_says_where_and_why(void **state)
{
    (void)state;
    bench b;
    begin(&b);
    set(&b, "*:sync:1+:EIO");
    for (size_t i = 0; i < sizeof senseless / sizeof senseless[0]; i++) {
        kv_status st = kv_disk_fault_set(b.disk, senseless[i].rules);
        bool says = strstr(kv_last_error(), senseless[i].says) != NULL &&
                    strstr(kv_last_error(), "reason:call:n:what") != NULL;
        if (st == KV_INVALID && says) continue;
        print_error("\"%s\": %s: %s\n", senseless[i].rules, kv_status_name(st),
                    kv_last_error());
        fail();
    }
    // The old rules are still there.
    assert_status(kv_file_sync(b.file, data_why), KV_IO);
    kv_disk *unused = NULL;
    assert_status(kv_disk_open_fault(b.sim, "x", &unused), KV_INVALID);
    assert_null(unused);
    end(&b);
}

static void there_is_room_for_sixteen(void **state)
{
    (void)state;
    bench b;
    kv_buf rules = {0};
    begin(&b);
    for (int i = 0; i < 16; i++) kv_buf_printf(&rules, " *:sync:9:EIO\n\t");
    kv_buf_append(&rules, kv_slice_of("", 1));
    set(&b, (const char *)rules.data);
    rules.len--;
    kv_buf_printf(&rules, "*:sync:9:EIO%c", '\0');
    assert_status(kv_disk_fault_set(b.disk, (const char *)rules.data),
                  KV_INVALID);
    assert_non_null(strstr(kv_last_error(), "more than 16"));
    kv_buf_free(&rules);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_counts_its_own_calls),
        cmocka_unit_test(a_reason_and_a_call_select),
        cmocka_unit_test(every_call_can_fail),
        cmocka_unit_test(a_failed_call_is_named_in_its_sentence),
        cmocka_unit_test(a_failed_sync_leaves_bytes_in_doubt),
        cmocka_unit_test(half_a_write_is_done),
        cmocka_unit_test(what_is_dropped_says_that_it_was_done),
        cmocka_unit_test(a_flip_changes_one_bit),
        cmocka_unit_test(a_what_waits_for_its_call),
        cmocka_unit_test(what_makes_no_sense_says_where_and_why),
        cmocka_unit_test(there_is_room_for_sixteen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
