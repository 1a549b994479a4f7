// disk.h -- the only door to the file system, and the place where bytes are
// counted: files in one directory, every call with its reason.
// SPDX-License-Identifier: MIT
//
// A disk is a table of functions, so that a test can put a disk that lies, one
// that fills up or one that loses power in the place of the real one, and so
// that counting cannot be forgotten. Layers stack, each small:
//
//     engine ─▶ count ─▶ fault ─▶ trace ─▶ real | sim
//
// Names are relative to the store's directory; there are no sub-directories.
// Short reads and writes, EINTR and EAGAIN are handled below this interface.
//
// Invariants
//   D1  A call that fails has said why, with file and offset (kv_fail).
//   D2  KV_NO_SPACE from a write: any part of its bytes may be in the file. The
//       caller truncates back or goes read-only.
//   D3  A name is durable after kv_disk_sync_dir, bytes are after
//       kv_file_sync; nothing else is promised of either.
//   D4  After a kv_file_sync fails, nothing is known about the file's bytes:
//       never sync again in the hope of a better answer. A sync fails with
//       KV_IO, also where there is no room.

#ifndef COMMON_DISK_H
#define COMMON_DISK_H

#include "common/bytes.h"
#include "common/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kv_disk kv_disk; // a directory
typedef struct kv_file kv_file; // an open file in it

// Why bytes move. Every definition of write amplification in the literature
// can be computed from these.
#define KV_REASON_LIST(X)                                                      \
    X(KV_FOR_WAL, "wal", "a log that a later write will make superfluous")     \
    X(KV_FOR_DATA, "data", "stage 2's records: the log is the database")       \
    X(KV_FOR_FLUSH, "flush", "a memtable becomes a file")                      \
    X(KV_FOR_COMPACT, "compact", "files are merged into files")                \
    X(KV_FOR_PAGE, "page", "a page, in place or copied")                       \
    X(KV_FOR_PAGE_COPY, "page-copy", "a page's image, against torn writes")    \
    X(KV_FOR_META, "meta", "manifest, superblock, hint, identity, lock")       \
    X(KV_FOR_READ, "read", "a user's get or scan")                             \
    X(KV_FOR_RECOVERY, "recovery", "what opening the store reads and repairs")

typedef enum kv_reason {
#define X(code, word, text) code,
    KV_REASON_LIST(X)
#undef X
        KV_REASONS // how many
} kv_reason;

const char *kv_reason_word(kv_reason reason);

// A reason, and whether a user's call waits for it or a background step does.
typedef struct kv_why {
    uint8_t reason; // a kv_reason
    bool background;
} kv_why;

static inline kv_why kv_for(kv_reason reason)
{
    kv_why why = {(uint8_t)reason, false};
    return why;
}

static inline kv_why kv_for_background(kv_reason reason)
{
    kv_why why = {(uint8_t)reason, true};
    return why;
}

typedef struct kv_disk_stats {
    uint64_t reads, read_bytes;
    uint64_t writes, write_bytes;
    uint64_t sequential_bytes; // written where the file's last write ended
    uint64_t syncs;            // of files and of the directory
} kv_disk_stats;

// ---- files ------------------------------------------------------------------

typedef enum kv_open_mode {
    KV_OPEN_READ,   // the file is there, and will not be written through this
    KV_OPEN_WRITE,  // the file is there; read and write
    KV_OPEN_CREATE, // the file is not there, or KV_IO; read and write
} kv_open_mode;

typedef struct kv_open_how {
    kv_open_mode mode;
    // For kv_file_map: no view will reach beyond this; 0: as large as it is.
    uint64_t map_bytes;
    // Writes into space that kv_file_allocate added through this handle are
    // copied to a mapping, unless they are long: no system call, and as safe
    // from the end of the process as one. Such writes, allocations and
    // truncations come one at a time; an I/O error behind one is a crash
    // (notes/durability.md).
    bool maps_writes;
    // Space that kv_file_allocate adds behind this offset is written, with
    // zeroes: a sync of what is written to it later then has nothing to note
    // about the file, which takes as long as the sync itself. For a file whose
    // every write is synced; 0: for no other. Cost of an allocation: 1 write.
    uint64_t zeroes_from;
} kv_open_how;

// How much of the space that a file of `size` bytes is to have is zeroes that
// have to be written, when `end` is where it ends now; they begin at *from.
static inline uint64_t kv_zeroes_to_write(kv_open_how how, uint64_t end,
                                          uint64_t size, uint64_t *from)
{
    *from = end > how.zeroes_from ? end : how.zeroes_from;
    return how.zeroes_from > 0 && size > *from ? size - *from : 0;
}

// KV_NOT_FOUND (bare, no sentence) when a file to be read or written is absent.
KV_MUST_USE kv_status kv_file_open(kv_disk *d, const char *name,
                                   kv_open_how how, kv_why why, kv_file **out);
// The file's name; the file's own, until it is closed.
const char *kv_file_name(const kv_file *f);
// Reads up to `len` bytes; *got is less only where the file ends.
// Cost: 1 read.
KV_MUST_USE kv_status kv_file_read(kv_file *f, uint64_t offset, void *to,
                                   size_t len, size_t *got, kv_why why);
// The same, but fewer than `len` bytes are KV_CORRUPT: "ends too soon".
KV_MUST_USE kv_status kv_file_read_all(kv_file *f, uint64_t offset, void *to,
                                       size_t len, kv_why why);
