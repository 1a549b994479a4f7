// place.h -- where a record stands, and about how long it is, in 48 bits.
// SPDX-License-Identifier: MIT
//
//    bit 47                                   8 7        3 2      0
//        +------------------------------------+----------+--------+
//        | address: 40 bits                   | exponent | eighth |
//        +------------------------------------+----------+--------+
//                                             bound = (8 + eighth) << exponent
//
// An address counts the bytes of all segments, each of which owns a run of
// 4 MiB chunks of the address space (segments.h). The low eight bits are a
// size class, so that one read fetches the whole record: a record is never
// longer than its bound, and a bound is less than an eighth too long.
//
// Invariants
//   P1  record size <= bound < record size * 9 / 8, or both are 8.

#ifndef LOG_PLACE_H
#define LOG_PLACE_H

#include <assert.h>
#include <stdint.h>

typedef uint64_t log_place;

enum { LOG_ADDRESS_BITS = 40 };

// The smallest class whose bound is at least `size`.
static inline uint64_t log_size_class(uint64_t size)
{
    assert(size > 0 && size < (uint64_t)1 << 32);
    uint64_t exponent = 0;
    while (size > (uint64_t)15 << exponent) exponent++;
    uint64_t eighths = (size + ((uint64_t)1 << exponent) - 1) >> exponent;
    return exponent << 3 | (eighths < 8 ? 0 : eighths - 8);
}

static inline log_place log_place_of(uint64_t address, uint64_t size)
{
    assert(address >> LOG_ADDRESS_BITS == 0);
    return address << 8 | log_size_class(size);
}

static inline uint64_t log_place_address(log_place place) { return place >> 8; }

static inline uint64_t log_place_bound(log_place place)
{
    return (8 + (place & 7)) << (place >> 3 & 31);
}

#endif
