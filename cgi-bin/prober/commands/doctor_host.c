/* SPDX-License-Identifier: ISC */
/*
 * doctor_host: what this machine gives us: configuration, disk, clock, limits, raw sockets, authorities.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/confine.h"
#include "prober/check/ping.h"
#include "prober/net/ca_bundle.h"
#include "prober/commands/doctor.h"

#define ROOM_MIN (64u << 20) /* bytes below which a full disk is near */
#define DESCRIPTORS_MIN 256
#define YEAR_2024_S INT64_C(1704067200)

/* ---- configuration */

static void say_environment(struct doctor *d)
{
	for (size_t i = 0; i < d->config.file_count; i++)
		if (strncmp(d->config.files[i], "env:", 4) == 0)
			doctor_say(d, FOUND_NOTE,
				"configuration: %s comes from the environment: set it in the crontab too, "
				"cron does not "
				"read your profile",
				d->config.files[i] + 4);
}

void doctor_configuration(struct doctor *d)
{
	const struct publication *p = &d->config.publication;
	const cJSON *top = cJSON_GetObjectItemCaseSensitive(d->config.privates, "top");

	for (size_t i = 0; i < d->config.problem_count; i++) {
		struct text line = TEXT_INIT;

		problem_print(&d->config.problems[i], &line);
		if (line.len)
			line.ptr[--line.len] = '\0';
		doctor_say(d, d->config.problems[i].warning ? FOUND_NOTE : FOUND_BAD, "%s", text_str(&line));
		text_free(&line);
	}
	say_environment(d);
	if (!d->config.usable)
		return;
	doctor_say(d, FOUND_GOOD, "configuration: %s: %zu monitors, %zu channels", d->config.path,
		p->monitor_count, p->site.channel_count);
	if (!p->site.channel_count)
		doctor_say(d, FOUND_NOTE, "configuration: no channels: nobody is told of anything");
	if (!cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(top, "witnesses")))
		doctor_say(d, FOUND_NOTE,
			"configuration: no witnesses: when we are offline ourselves, that is told as "
			"failures of what we watch");
	if (!p->site.url)
		doctor_say(d, FOUND_NOTE,
			"configuration: no \"url\": messages have no links, and whether our own web "
			"side answers is not checked");
}

/* ---- disk */

static void say_room(struct doctor *d)
{
	struct statvfs v;
	unsigned long long free_bytes;

	if (statvfs(d->store, &v) != 0) {
		doctor_say(d, FOUND_BAD, "disk: %s: %s", d->store, strerror(errno));
		return;
	}
	free_bytes = (unsigned long long)v.f_bavail * v.f_frsize;
	doctor_say(d, free_bytes < ROOM_MIN ? FOUND_BAD : FOUND_GOOD, "disk: %llu MB free at %s",
		free_bytes >> 20, d->store);
	if (v.f_files && !v.f_favail)
		doctor_say(d, FOUND_BAD, "disk: no inodes are left at %s", d->store);
	if (v.f_flag & ST_RDONLY)
		doctor_say(d, FOUND_BAD, "disk: %s is mounted read-only", d->store);
}

void doctor_disk(struct doctor *d)
{
	const char *network = file_network_fs(d->store);
	struct stat s;

	if (stat(d->store, &s) != 0) {
		doctor_say(d, FOUND_BAD, "store: %s: %s (upbeat-prober init makes it)", d->store,
			strerror(errno));
		return;
	}
	if (network)
		doctor_say(d, FOUND_BAD, "store: %s is on %s: it must be on a local disk", d->store, network);
	if (access(d->store, R_OK | W_OK | X_OK) != 0)
		doctor_say(d, FOUND_BAD, "store: we (user %u) may not write to %s", (unsigned)geteuid(),
			d->store);
	if (s.st_mode & S_IRWXO)
		doctor_say(d, FOUND_NOTE, "store: everybody on this machine may look into %s: chmod o-rwx %s",
			d->store, d->store);
	say_room(d);
}

/* ---- clock */

