/* SPDX-License-Identifier: ISC */
/*
 * walls: the prober's tables for base/confine. See walls.h.
 *
 * The libraries under us call much, and another version of them calls other things, so here what is
 * forbidden is listed and the rest is allowed; the files are the tighter wall. New processes are allowed:
 * books are examined in children, which stand behind the same walls.
 */
#include "prober/walls.h"

#include <stddef.h>
#include <sys/syscall.h>

#include "base/confine.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/zone.h"

static const struct confine_call own_calls[] = {
	{SYS_execve, CALL_DEADLY},
	{SYS_execveat, CALL_DEADLY},
	{SYS_socket, CALL_INET}, /* services of this host that listen on a path would do much for root */
	{SYS_listen, CALL_DEADLY},
	{SYS_accept4, CALL_DEADLY},
#ifdef SYS_accept
	{SYS_accept, CALL_DEADLY},
#endif
	/* Landlock has no say in these: fchmod() of what may be opened is left. */
	{SYS_fchmodat, CALL_MISSING},
	{452, CALL_MISSING}, /* fchmodat2 */
	{SYS_fchown, CALL_MISSING},
	{SYS_fchownat, CALL_MISSING},
	{SYS_setxattr, CALL_MISSING},
	{SYS_lsetxattr, CALL_MISSING},
	{SYS_fsetxattr, CALL_MISSING},
	{SYS_removexattr, CALL_MISSING},
	{SYS_lremovexattr, CALL_MISSING},
	{SYS_fremovexattr, CALL_MISSING},
	{SYS_utimensat, CALL_MISSING},
	{SYS_prlimit64, CALL_OWN},
#ifdef SYS_chmod
	{SYS_chmod, CALL_MISSING},
	{SYS_chown, CALL_MISSING},
	{SYS_lchown, CALL_MISSING},
	{SYS_utime, CALL_MISSING},
	{SYS_utimes, CALL_MISSING},
	{SYS_futimesat, CALL_MISSING},
#endif
#ifdef SYS_memfd_create
	{SYS_memfd_create, CALL_MISSING},
#endif
};

/* Names, certificates, time zones, and what libraries look up when they begin. */
static const char *const readable[] = {
	"/etc/resolv.conf",
	"/etc/hosts",
	"/etc/host.conf",
	"/etc/nsswitch.conf",
	"/etc/gai.conf",
	"/etc/services",
	"/etc/protocols",
	"/etc/localtime",
	"/etc/ssl/openssl.cnf",
	"/etc/ssl/certs",
	"/etc/pki",
	"/etc/crypto-policies",
	"/etc/ld.so.cache",
	"/usr/lib",
	"/usr/lib64",
	"/lib",
	"/lib64",
	"/usr/share/ca-certificates",
	"/usr/share/publicsuffix",
	"/proc/sys",
	"/sys/devices/system/cpu",
	"/dev/urandom",
};
enum { PATHS_MAX = COUNT_OF(readable) + 12 };

static void raise_paths(const char *store, const char *ca_bundle)
{
	struct confine_path paths[PATHS_MAX] = {
		{store, PATH_READ | PATH_WRITE | PATH_MAKE},
		{ca_bundle, PATH_READ},
		{"/dev/null", PATH_READ | PATH_WRITE},
	};
	size_t n = 3;
	struct error err = {0};

	for (size_t i = 0; i < COUNT_OF(readable); i++)
		paths[n++] = (struct confine_path){readable[i], PATH_READ};
	for (size_t i = 0; n < PATHS_MAX && zone_directory(i) != NULL; i++)
		paths[n++] = (struct confine_path){zone_directory(i), PATH_READ};
	confine_paths(paths, n, true, &err);
}

void walls_raise(const char *store, const char *ca_bundle)
{
	struct confine_call rows[CONFINE_ATTACKS_MAX + COUNT_OF(own_calls)];
	size_t n = confine_add(rows, confine_attacks(rows), own_calls, COUNT_OF(own_calls));
	struct error err = {0};

	raise_paths(store, ca_bundle);
	confine_calls(&(struct confine_calls){rows, n, CALL_ALLOWED}, &err);
}
