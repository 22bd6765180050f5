/* SPDX-License-Identifier: ISC */
/*
 * attacks: what somebody would try who runs code of his own in one of our processes. Each attack runs in a
 * child that first raises the walls of the program under test; attack_outcome() says what became of it.
 */
#ifndef TESTS_UNIT_ATTACKS_H
#define TESTS_UNIT_ATTACKS_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum attack_end { SUCCEEDED, REFUSED, DIED, STRANGE };

/* Each returns true when it got what it wanted. */
static inline bool attack_execute(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return false;
}

static inline bool attack_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static inline bool attack_clone3(void)
{
	return syscall(435, NULL, 0) >= 0 || errno != ENOSYS;
}

static inline bool attack_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

/* Over a descriptor that somebody left open: the test's, from before the walls. */
static int attack_old_socket = -1;

static inline bool attack_connect(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = 9, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return connect(attack_old_socket, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == ECONNREFUSED;
}

static inline bool attack_listen(void)
{
	return listen(attack_old_socket, 1) == 0;
}

static inline bool attack_trace(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}

static inline bool attack_read_memory(void)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {&attack_old_socket, 1};

	return process_vm_readv(getppid(), &here, 1, &there, 1, 0) == 1;
}

static inline bool attack_new_code(void)
{
	const int all = PROT_READ | PROT_WRITE | PROT_EXEC;

	return mmap(NULL, 4096, all, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static inline bool attack_make_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static inline bool attack_mount(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL) == 0;
}

static inline bool attack_ring(void)
{
	char parameters[256] = {0};

	return syscall(425, 4, parameters) >= 0; /* io_uring_setup */
}

static inline bool attack_bpf(void)
{
	char attributes[128] = {0};

	return syscall(SYS_bpf, 0, attributes, sizeof(attributes)) >= 0;
}

static inline bool attack_kill_parent(void)
{
	return kill(getppid(), SIGCONT) == 0;
}

static inline bool attack_kill_by_thread(void)
{
	return syscall(SYS_tkill, getppid(), SIGCONT) == 0;
}

static inline bool attack_kill_by_queue(void)
{
	siginfo_t info = {.si_signo = SIGCONT, .si_code = SI_QUEUE};

	return syscall(SYS_rt_sigqueueinfo, getppid(), SIGCONT, &info) == 0;
}

/* No seconds of processor time: the kernel kills who has such a limit. */
static inline bool attack_limit_parent(void)
{
	struct rlimit had;

	return prlimit(getppid(), RLIMIT_CPU, NULL, &had) == 0;
}

/* A service of this host may do for us what we may not; asked as sockets' paths are, which no rule on files stops. */
static inline bool attack_local_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static inline bool attack_listen_in(void)
{
	return socket(AF_PACKET, SOCK_DGRAM, 0) >= 0 || errno == EPERM;
}

static inline bool attack_routes(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
}

/* Code that is in no file. */
static inline bool attack_execute_memory(void)
{
	static char *const none[] = {NULL};
	int fd = (int)syscall(SYS_memfd_create, "code", 0u);

	syscall(SYS_execveat, fd, "", none, none, AT_EMPTY_PATH);
	return errno == ENOEXEC; /* there is no code in it yet */
}

#if defined(__x86_64__)
/* The same call by its other number. */
static inline bool attack_by_x32(void)
{
	return syscall(0x40000000 + SYS_socket, AF_INET, SOCK_STREAM, 0) >= 0 || errno != ENOSYS;
}

/* By the gate of 32-bit programs, where numbers mean other calls: 11 is execve, 20 getpid. */
static inline bool attack_by_int80(void)
{
	long answer;

	__asm__ volatile("int $0x80" : "=a"(answer) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	return answer > 0;
}
#endif

/* ---- files: paths are set before */

static const char *attack_path;

static inline bool attack_read(void)
{
	char byte;
	int fd = open(attack_path, O_RDONLY);

	return fd >= 0 && read(fd, &byte, 1) >= 0;
}

static inline bool attack_write(void)
{
	return open(attack_path, O_WRONLY) >= 0;
}

static inline bool attack_create(void)
{
	return open(attack_path, O_WRONLY | O_CREAT, 0600) >= 0;
}

static inline bool attack_list(void)
{
	return open(attack_path, O_RDONLY | O_DIRECTORY) >= 0;
}

static inline bool attack_truncate(void)
{
	return truncate(attack_path, 0) == 0;
}

static inline bool attack_set_mode(void)
{
	struct stat st;

	return stat(attack_path, &st) == 0 && chmod(attack_path, st.st_mode & 07777) == 0;
}

static inline bool attack_set_owner(void)
{
	return chown(attack_path, geteuid(), (gid_t)-1) == 0;
}

static inline bool attack_set_time(void)
{
	return utimensat(AT_FDCWD, attack_path, NULL, 0) == 0;
}

static inline bool attack_remove(void)
{
	return unlink(attack_path) == 0;
}

static inline bool attack_make_directory(void)
{
	return mkdir(attack_path, 0700) == 0;
}

static inline bool attack_symlink(void)
{
	return symlink("/etc/passwd", attack_path) == 0;
}

/* ---- running one */

static inline enum attack_end attack_outcome(bool (*attack)(void), void (*raise_walls)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		raise_walls();
		_exit(attack() ? SUCCEEDED : REFUSED);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return STRANGE;
	if (WIFEXITED(status))
		return (enum attack_end)WEXITSTATUS(status);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? DIED : STRANGE;
}

#endif
