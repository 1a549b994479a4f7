// machine.c -- see machine.h.
// SPDX-License-Identifier: MIT

#define _GNU_SOURCE

#include "compare/machine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "common/disk.h"
#include "common/hash.h"
#include "common/mem.h"

// ---- this process -----------------------------------------------------------

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t cmp_thread_cpu_ns(void) { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }

uint64_t cmp_process_cpu_ns(void) { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

// A sanitizer has a malloc of its own, and its own count.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTED_BY_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTED_BY_SANITIZER
#endif

#ifdef COUNTED_BY_SANITIZER
size_t __sanitizer_get_current_allocated_bytes(void);

uint64_t cmp_heap_bytes(void)
{
    return __sanitizer_get_current_allocated_bytes();
}
#else
uint64_t cmp_heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
#endif

// What slurp() read so far; one thread at a time measures.
static uint64_t own_reads, own_read_bytes;

// Reads the front of a small file in one call; "" if it cannot.
static const char *slurp(const char *path, char *to, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, to, size - 1);
    if (fd >= 0) close(fd);
    to[got > 0 ? got : 0] = '\0';
    if (got < 0) return to;
    own_reads++;
    own_read_bytes += (uint64_t)got;
    return to;
}

static bool find_number(const char *text, const char *name, uint64_t *to)
{
    const char *at = strstr(text, name);
    if (at == NULL) return false;
    *to = strtoull(at + strlen(name), NULL, 10);
    return true;
}

kv_status cmp_io_read(cmp_io *io)
{
    char text[512];
    uint64_t reads = own_reads, read_bytes = own_read_bytes;
    slurp("/proc/self/io", text, sizeof text);
    if (find_number(text, "rchar: ", &io->read_bytes) &&
        find_number(text, "wchar: ", &io->write_bytes) &&
        find_number(text, "syscr: ", &io->reads) &&
        find_number(text, "syscw: ", &io->writes)) {
        // The kernel counts a read when it is done: this one is not in it.
        io->reads -= reads;
        io->read_bytes -= read_bytes;
        // Nor does it see what a log's mapping takes.
        uint64_t writes, write_bytes;
        kv_disk_mapped_writes(&writes, &write_bytes);
        io->writes += writes;
        io->write_bytes += write_bytes;
        uint64_t charged = 0, cancelled = 0;
        find_number(text, "\nwrite_bytes: ", &charged);
        find_number(text, "cancelled_write_bytes: ", &cancelled);
        io->charged_bytes = charged > cancelled ? charged - cancelled : 0;
        return KV_OK;
    }
    return kv_fail(KV_UNSUPPORTED, "/proc/self/io tells no byte counts here");
}

uint64_t cmp_resident_bytes(void)
{
    char text[256];
    slurp("/proc/self/statm", text, sizeof text);
    const char *resident = text + strcspn(text, " "); // behind the size
    uint64_t pages = strtoull(resident, NULL, 10);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void cmp_memory_warm(uint64_t bytes)
{
    enum { PAGE = 4096, SHARE = 4 }; // never more than a quarter of what is
    uint64_t most = kv_machine_bytes() / SHARE;
    if (bytes > most) bytes = most;
    if (bytes == 0) return;
    volatile uint8_t *memory = kv_alloc_pages(bytes);
    for (uint64_t i = 0; i < bytes; i += PAGE) memory[i] = 1;
    kv_free_pages((void *)(uintptr_t)memory, bytes);
}

// ---- files ------------------------------------------------------------------

// How many bytes an entry of the directory holds, with all below it.
static uint64_t entry_bytes(const char *path, const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return 0;
    kv_buf child = {0};
    kv_buf_printf(&child, "%s/%s%c", path, name, '\0');
    struct stat s;
    uint64_t bytes = 0;
    if (lstat((char *)child.data, &s) == 0) {
        if (S_ISREG(s.st_mode)) bytes = (uint64_t)s.st_blocks * 512;
        if (S_ISDIR(s.st_mode)) {
            bytes = cmp_directory_bytes((char *)child.data);
        }
    }
    kv_buf_free(&child);
    return bytes;
}

uint64_t cmp_directory_bytes(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL) return 0;
    uint64_t sum = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        sum += entry_bytes(path, e->d_name);
    }
    closedir(dir);
    return sum;
}

void cmp_forget_files(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL) return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        kv_buf child = {0};
        kv_buf_printf(&child, "%s/%s%c", path, e->d_name, '\0');
        cmp_forget_files((char *)child.data);
        int fd = open((char *)child.data, O_RDONLY | O_NONBLOCK);
        // Only what is on the disk can be forgotten.
        if (fd >= 0 && fdatasync(fd) == 0) {
            posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        }
        if (fd >= 0) close(fd);
        kv_buf_free(&child);
    }
    closedir(dir);
}

void cmp_remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL) {
        unlink(path);
        return;
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        kv_buf child = {0};
        kv_buf_printf(&child, "%s/%s%c", path, e->d_name, '\0');
        struct stat s;
        bool is_dir = lstat((char *)child.data, &s) == 0 && S_ISDIR(s.st_mode);
        if (is_dir) cmp_remove_tree((char *)child.data);
        else unlink((char *)child.data);
        kv_buf_free(&child);
    }
    closedir(dir);
    rmdir(path);
}

kv_status cmp_make_dir(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return KV_OK;
    return kv_fail(errno == ENOSPC ? KV_NO_SPACE : KV_IO,
                   "cannot make the directory %s: %s", path, strerror(errno));
}

