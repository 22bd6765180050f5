/* SPDX-License-Identifier: ISC */
/*
 * confine: seccomp and Landlock by their system calls. See confine.h.
 *
 * Neither needs a library, and neither libseccomp nor new kernel headers are on every machine that builds
 * us. The filter is a search tree over call numbers: the kernel walks it for each number when it is
 * installed, which a plain CGI request pays for, and for each call on kernels that do not remember the
 * answer.
 */
#include "base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__) || defined(UPBEAT_COVERAGE)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#if defined(__x86_64__) && !defined(__ILP32__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#define OUR_NUMBERS 0x40000000u /* numbers from here on are the same calls by another way (x32) */
#elif defined(__aarch64__) && defined(__LITTLE_ENDIAN__) || defined(__AARCH64EL__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#define OUR_NUMBERS 0x40000000u
#else
#define OUR_ARCH 0u /* calls have other numbers there, and nobody has tried */
#define OUR_NUMBERS 0u
#endif

/* A sanitizer looks for leaks with calls that only attackers need otherwise; and what counts the lines
   that ran writes its counts into files of its own. */
static bool possible(struct error *err)
{
	return !SANITIZED || error_set(err, ERROR_MISSING, "built with a sanitizer");
}

/* Without it neither is to be had by ordinary users. A program that we would start could then not become
   another user, either. */
static bool give_up_privileges(struct error *err)
{
	static bool given_up;

	if (given_up)
		return true;
	given_up = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
	return given_up || error_set(err, ERROR_MISSING, "no_new_privs: %s", strerror(errno));
}

#define NO_CALL 0xffffffffu

/* ---- calls: the program of the filter ---------------------------------------------------------------- */

/* Jumps lead forward only, so the program is written from its end: where a jump leads is known by then. */
enum { PROGRAM_MAX = 512, FATES = CALL_EITHER };
struct program {
	struct sock_filter at[PROGRAM_MAX];
	unsigned first;       /* what is written so far begins here */
	unsigned fate[FATES]; /* where a call of this fate is dealt with; 0 not written yet */
	bool too_long;
};

static unsigned put(struct program *p, unsigned code, uint32_t k, unsigned yes, unsigned no)
{
	if (p->first == 0) {
		p->too_long = true;
		return 0;
	}
	p->first--;
	p->at[p->first] = (struct sock_filter){(uint16_t)code, (uint8_t)yes, (uint8_t)no, k};
	return p->first;
}

/* How far it is from the next instruction to be written; by way of a plain jump where its own field is too
   narrow. `ahead`: how many of these may still come between. */
static unsigned way(struct program *p, unsigned to, unsigned ahead)
{
	if (to - p->first + ahead <= UINT8_MAX)
		return to;
	return put(p, BPF_JMP | BPF_JA, to - p->first, 0, 0);
}

static unsigned put_test(struct program *p, unsigned test, uint32_t k, unsigned yes, unsigned no)
{
	yes = way(p, yes, 1);
	no = way(p, no, 0);
	return put(p, BPF_JMP | test | BPF_K, k, yes - p->first, no - p->first);
}

