// machine.h -- what the operating system knows: processor time, the bytes that
// went through it, memory, files, and what machine this is.
// SPDX-License-Identifier: MIT
//
// Linux. Where a figure is not to be had it is NAN or text "unknown".

#ifndef COMPARE_MACHINE_H
#define COMPARE_MACHINE_H

#include <stdint.h>

#include "common/bytes.h"
#include "common/status.h"

// Processor time of this thread, and of all threads of this process.
uint64_t cmp_thread_cpu_ns(void);
uint64_t cmp_process_cpu_ns(void);

// All that this process passed to read and write calls so far, less what the
// functions of this file read themselves. Bytes moved through a mapping are not
// in it: the kernel does not count them.
typedef struct cmp_io {
    uint64_t reads, read_bytes, writes, write_bytes;
    // Of the writes, what the kernel charged to a device so far, less what was
    // removed before it got there; 0 on a file system in memory.
    uint64_t charged_bytes;
} cmp_io;
KV_MUST_USE kv_status cmp_io_read(cmp_io *io);

// Resident memory of this process, file pages it has mapped included.
uint64_t cmp_resident_bytes(void);
// What malloc and its kin have given out in this process and not got back.
uint64_t cmp_heap_bytes(void);
// Touches so much memory and gives it back, so that the machine has it at hand:
// the host of a virtual machine backs a page when it is first touched, and
// takes back what was free for seconds. 2 MiB then take 6 ms instead of 0.2.
void cmp_memory_warm(uint64_t bytes);
// Finds a file below the directory that this process has mapped to read from it
// and not to write to it. False if there is none.
bool cmp_has_mapped(const char *dir, char *file, size_t size);
// True if the file system keeps a block for every 4 KiB of a file and for
// nothing else, so that cmp_directory_bytes is exact: tmpfs does.
bool cmp_has_exact_blocks(const char *path);
// Bytes the files of a directory and of those below it occupy: blocks
// allocated, not sizes.
uint64_t cmp_directory_bytes(const char *path);

// Writes the files of a directory out and asks the kernel to forget their
// pages, so that the next reads go to the device.
void cmp_forget_files(const char *path);

// Removes a directory with everything in it. A path that is not there is fine.
void cmp_remove_tree(const char *path);
KV_MUST_USE kv_status cmp_make_dir(const char *path); // there already: fine
// Appends the path of a directory in memory, of this process alone and not made
// yet. False, and nothing is appended, if there are no `bytes` to be had.
bool cmp_memory_scratch(kv_buf *path, uint64_t bytes);
// True if both are there and are one, whatever their names.
bool cmp_is_same_directory(const char *path, const char *other);
// The directory this program was started from.
void cmp_program_dir(kv_buf *to);
// True if it can be read.
bool cmp_file_is_there(const char *path);
bool cmp_file_can_run(const char *path);

// One line each, for the manifest.
typedef struct cmp_machine {
    char host[65], kernel[128], processor[128], filesystem[32], date[32];
    char commit[48]; // of the repository around the current directory
    unsigned processors;
    uint64_t memory_bytes;
    uint64_t program; // a hash of this program's file; 0: not to be read
} cmp_machine;
void cmp_machine_read(cmp_machine *m, const char *path);

#endif
