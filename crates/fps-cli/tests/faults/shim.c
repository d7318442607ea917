/* Loaded into the command before the C library: makes the n-th call of one kind fail, once or from then
 * on. Calls on files count only for files below one folder, calls on sockets for every socket.
 *
 * FAULT_CALL    which kind: write, sync, truncate, map, connect, send or receive
 * FAULT_NUMBER  which of them, counted from one
 * FAULT_ERROR   the number of the error; 0 lets the call be made, and then ends the process at once
 * FAULT_ALWAYS  set, if all that come later fail as well
 * FAULT_FOLDER  whose files count
 * FAULT_COUNT   the file that takes how many there were, and how many failed
 * FAULT_DISK    a folder that takes what of those files would be there after the power was cut: what was
 *               synced. What a failed sync was about is lost, although whoever reads still sees it, until
 *               it is written anew; so it is on Linux.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *kind, *folder, *disk;
static long number;
static int error, always;
static atomic_long seen, failed;
static atomic_int is_dying;

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("FAULT_NUMBER");
    number = text ? atol(text) : 0;
    text = getenv("FAULT_ERROR");
    error = text ? atoi(text) : EIO;
    always = getenv("FAULT_ALWAYS") != NULL;
    folder = getenv("FAULT_FOLDER");
    kind = getenv("FAULT_CALL");
    disk = folder ? getenv("FAULT_DISK") : NULL;
}

__attribute__((destructor)) static void end(void) {
    const char *place = getenv("FAULT_COUNT");
    FILE *file = place ? fopen(place, "w") : NULL;
    if (file != NULL) {
        fprintf(file, "%ld %ld", atomic_load(&seen), atomic_load(&failed));
        fclose(file);
    }
}

/* The path of a file below the folder, or nothing. */
static const char *below(int fd, char path[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = 0;
    return strncmp(path, folder, strlen(folder)) == 0 ? path : NULL;
}

static int is_below(int fd) {
    char path[PATH_MAX];
    return below(fd, path) != NULL;
}

#define PAGE 4096
#define PAGES 4096
#define FILES 16

/* A file with the pages that were written and not synced. */
static struct file {
    char path[PATH_MAX];
    unsigned char is_dirty[PAGES];
} files[FILES];
static pthread_mutex_t using = PTHREAD_MUTEX_INITIALIZER;

static struct file *file_at(const char *path) {
    for (int at = 0; at < FILES; at++) {
        if (files[at].path[0] == 0) strcpy(files[at].path, path);
        if (strcmp(files[at].path, path) == 0) return &files[at];
    }
    abort();
}

/* Where a file would be after the power was cut. */
static void on_disk(const char *path, char place[2 * PATH_MAX]) {
    snprintf(place, 2 * PATH_MAX, "%s%s", disk, path + strlen(folder));
}

static void written(int fd, off64_t at, ssize_t length) {
    char path[PATH_MAX];
    if (disk == NULL || length <= 0 || below(fd, path) == NULL) return;
    pthread_mutex_lock(&using);
    struct file *file = file_at(path);
    for (off64_t page = at / PAGE; page <= (at + length - 1) / PAGE; page++) {
        if (page >= PAGES) abort();
        file->is_dirty[page] = 1;
    }
    pthread_mutex_unlock(&using);
}

static void synced(int fd, int outcome) {
    char path[PATH_MAX], place[2 * PATH_MAX], page[PAGE];
    if (disk == NULL || below(fd, path) == NULL) return;
    int before = errno;
    pthread_mutex_lock(&using);
    struct file *file = file_at(path);
    on_disk(path, place);
    int copy = outcome == 0 ? open(place, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    for (off64_t at = 0; at < PAGES && copy >= 0; at++) {
        if (file->is_dirty[at]) {
            ssize_t length = pread64(fd, page, PAGE, at * PAGE);
            if (length > 0 && syscall(SYS_pwrite64, copy, page, length, at * PAGE) != length) abort();
        }
    }
    if (copy >= 0) close(copy);
    memset(file->is_dirty, 0, PAGES);
    pthread_mutex_unlock(&using);
    errno = before;
}

int unlink(const char *path) {
    char place[2 * PATH_MAX];
    if (disk != NULL && strncmp(path, folder, strlen(folder)) == 0) {
        pthread_mutex_lock(&using);
        memset(file_at(path)->is_dirty, 0, PAGES);
        on_disk(path, place);
        syscall(SYS_unlink, place);
        pthread_mutex_unlock(&using);
    }
    return (int)syscall(SYS_unlink, path);
}

static int is_socket(int fd) {
    int type;
    socklen_t length = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

/* Is this the one? Then it fails, and nothing is done. */
static int fails(const char *call, int fd, int of_socket) {
    if (kind == NULL || folder == NULL || strcmp(kind, call) != 0) {
        return 0;
    }
    int before = errno;
    int counts = of_socket ? is_socket(fd) : is_below(fd);
    errno = before;
    if (!counts) {
        return 0;
    }
    long place = atomic_fetch_add(&seen, 1) + 1;
    if (place != number && !(always && place > number)) {
        return 0;
    }
    atomic_fetch_add(&failed, 1);
    errno = error;
    is_dying = error == 0;
    return error != 0;
}

/* What was sent is on its way, and nothing happens any more. */
static ssize_t sent(ssize_t done) {
    if (is_dying) _exit(137);
    return done;
}

ssize_t write(int fd, const void *data, size_t length) {
    if (fails("write", fd, 0) || fails("send", fd, 1)) return -1;
    off64_t at = disk == NULL ? 0 : lseek64(fd, 0, SEEK_CUR);
    ssize_t done = syscall(SYS_write, fd, data, length);
    if (at >= 0) written(fd, at, done);
    return sent(done);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (fails("write", fd, 0) || fails("send", fd, 1)) return -1;
    return sent(syscall(SYS_writev, fd, parts, count));
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
    if (fails("write", fd, 0)) return -1;
    ssize_t done = syscall(SYS_pwrite64, fd, data, length, at);
    written(fd, at, done);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) {
    return pwrite64(fd, data, length, at);
}

ssize_t send(int fd, const void *data, size_t length, int flags) {
    if (fails("send", fd, 1)) return -1;
    return sent(syscall(SYS_sendto, fd, data, length, flags, NULL, 0));
}

ssize_t read(int fd, void *data, size_t length) {
    if (fails("receive", fd, 1)) return -1;
    return syscall(SYS_read, fd, data, length);
}

ssize_t readv(int fd, const struct iovec *parts, int count) {
    if (fails("receive", fd, 1)) return -1;
    return syscall(SYS_readv, fd, parts, count);
}

ssize_t recv(int fd, void *data, size_t length, int flags) {
    if (fails("receive", fd, 1)) return -1;
    return syscall(SYS_recvfrom, fd, data, length, flags, NULL, NULL);
}

int fsync(int fd) {
    int outcome = fails("sync", fd, 0) ? -1 : (int)syscall(SYS_fsync, fd);
    synced(fd, outcome);
    return outcome;
}

int fdatasync(int fd) {
    int outcome = fails("sync", fd, 0) ? -1 : (int)syscall(SYS_fdatasync, fd);
    synced(fd, outcome);
    return outcome;
}

int ftruncate64(int fd, off64_t length) {
    char path[PATH_MAX], place[2 * PATH_MAX];
    if (fails("truncate", fd, 0)) return -1;
    if (disk != NULL && below(fd, path) != NULL) {
        on_disk(path, place);
        /* That it is not there is no matter. */
        if (truncate64(place, length) != 0) errno = 0;
    }
    return (int)syscall(SYS_ftruncate, fd, length);
}

int ftruncate(int fd, off_t length) {
    return ftruncate64(fd, length);
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset) {
    if (fd >= 0 && fails("map", fd, 0)) return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
    return mmap64(at, length, protection, flags, fd, offset);
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
    if (address->sa_family != AF_UNIX && fails("connect", fd, 1)) return -1;
    return (int)syscall(SYS_connect, fd, address, length);
}