static unsigned put_load(struct program *p, size_t offset)
{
	return put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Both kinds of processor put the low half first. */
static unsigned put_load_argument(struct program *p, unsigned i)
{
	return put_load(p, offsetof(struct seccomp_data, args) + i * sizeof(uint64_t));
}

static const uint32_t answers[FATES] = {
	[CALL_ALLOWED] = SECCOMP_RET_ALLOW,
	[CALL_MISSING] = SECCOMP_RET_ERRNO | ENOSYS,
	[CALL_DEADLY] = SECCOMP_RET_KILL_PROCESS,
	[CALL_SELF] = SECCOMP_RET_ERRNO | EPERM, /* when it is another */
	[CALL_OWN] = SECCOMP_RET_ERRNO | EPERM,
	[CALL_INET] = SECCOMP_RET_ERRNO | EAFNOSUPPORT,
};

static unsigned put_answer(struct program *p, uint32_t answer)
{
	return put(p, BPF_RET | BPF_K, answer, 0, 0);
}

static unsigned deal_with(struct program *p, enum confine_fate fate);

static unsigned put_argument_test(struct program *p, unsigned argument, unsigned test, uint32_t k,
	enum confine_fate yes, enum confine_fate no)
{
	unsigned if_yes = deal_with(p, yes), if_no = deal_with(p, no);

	put_test(p, test, k, if_yes, if_no);
	return put_load_argument(p, argument);
}

/* Allowed when the first argument is one of two, which may be the same; else the fate's answer. */
static unsigned put_choice(struct program *p, enum confine_fate fate, uint32_t one, uint32_t two)
{
	unsigned allowed = deal_with(p, CALL_ALLOWED), next = put_answer(p, answers[fate]);

	if (one != two)
		next = put_test(p, BPF_JEQ, two, allowed, next);
	put_test(p, BPF_JEQ, one, allowed, next);
	return put_load_argument(p, 0);
}

static unsigned write_fate(struct program *p, enum confine_fate fate)
{
	switch (fate) {
	case CALL_ALLOWED:
	case CALL_MISSING:
	case CALL_DEADLY:
	case CALL_EITHER: /* never comes here */
		break;
	case CALL_THREADS:
		return put_argument_test(p, 0, BPF_JSET, CLONE_THREAD, CALL_ALLOWED, CALL_DEADLY);
	case CALL_DATA:
		return put_argument_test(p, 2, BPF_JSET, PROT_EXEC, CALL_DEADLY, CALL_ALLOWED);
	case CALL_SELF:
		return put_choice(p, fate, (uint32_t)getpid(), (uint32_t)getpid());
	case CALL_OWN:
		return put_choice(p, fate, 0, 0);
	case CALL_INET:
		return put_choice(p, fate, AF_INET, AF_INET6);
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): those without an answer returned above */
	return put_answer(p, answers[fate]);
}

/* Near enough for a jump's own field: written once more where it is not. */
static unsigned deal_with(struct program *p, enum confine_fate fate)
{
	if (p->fate[fate] == 0 || p->fate[fate] - p->first > UINT8_MAX / 2)
		p->fate[fate] = write_fate(p, fate);
	return p->fate[fate];
}

/* From this number to the next span's, all have one fate. */
struct span {
	uint32_t from;
	enum confine_fate fate;
};

/* A search tree. */
static unsigned put_spans(struct program *p, const struct span *spans, size_t n)
{
	size_t half = n / 2;
	unsigned above, below;

	if (n == 1)
		return deal_with(p, spans->fate);
	above = put_spans(p, spans + half, n - half);
	below = put_spans(p, spans, half);
	return put_test(p, BPF_JGE, spans[half].from, above, below);
}

/* Calls by another way than our own (32 bits, x32) have other numbers: nobody here makes them. What a tracer has
   taken back, to give an answer of its own (as strace does to make a call fail), comes with NO_CALL. */
static void put_head(struct program *p, unsigned tree)
{
	unsigned deadly = deal_with(p, CALL_DEADLY), missing = deal_with(p, CALL_MISSING);

	tree = put_test(p, BPF_JGE, OUR_NUMBERS, deadly, tree);
	put_test(p, BPF_JEQ, NO_CALL, missing, tree);
	tree = put_load(p, offsetof(struct seccomp_data, nr));
	put_test(p, BPF_JEQ, OUR_ARCH, tree, deadly);
	put_load(p, offsetof(struct seccomp_data, arch));
}

/* ---- calls: from the table to spans ------------------------------------------------------------------ */

enum { NUMBERS = 600 }; /* more than there are */

static enum confine_fate as_written(enum confine_fate fate, enum confine_fate others)
{
	return others == CALL_EITHER && fate == CALL_DEADLY ? CALL_MISSING : fate;
}

/* 0 when one of the table's numbers is out of bounds. */
static size_t find_spans(const struct confine_calls *calls, struct span spans[NUMBERS + 1])
{
	enum confine_fate beyond = calls->others == CALL_EITHER ? CALL_MISSING : calls->others;
	uint8_t fates[NUMBERS];
	size_t n = 0;

	memset(fates, calls->others, sizeof(fates));
	for (size_t i = 0; i < calls->count; i++) {
		if (calls->rows[i].number >= NUMBERS)
			return 0;
		fates[calls->rows[i].number] = (uint8_t)calls->rows[i].fate;
	}
	for (uint32_t i = 0; i < NUMBERS; i++) {
		enum confine_fate fate = as_written((enum confine_fate)fates[i], calls->others);

		if (fate != CALL_EITHER && (n == 0 || spans[n - 1].fate != fate))
			spans[n++] = (struct span){i, fate};
	}
	if (n > 0 && spans[n - 1].fate != beyond)
		spans[n++] = (struct span){NUMBERS, beyond};
	return n;
}

static bool compile(const struct confine_calls *calls, struct program *p)
{
	struct span spans[NUMBERS + 1];
	size_t n = find_spans(calls, spans);

	p->first = PROGRAM_MAX;
	p->too_long = n == 0;
	memset(p->fate, 0, sizeof(p->fate));
	if (n > 0)
		put_head(p, put_spans(p, spans, n));
	return !p->too_long;
}

bool confine_knows_calls(struct error *err)
{
	const uint32_t action = SECCOMP_RET_KILL_PROCESS;

	if (!possible(err))
		return false;
	if (OUR_ARCH == 0)
		return error_set(err, ERROR_MISSING, "seccomp: no table for this processor");
	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 ||
	       error_set(err, ERROR_MISSING, "seccomp: %s", strerror(errno));
}

bool confine_calls(const struct confine_calls *calls, struct error *err)
{
	struct program program;
	struct sock_fprog filter;

	if (!possible(err))
		return false;
	if (OUR_ARCH == 0)
		return error_set(err, ERROR_MISSING, "seccomp: no table for this processor");
	if (!compile(calls, &program))
		return error_set(err, ERROR_INPUT, "seccomp: the table is too large");
	if (!give_up_privileges(err))
		return false;
	filter = (struct sock_fprog){(unsigned short)(PROGRAM_MAX - program.first), program.at + program.first};
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0 ||
	       error_set(err, ERROR_MISSING, "seccomp: %s", strerror(errno));
}

/* ---- calls: what only attackers need ----------------------------------------------------------------- */

static const unsigned attacks[] = {
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_perf_event_open, SYS_bpf,
	SYS_userfaultfd, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_unshare, SYS_setns,
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff,
	SYS_acct, SYS_quotactl, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime,
	SYS_sethostname, SYS_setdomainname, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_open_by_handle_at,
	SYS_personality, SYS_syslog, SYS_vhangup, SYS_mknodat,
#ifdef SYS_mknod
	SYS_mknod,
#endif
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
#ifdef SYS_modify_ldt
	SYS_modify_ldt,
#endif
#ifdef SYS_ioperm
	SYS_ioperm, SYS_iopl,
#endif
#ifdef SYS_io_uring_setup
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
#endif
#ifdef SYS_pidfd_getfd
	SYS_pidfd_getfd,
#endif
#ifdef SYS_process_madvise
	SYS_process_madvise,
#endif
#ifdef SYS_fsopen
	SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_open_tree, SYS_move_mount,
#endif
#ifdef SYS_mount_setattr
	SYS_mount_setattr,
#endif
};

size_t confine_attacks(struct confine_call rows[CONFINE_ATTACKS_MAX])
{
	size_t n = COUNT_OF(attacks);

	_Static_assert(COUNT_OF(attacks) <= CONFINE_ATTACKS_MAX, "room for all of them");
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct confine_call){attacks[i], CALL_DEADLY};
	return n;
}

