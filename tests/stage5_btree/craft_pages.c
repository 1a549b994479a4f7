// craft_pages.c -- a page, a superblock or a file that is none, with a good
// checksum.
// SPDX-License-Identifier: MIT

#include "tests/stage5_btree/craft.h"

// ---- in one page ------------------------------------------------------------

static uint8_t *slot_of(craft *c, size_t slot)
{
    uint8_t *page = craft_page(c, c->leaf[0]);
    return page + (bt_slot(page, slot) - page);
}

static void set_offset(craft *c, size_t slot, size_t offset)
{
    bt_slot_encode(slot_of(c, slot), bt_slot_head(slot_of(c, slot)), offset);
}

static int cells_overlap(craft *c)
{
    set_offset(c, 0, bt_slot_offset(slot_of(c, 0)) + 1);
    return GETS | SCANS | PUTS;
}

static int cells_are_one(craft *c)
{
    set_offset(c, 1, bt_slot_offset(slot_of(c, 0)));
    return GETS | SCANS | PUTS;
}

static int a_cell_is_outside(craft *c)
{
    set_offset(c, 0, UINT16_MAX);
    return GETS | SCANS | PUTS;
}

static int a_cell_is_in_the_header(craft *c)
{
    set_offset(c, 0, 4);
    return GETS | SCANS | PUTS;
}

static int slots_changed_places(craft *c)
{
    uint8_t first[BT_SLOT_BYTES];
    memcpy(first, slot_of(c, 0), BT_SLOT_BYTES);
    memcpy(slot_of(c, 0), slot_of(c, 1), BT_SLOT_BYTES);
    memcpy(slot_of(c, 1), first, BT_SLOT_BYTES);
    return GETS | SCANS | PUTS;
}

static int there_are_too_many_slots(craft *c)
{
    uint8_t *page = craft_page(c, c->leaf[0]);
    bt_set_shape(page, UINT16_MAX, bt_prefix_bytes(page), bt_heap_bytes(page),
                 bt_dead_bytes(page));
    return GETS | SCANS | PUTS;
}

static int a_prefix_is_too_long(craft *c)
{
    uint8_t *page = craft_page(c, c->leaf[0]);
    bt_set_shape(page, bt_count(page), UINT16_MAX, bt_heap_bytes(page),
                 bt_dead_bytes(page));
    return GETS | SCANS | PUTS;
}

static int a_page_is_of_another_size(craft *c)
{
    craft_page(c, c->leaf[0])[6]++;
    return GETS | SCANS | PUTS;
}

static int a_page_is_of_no_kind(craft *c)
{
    craft_page(c, c->leaf[0])[4] = 9;
    return GETS | SCANS | PUTS;
}

static int a_page_is_another(craft *c)
{
    bt_set_page_id(craft_page(c, c->leaf[0]), c->leaf[1]);
    return GETS | SCANS | PUTS;
}

static int a_page_is_of_tomorrow(craft *c)
{
    bt_set_lsn(craft_page(c, c->leaf[0]), c->super.lsn + 1);
    return GETS | SCANS | PUTS;
}

// ---- in the superblock ------------------------------------------------------

static int root_is_a_superblock(craft *c)
{
    c->super.root = 1;
    return REFUSED;
}

static int root_is_behind_the_end(craft *c)
{
    c->super.root = c->super.page_count;
    return REFUSED;
}

static int root_is_far_out(craft *c)
{
    c->super.root = UINT64_MAX;
    return REFUSED;
}

static int free_list_is_behind_the_end(craft *c)
{
    c->super.free_list = c->super.page_count;
    return REFUSED;
}

static int free_list_is_a_superblock(craft *c)
{
    c->super.free_list = 1;
    return REFUSED;
}

static int pages_are_one_more(craft *c)
{
    c->super.page_count++;
    return REFUSED;
}

static int pages_are_as_many_as_can_be(craft *c)
{
    c->super.page_count = BT_PAGE_ID_MAX;
    return REFUSED;
}

