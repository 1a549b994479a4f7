// test_identity.c -- whose directory this is: I1, I2, I3, and the lock.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/coding.h"
#include "common/identity.h"

#include "tests/support/test.h"

typedef struct fixture {
    char *dir;
    kv_disk *disk;
} fixture;

static const kv_identity mine = {"log", 1, 7, 0x5b3c1f0a99e01d77};

static int setup(void **state)
{
    static fixture f;
    f.dir = test_make_dir();
    assert_ok(kv_disk_open_real(f.dir, false, &f.disk));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    kv_disk_close(f->disk);
    test_remove_dir(f->dir);
    return 0;
}

static void put_file(fixture *f, const char *name, const char *text)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    test_write_file(path, kv_str(text));
}

static bool has_file(fixture *f, const char *name)
{
    kv_names names = {0};
    bool found = false;
    assert_ok(kv_disk_list(f->disk, &names));
    for (size_t i = 0; i < names.count; i++) {
        found |= strcmp(names.name[i], name) == 0;
    }
    kv_names_free(&names);
    return found;
}

static bool is_mine(const kv_identity *other)
{
    return strcmp(other->engine, mine.engine) == 0 &&
           other->major == mine.major && other->minor == mine.minor &&
           other->id == mine.id;
}

// ---- the text ---------------------------------------------------------------

static void the_text_is_what_the_header_draws(void **state)
{
    (void)state;
    kv_buf text = {0};
    kv_identity back;
    kv_identity_encode(&mine, &text);
    const char *lines =
        "stagecoach store\nengine log\nformat 1.7\nid 5b3c1f0a99e01d77\n";
    assert_memory_equal(text.data, lines, strlen(lines));
    char last[32];
    snprintf(last, sizeof last, "checksum %08x\n", kv_crc32c(0, kv_str(lines)));
    assert_int_equal(text.len, strlen(lines) + strlen(last));
    assert_memory_equal(text.data + strlen(lines), last, strlen(last));
    assert_ok(kv_identity_decode(kv_buf_slice(&text), &back));
    assert_true(is_mine(&back));
    kv_buf_free(&text);
}

static void no_flipped_bit_and_no_cut_passes(void **state)
{
    (void)state;
    kv_buf text = {0};
    kv_identity back;
    kv_identity_encode(&mine, &text);
    for (size_t bit = 0; bit < text.len * 8; bit++) {
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_status(kv_identity_decode(kv_buf_slice(&text), &back),
                      KV_CORRUPT);
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < text.len; len++) {
        assert_status(kv_identity_decode(kv_slice_of(text.data, len), &back),
                      KV_CORRUPT);
    }
    kv_buf_append(&text, kv_str("\n"));
    assert_status(kv_identity_decode(kv_buf_slice(&text), &back), KV_CORRUPT);
    kv_buf_clear(&text);
    for (int i = 0; i < 3000; i++) kv_buf_append(&text, kv_str("9"));
    assert_status(kv_identity_decode(kv_buf_slice(&text), &back), KV_CORRUPT);
    kv_buf_free(&text);
}

static void extremes_come_back(void **state)
{
    (void)state;
    static const kv_identity all[] = {{"a", 0, 0, 0},
                                      {"abcdefghijklmnopqrstuvwxyz01234",
                                       UINT16_MAX, UINT16_MAX, UINT64_MAX}};
    for (int i = 0; i < 2; i++) {
        kv_buf text = {0};
        kv_identity back = {.id = 1};
        kv_identity_encode(&all[i], &text);
        kv_status st = kv_identity_decode(kv_buf_slice(&text), &back);
        kv_buf_free(&text);
        assert_ok(st);
        assert_string_equal(back.engine, all[i].engine);
        assert_int_equal(back.major, all[i].major);
        assert_int_equal(back.minor, all[i].minor);
        assert_true(back.id == all[i].id);
    }
}

// ---- the directory ----------------------------------------------------------

static void an_empty_directory_is_new(void **state)
{
    fixture *f = *state;
    kv_identity got;
    assert_status(kv_identity_read(f->disk, f->dir, &got), KV_NOT_FOUND);
    put_file(f, "LOCK", "held by process 1\n");
    assert_status(kv_identity_read(f->disk, f->dir, &got), KV_NOT_FOUND);
    put_file(f, "IDENTITY.tmp", "half of");
    assert_status(kv_identity_read(f->disk, f->dir, &got), KV_NOT_FOUND);
}

static void a_directory_with_anything_else_is_not_ours(void **state)
{
    fixture *f = *state;
    kv_identity got;
    put_file(f, "thesis.txt", "years of work");
    assert_status(kv_identity_read(f->disk, f->dir, &got), KV_INVALID);
    assert_non_null(strstr(kv_last_error(), "thesis.txt"));
}