// A view of bytes that were written and will not change, without copying: a
// pointer into a mapping of the file, valid until the file is closed. An I/O
// error behind it is a crash (notes/durability.md). Cost: counted as 1 read.
KV_MUST_USE kv_status kv_file_map(kv_file *f, uint64_t offset, size_t len,
                                  kv_why why, kv_slice *out);
// Cost: 1 write.
KV_MUST_USE kv_status kv_file_write(kv_file *f, uint64_t offset, kv_slice bytes,
                                    kv_why why);
KV_MUST_USE kv_status kv_file_truncate(kv_file *f, uint64_t size, kv_why why);
// Reserves space from the file's end to `size`, which the file then has:
// reading what was never written yields zeroes. KV_NO_SPACE changes nothing.
KV_MUST_USE kv_status kv_file_allocate(kv_file *f, uint64_t size, kv_why why);
KV_MUST_USE kv_status kv_file_size(kv_file *f, uint64_t *size);
// The file's bytes and size survive a power cut from here on. Cost: 1 sync.
KV_MUST_USE kv_status kv_file_sync(kv_file *f, kv_why why);
// Frees the file also when it fails. kv_file_close(NULL) does nothing.
kv_status kv_file_close(kv_file *f);

// ---- the directory ----------------------------------------------------------

typedef struct kv_names {
    char **name; // sorted
    size_t count, cap;
} kv_names;

void kv_names_add(kv_names *names, const char *name);
void kv_names_sort(kv_names *names);
void kv_names_free(kv_names *names);

// Every file in the directory; what lies in directories below it is not ours.
KV_MUST_USE kv_status kv_disk_list(kv_disk *d, kv_names *out);
// Replaces a file of the new name, if there is one.
KV_MUST_USE kv_status kv_disk_rename(kv_disk *d, const char *from,
                                     const char *to, kv_why why);
// KV_NOT_FOUND, bare, if it is not there.
KV_MUST_USE kv_status kv_disk_remove(kv_disk *d, const char *name, kv_why why);
// A second name, in the directory of `target`, for the same file. `target` was
// opened by kv_disk_open_beside from `d`. KV_UNSUPPORTED where there can be
// none: it is another file system, or one without links.
KV_MUST_USE kv_status kv_disk_link(kv_disk *d, const char *name,
                                   kv_disk *target, const char *target_name,
                                   kv_why why);
// The same for a file that is never written again; where there can be no link,
// a synced copy. What a failure leaves in `target` is the caller's to remove.
KV_MUST_USE kv_status kv_disk_share(kv_disk *d, const char *name,
                                    kv_disk *target, kv_why why);
// Names made, renamed and removed so far survive a power cut. Cost: 1 sync.
KV_MUST_USE kv_status kv_disk_sync_dir(kv_disk *d, kv_why why);
// Locks the store: makes and locks the file `name`, until it is closed.
// KV_LOCKED (the caller writes the sentence) when anybody, in this process or
// another, holds it; *out is then the file all the same, to read who.
KV_MUST_USE kv_status kv_disk_lock(kv_disk *d, const char *name, kv_file **out);
// Another directory, which does not lie within this one (KV_INVALID), through
// the same layers' kind.
KV_MUST_USE kv_status kv_disk_open_beside(kv_disk *d, const char *path,
                                          bool create, kv_disk **out);
// Bytes the directory's files occupy: now, and at most so far. Files that were
// removed but are still open count (the count layer knows; others say 0).
void kv_disk_space(kv_disk *d, uint64_t *now, uint64_t *peak);
void kv_disk_close(kv_disk *d);

// The disk of the operating system. `path` is made if `create`, parents not.
// KV_NOT_FOUND, bare, if it is not there.
KV_MUST_USE kv_status kv_disk_open_real(const char *path, bool create,
                                        kv_disk **out);

// Writes of this process that were copies to a mapping (kv_open_how), and their
// bytes: the system's own count of what was written does not know of them.
void kv_disk_mapped_writes(uint64_t *writes, uint64_t *bytes);

// ---- for those who write a layer --------------------------------------------

typedef struct kv_disk_ops {
    kv_status (*open)(kv_disk *, const char *, kv_open_how, kv_why, kv_file **);
    kv_status (*read)(kv_file *, uint64_t, void *, size_t, size_t *, kv_why);
    kv_status (*map)(kv_file *, uint64_t, size_t, kv_why, kv_slice *);
    kv_status (*write)(kv_file *, uint64_t, kv_slice, kv_why);
    kv_status (*truncate)(kv_file *, uint64_t, kv_why);
    kv_status (*allocate)(kv_file *, uint64_t, kv_why);
    kv_status (*size)(kv_file *, uint64_t *);
    kv_status (*sync)(kv_file *, kv_why);
    kv_status (*close)(kv_file *);
    kv_status (*list)(kv_disk *, kv_names *);
    kv_status (*rename)(kv_disk *, const char *, const char *, kv_why);
    kv_status (*remove)(kv_disk *, const char *, kv_why);
    kv_status (*link)(kv_disk *, const char *, kv_disk *, const char *, kv_why);
    kv_status (*sync_dir)(kv_disk *, kv_why);
    kv_status (*lock)(kv_disk *, const char *, kv_file **);
    kv_status (*open_beside)(kv_disk *, const char *, bool, kv_disk **);
    void (*space)(kv_disk *, uint64_t *, uint64_t *);
    void (*close_disk)(kv_disk *);
} kv_disk_ops;

// The first member of every layer's disk struct.
struct kv_disk {
    const kv_disk_ops *ops;
};

// The first member of every layer's file struct.
struct kv_file {
    kv_disk *disk;
    char *name; // the file's own copy
};

#ifdef __cplusplus
}
#endif

#endif
