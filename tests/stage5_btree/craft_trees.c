// craft_trees.c -- pages that are good by themselves and do not fit together:
// circles, wild references, free pages in use.
// SPDX-License-Identifier: MIT

#include "tests/stage5_btree/craft.h"

// ---- in the tree   ----------------------------------------------------------

static int set_child(craft *c, uint64_t id)
{
    bt_page_set_child(craft_page(c, c->inner[0]), 0, id);
    return GETS | SCANS | PUTS;
}

static int child_is_the_root(craft *c) { return set_child(c, c->root); }

static int child_is_itself(craft *c) { return set_child(c, c->inner[0]); }

static int child_is_a_neighbour_of_its_parent(craft *c)
{
    return set_child(c, c->inner[1]);
}

static int child_is_a_value(craft *c) { return set_child(c, c->value[0][0]); }

static int child_is_behind_the_end(craft *c)
{
    return set_child(c, c->super.page_count);
}

static int child_is_far_out(craft *c) { return set_child(c, BT_PAGE_ID_MAX); }

static int child_is_a_leaf_at_once(craft *c)
{
    bt_page_set_child(craft_page(c, c->root), 0, c->leaf[0]);
    return GETS | SCANS | PUTS;
}

static int level_is_too_high(craft *c)
{
    craft_page(c, c->inner[0])[5] = 40;
    return GETS | SCANS | PUTS;
}

static int root_is_too_high(craft *c)
{
    craft_page(c, c->root)[5] = BT_LEVEL_MAX;
    return GETS | SCANS | PUTS;
}

static int root_is_a_value(craft *c)
{
    c->super.root = c->value[0][0];
    return GETS | SCANS | PUTS;
}

static int leaves_changed_places(craft *c)
{
    bt_page_set_child(craft_page(c, c->inner[0]), 0, c->leaf[1]);
    bt_page_set_child(craft_page(c, c->inner[0]), 1, c->leaf[0]);
    return SCANS;
}

static int inner_pages_changed_places(craft *c)
{
    bt_page_set_child(craft_page(c, c->root), 0, c->inner[1]);
    bt_page_set_child(craft_page(c, c->root), 1, c->inner[0]);
    return 0; // backwards all is in order: only a check misses the other one
}

static int a_leaf_is_there_twice(craft *c)
{
    bt_page_set_child(craft_page(c, c->inner[0]), 1, c->leaf[0]);
    return SCANS;
}

static int a_leaf_is_there_again_elsewhere(craft *c)
{
    uint8_t *page = craft_page(c, c->inner[1]);
    bt_page_set_child(page, bt_count(page), c->leaf[0]);
    return SCANS;
}

static int an_inner_page_is_there_twice(craft *c)
{
    bt_page_set_child(craft_page(c, c->root), 1, c->inner[0]);
    return 0; // backwards all is in order: only a check misses the other one
}

static int a_leaf_is_empty(craft *c)
{
    bt_page_init(craft_page(c, c->leaf[1]), PAGE, BT_LEAF, 0, c->leaf[1]);
    bt_set_lsn(craft_page(c, c->leaf[1]), 1);
    return SCANS;
}

static int an_empty_leaf_is_there_twice(craft *c)
{
    a_leaf_is_empty(c);
    for (size_t i = 0; i < 4; i++) {
        bt_page_set_child(craft_page(c, c->inner[0]), i, c->leaf[1]);
    }
    return 0;
}

static int chain_is_a_circle(craft *c)
{
    bt_set_link(craft_page(c, c->value[0][1]), c->value[0][0]);
    return GETS | SCANS | PUTS;
}

static int set_next(craft *c, uint64_t id)
{
    bt_set_link(craft_page(c, c->value[0][0]), id);
    return GETS | SCANS | PUTS;
}

static int chain_ends_in_itself(craft *c)
{
    return set_next(c, c->value[0][0]);
}

static int chain_goes_to_a_leaf(craft *c) { return set_next(c, c->leaf[1]); }

static int chain_goes_far_out(craft *c) { return set_next(c, BT_PAGE_ID_MAX); }

static int chains_join(craft *c)
{
    bt_set_link(craft_page(c, c->value[0][0]), c->value[1][1]);
    return 0;
}

