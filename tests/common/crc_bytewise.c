// crc_bytewise.c -- the checksum that is used where ISA-L is not installed,
// under a second name, so that the two can be compared.
// SPDX-License-Identifier: MIT

#define kv_crc32c crc_bytewise
#include "common/crc_table.c"
