/* SPDX-License-Identifier: ISC */
/*
 * dump: a program that ends by _exit() tells what it ran, too.
 *
 * gcov writes its counts in an exit handler, which _exit() passes by: a plain CGI process ends so, because
 * the kernel closes faster than we do. Linked in with --wrap=_exit when coverage is measured, and only then.
 */
#include <unistd.h>

void __gcov_dump(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}
