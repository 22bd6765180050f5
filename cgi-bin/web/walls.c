/* SPDX-License-Identifier: ISC */
/*
 * walls: the web program's tables for base/confine. See walls.h.
 *
 * What is not in the table of calls does not exist for us (ENOSYS), so that a C library of tomorrow falls
 * back on what does; what only an attack would call kills.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/confine.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/zone.h"
#include "web/books.h"
#include "web/walls.h"

#define STORES_MAX 16
#define PATHS_MAX (STORES_MAX * 3 + 8)
#define LOOK_AGAIN_US (US_PER_S / 5)

/* ---- calls */

static const struct confine_call common_calls[] = {
	{SYS_read, CALL_ALLOWED},
	{SYS_write, CALL_ALLOWED},
	{SYS_readv, CALL_ALLOWED},
	{SYS_writev, CALL_ALLOWED},
	{SYS_close, CALL_ALLOWED},
	{SYS_fcntl, CALL_ALLOWED},
	{SYS_ppoll, CALL_ALLOWED},
	/* books and the log */
	{SYS_openat, CALL_ALLOWED},
	{SYS_newfstatat, CALL_ALLOWED},
	{SYS_fstat, CALL_ALLOWED},
	{SYS_statfs, CALL_ALLOWED},
	{SYS_fstatfs, CALL_ALLOWED},
	{SYS_faccessat, CALL_ALLOWED},
	{SYS_readlinkat, CALL_ALLOWED},
	{SYS_getdents64, CALL_ALLOWED},
	{SYS_lseek, CALL_ALLOWED},
	{SYS_pread64, CALL_ALLOWED},
	{SYS_pwrite64, CALL_ALLOWED},
	{SYS_fsync, CALL_ALLOWED},
	{SYS_fdatasync, CALL_ALLOWED},
	{SYS_ftruncate, CALL_ALLOWED},
	{SYS_flock, CALL_ALLOWED},
	{SYS_mkdirat, CALL_ALLOWED},
	{SYS_unlinkat, CALL_ALLOWED},
	{SYS_renameat, CALL_ALLOWED},
	{SYS_renameat2, CALL_ALLOWED},
	{SYS_fchmod, CALL_ALLOWED},
	{SYS_umask, CALL_ALLOWED},
	/* memory */
	{SYS_mmap, CALL_DATA},
	{SYS_mprotect, CALL_DATA},
	{SYS_munmap, CALL_ALLOWED},
	{SYS_mremap, CALL_ALLOWED},
	{SYS_msync, CALL_ALLOWED},
	{SYS_madvise, CALL_ALLOWED},
	{SYS_brk, CALL_ALLOWED},
	{SYS_futex, CALL_ALLOWED},
	/* signals, time, chance, limits */
	{SYS_rt_sigaction, CALL_ALLOWED},
	{SYS_rt_sigprocmask, CALL_ALLOWED},
	{SYS_rt_sigreturn, CALL_ALLOWED},
	{SYS_restart_syscall, CALL_ALLOWED},
	{SYS_clock_gettime, CALL_ALLOWED},
	{SYS_clock_nanosleep, CALL_ALLOWED},
	{SYS_nanosleep, CALL_ALLOWED},
	{SYS_gettimeofday, CALL_ALLOWED},
	{SYS_getrandom, CALL_ALLOWED},
	{SYS_uname, CALL_ALLOWED},
	{SYS_getpid, CALL_ALLOWED},
	{SYS_gettid, CALL_ALLOWED},
	{SYS_geteuid, CALL_ALLOWED},
	{SYS_exit_group, CALL_ALLOWED},
	/* what remains of an attack */
	{SYS_execve, CALL_DEADLY},
	{SYS_execveat, CALL_DEADLY},
	{SYS_socket, CALL_DEADLY},
	{SYS_socketpair, CALL_DEADLY},
	{SYS_connect, CALL_DEADLY},
	{SYS_bind, CALL_DEADLY},
	{SYS_listen, CALL_DEADLY},
	{SYS_clone, CALL_DEADLY},
	{435, CALL_MISSING}, /* clone3() hides its flags from us: C libraries fall back on clone() */
	{SYS_kill, CALL_MISSING}, /* and what else ends other processes, as a limit of no seconds does */
	{SYS_tkill, CALL_MISSING},
	{SYS_tgkill, CALL_SELF},
	{SYS_rt_sigqueueinfo, CALL_MISSING},
	{SYS_prlimit64, CALL_MISSING},
	{SYS_fchmodat, CALL_MISSING}, /* paths of which Landlock is not asked */
	{SYS_fchownat, CALL_MISSING},
	{SYS_sendmsg, CALL_MISSING}, /* may hand over descriptors */
	{SYS_recvmsg, CALL_MISSING},
#ifdef SYS_pkey_mprotect
	{SYS_pkey_mprotect, CALL_MISSING},
#endif
#ifdef SYS_open /* the older names, which newer processors' kernels do not have */
	{SYS_open, CALL_ALLOWED},
	{SYS_stat, CALL_ALLOWED},
	{SYS_lstat, CALL_ALLOWED},
	{SYS_access, CALL_ALLOWED},
	{SYS_readlink, CALL_ALLOWED},
	{SYS_poll, CALL_ALLOWED},
	{SYS_mkdir, CALL_ALLOWED},
	{SYS_rmdir, CALL_ALLOWED},
	{SYS_unlink, CALL_ALLOWED},
	{SYS_rename, CALL_ALLOWED},
	{SYS_time, CALL_ALLOWED},
	{SYS_chmod, CALL_MISSING},
	{SYS_chown, CALL_MISSING},
	{SYS_lchown, CALL_MISSING},
	{SYS_fork, CALL_DEADLY},
	{SYS_vfork, CALL_DEADLY},
#endif
};

