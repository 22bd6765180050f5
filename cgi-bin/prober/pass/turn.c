/* SPDX-License-Identifier: ISC */
/*
 * turn: one prober at work, one that waits its turn, and no third.
 *
 * Two flock()s: prober.lock is held by the one at work, prober.next by the one that waits. A crash leaves
 * neither stuck, because the kernel drops them with the process. Who waits does so until its own minute is
 * over: by then cron has started another.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "prober/pass/pass_private.h"

#define POLL_US (50 * US_PER_MS)

static bool lock_open(const char *store, const char *name, int *fd, struct error *err)
{
	char *path = file_join(store, name);

	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (*fd < 0)
		error_set(err, ERROR_TEMPORARY, "cannot open %s: %s", path, strerror(errno));
	free(path);
	return *fd >= 0;
}

static bool lock_try(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static bool wait_for(int fd, int64_t until_us)
{
	const struct timespec pause = {0, POLL_US * 1000};

	while (!lock_try(fd)) {
		if (clock_wall_us() >= until_us)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

bool turn_take(const char *store, int *fd, struct error *err)
{
	int64_t until_us = minute_end(clock_wall_us());
	bool mine;
	int next;

	if (!lock_open(store, "prober.lock", fd, err))
		return false;
	if (lock_try(*fd))
		return true;
	mine = lock_open(store, "prober.next", &next, err);
	if (mine) {
		mine = lock_try(next) && wait_for(*fd, until_us);
		close(next);
	}
	if (!mine) {
		close(*fd);
		*fd = -1;
	}
	return mine;
}

/* While a pass works its lock's file is not empty. Who finds it so knows that the last one died. */
bool turn_begin(int fd)
{
	struct stat s;
	bool died = fstat(fd, &s) == 0 && s.st_size > 0;

	if (!died && pwrite(fd, "working\n", 8, 0) < 0)
		return false; /* a full disk: it is not known */
	return died;
}

void turn_end(int fd)
{
	if (ftruncate(fd, 0) != 0)
		log_warn("prober.lock cannot be cut: %s", strerror(errno)); /* the next one examines more than it need */
}
