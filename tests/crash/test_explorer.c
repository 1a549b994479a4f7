// test_explorer.c -- the explorer finds what is planted, and only that.
// SPDX-License-Identifier: MIT
//
//     test_explorer [DISKS]      how many to judge of a store without mistakes

#include <stdlib.h>
#include <string.h>

#include "common/crash/crash.h"

#include "tests/crash/toy.h"
#include "tests/support/test.h"

enum { OPS = 24, STATES_MAX = 2500 };

static uint64_t sound_max = STATES_MAX;

static kv_crash_result explore(toy_bug bug, kv_crash_model model,
                               kv_sync_mode sync, FILE *out)
{
    kv_buf knobs = {0};
    kv_knob_print(&kv_describe(&toy_engine)->knobs[0], (uint64_t)bug, &knobs);
    kv_buf_append(&knobs, kv_slice_of("", 1));
    kv_crash_options options = {.model = model,
                                .sync = sync,
                                .seed = 5,
                                .ops = OPS,
                                // A mistake shows without a second crash.
                                .depth = bug == TOY_SOUND ? 2 : 1,
                                .states_max =
                                    bug == TOY_SOUND ? sound_max : STATES_MAX,
                                .knobs = (const char *)knobs.data};
    kv_crash_result r;
    assert_ok(kv_crash_explore(&toy_engine, &options, out, &r));
    kv_buf_free(&knobs);
    return r;
}

static void a_sound_store_survives_everything(void **state)
{
    (void)state;
    for (int model = 0; model < KV_CRASH_MODELS; model++) {
        for (int sync = 0; sync < 3; sync++) {
            kv_crash_result r = explore(TOY_SOUND, (kv_crash_model)model,
                                        (kv_sync_mode)sync, stdout);
            assert_int_equal(r.violations, 0);
            assert_true(r.distinct > 50 && r.nested > 5);
        }
    }
}

