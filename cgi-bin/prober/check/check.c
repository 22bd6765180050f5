/* SPDX-License-Identifier: ISC */
/*
 * check: the table of monitor types, and what all looks have in common: loading options, the deadline that
 * nothing outlives, and ending exactly once.
 */
#include "prober/check/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define CHECK(name) extern const struct check_type check_##name;
#include "prober/check/checks.def"
#undef CHECK

const struct check_type *const check_types[] = {
#define CHECK(name) &check_##name,
#include "prober/check/checks.def"
#undef CHECK
	NULL,
};

const struct check_type *check_type_by_name(const char *name)
{
	for (size_t i = 0; check_types[i]; i++)
		if (strcmp(check_types[i]->name, name) == 0)
			return check_types[i];
	return NULL;
}

/* A type's defaults, parsed at its first look: thousands of looks of one pass share them. */
static cJSON *const *fallbacks_of(const struct check_type *type)
{
	static cJSON **known[COUNT_OF(check_types)];
	size_t i = 0;

	while (check_types[i] != type)
		i++;
	if (!known[i])
		known[i] = fields_fallbacks(type->fields, type->field_count);
	return known[i];
}

/* The published options and the monitor's secrets, loaded. */
static void *options_load(const struct check_type *type, const struct monitor *monitor, const cJSON *secrets,
	struct error *err)
{
	void *options = mem_alloc(type->options_size > 0 ? type->options_size : 1);
	cJSON *published = cJSON_Parse(monitor->options);
	bool ok = published && fields_load_fast(type->fields, type->field_count, published, secrets,
				       fallbacks_of(type), options, err);

	if (!published)
		error_set(err, ERROR_DAMAGED, "%s: its published options cannot be read", monitor->slug);
	cJSON_Delete(published);
	if (ok)
		return options;
	fields_clear(type->fields, type->field_count, options);
	free(options);
	return NULL;
}

cJSON *check_option(const struct monitor *monitor, const char *name)
{
	const struct check_type *type = check_type_by_name(monitor->type);
	const struct field *field = type ? fields_find(type->fields, type->field_count, name) : NULL;
	cJSON *published = cJSON_Parse(monitor->options);
	cJSON *value = cJSON_DetachItemFromObjectCaseSensitive(published, name);

	if (!value && field)
		value = cJSON_Duplicate(fallbacks_of(type)[field - type->fields], true);
	cJSON_Delete(published);
	return value;
}

static void result_begin(struct result *result)
{
	*result = (struct result){.timings = TIMINGS_NONE};
	result->at_us = clock_wall_us();
}

/* "timed out after 10 s" */
static void cause_timeout(struct check *check)
{
	int64_t ms = check->monitor->timeout_ms;

	check->result.outcome = OUTCOME_DOWN;
	check->result.definite = false;
	if (ms % 1000 == 0)
		result_cause(&check->result, "timed out after %lld s", (long long)(ms / 1000));
	else
		result_cause(&check->result, "timed out after %lld.%lld s", (long long)(ms / 1000),
			(long long)(ms % 1000 / 100));
}

/* Once. */
static void type_end(struct check *check)
{
	if (check->type->end && !check->ended)
		check->type->end(check);
	check->ended = true;
}

/* Ended at once, so that nothing that still comes in this turn can change what was concluded. */
static void deadline_passed(void *arg)
{
	struct check *check = arg;

	check->timer = NULL;
	cause_timeout(check);
	if (check->type->expire)
		check->type->expire(check);
	check_finish(check);
	type_end(check);
}

struct check *check_start(struct loop *loop, struct check_world *world, const struct monitor *monitor,
	const cJSON *secrets, void (*done)(struct check *check, void *arg), void *arg, struct error *err)
{
	const struct check_type *type = check_type_by_name(monitor->type);
	struct check *check;
	void *options;

	if (!type) {
		error_set(err, ERROR_INPUT, "%s: there is no monitor type \"%s\"", monitor->slug, monitor->type);
		return NULL;
	}
	options = options_load(type, monitor, secrets, err);
	if (!options)
		return NULL;
	check = MEM_NEW(struct check);
	check->type = type;
	check->monitor = monitor;
	check->options = options;
	check->loop = loop;
	check->world = world;
	check->done = done;
	check->arg = arg;
	check->started_us = clock_mono_us();
	check->stalled_us = loop_stalled_us(loop);
	result_begin(&check->result);
	check->timer = loop_after(loop, monitor->timeout_ms, deadline_passed, check);
	type->start(check);
	return check;
}

/* The type's own things go first: they may still point into the options. */
static void check_free(struct check *check)
{
	void *options = (void *)(uintptr_t)check->options;

	loop_timer_stop(check->timer);
	type_end(check);
	fields_clear(check->type->fields, check->type->field_count, options);
	free(options);
	result_clear(&check->result);
	free(check);
}

static void tell(void *arg)
{
	struct check *check = arg;

	check->timer = NULL;
	check->done(check, check->arg);
	check_free(check);
}

/* Did we keep it waiting for so long that this may be why it failed? On a slow host we are always a little late,
   and outages must be seen there, too: so late is a quarter of its time. What the other side said outright does
   not depend on how late we listened. */
static bool is_lagged(const struct check *check)
{
	int64_t stalled_us = loop_stalled_us(check->loop) - check->stalled_us;

	return !check->type->passive && !check->result.definite &&
		stalled_us * 4 > check->monitor->timeout_ms * US_PER_MS;
}

void check_finish(struct check *check)
{
	if (check->finished)
		return;
	check->finished = true;
	if (check->result.timings.total_us < 0)
		check->result.timings.total_us = clock_mono_us() - check->started_us;
	check->result.lagged = is_lagged(check);
	loop_timer_stop(check->timer);
	check->timer = loop_after(check->loop, 0, tell, check);
}

int64_t check_left_ms(const struct check *check)
{
	int64_t left = check->monitor->timeout_ms - (clock_mono_us() - check->started_us) / US_PER_MS;

	return left > 1 ? left : 1;
}

void check_cancel(struct check *check)
{
	if (check)
		check_free(check);
}