/* Who serves many requests: sockets that are open, threads, and giving up paths later. */
static const struct confine_call many_calls[] = {
	{SYS_accept, CALL_ALLOWED},
	{SYS_accept4, CALL_ALLOWED},
	{SYS_recvfrom, CALL_ALLOWED},
	{SYS_sendto, CALL_ALLOWED},
	{SYS_shutdown, CALL_ALLOWED},
	{SYS_getsockname, CALL_ALLOWED},
	{SYS_getpeername, CALL_ALLOWED},
	{SYS_getsockopt, CALL_ALLOWED},
	{SYS_setsockopt, CALL_ALLOWED},
	{SYS_pselect6, CALL_ALLOWED},
	{SYS_epoll_create1, CALL_ALLOWED},
	{SYS_epoll_ctl, CALL_ALLOWED},
	{SYS_epoll_pwait, CALL_ALLOWED},
	{SYS_clone, CALL_THREADS},
	{SYS_set_robust_list, CALL_ALLOWED},
	{SYS_get_robust_list, CALL_ALLOWED},
	{SYS_sched_yield, CALL_ALLOWED},
	{SYS_sched_getaffinity, CALL_ALLOWED},
	{SYS_sigaltstack, CALL_ALLOWED},
	{SYS_membarrier, CALL_ALLOWED},
	{SYS_mincore, CALL_ALLOWED},
	{SYS_kill, CALL_SELF},
	{SYS_dup, CALL_ALLOWED},
	{SYS_dup3, CALL_ALLOWED},
	{SYS_preadv, CALL_ALLOWED},
	{SYS_fallocate, CALL_ALLOWED},
	{SYS_clock_getres, CALL_ALLOWED},
	{SYS_getrusage, CALL_ALLOWED},
	{SYS_sysinfo, CALL_ALLOWED},
	{SYS_getppid, CALL_ALLOWED},
	{SYS_prctl, CALL_ALLOWED},
	{SYS_statx, CALL_ALLOWED},
	{SYS_pwritev, CALL_ALLOWED},
	{SYS_prlimit64, CALL_OWN},
	{SYS_getuid, CALL_ALLOWED},
	{SYS_getgid, CALL_ALLOWED},
	{SYS_getegid, CALL_ALLOWED},
	{SYS_exit, CALL_ALLOWED},
	{SYS_linkat, CALL_DEADLY},
	{SYS_symlinkat, CALL_DEADLY},
#ifdef SYS_rseq
	{SYS_rseq, CALL_ALLOWED},
#endif
#ifdef SYS_getrlimit
	{SYS_getrlimit, CALL_ALLOWED},
	{SYS_setrlimit, CALL_ALLOWED},
#endif
	{444, CALL_ALLOWED}, /* landlock_create_ruleset, landlock_add_rule, landlock_restrict_self */
	{445, CALL_ALLOWED},
	{446, CALL_ALLOWED},
#ifdef SYS_open
	{SYS_select, CALL_ALLOWED},
	{SYS_epoll_wait, CALL_ALLOWED},
	{SYS_dup2, CALL_ALLOWED},
	{SYS_arch_prctl, CALL_ALLOWED},
	{SYS_link, CALL_DEADLY},
	{SYS_symlink, CALL_DEADLY},
#endif
};

void walls_calls(bool one_request)
{
	struct confine_call rows[CONFINE_ATTACKS_MAX + COUNT_OF(common_calls) + COUNT_OF(many_calls)];
	size_t n = confine_add(rows, confine_attacks(rows), common_calls, COUNT_OF(common_calls));
	struct confine_calls calls;
	struct error err = {0};

	if (!one_request)
		n = confine_add(rows, n, many_calls, COUNT_OF(many_calls));
	calls = (struct confine_calls){rows, n, one_request ? CALL_EITHER : CALL_MISSING};
	if (!confine_calls(&calls, &err) && !one_request)
		log_info("every system call stays open to this process: %s", err.text);
}