static void writing_makes_it_ours(void **state)
{
    fixture *f = *state;
    kv_identity got;
    put_file(f, "IDENTITY.tmp", "left over from a crash");
    assert_ok(kv_identity_write(f->disk, &mine));
    assert_false(has_file(f, "IDENTITY.tmp"));
    put_file(f, "000001.seg", "a file of the engine");
    assert_ok(kv_identity_read(f->disk, f->dir, &got));
    assert_true(is_mine(&got));
}

static void a_damaged_identity_is_corrupt(void **state)
{
    fixture *f = *state;
    kv_identity got;
    put_file(f, "IDENTITY", "");
    assert_status(kv_identity_read(f->disk, f->dir, &got), KV_CORRUPT);
    put_file(f, "IDENTITY", "stagecoach store\nengine log\n");
    assert_status(kv_identity_read(f->disk, f->dir, &got), KV_CORRUPT);
}

static void three_names_are_its_own(void **state)
{
    (void)state;
    assert_true(kv_identity_owns("LOCK"));
    assert_true(kv_identity_owns("IDENTITY"));
    assert_true(kv_identity_owns("IDENTITY.tmp"));
    assert_false(kv_identity_owns("IDENTITY2"));
    assert_false(kv_identity_owns("lock"));
    assert_false(kv_identity_owns(""));
}

// ---- the lock ---------------------------------------------------------------

static void one_process_locks_once(void **state)
{
    fixture *f = *state;
    kv_file *lock = NULL, *second = NULL;
    char pid[40];
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_ok(kv_identity_lock(f->disk, f->dir, &lock));
    assert_ok(kv_identity_sign_lock(lock));
    assert_status(kv_identity_lock(f->disk, f->dir, &second), KV_LOCKED);
    assert_null(second);
    assert_non_null(strstr(kv_last_error(), pid));
    assert_non_null(strstr(kv_last_error(), f->dir));
    assert_ok(kv_file_close(lock));
    assert_true(has_file(f, "LOCK")); // left in place
    assert_ok(kv_identity_lock(f->disk, f->dir, &lock));
    assert_ok(kv_file_close(lock));
}

static void a_signature_replaces_a_longer_one(void **state)
{
    fixture *f = *state;
    kv_file *lock = NULL;
    put_file(f, "LOCK", "held by process 123456789123456789123456789\n");
    assert_ok(kv_identity_lock(f->disk, f->dir, &lock));
    assert_ok(kv_identity_sign_lock(lock));
    assert_ok(kv_file_close(lock));
    char path[400], want[40];
    snprintf(path, sizeof path, "%s/LOCK", f->dir);
    snprintf(want, sizeof want, "held by process %ld\n", (long)getpid());
    kv_buf text = test_read_file(path);
    bool is_same = kv_slice_equal(kv_buf_slice(&text), kv_str(want));
    kv_buf_free(&text);
    assert_true(is_same);
}

// Another process holds it; when that one is killed, it is free.
static void another_process_is_named_and_its_death_unlocks(void **state)
{
    fixture *f = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        kv_disk *disk = NULL;
        kv_file *held = NULL;
        bool ok = kv_disk_open_real(f->dir, false, &disk) == KV_OK &&
                  kv_identity_lock(disk, f->dir, &held) == KV_OK &&
                  kv_identity_sign_lock(held) == KV_OK;
        (void)!write(ends[1], ok ? "y" : "n", 1);
        pause();
        _exit(0);
    }
    char answer = 0;
    close(ends[1]); // or a child that dies leaves us waiting
    assert_int_equal(read(ends[0], &answer, 1), 1);
    close(ends[0]);
    assert_int_equal(answer, 'y');
    kv_file *lock = NULL;
    kv_status st = kv_identity_lock(f->disk, f->dir, &lock);
    char want[40];
    snprintf(want, sizeof want, "process %ld", (long)child);
    bool is_named = strstr(kv_last_error(), want) != NULL;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_status(st, KV_LOCKED);
    assert_true(is_named);
    assert_ok(kv_identity_lock(f->disk, f->dir, &lock));
    assert_ok(kv_file_close(lock));
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_what_the_header_draws),
        cmocka_unit_test(no_flipped_bit_and_no_cut_passes),
        cmocka_unit_test(extremes_come_back),
        IN_DIR(an_empty_directory_is_new),
        IN_DIR(a_directory_with_anything_else_is_not_ours),
        IN_DIR(writing_makes_it_ours),
        IN_DIR(a_damaged_identity_is_corrupt),
        cmocka_unit_test(three_names_are_its_own),
        IN_DIR(one_process_locks_once),
        IN_DIR(a_signature_replaces_a_longer_one),
        IN_DIR(another_process_is_named_and_its_death_unlocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
