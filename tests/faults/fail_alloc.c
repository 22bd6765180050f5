/* SPDX-License-Identifier: ISC */
/*
 * fail_alloc: preloaded into a program, the $FAIL_ALLOC'th call of malloc, calloc or realloc gives NULL, and with
 * FAIL_ALLOC_ON=1 all later ones, too. When it did, the file $FAIL_ALLOC_HIT has a byte; so a test goes up until a
 * run ends without being hit.
 *
 * Counted are only calls after main() was reached: what the loader takes before is not ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t n);

static atomic_long calls, fail_at;
static atomic_int go_on;
static int hit_fd = -1;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FAIL_ALLOC"), *on = getenv("FAIL_ALLOC_ON");

	const char *hit = getenv("FAIL_ALLOC_HIT");

	if (hit) /* before the program confines itself to its own paths */
		hit_fd = open(hit, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	go_on = on && *on == '1';
	calls = 0;
	fail_at = at ? strtol(at, NULL, 10) : 0;
}

static int fails(void)
{
	long at = fail_at, n;

	if (at <= 0)
		return 0;
	n = atomic_fetch_add(&calls, 1) + 1;
	if (n != at && !(go_on && n > at))
		return 0;
	if (n == at && hit_fd >= 0)
		syscall(SYS_write, hit_fd, "!", 1);
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t n)
{
	return fails() ? NULL : __libc_realloc(old, n);
}