size_t confine_add(struct confine_call *rows, size_t n, const struct confine_call *more, size_t count)
{
	memcpy(rows + n, more, count * sizeof(*more));
	return n + count;
}

/* ---- paths ------------------------------------------------------------------------------------------- */

/* The kernel's, of all versions: older headers lack some. The numbers are the same on all processors. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
enum { ASK_VERSION = 1, RULE_BENEATH = 1 };
enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_FIRST = (1 << 13) - 1, /* what version 1 knows */
	FS_REFER = 1 << 13,       /* from version 2 on */
	FS_TRUNCATE = 1 << 14,    /* 3 */
	FS_IOCTL_DEV = 1 << 15,   /* 5 */
	FS_OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
};
enum { TCP_BOTH = 3, SCOPE_BOTH = 3 }; /* the latter: abstract sockets and processes that are not within */

struct ruleset {
	uint64_t fs, net, scope;
};
struct beneath {
	uint64_t may;
	int32_t fd;
} __attribute__((packed));

bool confine_knows_paths(int *version, struct error *err)
{
	long answer;

	*version = 0;
	if (!possible(err))
		return false;
	answer = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, ASK_VERSION);
	if (answer < 1)
		return error_set(err, ERROR_MISSING, "Landlock: %s", strerror(errno));
	*version = (int)answer;
	return true;
}

