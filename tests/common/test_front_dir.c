// test_front_dir.c -- the front door and the directory (open.c, look.c): what a
// stage is opened with, what is refused, and looking inside.
// SPDX-License-Identifier: MIT

#include "common/identity.h"

#include "tests/common/front.h"
#include "tests/support/memory_engine.h"

static void reopen(fixture *f)
{
    assert_ok(kv_close(f->db));
    f->db = NULL;
    assert_ok(kv_open(&fake_engine, &f->options, &f->db));
}

static void write_identity(fixture *f, const char *engine, unsigned major,
                           unsigned minor)
{
    kv_identity identity = {.major = (uint16_t)major, .minor = (uint16_t)minor};
    snprintf(identity.engine, sizeof identity.engine, "%s", engine);
    identity.id = script.store_id;
    kv_buf text = {0}, path = {0};
    kv_identity_encode(&identity, &text);
    kv_buf_printf(&path, "%s/IDENTITY%c", f->dir, '\0');
    test_write_file((const char *)path.data, kv_buf_slice(&text));
    kv_buf_free(&text);
    kv_buf_free(&path);
}

// ---- the directory ----------------------------------------------------------

static void the_stage_is_told_what_it_is_opened_with(void **state)
{
    fixture *f = *state;
    assert_true(script.is_new);
    assert_int_equal(script.knob, 5);
    assert_int_equal(script.memory_bytes, KV_MEMORY_DEFAULT);
    uint64_t id = script.store_id;
    f->options.knobs = "size=7";
    f->options.memory_bytes = 1 << 20;
    reopen(f);
    assert_false(script.is_new);
    assert_int_equal(script.knob, 7);
    assert_int_equal(script.memory_bytes, 1 << 20);
    assert_true(script.store_id == id);
    unsigned opened = script.opened;
    kv *db = NULL;
    assert_ok(kv_close(f->db));
    f->db = NULL;
    f->options.knobs = "size=10";
    assert_status(kv_open(&fake_engine, &f->options, &db), KV_INVALID);
    assert_int_equal(script.opened, opened);
}

static void a_budget_is_less_than_the_machine_has(void **state)
{
    fixture *f = *state;
    unsigned opened = script.opened;
    kv *db = NULL;
    assert_ok(kv_close(f->db));
    f->db = NULL;
    f->options.memory_bytes = UINT64_MAX;
    assert_status(kv_open(&fake_engine, &f->options, &db), KV_INVALID);
    assert_non_null(strstr(kv_last_error(), "this machine has"));
    assert_int_equal(script.opened, opened);
}

static void a_seed_makes_the_id(void **state)
{
    (void)state;
    uint64_t ids[3];
    for (int i = 0; i < 3; i++) {
        char *dir = test_make_dir();
        kv_options options = {.path = dir, .create = true, .seed = 7};
        if (i == 2) options.seed = 0;
        kv *db = NULL;
        assert_ok(kv_open(&fake_engine, &options, &db));
        ids[i] = script.store_id;
        assert_ok(kv_close(db));
        test_remove_dir(dir);
    }
    assert_true(ids[0] == ids[1]);
    assert_true(ids[0] != ids[2]);
}

static void other_engines_and_newer_formats_are_refused(void **state)
{
    fixture *f = *state;
    kv *db = NULL;
    assert_ok(kv_close(f->db));
    f->db = NULL;
    write_identity(f, "other", 2, 3);
    assert_status(kv_open(&fake_engine, &f->options, &db), KV_INVALID);
    assert_non_null(strstr(kv_last_error(), "other"));
    write_identity(f, "fake", 3, 0);
    assert_status(kv_open(&fake_engine, &f->options, &db), KV_INVALID); // I3
    assert_non_null(strstr(kv_last_error(), "3.0"));
    assert_non_null(strstr(kv_last_error(), "2.3"));
    write_identity(f, "fake", 2, 4); // a higher minor one: for reading
    assert_ok(kv_open(&fake_engine, &f->options, &f->db));
    assert_true(script.read_only);
    assert_status(kv_put(f->db, kv_str("a"), kv_str("b")), KV_READ_ONLY);
    reopen(f);
    assert_ok(kv_close(f->db));
    f->db = NULL;
    write_identity(f, "fake", 1, 9); // an older one is the stage's to read
    assert_ok(kv_open(&fake_engine, &f->options, &f->db));
    assert_false(script.read_only);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    kv *db = NULL;
    kv_options options = {.create = true};
    assert_status(kv_open(&fake_engine, &options, &db), KV_INVALID);
    kv_engine old = fake_engine;
    old.abi = KV_ENGINE_ABI + 1;
    assert_status(kv_open(&old, &options, &db), KV_INVALID);
    assert_non_null(strstr(kv_last_error(), "build it again"));
    assert_ok(kv_close(NULL));
    assert_null(db);
}

