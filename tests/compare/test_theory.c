// test_theory.c -- the formulas against published and simulated figures.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "compare/theory.h"
#include "tests/support/test.h"

static void near(double got, double want, double share, int line)
{
    if (fabs(got - want) <= fabs(want) * share) return;
    print_error("line %d: got %.5g, want %.5g within %g %%\n", line, got, want,
                share * 100);
    fail();
}

#define NEAR(got, want, share) near(got, want, share, __LINE__)

static void merging_a_log_costs_by_its_garbage(void **state)
{
    (void)state;
    NEAR(cmp_theory_log_merge_wa(1, 0.5), 2, 1e-9);
    NEAR(cmp_theory_log_merge_wa(1, 0.6), 1.67, 0.01);
    NEAR(cmp_theory_log_merge_space(0.5), 1.5, 1e-9);
    NEAR(cmp_theory_log_merge_peak(0.5), 3, 1e-9);
    NEAR(cmp_theory_log_merge_peak(0.6), 3.5, 1e-9);
}

// The table of space budgets and what cleaning costs.
static void cleaning_costs_by_its_space(void **state)
{
    (void)state;
    static const double table[][2] = {
        {1.1, 5.7}, {1.25, 2.69}, {1.5, 1.72}, {2, 1.26}, {3, 1.06}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        NEAR(cmp_theory_log_clean_wa(1, table[i][0]), table[i][1], 0.01);
    }
    double u = cmp_theory_log_clean_live(2);
    NEAR(u, exp(-(1 - u) * 2), 1e-9);
}

static void hints_are_read_instead_of_values(void **state)
{
    (void)state;
    NEAR(cmp_theory_hint_share(16, 116, 20), 36.0 / 136, 1e-9);
}

static void sorted_segments_are_quadratic(void **state)
{
    (void)state;
    NEAR(cmp_theory_merge_all_wa(40), 21.5, 1e-9);
    NEAR(cmp_theory_merge_all_wa(122), 62.5, 1e-9);
    NEAR(cmp_theory_merge_all_update_wa(122), 123, 1e-9);
    NEAR(cmp_theory_merge_every_wa(40, 4), 7.5, 1e-9);
}

static void tiers_are_counted(void **state)
{
    (void)state;
    NEAR(cmp_theory_tiered_wa(1000, 10), 5, 1e-9);
    NEAR(cmp_theory_tiered_wa(1001, 10), 6, 1e-9);
    NEAR(cmp_theory_tiered_wa(122, 4), 6, 1e-9);
    NEAR(cmp_theory_leveled_worst_wa(3, 10), 32, 1e-9);
}

static void different_keys_are_counted(void **state)
{
    (void)state;
    cmp_popularity p = cmp_popularity_uniform(1000);
    NEAR(cmp_theory_unique(&p, 1), 1, 1e-6);
    NEAR(cmp_theory_unique(&p, 1000), 1000 * (1 - pow(0.999, 1000)), 1e-9);
    NEAR(cmp_theory_unique_inverse(&p, cmp_theory_unique(&p, 777)), 777, 1e-6);
    assert_true(isinf(cmp_theory_unique_inverse(&p, 1000)));
    cmp_popularity_free(&p);
    p = cmp_popularity_zipf(1000, 0.99);
    double chance = 0, count = 0;
    for (size_t i = 0; i < p.count; i++) {
        chance += p.classes[i].chance * p.classes[i].count;
        count += p.classes[i].count;
    }
    NEAR(chance, 1, 1e-9);
    NEAR(count, 1000, 1e-9);
    assert_true(cmp_theory_unique(&p, 1000) < 640);
    cmp_popularity_free(&p);
}

