/* A disk that misbehaves, for tests: preloaded into a process, it watches all files under one folder.
 *
 *   DISK_ROOT    the folder to watch (absolute, resolved)
 *   DISK_LOG     file to which every call that changes the folder is logged, for replaying a power loss
 *   DISK_SWITCH  while this file exists, the misbehaviour below is on (without it: always on)
 *   DISK_FULL    bytes by which files may still grow before the disk is full (ENOSPC)
 *   DISK_RDONLY  if set, nothing can be changed (EROFS)
 *   DISK_SLOW    milliseconds that every fsync takes
 *
 * A record of the log is: kind (1 byte), then path length, second path length, offset, data length (8 bytes
 * each), then path, second path, data. An fsync carries the whole content of the file, so that writes which
 * go past the C library's entry points (buffered ones) are known at the latest when they become durable.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char root[4096];
static const char *log_path, *switch_path;
static size_t root_length;
static long long room = -1;
static int read_only, slow_ms, log_fd = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(type, name, ...)                                      \
    static type (*real)(__VA_ARGS__);                              \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
    const char *given = getenv("DISK_ROOT");
    if (!given) return;
    snprintf(root, sizeof root, "%s", given);
    root_length = strlen(root);
    log_path = getenv("DISK_LOG");
    switch_path = getenv("DISK_SWITCH");
    if (getenv("DISK_FULL")) room = atoll(getenv("DISK_FULL"));
    read_only = getenv("DISK_RDONLY") != NULL;
    if (getenv("DISK_SLOW")) slow_ms = atoi(getenv("DISK_SLOW"));
    if (log_path)
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_on(void) {
    return root_length && (!switch_path || syscall(SYS_faccessat, AT_FDCWD, switch_path, F_OK) == 0);
}

static int watched(const char *path) {
    return root_length && strncmp(path, root, root_length) == 0 &&
           (path[root_length] == '/' || path[root_length] == 0);
}

/* Write the absolute name of what `path` means into `out`; 1 when it is watched. */
static int name_of(const char *path, char *out) {
    if (!root_length || !path) return 0;
    if (path[0] == '/') {
        snprintf(out, 4096, "%s", path);
    } else {
        char here[2048];
        if (syscall(SYS_getcwd, here, sizeof here) < 0) return 0;
        snprintf(out, 4096, "%s/%s", here, path);
    }
    return watched(out);
}

static int name_of_fd(int fd, char *out) {
    char link[64];
    if (!root_length || fd < 0 || fd == log_fd) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, out, 4095);
    if (length < 0) return 0;
    out[length] = 0;
    return watched(out) && !strstr(out, " (deleted)");
}

static void note(char kind, const char *path, const char *other, uint64_t offset, const void *data, uint64_t size) {
    if (log_fd < 0) return;
    uint64_t head[4] = {strlen(path), other ? strlen(other) : 0, offset, size};
    struct iovec parts[5] = {{&kind, 1}, {head, sizeof head}, {(void *)path, head[0]},
                             {(void *)(other ? other : ""), head[1]}, {(void *)(data ? data : ""), size}};
    syscall(SYS_writev, log_fd, parts, 5);
}

/* 0, or the error with which a call that changes something has to fail now. */
static int refusal(void) { return read_only && is_on() ? EROFS : 0; }

#define REFUSE(failed)                 \
    if (refusal()) {                   \
        errno = EROFS;                 \
        return failed;                 \
    }

/* How many of `size` bytes there is room for; -1 and ENOSPC when there is none. What overwrites needs none. */
static ssize_t allowed(int fd, long long at, size_t size) {
    struct stat facts;
    if (read_only && is_on()) { errno = EROFS; return -1; }
    if (room < 0 || !is_on() || fstat(fd, &facts) != 0) return (ssize_t)size;
    long long beyond = at + (long long)size - facts.st_size;
    if (beyond <= 0) return (ssize_t)size;
    if (beyond > room) {
        size_t some = size - (size_t)(beyond - room < (long long)size ? beyond - room : (long long)size);
        room = 0;
        if (some == 0) { errno = ENOSPC; return -1; }
        return (ssize_t)some;
    }
    room -= beyond;
    return (ssize_t)size;
}

static int opened(int fd, const char *name, int flags, int was_there) {
    if (fd >= 0 && (flags & O_CREAT) && !was_there) note('c', name, NULL, 0, NULL, 0);
    if (fd >= 0 && (flags & O_TRUNC) && was_there) note('t', name, NULL, 0, NULL, 0);
    return fd;
}

