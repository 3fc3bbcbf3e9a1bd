// Records what SQLite does to the files of a directory. Loaded by LD_PRELOAD into the
// process that the power cut test records.
//
// POWERCUT_DIRECTORY names the directory, POWERCUT_RECORD the file that takes the
// records. Others append to that file too: what is appended first came first. Of each
// record the effect is on the file before the record is written, and nothing else
// happens in between. Files whose names end in "-shm" are left out: SQLite makes them
// anew after a crash.
//
// The real work is done by system calls, so that nothing has to be looked up at run time.

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(long) == 8, "the system calls are made as on 64-bit machines");

enum { CREATED = 1, UNLINKED, WRITTEN, TRUNCATED, SYNC_BEGAN, SYNC_ENDED };

// A record is a header and so many bytes.
struct header {
	uint32_t size, kind;
	uint64_t file, offset;
};

enum { MOST_FILES = 4096, DIRECTORY = 1 };

// The number of the file behind a descriptor: 0 for those that are not recorded,
// DIRECTORY, or the inode.
static _Atomic uint64_t files[MOST_FILES];

static const char *directory;
static int record = -1;
static uint64_t syncs;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *why) {
	const char *before = "recorder: ";
	syscall(SYS_write, 2, before, strlen(before));
	syscall(SYS_write, 2, why, strlen(why));
	syscall(SYS_write, 2, "\n", 1);
	abort();
}

__attribute__((constructor)) static void begin(void) {
	const char *path = getenv("POWERCUT_RECORD");
	directory = getenv("POWERCUT_DIRECTORY");
	if (!path || !directory) die("POWERCUT_RECORD and POWERCUT_DIRECTORY are not set");
	record = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
	if (record < 0) die("the record cannot be opened");
}

static void append(uint32_t kind, uint64_t file, uint64_t offset, const void *bytes, size_t size) {
	struct header h = {size, kind, file, offset};
	struct iovec parts[] = {{&h, sizeof h}, {(void *)bytes, size}};
	if (syscall(SYS_writev, record, parts, 2) != (long)(sizeof h + size)) die("a record cannot be written");
}

// Returns the name of a file that is recorded, "" for the directory, or NULL.
static const char *recorded(const char *path) {
	if (record < 0) return NULL;
	size_t n = strlen(directory), all = strlen(path);
	if (strncmp(path, directory, n) != 0) return NULL;
	if (path[n] == 0) return "";
	if (path[n] != '/' || (all > 4 && strcmp(path + all - 4, "-shm") == 0)) return NULL;
	return path + n + 1;
}

static uint64_t file_of(int fd) { return fd < 0 || fd >= MOST_FILES ? 0 : atomic_load(&files[fd]); }

int open(const char *path, int flags, ...) {
	va_list rest;
	va_start(rest, flags);
	mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
	va_end(rest);
	const char *name = recorded(path);
	if (!name) return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (flags & O_TRUNC) die("a file is truncated as it is opened");
	pthread_mutex_lock(&one_at_a_time);
	int absent = syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
	int fd = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (fd >= MOST_FILES) die("too many open files");
	if (fd >= 0) {
		struct stat s;
		if (fstat(fd, &s) != 0) die("fstat fails");
		uint64_t file = *name ? s.st_ino : DIRECTORY;
		if (absent) append(CREATED, file, 0, name, strlen(name));
		atomic_store(&files[fd], file);
	}
	pthread_mutex_unlock(&one_at_a_time);
	return fd;
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int close(int fd) {
	if (file_of(fd)) atomic_store(&files[fd], 0);
	return syscall(SYS_close, fd);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
	uint64_t file = file_of(fd);
	if (!file) return syscall(SYS_pwrite64, fd, bytes, size, offset);
	pthread_mutex_lock(&one_at_a_time);
	ssize_t n = syscall(SYS_pwrite64, fd, bytes, size, offset);
	if (n > 0) append(WRITTEN, file, offset, bytes, n);
	pthread_mutex_unlock(&one_at_a_time);
	return n;
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset) __attribute__((alias("pwrite")));

int ftruncate(int fd, off_t size) {
	uint64_t file = file_of(fd);
	if (!file) return syscall(SYS_ftruncate, fd, size);
	pthread_mutex_lock(&one_at_a_time);
	int failed = syscall(SYS_ftruncate, fd, size);
	if (!failed) append(TRUNCATED, file, size, NULL, 0);
	pthread_mutex_unlock(&one_at_a_time);
	return failed;
}
int ftruncate64(int fd, off_t size) __attribute__((alias("ftruncate")));

// A sync covers what was written before it began, and nothing is sure before it has
// ended. The disk here takes the same short time everywhere, in which others go on.
int fsync(int fd) {
	uint64_t file = file_of(fd);
	if (!file) return syscall(SYS_fsync, fd);
	pthread_mutex_lock(&one_at_a_time);
	uint64_t number = ++syncs;
	append(SYNC_BEGAN, file, number, NULL, 0);
	pthread_mutex_unlock(&one_at_a_time);
	nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	pthread_mutex_lock(&one_at_a_time);
	append(SYNC_ENDED, file, number, NULL, 0);
	pthread_mutex_unlock(&one_at_a_time);
	return 0;
}
int fdatasync(int fd) __attribute__((alias("fsync")));

int unlink(const char *path) {
	const char *name = recorded(path);
	if (!name) return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	pthread_mutex_lock(&one_at_a_time);
	int failed = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	if (!failed) append(UNLINKED, 0, 0, name, strlen(name));
	pthread_mutex_unlock(&one_at_a_time);
	return failed;
}

// What SQLite could do to a file, but does not do as the driver builds it.

ssize_t write(int fd, const void *bytes, size_t size) {
	if (file_of(fd)) die("a file is written by write");
	return syscall(SYS_write, fd, bytes, size);
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
	if (file_of(fd)) die("a file is mapped into memory");
	return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}
void *mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset)
	__attribute__((alias("mmap")));
