/* SPDX-License-Identifier: ISC */
/*
 * lean: what libraries bring into the static program that a plain CGI request is better without (it lives for
 * a millisecond, and each of these takes a part of it), and what a resting process can do without.
 *
 * The first two are called by nobody by these names: the linker puts them in the place of the libraries' own.
 */
#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "web/lean.h"

/* libfcgi has a half that connects to other programs, which we never call. It would bring the resolver, and
   with it half of the C library. */
struct hostent;
struct hostent *gethostbyname(const char *name);
struct hostent *gethostbyname(const char *name)
{
	(void)name;
	return NULL;
}

/* libcrypto asks the processor what it can, before main(). On a virtual machine each question is a trap, and
   the plain code hashes a beat in less time than that. A process with many requests asks later
   (-Wl,--wrap=OPENSSL_cpuid_setup; in a dynamic build there is no such name, and nothing to do). */
void __real_OPENSSL_cpuid_setup(void) __attribute__((weak));
void __wrap_OPENSSL_cpuid_setup(void);

void __wrap_OPENSSL_cpuid_setup(void)
{
}

void lean_use_processor(void)
{
	if (__real_OPENSSL_cpuid_setup != NULL)
		__real_OPENSSL_cpuid_setup();
}

/* ---- rest */

enum { SEGMENTS_MAX = 8 };
struct segments {
	struct {
		char *from;
		size_t bytes;
	} at[SEGMENTS_MAX];
	size_t n;
};

/* Segments that nobody writes are the same in the file: their pages may go. */
static int find_segments(struct dl_phdr_info *info, size_t size, void *found)
{
	struct segments *segments = found;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum && segments->n < SEGMENTS_MAX; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t from = info->dlpi_addr + segment->p_vaddr, to = from + segment->p_filesz;

		if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
			continue;
		from &= ~(page - 1);
		to &= ~(page - 1);
		segments->at[segments->n].from = (char *)from;
		segments->at[segments->n].bytes = to - from;
		segments->n++;
	}
	return 1; /* the first is our own file */
}

/* What runs after its pages went brings them back, with their neighbours: nothing is left to do by then. */
void lean_give_back(void)
{
	struct segments segments = {.n = 0};
	size_t i;

	malloc_trim(0);
	dl_iterate_phdr(find_segments, &segments);
	for (i = 0; i < segments.n; i++)
		madvise(segments.at[i].from, segments.at[i].bytes, MADV_DONTNEED);
}