static int open_watched(int folder, const char *path, int flags, mode_t mode) {
    char name[8192];
    if ((folder != AT_FDCWD && path[0] != '/') || !name_of(path, name))
        return (int)syscall(SYS_openat, folder, path, flags, mode);
    if (flags & (O_CREAT | O_WRONLY | O_RDWR | O_TRUNC)) REFUSE(-1);
    pthread_mutex_lock(&lock);
    int was_there = syscall(SYS_faccessat, AT_FDCWD, name, F_OK) == 0;
    if (!was_there && (flags & O_CREAT) && room == 0 && is_on()) {
        pthread_mutex_unlock(&lock);
        errno = ENOSPC;
        return -1;
    }
    int fd = opened((int)syscall(SYS_openat, folder, path, flags, mode), name, flags, was_there);
    int why = errno;
    pthread_mutex_unlock(&lock);
    errno = why;
    return fd;
}

#define MODE                        \
    mode_t mode = 0;                \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list more;               \
        va_start(more, flags);      \
        mode = va_arg(more, mode_t); \
        va_end(more);               \
    }

int open(const char *path, int flags, ...) { MODE return open_watched(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return open_watched(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE return open_watched(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE return open_watched(folder, path, flags, mode); }

static ssize_t put(int fd, const void *data, size_t size, off_t offset, int has_offset) {
    char name[8192];
    if (!name_of_fd(fd, name))
        return has_offset ? syscall(SYS_pwrite64, fd, data, size, offset) : syscall(SYS_write, fd, data, size);
    pthread_mutex_lock(&lock);
    off_t at = has_offset ? offset : (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t some = allowed(fd, at, size);
    if (some >= 0) {
        some = has_offset ? syscall(SYS_pwrite64, fd, data, some, offset) : syscall(SYS_write, fd, data, some);
        int appends = (int)syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND;
        if (some > 0 && appends) at = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) - some;
        if (some > 0) note('w', name, NULL, (uint64_t)at, data, (uint64_t)some);
    }
    int why = errno;
    pthread_mutex_unlock(&lock);
    errno = why;
    return some;
}

ssize_t write(int fd, const void *data, size_t size) { return put(fd, data, size, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return put(fd, data, size, offset, 1); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return put(fd, data, size, offset, 1); }

static int cut(int fd, off_t size) {
    char name[8192];
    if (!name_of_fd(fd, name)) return (int)syscall(SYS_ftruncate, fd, size);
    REFUSE(-1);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_ftruncate, fd, size);
    if (result == 0) note('t', name, NULL, (uint64_t)size, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t size) { return cut(fd, size); }
int ftruncate64(int fd, off64_t size) { return cut(fd, size); }

static void note_content(int fd, const char *name) {
    struct stat facts;
    if (fstat(fd, &facts) != 0) return;
    if (S_ISDIR(facts.st_mode)) {
        note('d', name, NULL, 0, NULL, 0);
        return;
    }
    char *data = malloc((size_t)facts.st_size + 1);
    /* Through the same descriptor: closing another one would give back the process's locks on the file. */
    ssize_t got = syscall(SYS_pread64, fd, data, facts.st_size, 0);
    if (got == facts.st_size) note('s', name, NULL, 0, data, (uint64_t)got);
    else note('?', name, NULL, 0, NULL, 0);
    free(data);
}

static int make_durable(int fd, long call) {
    char name[8192];
    if (!name_of_fd(fd, name)) return (int)syscall(call, fd);
    if (slow_ms && is_on()) {
        struct timespec wait = {slow_ms / 1000, (slow_ms % 1000) * 1000000L};
        nanosleep(&wait, NULL);
    }
    pthread_mutex_lock(&lock);
    int result = log_fd >= 0 ? 0 : (int)syscall(call, fd); /* a replay needs no real disk */
    if (result == 0) note_content(fd, name);
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int fd) { return make_durable(fd, SYS_fsync); }
int fdatasync(int fd) { return make_durable(fd, SYS_fdatasync); }

int rename(const char *from, const char *to) {
    char name[8192], other[8192];
    REAL(int, "rename", const char *, const char *);
    int ours = name_of(from, name);
    if (!name_of(to, other) && !ours) return real(from, to);
    REFUSE(-1);
    pthread_mutex_lock(&lock);
    int result = real(from, to);
    if (result == 0) note('r', name, other, 0, NULL, 0);
    int why = errno;
    pthread_mutex_unlock(&lock);
    errno = why;
    return result;
}

static int one_name(const char *path, char kind, int (*act)(const char *)) {
    char name[8192];
    if (!name_of(path, name)) return act(path);
    REFUSE(-1);
    pthread_mutex_lock(&lock);
    int result = act(path);
    int why = errno;
    if (result == 0) note(kind, name, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = why;
    return result;
}

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    return one_name(path, 'u', real);
}

int rmdir(const char *path) {
    REAL(int, "rmdir", const char *);
    return one_name(path, 'u', real);
}

int mkdir(const char *path, mode_t mode) {
    char name[8192];
    REAL(int, "mkdir", const char *, mode_t);
    if (!name_of(path, name)) return real(path, mode);
    REFUSE(-1);
    pthread_mutex_lock(&lock);
    int result = real(path, mode);
    int why = errno;
    if (result == 0) note('m', name, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = why;
    return result;
}