static void a_callers_disk_stays_the_callers(void **state)
{
    fixture *f = *state;
    assert_ok(kv_close(f->db));
    f->db = NULL;
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_real(f->dir, false, &disk));
    kv_options options = {.path = f->dir, .disk = disk, .create = true};
    assert_ok(kv_open(&fake_engine, &options, &f->db));
    kv_stats stats;
    kv_stats_read(f->db, &stats);
    assert_true(stats.disk_bytes > 0);
    assert_ok(kv_close(f->db));
    f->db = NULL;
    kv_names names = {0};
    assert_ok(kv_disk_list(disk, &names));
    assert_int_equal(names.count, 2);
    kv_names_free(&names);
    kv_disk_close(disk);
}

static void a_failed_backup_leaves_nothing(void **state)
{
    fixture *f = *state;
    char *parent = test_make_dir();
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/copy%c", parent, '\0');
    const char *target = (const char *)path.data;
    kv_disk *disk = NULL;
    kv_names names = {0};
    script.backup = KV_NO_SPACE;
    assert_status(kv_backup(f->db, target), KV_NO_SPACE);
    assert_string_equal(kv_last_error(), "no backup");
    assert_ok(kv_disk_open_real(target, false, &disk));
    assert_ok(kv_disk_list(disk, &names));
    assert_int_equal(names.count, 0);
    kv_names_free(&names);
    kv_disk_close(disk);
    script.backup = KV_OK;
    assert_ok(kv_backup(f->db, target));
    kv_options options = {.path = target};
    kv *copy = NULL;
    uint64_t id = script.store_id;
    assert_ok(kv_open(&fake_engine, &options, &copy));
    assert_true(script.store_id == id);
    assert_ok(kv_close(copy));
    kv_buf_free(&path);
    test_remove_dir(parent);
}

static void check_notices_a_lost_identity(void **state)
{
    fixture *f = *state;
    kv_report report = {0};
    kv_disk *disk = NULL;
    assert_ok(kv_check(f->db, &report));
    assert_ok(kv_disk_open_real(f->dir, false, &disk));
    assert_ok(kv_disk_remove(disk, "IDENTITY", kv_for(KV_FOR_META)));
    assert_status(kv_check(f->db, &report), KV_CORRUPT);
    kv_disk_close(disk);
    kv_report_free(&report);
}

static void xray_shows_the_files_of_the_house(void **state)
{
    fixture *f = *state;
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_real(f->dir, false, &disk));
    static const char *const files[] = {"IDENTITY", "LOCK"};
    for (int i = 0; i < 2; i++) {
        kv_xray x = {.limit = UINT64_MAX};
        assert_ok(kv_xray_file(&fake_engine, disk, files[i], &x));
        assert_int_equal(x.damage_count, 0);
        assert_true(x.field_count > 0);
        kv_buf_free(&x.text);
    }
    kv_xray x = {.limit = UINT64_MAX};
    assert_status(kv_xray_file(&fake_engine, disk, "IDENTITY.tmp", &x),
                  KV_NOT_FOUND);
    assert_status(kv_xray_file(&fake_engine, disk, "other", &x),
                  KV_UNSUPPORTED);
    kv_buf_free(&x.text);
    kv_disk_close(disk);
}

static void hear(void *arg, const char *sentence)
{
    assert_non_null(strstr(sentence, "binary search"));
    ++*(int *)arg;
}

static void a_listener_hears_until_it_is_gone(void **state)
{
    (void)state;
    kv *db = NULL;
    kv_buf value = {0};
    int heard = 0;
    assert_ok(kv_open(&memory_engine, &(kv_options){.path = NULL}, &db));
    kv_explain(db, hear, &heard);
    assert_status(kv_get(db, kv_str("a"), &value), KV_NOT_FOUND);
    assert_int_equal(heard, 1);
    kv_explain(db, NULL, NULL);
    assert_status(kv_get(db, kv_str("a"), &value), KV_NOT_FOUND);
    assert_int_equal(heard, 1);
    assert_status(kv_backup(db, "nowhere"), KV_UNSUPPORTED);
    kv_buf_free(&value);
    assert_ok(kv_close(db));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(the_stage_is_told_what_it_is_opened_with),
        IN_DIR(a_budget_is_less_than_the_machine_has),
        cmocka_unit_test(a_seed_makes_the_id),
        IN_DIR(other_engines_and_newer_formats_are_refused),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        IN_DIR(a_callers_disk_stays_the_callers),
        IN_DIR(a_failed_backup_leaves_nothing),
        IN_DIR(check_notices_a_lost_identity),
        IN_DIR(xray_shows_the_files_of_the_house),
        cmocka_unit_test(a_listener_hears_until_it_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
