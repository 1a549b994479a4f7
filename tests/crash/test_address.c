// test_address.c -- a state goes through words and back; what makes no sense
// is refused with the part and the place.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "common/crash/address.h"

#include "tests/support/test.h"

static void a_state_comes_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "kill:commit:1:40:512:0.0:",
        "ext4:interval:18446744073709551615:1000000:1048576:3.4:a=b",
        "posix:none:7:24:32:17.3/2.0:segment_bytes=1KiB,background=0",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        kv_crash_options options;
        kv_crash_address at;
        kv_buf again = {0};
        assert_ok(kv_crash_address_parse(texts[i], &options, &at));
        kv_crash_address_print(&options, &at, &again);
        assert_slice(kv_buf_slice(&again), texts[i]);
        kv_buf_free(&again);
    }
}

static void equal_is_what_names_the_same_disk(void **state)
{
    (void)state;
    kv_crash_address a = {.event = 1, .index = 2, .inner_event = 9};
    kv_crash_address b = {.event = 1, .index = 2};
    assert_true(kv_crash_address_equal(&a, &b)); // not nested: nothing inside
    a.is_nested = true;
    assert_false(kv_crash_address_equal(&a, &b));
    b.is_nested = true;
    assert_false(kv_crash_address_equal(&a, &b));
    b.inner_event = 9;
    assert_true(kv_crash_address_equal(&a, &b));
    b.index = 3;
    assert_false(kv_crash_address_equal(&a, &b));
}

// Each with the words that say where, and what is wrong there.
static const struct {
    const char *text, *where, *what;
} senseless[] = {
    {"", "at byte 0, the model", "not kill, ext4 or posix"},
    {"kil:commit:1:40:512:0.0:", "at byte 0, the model", "\"kil:"},
    {"killer:commit:1:40:512:0.0:", "at byte 0, the model", "\"killer:"},
    {"kill", "at byte 4, the sign behind the model", "not ':'"},
    {"kill:often:1:40:512:0.0:", "at byte 5, the sync mode", "commit, inter"},
    {"kill:commit", "at byte 11, the sign behind the sync mode", "not ':'"},
    {"kill:commit:x:40:512:0.0:", "at byte 12, the seed", "not a number"},
    {"kill:commit:-1:40:512:0.0:", "at byte 12, the seed", "not a number"},
    {"kill:commit:1x:40:512:0.0:", "at byte 13, the sign behind the seed", ""},
    {"kill:commit:18446744073709551616:40:512:0.0:", "the seed", "small"},
    {"kill:commit:1::512:0.0:", "at byte 14, the number of operations", ""},
    {"kill:commit:1:1000001:512:0.0:", "the number of operations", "small"},
    {"kill:commit:1:40;512:0.0:", "at byte 16, the sign behind the op", ""},
    {"kill:commit:1:40:1048577:0.0:", "the size of a sector", "small"},
    {"kill:commit:1:40:512", "at byte 20, the sign behind the sector", ""},
    {"kill:commit:1:40:512::", "at byte 21, the event", "not a number"},
    {"kill:commit:1:40:512:5:", "at byte 22, the sign behind the event", "'.'"},
    {"kill:commit:1:40:512:5.:", "at byte 23, the disk", "not a number"},
    {"kill:commit:1:40:512:5.6", "at byte 24, the sign before the knobs", ""},
    {"kill:commit:1:40:512:5.6/:", "at byte 25, the event", "not a number"},
    {"kill:commit:1:40:512:5.6/7:", "at byte 26, the sign behind the", "'.'"},
    {"kill:commit:1:40:512:5.6/7.8", "the sign before the knobs", "':'"},
};

static void what_makes_no_sense_says_where_and_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof senseless / sizeof senseless[0]; i++) {
        kv_crash_options options;
        kv_crash_address at;
        kv_status st = kv_crash_address_parse(senseless[i].text, &options, &at);
        bool says = strstr(kv_last_error(), senseless[i].where) != NULL &&
                    strstr(kv_last_error(), senseless[i].what) != NULL;
        if (st == KV_INVALID && says) continue;
        print_error("\"%s\": %s: %s\n", senseless[i].text, kv_status_name(st),
                    kv_last_error());
        fail();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_comes_back),
        cmocka_unit_test(equal_is_what_names_the_same_disk),
        cmocka_unit_test(what_makes_no_sense_says_where_and_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