void doctor_clock(struct doctor *d)
{
	struct timex t = {.modes = 0};
	int state = adjtimex(&t);

	if (clock_wall_us() / US_PER_S < YEAR_2024_S)
		doctor_say(d, FOUND_BAD, "clock: this machine believes it is before 2024");
	else if (state < 0)
		doctor_say(d, FOUND_NOTE, "clock: whether it is kept right cannot be asked here");
	else if (state == TIME_ERROR || (t.status & STA_UNSYNC))
		doctor_say(d, FOUND_NOTE,
			"clock: nothing keeps it right (no NTP): beats are refused when it is more than "
			"their window off");
	else
		doctor_say(d, FOUND_GOOD, "clock: kept right, at most %ld ms off", t.maxerror / 1000);
}

/* ---- limits */

static void say_limit(struct doctor *d, int resource, const char *name, rlim_t wanted, const char *unit)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0 || limit.rlim_max == RLIM_INFINITY)
		return;
	if (limit.rlim_max < wanted)
		doctor_say(d, FOUND_NOTE, "limits: %s: %llu%s; %llu are wanted", name,
			(unsigned long long)limit.rlim_max, unit, (unsigned long long)wanted);
}

void doctor_limits(struct doctor *d)
{
	say_limit(d, RLIMIT_NOFILE, "open files", DESCRIPTORS_MIN, "");
	say_limit(d, RLIMIT_AS, "address space", (rlim_t)256 << 20, " bytes");
	say_limit(d, RLIMIT_FSIZE, "size of a file", (rlim_t)1 << 30, " bytes");
}

/* ---- confinement */

/* What the walls could not let through is started from outside them. */
static void say_programs(struct doctor *d)
{
	static const char *const words[] = {[PROGRAM_PING] = "ping is", [PROGRAM_SENDMAIL] = "sendmail is",
		[PROGRAM_PING | PROGRAM_SENDMAIL] = "ping and sendmail are"};
	unsigned programs = d->config.usable ? config_programs_here(config_programs(&d->config)) : 0;

	if (programs != 0)
		doctor_say(d, FOUND_GOOD, "programs: %s started from outside the confinement, by a process that does nothing else",
			words[programs]);
}

void doctor_walls(struct doctor *d)
{
	struct error no_calls, no_paths;
	int version;
	bool calls = confine_knows_calls(&no_calls), paths = confine_knows_paths(&version, &no_paths);

	if (calls && paths)
		doctor_say(d, FOUND_GOOD, "confinement: of system calls and of files (Landlock version %d)", version);
	else if (calls)
		doctor_say(d, FOUND_NOTE,
			"confinement: of system calls only (%s): files are kept from the programs by their permissions",
			no_paths.text);
	else if (paths)
		doctor_say(d, FOUND_NOTE, "confinement: of files only: system calls stay open (%s)", no_calls.text);
	else
		doctor_say(d, FOUND_NOTE, "confinement: system calls stay open (%s), and files, too (%s)",
			no_calls.text, no_paths.text);
	if (calls || paths)
		say_programs(d);
}

/* ---- certificates */

void doctor_authorities(struct doctor *d)
{
	const char *bundle = ca_bundle();

	if (bundle && access(bundle, R_OK) == 0)
		doctor_say(d, FOUND_GOOD, "certificates: authorities from %s", bundle);
	else
		doctor_say(d, FOUND_BAD,
			"certificates: no authorities are found (package ca-certificates): no https can be "
			"verified");
}

/* ---- ping */

static bool can_open(int type)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, IPPROTO_ICMP);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void doctor_icmp(struct doctor *d)
{
	const char *program = ping_program_path();

	if (can_open(SOCK_DGRAM)) {
		doctor_say(d, FOUND_GOOD, "ping: datagram sockets");
		return;
	}
	if (can_open(SOCK_RAW)) {
		doctor_say(d, FOUND_GOOD, "ping: raw sockets");
		return;
	}
	if (program != NULL) {
		doctor_say(d, FOUND_GOOD, "ping: through %s", program);
		return;
	}
	doctor_say(d, FOUND_NOTE,
		"ping: not possible here: monitors of type ping are unknown (sysctl "
		"net.ipv4.ping_group_range allows it, or the package iputils-ping)");
}
