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

/* Segments that nobody writes are the same in the file: their pages may go. */
static int give_back_segments(struct dl_phdr_info *info, size_t size, void *unused)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	int i;

	(void)size;
	(void)unused;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t from = info->dlpi_addr + segment->p_vaddr, to = from + segment->p_filesz;

		if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
			continue;
		from &= ~(page - 1);
		to &= ~(page - 1);
		if (to > from)
			madvise((void *)from, to - from, MADV_DONTNEED);
	}
	return 1; /* the first is our own file */
}

void lean_give_back(void)
{
	malloc_trim(0);
	dl_iterate_phdr(give_back_segments, NULL);
}