static void every_planted_mistake_is_found(void **state)
{
    (void)state;
    static const struct {
        toy_bug bug;
        kv_crash_model model;
        kv_sync_mode sync;
    } cases[] = {
        {TOY_NO_SYNC, KV_CRASH_EXT4, KV_SYNC_COMMIT},
        {TOY_NO_SYNC, KV_CRASH_POSIX, KV_SYNC_COMMIT},
        {TOY_NO_DIR_SYNC, KV_CRASH_POSIX, KV_SYNC_COMMIT},
        {TOY_SPLIT_BATCH, KV_CRASH_KILL, KV_SYNC_COMMIT},
        {TOY_HOLE, KV_CRASH_EXT4, KV_SYNC_NONE},
        {TOY_HOLE, KV_CRASH_POSIX, KV_SYNC_COMMIT},
        {TOY_EARLY_REMOVE, KV_CRASH_POSIX, KV_SYNC_COMMIT},
        {TOY_FORGETFUL, KV_CRASH_KILL, KV_SYNC_COMMIT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        // A log in commit mode is synced by each commit: no hole to find.
        bool is_harmless =
            cases[i].bug == TOY_HOLE && cases[i].sync == KV_SYNC_COMMIT;
        kv_crash_result r =
            explore(cases[i].bug, cases[i].model, cases[i].sync, NULL);
        print_message("mistake %d, model %d: %d violations in %d disks\n",
                      (int)cases[i].bug, (int)cases[i].model, (int)r.violations,
                      (int)r.distinct);
        assert_int_equal(r.violations > 0, !is_harmless);
    }
}

static kv_status remove_all(kv_disk *image)
{
    kv_names names = {0};
    KV_TRY(kv_disk_list(image, &names));
    kv_status st = KV_OK;
    for (size_t i = 0; i < names.count && st == KV_OK; i++) {
        st = kv_disk_remove(image, names.name[i], kv_for(KV_FOR_META));
    }
    kv_names_free(&names);
    return st == KV_OK ? kv_disk_sync_dir(image, kv_for(KV_FOR_META)) : st;
}

// A disk that lost everything lacks what was acknowledged; as a state that
// once was it will do.
static void a_spoiled_disk_may_lose(void **state)
{
    (void)state;
    for (int may_lose = 0; may_lose < 2; may_lose++) {
        kv_crash_options options = {.seed = 5,
                                    .ops = OPS,
                                    .depth = 1,
                                    .may_lose = may_lose,
                                    .spoil = remove_all,
                                    .knobs = ""};
        kv_crash_result r;
        assert_ok(kv_crash_explore(&toy_engine, &options, NULL, &r));
        assert_true(r.distinct > 0);
        assert_int_equal(r.violations == 0, may_lose);
    }
}

// The line a violation prints rebuilds a directory that fails in the same way.
static void a_violation_can_be_rebuilt(void **state)
{
    (void)state;
    FILE *out = tmpfile();
    assert_non_null(out);
    (void)explore(TOY_SPLIT_BATCH, KV_CRASH_KILL, KV_SYNC_COMMIT, out);
    rewind(out);
    char text[1024];
    assert_non_null(fgets(text, sizeof text, out));
    fclose(out);
    char *line = strstr(text, "crash replay ");
    assert_non_null(line);
    line += strlen("crash replay ");
    char *end = strstr(line, " DIR");
    assert_non_null(end);
    *end = '\0';
    char *dir = test_make_dir();
    assert_ok(kv_crash_replay(&toy_engine, line, dir));
    kv *db = NULL;
    kv_options options = {.path = dir};
    assert_ok(kv_open(&toy_engine, &options, &db));
    assert_ok(kv_close(db));
    test_remove_dir(dir);
    dir = test_make_dir();
    assert_status(kv_crash_replay(&toy_engine, "kill:commit:x", dir),
                  KV_INVALID);
    assert_status(
        kv_crash_replay(&toy_engine, "kill:commit:5:24:512:999999.0:", dir),
        KV_INVALID);
    test_remove_dir(dir);
}

static int command(const char *words, FILE *out)
{
    char text[200];
    char *argv[16];
    int argc = 0;
    snprintf(text, sizeof text, "%s", words);
    for (char *at = text; *at != '\0';) {
        argv[argc++] = at;
        at += strcspn(at, " ");
        if (*at == ' ') *at++ = '\0';
    }
    return kv_crash_command(&toy_engine, argc, argv, out);
}

static void the_command_counts_and_judges(void **state)
{
    (void)state;
    FILE *out = tmpfile();
    assert_int_equal(
        command("explore --ops 20 --model kill --states 1500", out), 0);
    assert_int_equal(command("explore --model paper", out), 2);
    assert_int_equal(command("explore --ops", out), 2);
    assert_int_equal(command("explore --ops 4x", out), 2);
    assert_int_equal(command("explore --opps 4", out), 2);
    assert_int_equal(command("replay one", out), 2);
    assert_int_equal(command("", out), 2);
    fclose(out);
}

// --knobs changes the smallest sizes rather than replacing them, and never has
// threads at work on a disk that is judged.
static void the_command_has_no_background(void **state)
{
    (void)state;
    FILE *out = tmpfile();
    assert_int_equal(
        command("explore --ops 30 --model kill --states 1500 --knobs "
                "bug=split_batch",
                out),
        1);
    rewind(out);
    char text[1024];
    bool is_said = false;
    while (fgets(text, sizeof text, out) != NULL) {
        is_said |= strstr(text, ":background=0,bug=split_batch ") != NULL;
    }
    assert_true(is_said);
    assert_int_equal(
        command("explore --ops 6 --model kill --knobs background=0", out), 0);
    assert_int_equal(
        command("explore --ops 6 --model kill --knobs background=1", out), 2);
    assert_non_null(strstr(kv_last_error(), "background=0"));
    fclose(out);
}

// A sample of about one disk is now and then none: that has not passed.
static void a_run_of_no_disk_fails(void **state)
{
    (void)state;
    FILE *out = tmpfile();
    int failed = 0;
    for (int seed = 1; seed <= 12; seed++) {
        char words[100];
        snprintf(words, sizeof words,
                 "explore --ops 6 --model ext4 --states 1 --seed %d", seed);
        int code = command(words, out);
        assert_true(code == 0 || code == 2);
        if (code == 2) assert_non_null(strstr(kv_last_error(), "no disk"));
        failed += code == 2;
    }
    fclose(out);
    assert_in_range(failed, 1, 11);
}

int main(int argc, char **argv)
{
    if (argc > 1) sound_max = strtoull(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_store_survives_everything),
        cmocka_unit_test(every_planted_mistake_is_found),
        cmocka_unit_test(a_spoiled_disk_may_lose),
        cmocka_unit_test(a_violation_can_be_rebuilt),
        cmocka_unit_test(the_command_counts_and_judges),
        cmocka_unit_test(the_command_has_no_background),
        cmocka_unit_test(a_run_of_no_disk_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
