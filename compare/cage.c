// cage.c -- see cage.h.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include "compare/cage.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compare/machine.h"

static const char prefix[] = "stagecoach-"; // and the process that made it

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

static bool is_abandoned(const char *name)
{
    size_t len = sizeof prefix - 1;
    if (strncmp(name, prefix, len) != 0) return false;
    char *end;
    long pid = strtol(name + len, &end, 10);
    return *end == '\0' && pid > 0 && kill((pid_t)pid, 0) != 0 &&
           errno == ESRCH;
}

void cmp_cages_sweep(const char *root)
{
    DIR *groups = opendir(root);
    struct dirent *entry;
    while (groups != NULL && (entry = readdir(groups)) != NULL) {
        char path[512];
        if (!is_abandoned(entry->d_name)) continue;
        snprintf(path, sizeof path, "%s/%s", root, entry->d_name);
        rmdir(path); // refused where somebody is in it
    }
    if (groups != NULL) closedir(groups);
}

static bool make(const struct version *v, uint64_t bytes, kv_buf *cage)
{
    kv_buf_clear(cage);
    kv_buf_printf(cage, "%s/%s%ld%c", v->root, prefix, (long)getpid(), '\0');
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
        cmp_cages_sweep(versions[i].root);
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
