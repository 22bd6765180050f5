/* SPDX-License-Identifier: ISC */
/* status: states and times as people read them on a terminal. See status.h. */
#include "prober/commands/status.h"

#include "base/clock.h"

static const char *const colours[STATE__COUNT] = {
	[STATE_PENDING] = "\033[36m",
	[STATE_UP] = "\033[32m",
	[STATE_SUSPECT] = "\033[33m",
	[STATE_DOWN] = "\033[1;31m",
	[STATE_UNKNOWN] = "\033[35m",
	[STATE_PAUSED] = "\033[2m",
};

void status_put_state(const struct status *s, enum monitor_state state)
{
	bool coloured = s->colour && (unsigned)state < STATE__COUNT;

	text_printf(s->out, "%s%-8s%s", coloured ? colours[state] : "", monitor_state_name(state),
		coloured ? "\033[0m" : "");
}

void status_put_time(const struct status *s, int64_t us)
{
	if (us)
		calendar_put_local(s->out, s->zone, us / US_PER_S);
	else
		text_raw(s->out, "never");
}
