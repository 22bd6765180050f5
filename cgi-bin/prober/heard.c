/* SPDX-License-Identifier: ISC */
/*
 * heard: starting the process that reads the inbox, and its walls. See heard.h.
 */
#include "prober/heard.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/file.h"
#include "base/mem.h"
#include "prober/helper.h"

#define CPU_MAX_S 120 /* a page that points back to itself never ends */

/* ---- its walls */

static const struct confine_call own_calls[] = {
	{SYS_read, CALL_ALLOWED},
	{SYS_write, CALL_ALLOWED},
	{SYS_close, CALL_ALLOWED},
	{SYS_ppoll, CALL_ALLOWED},
	{SYS_fcntl, CALL_ALLOWED},
	{SYS_openat, CALL_ALLOWED},
	{SYS_newfstatat, CALL_ALLOWED},
	{SYS_fstat, CALL_ALLOWED},
	{SYS_statx, CALL_ALLOWED},
	{SYS_statfs, CALL_ALLOWED},
	{SYS_fstatfs, CALL_ALLOWED},
	{SYS_faccessat, CALL_ALLOWED},
	{SYS_lseek, CALL_ALLOWED},
	{SYS_pread64, CALL_ALLOWED},
	{SYS_ftruncate, CALL_ALLOWED},
	{SYS_fsync, CALL_ALLOWED},
	{SYS_mmap, CALL_DATA},
	{SYS_mprotect, CALL_DATA},
	{SYS_munmap, CALL_ALLOWED},
	{SYS_mremap, CALL_ALLOWED},
	{SYS_madvise, CALL_ALLOWED},
	{SYS_brk, CALL_ALLOWED},
	{SYS_futex, CALL_ALLOWED},
	{SYS_set_robust_list, CALL_ALLOWED},
	{SYS_get_robust_list, CALL_ALLOWED},
	{SYS_rt_sigaction, CALL_ALLOWED},
	{SYS_rt_sigprocmask, CALL_ALLOWED},
	{SYS_rt_sigreturn, CALL_ALLOWED},
	{SYS_restart_syscall, CALL_ALLOWED},
	{SYS_clock_gettime, CALL_ALLOWED},
	{SYS_clock_nanosleep, CALL_ALLOWED},
	{SYS_nanosleep, CALL_ALLOWED},
	{SYS_getrandom, CALL_ALLOWED},
	{SYS_uname, CALL_ALLOWED},
	{SYS_getpid, CALL_ALLOWED},
	{SYS_gettid, CALL_ALLOWED},
	{SYS_geteuid, CALL_ALLOWED},
	{SYS_tgkill, CALL_SELF},
	{SYS_exit, CALL_ALLOWED},
	{SYS_exit_group, CALL_ALLOWED},
	{SYS_execve, CALL_DEADLY},
	{SYS_execveat, CALL_DEADLY},
	{SYS_clone, CALL_DEADLY},
	{SYS_socket, CALL_DEADLY},
	{SYS_socketpair, CALL_DEADLY},
	{SYS_connect, CALL_DEADLY},
	{SYS_bind, CALL_DEADLY},
	{SYS_listen, CALL_DEADLY},
#ifdef SYS_open
	{SYS_open, CALL_ALLOWED},
	{SYS_stat, CALL_ALLOWED},
	{SYS_lstat, CALL_ALLOWED},
	{SYS_access, CALL_ALLOWED},
	{SYS_poll, CALL_ALLOWED},
	{SYS_fork, CALL_DEADLY},
	{SYS_vfork, CALL_DEADLY},
#endif
};
/* Who makes a copy needs these, too. */
static const struct confine_call copying_calls[] = {
	{SYS_clone, CALL_THREADS},
	{SYS_rseq, CALL_ALLOWED},
	{SYS_pwrite64, CALL_ALLOWED},
	{SYS_writev, CALL_ALLOWED},
	{SYS_mkdirat, CALL_ALLOWED},
	{SYS_renameat, CALL_ALLOWED},
	{SYS_renameat2, CALL_ALLOWED},
	{SYS_unlinkat, CALL_ALLOWED},
	{SYS_fchmod, CALL_ALLOWED},
	{SYS_fchmodat, CALL_ALLOWED},
	{SYS_fdatasync, CALL_ALLOWED},
	{SYS_umask, CALL_ALLOWED},
#ifdef SYS_open
	{SYS_mkdir, CALL_ALLOWED},
	{SYS_rmdir, CALL_ALLOWED},
	{SYS_rename, CALL_ALLOWED},
	{SYS_unlink, CALL_ALLOWED},
	{SYS_chmod, CALL_ALLOWED},
#endif
};

