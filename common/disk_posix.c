// disk_posix.c -- the disk of the operating system: the only file that makes
// file-system calls.
// SPDX-License-Identifier: MIT

#define _DEFAULT_SOURCE // flock, MAP_FAILED
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h> // renameat
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/disk.h"
#include "common/mem.h"
#include "common/thread.h"

struct posix_disk {
    kv_disk base;
    char *path;
    int fd; // of the directory: names are looked up relative to it
};

struct posix_file {
    kv_file base;
    int fd;
    kv_open_how how;
    kv_mutex map_lock; // for making the mapping, once
    _Atomic(uint8_t *) map;
    uint64_t mapped_bytes;

    // With maps_writes, the space that was added last: bytes window_from to
    // window_end of the file.
    uint8_t *window;
    uint64_t window_from, window_end;
};

// The first touch of each page of a mapping is a fault, which costs more than a
// call does for all the pages of a long write: beyond this, writes are calls.
enum { WINDOW_WRITE_MAX = 16 << 10 };

static _Atomic uint64_t mapped_writes, mapped_write_bytes;

void kv_disk_mapped_writes(uint64_t *writes, uint64_t *bytes)
{
    *writes = atomic_load(&mapped_writes);
    *bytes = atomic_load(&mapped_write_bytes);
}

static const kv_disk_ops posix_ops;

static struct posix_disk *disk_of(kv_disk *d) { return (struct posix_disk *)d; }

static struct posix_file *file_of(kv_file *f) { return (struct posix_file *)f; }

// The status of errno, with the sentence: what was tried, where, and why not.
static kv_status refused(const char *what, const char *path, const char *name)
{
    int error = errno;
    const char *slash = *name != '\0' ? "/" : "";
    if (error == ENOSPC || error == EDQUOT) {
        return kv_fail(KV_NO_SPACE,
                       "%s%s%s: the disk is full (%s); free some space and try "
                       "again",
                       path, slash, name, what);
    }
    return kv_fail(KV_IO, "%s%s%s: cannot %s: %s", path, slash, name, what,
                   strerror(error));
}

static kv_status refused_file(const char *what, const kv_file *f)
{
    return refused(what, ((struct posix_disk *)f->disk)->path, f->name);
}

// ---- files ------------------------------------------------------------------

static kv_status make_file(kv_disk *d, const char *name, int fd,
                           kv_open_how how, kv_file **out)
{
    struct posix_file *f = kv_zalloc(sizeof *f);
    f->base = (kv_file){.disk = d, .name = kv_strdup(name)};
    f->fd = fd;
    f->how = how;
    kv_mutex_init(&f->map_lock);
    *out = &f->base;
    return KV_OK;
}