/* What is forbidden where no rule allows it. */
static struct ruleset forbidden(int version, bool keep_tcp)
{
	struct ruleset r = {.fs = FS_FIRST};

	if (version >= 2)
		r.fs |= FS_REFER;
	if (version >= 3)
		r.fs |= FS_TRUNCATE;
	if (version >= 4 && !keep_tcp)
		r.net = TCP_BOTH;
	if (version >= 5)
		r.fs |= FS_IOCTL_DEV;
	if (version >= 6)
		r.scope = SCOPE_BOTH;
	return r;
}

static size_t ruleset_bytes(int version)
{
	return version >= 6 ? sizeof(struct ruleset) : version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static uint64_t rights(unsigned may)
{
	uint64_t fs = 0;

	if (may & PATH_READ)
		fs |= FS_READ_FILE | FS_READ_DIR;
	if (may & PATH_WRITE)
		fs |= FS_WRITE_FILE | FS_TRUNCATE;
	if (may & PATH_MAKE)
		fs |= FS_MAKE_REG | FS_MAKE_DIR | FS_REMOVE_FILE | FS_REMOVE_DIR;
	if (may & PATH_RUN)
		fs |= FS_EXECUTE;
	return fs;
}

/* Of what is no directory the kernel takes no rights of directories. */
static bool add_rule(int ruleset, struct beneath *rule)
{
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_BENEATH, rule, 0) == 0)
		return true;
	if (errno != EINVAL)
		return false;
	rule->may &= FS_OF_FILES;
	return syscall(SYS_landlock_add_rule, ruleset, RULE_BENEATH, rule, 0) == 0;
}

/* false only when the kernel refuses the rule: what is not there needs none. */
static bool allow(int ruleset, uint64_t known, const struct confine_path *path)
{
	const int flags = O_PATH | O_CLOEXEC | (path->may & PATH_NO_LINK ? O_NOFOLLOW : 0);
	struct beneath rule = {.may = rights(path->may) & known};
	bool ok;

	rule.fd = path->path != NULL && path->path[0] != '\0' ? open(path->path, flags) : -1;
	if (rule.fd < 0)
		return true;
	ok = rule.may == 0 || add_rule(ruleset, &rule);
	close(rule.fd);
	return ok;
}

bool confine_paths(const struct confine_path *paths, size_t n, bool keep_tcp, struct error *err)
{
	struct ruleset all;
	int version, fd;
	bool ok = true;

	if (!confine_knows_paths(&version, err) || !give_up_privileges(err))
		return false;
	all = forbidden(version, keep_tcp);
	fd = (int)syscall(SYS_landlock_create_ruleset, &all, ruleset_bytes(version), 0);
	ok = fd >= 0;
	for (size_t i = 0; i < n && ok; i++)
		ok = allow(fd, all.fs, &paths[i]);
	ok = ok && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	if (!ok)
		error_set(err, ERROR_MISSING, "Landlock: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

/* ---- memory ------------------------------------------------------------------------------------------ */

void confine_memory(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