// Lim et al., FAST 2016: 100 million items of 1 kB, 25.82, and its terms.
static void the_published_tree_costs_what_was_published(void **state)
{
    (void)state;
    static const double parts[] = {1.00, 1.00, 1.62, 4.78, 6.22, 6.32, 4.89};
    const double item = 1000, mebi = 1 << 20;
    cmp_leveled tree = {.memtable = 4194, .trigger = 4, .levels = 5};
    for (size_t l = 0; l < 4; l++) {
        tree.size[l] = pow(10, (double)l + 1) * mebi / item;
    }
    cmp_popularity p = cmp_popularity_uniform(1e8);
    double terms[CMP_THEORY_LEVELS + 2];
    NEAR(cmp_theory_leveled_wa(&p, &tree, terms), 25.82, 0.001);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        NEAR(terms[i], parts[i], 0.005);
    }
    cmp_popularity_free(&p);
}

// The reference profile: the model's figures, which a simulation of every key
// confirmed within 8 %.
static void the_reference_trees_cost_what_the_model_says(void **state)
{
    (void)state;
    static const struct {
        cmp_leveled tree;
        double uniform, zipf;
    } table[] = {
        {{8192, 4, {81920, 819200}, 3}, 10.79, 6.09},
        {{8192, 4, {32768, 327680}, 3}, 10.52, 0},
        {{8192, 4, {32768, 131072, 524288}, 4}, 10.50, 0},
    };
    cmp_popularity uniform = cmp_popularity_uniform(1e6);
    cmp_popularity zipf = cmp_popularity_zipf(1000000, 0.99);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        NEAR(cmp_theory_leveled_wa(&uniform, &table[i].tree, NULL),
             table[i].uniform, 0.002);
        if (table[i].zipf == 0) continue;
        NEAR(cmp_theory_leveled_wa(&zipf, &table[i].tree, NULL), table[i].zipf,
             0.005);
    }
    cmp_popularity_free(&uniform);
    cmp_popularity_free(&zipf);
}

// WiscKey's example.
static void values_apart_are_written_once(void **state)
{
    (void)state;
    NEAR(cmp_theory_apart_wa(10, 16, 1, 1024, 16 + 1024), 1.14, 0.005);
}

// Trees of 122 memtables under updates, simulated key by key: whole tiers are
// at most the last one, which is half filled, too many.
static void tiers_are_near_what_was_simulated(void **state)
{
    (void)state;
    static const double table[][2] = {{2, 9.1}, {3, 6.2}, {4, 5.3},
                                      {6, 4.4}, {8, 4.0}, {10, 3.7}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        double wa = cmp_theory_tiered_wa(122, table[i][0]);
        assert_true(wa > table[i][1] - 0.2 && wa < table[i][1] + 1.35);
    }
}

static void filters_are_as_good_as_their_bits(void **state)
{
    (void)state;
    static const double table[][2] = {{0, 1},        {5, 0.092},
                                      {8, 0.022},    {10, 0.0082},
                                      {15, 0.00074}, {20, 0.00007}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        NEAR(cmp_theory_bloom(table[i][0]), table[i][1], 0.05);
    }
    NEAR(cmp_theory_miss_reads(7, 0), 7, 1e-9);
    NEAR(cmp_theory_miss_reads(7, 5), 0.64, 0.02);
    NEAR(cmp_theory_miss_reads(7, 10), 0.057, 0.02);
    NEAR(cmp_theory_miss_reads(7, 15), 0.005, 0.05);
    NEAR(cmp_theory_oldest_reads(7, 0), 7, 1e-9);
    NEAR(cmp_theory_oldest_reads(1, 10), 1, 1e-9);
    NEAR(cmp_theory_scan_reads(7, 100, 29), 7 + 100.0 / 29, 1e-9);
}

// As many bits in all, and each level's chance T times that of the one above.
static void monkey_moves_bits_to_the_small_levels(void **state)
{
    (void)state;
    double keys = 0, bits = 0;
    for (size_t level = 1; level <= 4; level++) {
        double share = pow(10, (double)level - 4);
        keys += share;
        bits += share * cmp_theory_monkey_bits(10, level, 4, 10);
    }
    NEAR(bits / keys, 10, 1e-9);
    double step = cmp_theory_monkey_bits(10, 3, 4, 10) -
                  cmp_theory_monkey_bits(10, 4, 4, 10);
    NEAR(exp(-step * log(2) * log(2)), 0.1, 1e-9);
    NEAR(cmp_theory_leveled_space(10), 1.111, 0.001);
}

