/* SPDX-License-Identifier: ISC */
/*
 * lean: what libraries bring into the static program that a plain CGI request is better without. A request
 * lives for a millisecond; each of these takes a part of it.
 *
 * Nothing calls these by our names: the linker puts them in the place of the libraries' own.
 */
#include <stddef.h>

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
