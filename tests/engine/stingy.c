// stingy.c -- a system that keeps POSIX to the letter: a read or a write moves
// fewer bytes than it was asked for, or is interrupted and moves none.
// SPDX-License-Identifier: MIT
//
// Linked into a program with --wrap, it stands between the disk of the
// operating system and the calls themselves. What a call gets follows from a
// counter, so that a run can be repeated.

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "common/rng.h"

// The names that the linker gives them are not ours to choose.
// NOLINTBEGIN
ssize_t __real_pread(int fd, void *to, size_t len, off_t offset);
ssize_t __real_pwrite(int fd, const void *from, size_t len, off_t offset);
ssize_t __wrap_pread(int fd, void *to, size_t len, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *from, size_t len, off_t offset);
// NOLINTEND

static _Atomic uint64_t calls;

// How much of `len` this call may move; 0: it is interrupted.
static size_t ration(size_t len)
{
    uint64_t lot = kv_mix64(atomic_fetch_add(&calls, 1));
    if (lot % 8 == 0) return 0;
    size_t most = lot % 8 < 4 ? 1 + lot / 8 % 16 : 1 + lot / 8 % (len + 1);
    return most < len ? most : len;
}

ssize_t __wrap_pread(int fd, void *to, size_t len, off_t offset)
{
    size_t most = ration(len);
    if (most > 0 || len == 0) return __real_pread(fd, to, most, offset);
    errno = EINTR;
    return -1;
}

ssize_t __wrap_pwrite(int fd, const void *from, size_t len, off_t offset)
{
    size_t most = ration(len);
    if (most > 0 || len == 0) return __real_pwrite(fd, from, most, offset);
    errno = EINTR;
    return -1;
}
