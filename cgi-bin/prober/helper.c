/* SPDX-License-Identifier: ISC */
/* helper: see helper.h. */
#include "prober/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* It ends with us, not with a Ctrl-C that is for us: we may still want it. */
static int become(const struct helper *helper, int fd, pid_t parent)
{
	static const int ignored[] = {SIGTERM, SIGINT, SIGHUP};
	const int kept = STDERR_FILENO + 1;
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, helper->last_word);
	if (getppid() != parent)
		_exit(0);
	for (size_t i = 0; i < COUNT_OF(ignored); i++)
		signal(ignored[i], SIG_IGN);
	log_close();
	for (int i = 0; i <= STDERR_FILENO && null >= 0; i++)
		dup2(null, i);
	dup2(fd, kept);
	fcntl(kept, F_SETFD, FD_CLOEXEC);
	closefrom(kept + 1);
	return kept;
}

pid_t helper_start(const struct helper *helper, int *ours, struct error *err)
{
	int pair[2];
	pid_t parent = getpid(), pid;

	if (socketpair(AF_UNIX, helper->type | SOCK_CLOEXEC, 0, pair) != 0) {
		error_set(err, ERROR_TEMPORARY, "%s cannot be started: %s", helper->name, strerror(errno));
		return -1;
	}
	pid = fork();
	if (pid == 0) {
		helper->life(helper->arg, become(helper, pair[1], parent));
		_exit(0);
	}
	if (pid < 0) {
		error_set(err, ERROR_TEMPORARY, "%s cannot be started: %s", helper->name, strerror(errno));
		close(pair[0]);
	}
	close(pair[1]);
	*ours = pair[0];
	return pid;
}