// ---- and in the free list ---------------------------------------------------

static uint8_t *list_page(craft *c)
{
    return craft_page(c, c->super.free_list);
}

static void list_at(craft *c, size_t index, uint64_t id)
{
    uint8_t *page = list_page(c);
    size_t count = bt_count(page);
    uint64_t ids[PAGE / 8];
    for (size_t i = count; i-- > 0;) ids[i] = bt_free_pop(page);
    ids[index] = id;
    for (size_t i = 0; i < count; i++) bt_free_push(page, ids[i]);
}

// All of them: whichever is taken first, it is this one.
static int list_only(craft *c, uint64_t id)
{
    for (size_t i = 0; i < bt_count(list_page(c)); i++) list_at(c, i, id);
    return 0;
}

static int a_free_page_is_behind_the_end(craft *c)
{
    return list_only(c, c->super.page_count);
}

static int a_free_page_is_far_out(craft *c)
{
    return list_only(c, BT_PAGE_ID_MAX);
}

static int a_free_page_is_there_twice(craft *c)
{
    list_at(c, 0, bt_free_get(list_page(c), 1));
    return 0;
}

static int all_free_pages_are_one(craft *c)
{
    return list_only(c, bt_free_get(list_page(c), 1));
}

static int a_free_page_is_the_root(craft *c) { return list_only(c, c->root); }

static int a_free_page_is_a_leaf(craft *c) { return list_only(c, c->leaf[0]); }

static int a_free_page_is_of_the_list(craft *c)
{
    return list_only(c, c->super.free_list);
}

static int the_free_list_is_a_circle(craft *c)
{
    bt_set_link(list_page(c), c->super.free_list);
    return 0;
}

static int the_free_list_is_an_empty_circle(craft *c)
{
    while (bt_count(list_page(c)) > 0) (void)bt_free_pop(list_page(c));
    bt_set_link(list_page(c), c->super.free_list);
    return 0;
}

static int the_free_list_is_a_leaf(craft *c)
{
    c->super.free_list = c->leaf[0];
    return 0;
}

static int the_free_list_goes_far_out(craft *c)
{
    bt_set_link(list_page(c), BT_PAGE_ID_MAX);
    return 0;
}

static int too_few_are_free(craft *c)
{
    c->super.free_count = 1;
    return 0;
}

static int too_many_are_free(craft *c)
{
    c->super.free_count++;
    return 0;
}

// ---- all of them ------------------------------------------------------------

const wrong craft_wrong_trees[] = {
#define CASE(name)                                                             \
    {                                                                          \
#name, name                                                            \
    }
    CASE(child_is_the_root),
    CASE(child_is_itself),
    CASE(child_is_a_neighbour_of_its_parent),
    CASE(child_is_a_value),
    CASE(child_is_behind_the_end),
    CASE(child_is_far_out),
    CASE(child_is_a_leaf_at_once),
    CASE(level_is_too_high),
    CASE(root_is_too_high),
    CASE(root_is_a_value),
    CASE(leaves_changed_places),
    CASE(inner_pages_changed_places),
    CASE(a_leaf_is_there_twice),
    CASE(a_leaf_is_there_again_elsewhere),
    CASE(an_inner_page_is_there_twice),
    CASE(a_leaf_is_empty),
    CASE(an_empty_leaf_is_there_twice),
    CASE(chain_is_a_circle),
    CASE(chain_ends_in_itself),
    CASE(chain_goes_to_a_leaf),
    CASE(chain_goes_far_out),
    CASE(chains_join),
    CASE(a_free_page_is_behind_the_end),
    CASE(a_free_page_is_far_out),
    CASE(a_free_page_is_there_twice),
    CASE(all_free_pages_are_one),
    CASE(a_free_page_is_the_root),
    CASE(a_free_page_is_a_leaf),
    CASE(a_free_page_is_of_the_list),
    CASE(the_free_list_is_a_circle),
    CASE(the_free_list_is_an_empty_circle),
    CASE(the_free_list_is_a_leaf),
    CASE(the_free_list_goes_far_out),
    CASE(too_few_are_free),
    CASE(too_many_are_free),
    {NULL, NULL},
};