/* dir_out: where a copy goes, or NULL. */
void heard_raise_walls(const char *store, const char *dir_out)
{
	struct confine_call rows[CONFINE_ATTACKS_MAX + COUNT_OF(own_calls) + COUNT_OF(copying_calls)];
	size_t n = confine_add(rows, confine_attacks(rows), own_calls, COUNT_OF(own_calls));
	char *inbox = file_join(store, "inbox"), *lock = file_join(inbox, "lock.mdb");
	/* A copy has no reader table yet: who opens it makes one. */
	const unsigned make = access(lock, F_OK) != 0 ? PATH_WRITE | PATH_MAKE : 0;
	const struct confine_path paths[] = {
		{inbox, PATH_READ | make},
		{lock, PATH_READ | PATH_WRITE | PATH_NO_LINK},
		{dir_out, PATH_READ | PATH_WRITE | PATH_MAKE},
	};

	if (dir_out != NULL)
		n = confine_add(rows, n, copying_calls, COUNT_OF(copying_calls));
	confine_memory();
	confine_paths(paths, COUNT_OF(paths), false, NULL);
	confine_calls(&(struct confine_calls){rows, n, CALL_MISSING}, NULL);
	free(lock);
	free(inbox);
}

/* ---- its life */

/* What bytes that nobody should follow lead to. Any other death (SIGKILL, where memory is short) says
   nothing of the book. */
static const int of_hostile_bytes[] = {SIGBUS, SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGSYS, SIGXCPU};

struct errand {
	void (*life)(const char *store, const char *dir_out, int fd);
	const char *store, *dir_out;
};

static void run(void *arg, int fd)
{
	const struct errand *errand = arg;

	for (size_t i = 0; i < COUNT_OF(of_hostile_bytes); i++)
		signal(of_hostile_bytes[i], SIG_DFL);
	setrlimit(RLIMIT_CPU, &(struct rlimit){CPU_MAX_S, CPU_MAX_S + 1});
	heard_raise_walls(errand->store, errand->dir_out);
	errand->life(errand->store, errand->dir_out, fd);
}

/* -1 on failure. *ours is our end of the pair. */
static pid_t start(void (*life)(const char *store, const char *dir_out, int fd), const char *store,
	const char *dir_out, int *ours, struct error *err)
{
	struct errand errand = {life, store, dir_out};

	return helper_start(
		&(struct helper){"the inbox's reader", SOCK_STREAM, SIGKILL, run, &errand}, ours, err);
}

static bool is_of_hostile_bytes(int number)
{
	for (size_t i = 0; i < COUNT_OF(of_hostile_bytes); i++)
		if (of_hostile_bytes[i] == number)
			return true;
	return false;
}

static pid_t wait_for(pid_t pid, int *status, int flags)
{
	pid_t got;

	do
		got = waitpid(pid, status, flags);
	while (got < 0 && errno == EINTR);
	return got;
}