static void trees_are_as_high_as_their_fan_out_says(void **state)
{
    (void)state;
    double leaf = cmp_theory_page_entries(4096, 64, 128, 8);
    NEAR(leaf, 29, 1e-9);
    NEAR(cmp_theory_btree_fill(), 0.693, 0.001);
    NEAR(cmp_theory_btree_height(1e6, leaf, 145, log(2)), 4, 1e-9);
    NEAR(cmp_theory_btree_height(20, leaf, 145, 1), 1, 1e-9);
    NEAR(cmp_theory_btree_height(30, leaf, 145, 1), 2, 1e-9);
    // The book's 256 TB: four levels of branching over leaves of 4 KiB, or
    // three and the leaves.
    NEAR(cmp_theory_btree_reach(4096, 500, 4), 256e12, 1e-9);
    NEAR(cmp_theory_btree_reach(4096, 500, 3), 512e9, 1e-9);
}

static void pages_are_written_within_bounds(void **state)
{
    (void)state;
    // Simulated: 0.653 and 0.167.
    cmp_bounds half = cmp_theory_btree_page_writes(0.5, 1);
    assert_true(half.low <= 0.653 && 0.653 <= half.high);
    cmp_bounds most = cmp_theory_btree_page_writes(0.9, 10);
    assert_true(most.low <= 0.167 && 0.167 <= most.high);
    NEAR(cmp_theory_btree_page_writes(1, 0).high, 1, 1e-9);
    NEAR(cmp_theory_btree_wa(1, 0.96, 4096, 128, 0, 0), 32, 0.02);
    NEAR(cmp_theory_btree_wa(1, 0.96, 4096, 128, 0, 0.96), 63, 0.02);
    NEAR(cmp_theory_crossover(0.96, 4096, 11), 390, 0.02);
}

static void copies_of_paths_are_shared_by_a_batch(void **state)
{
    (void)state;
    static const double nodes[] = {50000, 500, 5, 1};
    static const double table[][2] = {
        {1, 160}, {10, 84}, {100, 63}, {1000, 46}, {10000, 31}};
    NEAR(cmp_theory_cow_pages(nodes, 4, 1), 5, 1e-9);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        NEAR(cmp_theory_cow_wa(nodes, 4, table[i][0], 4096, 128), table[i][1],
             0.02);
    }
}

static void time_is_bounded_by_bytes_and_syncs(void **state)
{
    (void)state;
    NEAR(cmp_theory_write_limit(500e6, 10), 50e6, 1e-9);
    NEAR(cmp_theory_commit_rate(1e-3, 1, 0), 1000, 1e-9);
    NEAR(cmp_theory_commit_rate(1e-3, 64, 1e-6), 60150, 0.001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_a_log_costs_by_its_garbage),
        cmocka_unit_test(cleaning_costs_by_its_space),
        cmocka_unit_test(hints_are_read_instead_of_values),
        cmocka_unit_test(sorted_segments_are_quadratic),
        cmocka_unit_test(tiers_are_counted),
        cmocka_unit_test(different_keys_are_counted),
        cmocka_unit_test(the_published_tree_costs_what_was_published),
        cmocka_unit_test(the_reference_trees_cost_what_the_model_says),
        cmocka_unit_test(values_apart_are_written_once),
        cmocka_unit_test(tiers_are_near_what_was_simulated),
        cmocka_unit_test(filters_are_as_good_as_their_bits),
        cmocka_unit_test(monkey_moves_bits_to_the_small_levels),
        cmocka_unit_test(trees_are_as_high_as_their_fan_out_says),
        cmocka_unit_test(pages_are_written_within_bounds),
        cmocka_unit_test(copies_of_paths_are_shared_by_a_batch),
        cmocka_unit_test(time_is_bounded_by_bytes_and_syncs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