/* ---- paths */

/* A book as it was when we were confined to it. */
struct place {
	char *path;
	dev_t device;
	ino_t inode; /* 0: was not there */
};

static struct {
	bool stand;      /* at least as far as they can be had */
	bool giving_way; /* atomic */
	bool one_request;
	struct place places[STORES_MAX * 3];
	size_t count;
	int64_t looked_us;
} walls;

static struct place look_at(char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (struct place){path, st.st_dev, st.st_ino} : (struct place){path, 0, 0};
}

static const char *add_place(const char *store, const char *name)
{
	struct place *place = &walls.places[walls.count++];

	*place = (struct place){file_join(store, name), 0, 0};
	if (!walls.one_request)
		*place = look_at(place->path);
	return place->path;
}

/* The state's lock file is written by its readers, too. */
static size_t add_store(const char *store, struct confine_path *paths)
{
	if (walls.count + 3 > COUNT_OF(walls.places))
		return 0;
	paths[0] = (struct confine_path){add_place(store, "inbox"), PATH_READ | PATH_WRITE | PATH_MAKE};
	paths[1] = (struct confine_path){add_place(store, "state"), PATH_READ};
	paths[2] = (struct confine_path){add_place(store, "state/lock.mdb"), PATH_WRITE};
	return 3;
}

static size_t add_named_stores(struct confine_path *paths)
{
	const char *at = getenv("UPBEAT_STORES");
	size_t n = 0;

	while (at != NULL && *at != '\0') {
		size_t length = strcspn(at, ":");
		char *store = mem_strn(at, length);

		if (length > 0)
			n += add_store(store, paths + n);
		free(store);
		at += length + (at[length] == ':');
	}
	return n;
}

static void build(const char *store, bool one_request)
{
	const size_t zones = one_request ? 2 : 8; /* hardly any system has them elsewhere */
	struct confine_path paths[PATHS_MAX];
	struct error err = {0};
	size_t n;

	walls.one_request = one_request;
	n = add_store(store, paths);
	if (!one_request)
		n += add_named_stores(paths + n);
	for (size_t i = 0; i < zones && zone_directory(i) != NULL; i++)
		paths[n++] = (struct confine_path){zone_directory(i), PATH_READ};
	if (!confine_paths(paths, n, false, &err) && !one_request)
		log_info("every path stays open to this process: %s", err.text);
}

static bool is_there(const struct web *web, const char *name)
{
	char *path = file_join(web_directory(web), name);
	struct stat st;
	bool there = stat(path, &st) == 0;

	free(path);
	return there;
}

/* What needs more than our two books is done before: a missing inbox made, a damaged one mended. */
static void open_books(struct web *web, char **env, bool writes)
{
	struct error err = {0};

	web_enter(web, env);
	free(web_site_url(web)); /* heeds what the prober found of our book */
	if (writes)
		(void)web_inbox_writable(web, &err);
	web_leave(web);
}

bool walls_paths(char **env, bool one_request)
{
	struct web *web = web_for(env);
	const char *method = env_get(env, "REQUEST_METHOD");
	struct moment now;
	bool writes = !one_request || (method != NULL && strcmp(method, "POST") == 0);

	if (!one_request && !is_there(web, "state/lock.mdb"))
		return false;
	open_books(web, env, writes);
	if (!one_request)
		web_let_go(web); /* the first request opens them as any other does */
	clock_now(&now); /* reads a file, once */
	build(web_directory(web), one_request);
	walls.stand = true;
	return true;
}

bool walls_stand(void)
{
	return walls.stand;
}

void walls_give_way(void)
{
	__atomic_store_n(&walls.giving_way, true, __ATOMIC_RELAXED);
}

bool walls_include(const char *store)
{
	char *inbox = file_join(store, "inbox");
	bool found = false;

	for (size_t i = 0; i < walls.count && !found; i++)
		found = strcmp(walls.places[i].path, inbox) == 0;
	free(inbox);
	return found;
}

bool walls_outgrown(void)
{
	int64_t now_us = clock_mono_us();

	if (__atomic_load_n(&walls.giving_way, __ATOMIC_RELAXED))
		return true;
	if (!walls.stand || now_us - __atomic_load_n(&walls.looked_us, __ATOMIC_RELAXED) < LOOK_AGAIN_US)
		return false;
	__atomic_store_n(&walls.looked_us, now_us, __ATOMIC_RELAXED);
	for (size_t i = 0; i < walls.count; i++) {
		struct place now = look_at(walls.places[i].path);

		if (now.inode != walls.places[i].inode || now.device != walls.places[i].device)
			return true;
	}
	return false;
}