/* In words what became of it; true: it ended by itself. */
static bool ended(pid_t pid, bool wait, struct error *err)
{
	int status = 0;
	pid_t got;

	/* It closes its end a moment before it is gone. */
	for (unsigned i = 0; (got = wait_for(pid, &status, wait ? 0 : WNOHANG)) == 0 && i < 50; i++)
		usleep(1000);
	if (got == 0) {
		kill(pid, SIGKILL);
		wait_for(pid, &status, 0);
		return error_set(err, ERROR_TEMPORARY,
			"the inbox cannot be read: its reader gave no sound answer, and was ended");
	}
	if (got == pid && WIFSIGNALED(status))
		return error_set(err, is_of_hostile_bytes(WTERMSIG(status)) ? ERROR_DAMAGED : ERROR_TEMPORARY,
			"the inbox cannot be read: its reader died of signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	return true;
}

/* ---- copying */

static void copy_for(const char *store, const char *dir_out, int fd)
{
	struct error err = {0};
	struct inbox *inbox = inbox_open(store, STORE_READ, &err);

	if (inbox != NULL && inbox_backup(inbox, dir_out, &err))
		err.kind = ERROR_NONE;
	inbox_close(inbox);
	if (write(fd, &err, sizeof(err)) < 0)
		_exit(1);
}

static bool make_copy(void *store, const char *dir_out, struct error *err)
{
	struct error said;
	ssize_t n;
	int fd;
	pid_t pid;

	if (access(dir_out, F_OK) != 0 && !file_make_dir(dir_out, 0700, err))
		return false;
	pid = start(copy_for, store, dir_out, &fd, err);
	if (pid < 0)
		return false;
	do
		n = recv(fd, &said, sizeof(said), MSG_WAITALL);
	while (n < 0 && errno == EINTR); /* a pass that is to end: the copy is finished, it is no damage */
	close(fd);
	if (!ended(pid, true, err))
		return false;
	if (n != (ssize_t)sizeof(said) || (unsigned)said.kind > ERROR_DENIED)
		return error_set(err, ERROR_DAMAGED, "the inbox cannot be copied: its reader said nothing sound");
	said.text[sizeof(said.text) - 1] = '\0';
	return said.kind == ERROR_NONE || error_set(err, said.kind, "%s", said.text);
}

/* ---- reading */

static struct {
	pid_t pid; /* 0: none, or reaped */
	int fd;    /* to it, until an inbox has it; else -1 */
	struct error last;
	char *store;
} reader = {.fd = -1};

static void read_for(const char *store, const char *dir_out, int fd)
{
	(void)dir_out;
	inbox_serve(store, fd);
}

static void explain(void *unused, struct error *err)
{
	(void)unused;
	if (reader.pid > 0) {
		reader.last = *err;
		ended(reader.pid, false, &reader.last);
		reader.pid = 0;
	}
	*err = reader.last;
}

bool heard_start(const char *store, struct error *err)
{
	int fd;
	pid_t pid = start(read_for, store, NULL, &fd, err);

	if (pid < 0)
		return false;
	reader.fd = fd;
	free(reader.store);
	reader.store = mem_str(store);
	reader.pid = pid;
	return true;
}

struct inbox *heard_open(const char *store, struct error *err)
{
	struct inbox *inbox;
	int fd;

	if (reader.pid == 0 && !heard_start(store, err))
		return NULL;
	fd = reader.fd;
	reader.fd = -1;
	inbox = inbox_connect(fd, &(struct inbox_keeper){explain, make_copy, reader.store}, err);
	if (inbox == NULL)
		heard_close(NULL);
	return inbox;
}

void heard_forget(void)
{
	reader.pid = 0;
	reader.fd = -1;
}

void heard_release(struct inbox *inbox)
{
	inbox_close(inbox);
	if (reader.fd >= 0)
		close(reader.fd);
	reader.fd = -1;
}

void heard_close(struct inbox *inbox)
{
	heard_release(inbox);
	if (reader.pid > 0)
		ended(reader.pid, true, NULL);
	reader.pid = 0;
	free(reader.store);
	reader.store = NULL;
}
