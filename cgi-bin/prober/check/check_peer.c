/* SPDX-License-Identifier: ISC */
/*
 * check_peer: another Upbeat writes to us in time. Nothing is dialled: the web program heard it,
 * and the pass knows when. Before its first message there is nothing to judge: the look is unknown
 * and says so.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "model/peering.h"
#include "prober/check/check.h"

struct peer_check_options {
	char *peer;
};

static const struct field fields[] = {
	{.name = "peer",
		.type = FIELD_STRING,
		.offset = offsetof(struct peer_check_options, peer),
		.required = true,
		.help = "Name of one of the peers. For each that no monitor watches there is one, "
			"\"peer.NAME\"."},
};

static void start(struct check *check)
{
	const struct peer_check_options *options = check->options;
	const struct check_world *world = check->world;
	struct result *result = &check->result;
	int64_t now_us = clock_wall_us();
	struct peer_head head = {0};

	result->timings.total_us = 0;
	result->outcome = OUTCOME_UNKNOWN;
	if (world->web_failing) {
		result_cause(result, "Upbeat's web side is down");
	} else if (!world->peer_head || !world->peer_head(world->peer_arg, options->peer, &head)) {
		result_cause(result, "nothing heard yet");
	} else if (peering_silent(&head, world->grace_from_us, now_us)) {
		result->outcome = OUTCOME_DOWN;
		result->definite = true;
		result_cause_since(result, "nothing heard", now_us - head.heard_us);
	} else {
		result->outcome = OUTCOME_UP;
	}
	check_finish(check);
}

const struct check_type check_peer = {
	.name = "peer",
	.help = "Another Upbeat writes to us in time: its own passes are running.",
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.options_size = sizeof(struct peer_check_options),
	.start = start,
};
