// cage.c -- see cage.h.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include "compare/cage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compare/machine.h"

static const struct version {
    const char *root, *limit;
} versions[] = {
    {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, // version 1
    {"/sys/fs/cgroup", "memory.max"},                   // version 2
};

// Only into a file that is there: elsewhere the directory is an ordinary one.
static bool write_number(const char *dir, const char *name, uint64_t number)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "r+");
    if (file == NULL) return false;
    bool is_written = fprintf(file, "%llu\n", (unsigned long long)number) > 0;
    return fclose(file) == 0 && is_written;
}

static bool make(const struct version *v, uint64_t bytes, kv_buf *cage)
{
    kv_buf_clear(cage);
    kv_buf_printf(cage, "%s/stagecoach-%ld%c", v->root, (long)getpid(), '\0');
    const char *path = (const char *)cage->data;
    if (mkdir(path, 0755) != 0) return false;
    if (write_number(path, v->limit, bytes)) return true;
    int why = errno;
    rmdir(path);
    errno = why;
    return false;
}

kv_status cmp_cage_make(kv_buf *cage, uint64_t bytes, const char *dir)
{
    if (cmp_has_exact_blocks(dir)) {
        return kv_fail(KV_UNSUPPORTED, "%s is in memory itself", dir);
    }
    int why = 0;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        if (make(&versions[i], bytes, cage)) return KV_OK;
        if (why == 0 || why == ENOENT) why = errno; // the version that is there
    }
    return kv_fail(KV_UNSUPPORTED,
                   "no control group with a limit of memory can be made below "
                   "%s: %s (it takes root)",
                   versions[1].root, strerror(why));
}

kv_status cmp_cage_enter(const char *cage)
{
    if (write_number(cage, "cgroup.procs", (uint64_t)getpid())) return KV_OK;
    return kv_fail(KV_IO, "cannot enter the control group %s: %s", cage,
                   strerror(errno));
}

void cmp_cage_remove(const char *cage) { rmdir(cage); }
