/* SPDX-License-Identifier: ISC */
/*
 * cmd_notify: `upbeat-prober notify CHANNEL [--event down]` sends a marked test through a channel as the
 * configuration file has it now, and prints what the service answered. Nothing is stored.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "prober/launch.h"
#include "prober/net/ca_bundle.h"
#include "prober/walls.h"
#include "prober/commands/commands.h"
#include "prober/config/config.h"
#include "prober/notify/channel.h"

/* Several recipients, each with a deadline of its own, may take longer than one delivery. */
#define PATIENCE_US (300 * US_PER_S)

struct test {
	struct loop *loop;
	bool done;
	enum delivery_end end;
	int status;
	char answer[sizeof(((struct delivery *)0)->answer)];
};

static void delivered(struct delivery *delivery, void *arg)
{
	struct test *test = arg;

	test->done = true;
	test->end = delivery->end;
	test->status = delivery->status;
	memcpy(test->answer, delivery->answer, sizeof(test->answer));
	loop_stop(test->loop);
}

static int report(const struct test *test, const char *channel)
{
	static const struct {
		const char *text;
		int status;
	} ends[] = {
		[DELIVERY_SENT] = {"sent", EXIT_DONE},
		[DELIVERY_REFUSED] = {"refused", EXIT_WRONG},
		[DELIVERY_RETRY] = {"not sent now; an alert would be tried again", EXIT_TEMPORARY},
	};
	FILE *out = test->end == DELIVERY_SENT ? stdout : stderr;
	struct text line = TEXT_INIT;

	text_printf(&line, "%s: %s", channel, ends[test->end].text);
	if (test->status)
		text_printf(&line, " (%d)", test->status);
	if (test->answer[0]) {
		text_raw(&line, ": ");
		text_raw(&line, test->answer);
	}
	fprintf(out, "%s\n", text_str(&line));
	text_free(&line);
	return ends[test->end].status;
}

static bool send_test(struct test *test, const char *channel, const cJSON *configured, const struct site *site,
	enum event_kind event, struct error *err)
{
	struct message message;
	struct delivery *delivery;

	message_test(&message, event, channel, site, channel_language(configured, site->language), clock_wall_us());
	delivery = channel_send(test->loop, channel, configured, &message, delivered, test, err);
	if (delivery)
		loop_run(test->loop, clock_mono_us() + PATIENCE_US);
	channel_free(delivery);
	message_clear(&message);
	if (delivery && !test->done)
		return error_set(err, ERROR_TEMPORARY, "%s does not answer", channel);
	return delivery != NULL;
}

static const cJSON *find_channel(const struct config *config, const char *name, struct error *err)
{
	const cJSON *channels = cJSON_GetObjectItemCaseSensitive(config->privates, "channels");
	const cJSON *found = cJSON_GetObjectItemCaseSensitive(channels, name), *one;
	size_t n = 0, count = (size_t)cJSON_GetArraySize(channels);
	const char **names, *nearest;

	if (found)
		return found;
	names = mem_array(count + 1, sizeof(*names));
	cJSON_ArrayForEach(one, channels)
		names[n++] = one->string;
	nearest = text_nearest(name, names, n);
	if (nearest)
		error_set(err, ERROR_INPUT, "there is no channel \"%s\"; did you mean \"%s\"?", name, nearest);
	else
		error_set(err, ERROR_INPUT, "there is no channel \"%s\"", name);
	free(names);
	return NULL;
}

static int test_channel(const struct config *config, const char *name, enum event_kind event)
{
	struct error err = {0};
	struct test test = {.loop = NULL};
	const cJSON *configured = find_channel(config, name, &err);
	int status;

	if (!configured)
		return command_fail(&err);
	config_launch(config->path, config_programs(config) & PROGRAM_SENDMAIL, NULL, NULL);
	walls_raise(NULL, ca_bundle());
	test.loop = loop_new(&err);
	if (test.loop && send_test(&test, name, configured, &config->publication.site, event, &err))
		status = report(&test, name);
	else
		status = command_fail(&err);
	loop_free(test.loop);
	launch_stop();
	return status;
}

static bool event_wanted(const char *name, enum event_kind *event)
{
	*event = EVENT_TEST;
	if (!name || event_parse(name, event))
		return true;
	fprintf(stderr, "upbeat-prober: there is no event \"%s\"; there are:", name);
	for (int i = 0; i < EVENT__COUNT; i++)
		fprintf(stderr, " %s", event_name((enum event_kind)i));
	fprintf(stderr, "\n");
	return false;
}

int cmd_notify(struct command *command)
{
	const char *event_given = command_option(command, "--event");
	enum event_kind event;
	struct config config;
	int status;

	if (!command_args(command, 1, 1) || !event_wanted(event_given, &event))
		return EXIT_USAGE;
	config_read(&config, command->config);
	if (config.usable) {
		status = test_channel(&config, command->argv[0], event);
	} else {
		struct text problems = TEXT_INIT;

		config_print_problems(&config, &problems);
		fputs(text_str(&problems), stderr);
		text_free(&problems);
		status = EXIT_WRONG;
	}
	config_free(&config);
	return status;
}