static int open_again(int dir, const char *name, int flags)
{
    int fd;
    do {
        fd = openat(dir, name, flags | O_CLOEXEC, 0600);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static kv_status posix_open(kv_disk *d, const char *name, kv_open_how how,
                            kv_why why, kv_file **out)
{
    (void)why;
    static const int flags[] = {[KV_OPEN_READ] = O_RDONLY,
                                [KV_OPEN_WRITE] = O_RDWR,
                                [KV_OPEN_CREATE] = O_RDWR | O_CREAT | O_EXCL};
    int fd = open_again(disk_of(d)->fd, name, flags[how.mode]);
    if (fd >= 0) return make_file(d, name, fd, how, out);
    if (errno == ENOENT && how.mode != KV_OPEN_CREATE) return KV_NOT_FOUND;
    return refused(how.mode == KV_OPEN_CREATE ? "create it" : "open it",
                   disk_of(d)->path, name);
}

static kv_status posix_read(kv_file *f, uint64_t offset, void *to, size_t len,
                            size_t *got, kv_why why)
{
    (void)why;
    size_t sum = 0;
    while (sum < len) {
        ssize_t n = pread(file_of(f)->fd, (char *)to + sum, len - sum,
                          (off_t)(offset + sum));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return refused_file("read it", f);
        if (n == 0) break;
        sum += (size_t)n;
    }
    *got = sum;
    return KV_OK;
}

static bool write_to_window(struct posix_file *f, uint64_t offset,
                            kv_slice bytes)
{
    if (f->window == NULL || bytes.len > WINDOW_WRITE_MAX ||
        offset < f->window_from || offset > f->window_end ||
        bytes.len > f->window_end - offset) {
        return false;
    }
    memcpy(f->window + (offset - f->window_from), bytes.data, bytes.len);
    atomic_fetch_add_explicit(&mapped_writes, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&mapped_write_bytes, bytes.len,
                              memory_order_relaxed);
    return true;
}

static kv_status posix_write(kv_file *f, uint64_t offset, kv_slice bytes,
                             kv_why why)
{
    (void)why;
    if (write_to_window(file_of(f), offset, bytes)) return KV_OK;
    size_t sum = 0;
    while (sum < bytes.len) {
        ssize_t n = pwrite(file_of(f)->fd, bytes.data + sum, bytes.len - sum,
                           (off_t)(offset + sum));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return refused_file("write to it", f);
        sum += (size_t)n;
    }
    return KV_OK;
}

static void drop_window(struct posix_file *f)
{
    if (f->window == NULL) return;
    munmap(f->window, f->window_end - f->window_from);
    f->window = NULL;
    f->window_from = f->window_end = 0;
}

static kv_status posix_truncate(kv_file *f, uint64_t size, kv_why why)
{
    (void)why;
    drop_window(file_of(f)); // a copy behind the file's end would be a crash
    if (ftruncate(file_of(f)->fd, (off_t)size) == 0) return KV_OK;
    return refused_file("change its size", f);
}

static kv_status posix_size(kv_file *f, uint64_t *size)
{
    struct stat st;
    if (fstat(file_of(f)->fd, &st) != 0) return refused_file("stat it", f);
    *size = (uint64_t)st.st_size;
    return KV_OK;
}

// That there is no mapping to be had is no matter: writes are calls then. In
// the background all pages are made ready too, for which writes would wait.
static void make_window(struct posix_file *f, uint64_t from, uint64_t end,
                        kv_why why)
{
    drop_window(f);
    from -= from % (uint64_t)sysconf(_SC_PAGESIZE);
    void *window = mmap(NULL, end - from, PROT_READ | PROT_WRITE, MAP_SHARED,
                        f->fd, (off_t)from);
    if (window == MAP_FAILED) return;
    if (why.background) madvise(window, end - from, MADV_POPULATE_READ);
    f->window = window;
    f->window_from = from;
    f->window_end = end;
}

// The space is there, whatever becomes of them: if they cannot be written,
// syncs take longer, and no more.
static void write_zeroes(kv_file *f, uint64_t end, uint64_t size, kv_why why)
{
    uint64_t from;
    size_t len = kv_zeroes_to_write(file_of(f)->how, end, size, &from);
    if (len == 0) return;
    uint8_t *zeroes = kv_zalloc(len);
    (void)!posix_write(f, from, kv_slice_of(zeroes, len), why);
    kv_free(zeroes);
}

static kv_status posix_allocate(kv_file *f, uint64_t size, kv_why why)
{
    uint64_t end;
    KV_TRY(posix_size(f, &end));
    if (size <= end) return KV_OK;
    int error;
    do {
        error =
            posix_fallocate(file_of(f)->fd, (off_t)end, (off_t)(size - end));
    } while (error == EINTR);
    if (error == 0) {
        write_zeroes(f, end, size, why);
        if (file_of(f)->how.maps_writes) {
            make_window(file_of(f), end, size, why);
        }
        return KV_OK;
    }
    errno = error;
    return refused_file("reserve space for it", f);
}

static kv_status posix_sync(kv_file *f, kv_why why)
{
    (void)why;
    // Not retried, whatever it says (D4).
    if (fdatasync(file_of(f)->fd) == 0) return KV_OK;
    return refused_file("sync it", f);
}

static kv_status make_mapping(struct posix_file *f, uint64_t end)
{
    uint64_t bytes = f->how.map_bytes;
    if (bytes == 0) KV_TRY(posix_size(&f->base, &bytes));
    if (end > bytes) {
        return kv_fail(KV_CORRUPT,
                       "%s: ends at %llu, before the bytes up to %llu that "
                       "should be there",
                       f->base.name, (unsigned long long)bytes,
                       (unsigned long long)end);
    }
    void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, f->fd, 0);
    if (map == MAP_FAILED) return refused_file("map it", &f->base);
    madvise(map, bytes, MADV_RANDOM); // point reads want no read-ahead
    f->mapped_bytes = bytes;
    atomic_store(&f->map, map);
    return KV_OK;
}

static kv_status posix_map(kv_file *file, uint64_t offset, size_t len,
                           kv_why why, kv_slice *out)
{
    (void)why;
    struct posix_file *f = file_of(file);
    uint8_t *map = atomic_load_explicit(&f->map, memory_order_acquire);
    if (!KV_LIKELY(map != NULL)) {
        kv_mutex_lock(&f->map_lock);
        kv_status st =
            atomic_load(&f->map) ? KV_OK : make_mapping(f, offset + len);
        kv_mutex_unlock(&f->map_lock);
        KV_TRY(st);
        map = atomic_load(&f->map);
    }
    if (!KV_LIKELY(len <= f->mapped_bytes && offset <= f->mapped_bytes - len)) {
        return kv_fail(KV_CORRUPT,
                       "%s: %zu bytes at %llu are not all among the %llu that "
                       "are mapped",
                       file->name, len, (unsigned long long)offset,
                       (unsigned long long)f->mapped_bytes);
    }
    *out = kv_slice_of(map + offset, len);
    return KV_OK;
}

static kv_status posix_close(kv_file *file)
{
    struct posix_file *f = file_of(file);
    kv_status st = KV_OK;
    uint8_t *map = atomic_load(&f->map);
    if (map != NULL) munmap(map, f->mapped_bytes);
    drop_window(f);
    // After EINTR the descriptor is gone all the same, on Linux.
    if (close(f->fd) != 0 && errno != EINTR)
        st = refused_file("close it", file);
    kv_mutex_free(&f->map_lock);
    kv_free(file->name);
    kv_free(f);
    return st;
}

// ---- the directory ----------------------------------------------------------

// Not ours, whatever it holds: "." and ".." are two of them.
static bool is_directory(int fd, const char *name)
{
    struct stat s;
    return fstatat(fd, name, &s, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(s.st_mode);
}

static kv_status posix_list(kv_disk *d, kv_names *out)
{
    struct posix_disk *disk = disk_of(d);
    int fd = open_again(disk->fd, ".", O_RDONLY | O_DIRECTORY);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        kv_status st = refused("list it", disk->path, "");
        if (fd >= 0) close(fd);
        return st;
    }
    kv_names names = {0};
    struct dirent *entry;
    while (errno = 0, (entry = readdir(dir)) != NULL) {
        if (!is_directory(dirfd(dir), entry->d_name)) {
            kv_names_add(&names, entry->d_name);
        }
    }
    kv_status st = errno != 0 ? refused("list it", disk->path, "") : KV_OK;
    closedir(dir);
    if (st != KV_OK) {
        kv_names_free(&names);
        return st;
    }
    kv_names_sort(&names);
    *out = names;
    return KV_OK;
}

static kv_status posix_rename(kv_disk *d, const char *from, const char *to,
                              kv_why why)
{
    (void)why;
    struct posix_disk *disk = disk_of(d);
    if (renameat(disk->fd, from, disk->fd, to) == 0) return KV_OK;
    return refused("rename it", disk->path, from);
}

static kv_status posix_remove(kv_disk *d, const char *name, kv_why why)
{
    (void)why;
    struct posix_disk *disk = disk_of(d);
    if (unlinkat(disk->fd, name, 0) == 0) return KV_OK;
    if (errno == ENOENT) return KV_NOT_FOUND;
    return refused("remove it", disk->path, name);
}

static kv_status posix_link(kv_disk *d, const char *name, kv_disk *target,
                            const char *target_name, kv_why why)
{
    (void)why;
    struct posix_disk *disk = disk_of(d), *other = disk_of(target);
    if (linkat(disk->fd, name, other->fd, target_name, 0) == 0) return KV_OK;
    if (errno == EXDEV || errno == EPERM || errno == EOPNOTSUPP) {
        return KV_UNSUPPORTED;
    }
    return refused("make a link there", other->path, target_name);
}

static kv_status posix_sync_dir(kv_disk *d, kv_why why)
{
    (void)why;
    struct posix_disk *disk = disk_of(d);
    if (fsync(disk->fd) == 0) return KV_OK;
    return refused("sync the directory", disk->path, "");
}

static kv_status posix_lock(kv_disk *d, const char *name, kv_file **out)
{
    struct posix_disk *disk = disk_of(d);
    int fd = open_again(disk->fd, name, O_RDWR | O_CREAT);
    if (fd < 0 && (errno == EROFS || errno == EACCES)) {
        fd = open_again(disk->fd, name, O_RDONLY); // a read-only place
    }
    if (fd < 0) return refused("open the lock file", disk->path, name);
    make_file(d, name, fd, (kv_open_how){0}, out);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return KV_OK;
    if (errno == EWOULDBLOCK) return KV_LOCKED;
    kv_status st = refused("lock it", disk->path, name);
    posix_close(*out);
    *out = NULL;
    return st;
}

static void posix_space(kv_disk *d, uint64_t *now, uint64_t *peak)
{
    (void)d;
    *now = *peak = 0; // the count layer knows
}

// The directory `path`, or if it is not there the one it would be made in.
static int open_nearest(const char *path)
{
    int fd = open_again(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    if (fd >= 0 || errno != ENOENT) return fd;
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') len--;
    while (len > 0 && path[len - 1] != '/') len--;
    char *parent = kv_strdup(len > 0 ? path : ".");
    if (len > 0) parent[len] = '\0';
    fd = open_again(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY);
    kv_free(parent);
    return fd;
}

// Goes up from `path` to the root, which is above itself.
static bool is_within(int top, const char *path)
{
    struct stat want = {0}, at = {0}, last;
    bool answer = false, goes_on = fstat(top, &want) == 0;
    for (int fd = open_nearest(path), above; fd >= 0; fd = above) {
        last = at;
        goes_on = goes_on && !answer && fstat(fd, &at) == 0 &&
                  (at.st_ino != last.st_ino || at.st_dev != last.st_dev);
        answer =
            answer || (at.st_ino == want.st_ino && at.st_dev == want.st_dev);
        above = goes_on ? open_again(fd, "..", O_RDONLY | O_DIRECTORY) : -1;
        close(fd);
    }
    return answer;
}

static kv_status posix_open_beside(kv_disk *d, const char *path, bool create,
                                   kv_disk **out)
{
    if (is_within(disk_of(d)->fd, path)) {
        return kv_fail(KV_INVALID,
                       "%s: is within the store %s; name a directory outside "
                       "of it",
                       path, disk_of(d)->path);
    }
    return kv_disk_open_real(path, create, out);
}

static void posix_close_disk(kv_disk *d)
{
    struct posix_disk *disk = disk_of(d);
    close(disk->fd);
    kv_free(disk->path);
    kv_free(disk);
}

static const kv_disk_ops posix_ops = {
    .open = posix_open,
    .read = posix_read,
    .map = posix_map,
    .write = posix_write,
    .truncate = posix_truncate,
    .allocate = posix_allocate,
    .size = posix_size,
    .sync = posix_sync,
    .close = posix_close,
    .list = posix_list,
    .rename = posix_rename,
    .remove = posix_remove,
    .link = posix_link,
    .sync_dir = posix_sync_dir,
    .lock = posix_lock,
    .open_beside = posix_open_beside,
    .space = posix_space,
    .close_disk = posix_close_disk,
};

// Makes the directory, and its own name durable in the parent.
static kv_status make_dir(const char *path)
{
    if (mkdir(path, 0700) != 0) {
        if (errno == EEXIST) return KV_OK;
        return refused("make the directory", path, "");
    }
    kv_buf parent = {0};
    kv_buf_printf(&parent, "%s/..%c", path, '\0');
    int fd =
        open_again(AT_FDCWD, (const char *)parent.data, O_RDONLY | O_DIRECTORY);
    kv_buf_free(&parent);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    kv_status st =
        is_synced ? KV_OK : refused("sync the directory above", path, "");
    if (fd >= 0) close(fd);
    return st;
}

kv_status kv_disk_open_real(const char *path, bool create, kv_disk **out)
{
    if (create) KV_TRY(make_dir(path));
    int fd = open_again(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && errno == ENOENT) return KV_NOT_FOUND;
    if (fd < 0) return refused("open the directory", path, "");
    struct posix_disk *disk = kv_zalloc(sizeof *disk);
    disk->base.ops = &posix_ops;
    disk->path = kv_strdup(path);
    disk->fd = fd;
    *out = &disk->base;
    return KV_OK;
}