static int pages_are_more_than_can_be(craft *c)
{
    c->super.page_count = UINT64_MAX;
    return REFUSED;
}

static int pages_are_none(craft *c)
{
    c->super.page_count = 0;
    return REFUSED;
}

static int a_page_counts_no_more(craft *c)
{
    c->super.page_count--;
    return 0;
}

static int more_are_free_than_there_are(craft *c)
{
    c->super.free_count = UINT64_MAX;
    return REFUSED;
}

static int counter_is_at_its_end(craft *c)
{
    c->super.counter = UINT64_MAX - 2;
    return REFUSED;
}

static int commits_are_at_their_end(craft *c)
{
    c->super.lsn = UINT64_MAX;
    return REFUSED;
}

static int logs_are_at_their_end(craft *c)
{
    c->super.log = UINT64_MAX;
    return REFUSED;
}

static int journal_is_unknown(craft *c)
{
    c->super.journal = 2;
    return REFUSED;
}

static int format_is_newer(craft *c)
{
    c->super.major = BT_FORMAT_MAJOR + 1;
    return REFUSED;
}

static int pages_are_longer(craft *c)
{
    c->super.page_bytes *= 2;
    return REFUSED;
}

static int pages_have_no_length(craft *c)
{
    c->super.page_bytes = 0;
    return REFUSED;
}

static int store_is_another(craft *c)
{
    c->super.store_id++;
    return REFUSED;
}

static int keys_are_too_many(craft *c)
{
    c->super.key_count++;
    return 0;
}

// ---- in the file ------------------------------------------------------------

static int file_ends_too_soon(craft *c)
{
    c->bytes -= PAGE;
    return REFUSED;
}

static int file_ends_within_a_page(craft *c)
{
    c->bytes -= 1;
    return REFUSED;
}

static int file_is_of_another_kind(craft *c)
{
    memset(c->tree, 'x', c->bytes);
    c->is_raw = true;
    return REFUSED;
}

static int file_is_empty(craft *c)
{
    c->bytes = 0;
    c->is_raw = true;
    return REFUSED;
}

static int file_is_a_superblock_only(craft *c)
{
    c->bytes = 2 * PAGE;
    return REFUSED;
}

// ---- all of them ------------------------------------------------------------

const wrong craft_wrong_pages[] = {
#define CASE(name)                                                             \
    {                                                                          \
#name, name                                                            \
    }
    CASE(cells_overlap),
    CASE(cells_are_one),
    CASE(a_cell_is_outside),
    CASE(a_cell_is_in_the_header),
    CASE(slots_changed_places),
    CASE(there_are_too_many_slots),
    CASE(a_prefix_is_too_long),
    CASE(a_page_is_of_another_size),
    CASE(a_page_is_of_no_kind),
    CASE(a_page_is_another),
    CASE(a_page_is_of_tomorrow),
    CASE(root_is_a_superblock),
    CASE(root_is_behind_the_end),
    CASE(root_is_far_out),
    CASE(free_list_is_behind_the_end),
    CASE(free_list_is_a_superblock),
    CASE(pages_are_one_more),
    CASE(pages_are_as_many_as_can_be),
    CASE(pages_are_more_than_can_be),
    CASE(pages_are_none),
    CASE(a_page_counts_no_more),
    CASE(more_are_free_than_there_are),
    CASE(counter_is_at_its_end),
    CASE(commits_are_at_their_end),
    CASE(logs_are_at_their_end),
    CASE(journal_is_unknown),
    CASE(format_is_newer),
    CASE(pages_are_longer),
    CASE(pages_have_no_length),
    CASE(store_is_another),
    CASE(keys_are_too_many),
    CASE(file_ends_too_soon),
    CASE(file_ends_within_a_page),
    CASE(file_is_of_another_kind),
    CASE(file_is_empty),
    CASE(file_is_a_superblock_only),
    {NULL, NULL},
};