bool cmp_memory_scratch(kv_buf *path, uint64_t bytes)
{
    static const char memory[] = "/dev/shm";
    struct statvfs there;
    if (access(memory, W_OK) != 0 || statvfs(memory, &there) != 0) return false;
    if ((uint64_t)there.f_bavail * there.f_frsize < bytes) return false;
    kv_buf_printf(path, "%s/stagecoach-%ld", memory, (long)getpid());
    return true;
}

void cmp_program_dir(kv_buf *to)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (slash != NULL) *slash = '\0';
    kv_buf_printf(to, "%s", len > 0 ? path : ".");
}

bool cmp_file_is_there(const char *path) { return access(path, R_OK) == 0; }

bool cmp_file_can_run(const char *path) { return access(path, X_OK) == 0; }

bool cmp_is_same_directory(const char *path, const char *other)
{
    struct stat a, b;
    return stat(path, &a) == 0 && stat(other, &b) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool cmp_has_exact_blocks(const char *path)
{
    static const long tmpfs = 0x01021994;
    struct statfs fs;
    return statfs(path, &fs) == 0 && (long)fs.f_type == tmpfs;
}

// ---- mappings ---------------------------------------------------------------

// The kernel makes the text anew for each read, a page of lines at a time.
static void read_maps(kv_buf *text)
{
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : 1;
    while (got > 0) {
        kv_buf_reserve(text, 64 << 10);
        got = read(fd, text->data + text->len, 64 << 10);
        if (got < 0) break;
        own_reads++;
        own_read_bytes += (uint64_t)got;
        text->len += (size_t)got;
    }
    if (fd >= 0) close(fd);
    kv_buf_append(text, kv_slice_of("", 1));
}

bool cmp_has_mapped(const char *dir, char *file, size_t size)
{
    char *whole = realpath(dir, NULL);
    if (whole == NULL) return false;
    kv_buf text = {0};
    read_maps(&text);
    bool found = false;
    for (char *at = (char *)text.data; *at != '\0' && !found;) {
        size_t len = strcspn(at, "\n");
        char *next = at + len + (at[len] == '\n');
        at[len] = '\0';
        // FROM-TO rw-s OFFSET DEVICE INODE  /the/file
        const char *mode = strchr(at, ' '), *path = strchr(at, '/');
        size_t front = strlen(whole);
        found = mode != NULL && path != NULL &&
                strncmp(path, whole, front) == 0 && path[front] == '/' &&
                mode[2] != 'w';
        if (found) snprintf(file, size, "%s", path + front + 1);
        at = next;
    }
    kv_buf_free(&text);
    free(whole);
    return found;
}

// ---- the machine ------------------------------------------------------------

static void cut_line(char *text) { text[strcspn(text, "\n")] = '\0'; }

static void read_processor(char *to, size_t size)
{
    static char text[8192];
    slurp("/proc/cpuinfo", text, sizeof text);
    char *at = strstr(text, "model name");
    at = at ? strchr(at, ':') : NULL;
    if (at != NULL) cut_line(at);
    snprintf(to, size, "%s", at ? at + 2 : "unknown");
}

static void read_filesystem(char *to, size_t size, const char *path)
{
    static const struct {
        long magic;
        const char *name;
    } names[] = {
        {0xef53, "ext4"},      {0x01021994, "tmpfs"},   {0x58465342, "xfs"},
        {0x9123683e, "btrfs"}, {0x794c7630, "overlay"}, {0x2fc12fc1, "zfs"},
        {0x6969, "nfs"},
    };
    struct statfs fs;
    snprintf(to, size, "unknown");
    if (statfs(path, &fs) != 0) return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if ((long)fs.f_type == names[i].magic) {
            snprintf(to, size, "%s", names[i].name);
        }
    }
}

// The commit that HEAD names, read as git keeps it, without git.
static void read_commit(char *to, size_t size)
{
    char head[256], path[300];
    snprintf(to, size, "unknown");
    slurp(".git/HEAD", head, sizeof head);
    cut_line(head);
    if (strncmp(head, "ref: ", 5) == 0) {
        snprintf(path, sizeof path, ".git/%s", head + 5);
        slurp(path, head, sizeof head);
        cut_line(head);
    }
    if (head[0] != '\0') snprintf(to, size, "%.40s", head);
}

// Two builds that call themselves the same are still told apart.
static uint64_t hash_program(void)
{
    FILE *file = fopen("/proc/self/exe", "rb");
    if (file == NULL) return 0;
    static char block[1 << 16];
    uint64_t hash = 0;
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;) {
        hash = kv_hash(kv_slice_of(block, got), hash);
    }
    fclose(file);
    return hash;
}

void cmp_machine_read(cmp_machine *m, const char *path)
{
    *m = (cmp_machine){0};
    struct utsname name;
    if (uname(&name) == 0) {
        snprintf(m->kernel, sizeof m->kernel, "%.30s %.60s %.30s", name.sysname,
                 name.release, name.machine);
        snprintf(m->host, sizeof m->host, "%.64s", name.nodename);
    }
    read_processor(m->processor, sizeof m->processor);
    read_filesystem(m->filesystem, sizeof m->filesystem, path);
    read_commit(m->commit, sizeof m->commit);
    m->program = hash_program();
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    m->processors = processors > 0 ? (unsigned)processors : 0;
    m->memory_bytes = kv_machine_bytes();
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(m->date, sizeof m->date, "%Y-%m-%dT%H:%M:%SZ", &utc);
}
