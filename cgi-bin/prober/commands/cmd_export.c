/* SPDX-License-Identifier: ISC */
/*
 * cmd_export: history for other programs, as CSV or JSON Lines; or the configuration without its secrets.
 *
 * Monitor by monitor: what one has is read in a transaction of its own and written after it has ended, because
 * a pipe may be read slowly, and an open transaction holds up the store's reuse of space.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/mem.h"
#include "model/series.h"
#include "prober/commands/commands.h"
#include "prober/config/config.h"
#include "prober/commands/sheet.h"
#include "store/state.h"

struct listed {
	uint32_t id;
	char *slug;
};

struct export
{
	struct state *state;
	struct state_txn *txn;
	struct sheet sheet;
	struct text out;
	const char *only; /* slug, or NULL */
	int64_t from_us, to_us;
	struct listed *monitors;
	size_t count;
	const struct listed *now; /* the one at hand */
};

/* ---- the kinds of records */

static bool put_sample(void *arg, const struct sample *sample)
{
	struct export *e = arg;
	struct sheet *s = &e->sheet;

	sheet_begin(s, "sample");
	sheet_text(s, "monitor", e->now->slug);
	sheet_seconds(s, "time", sample->at_us);
	sheet_text(s, "outcome", outcome_name(sample->outcome));
	sheet_text(s, "state", monitor_state_name(sample->state));
	sheet_ms(s, "response_ms", sample->response_us);
	sheet_ms(s, "dns_ms", sample->timings.dns_us);
	sheet_ms(s, "connect_ms", sample->timings.connect_us);
	sheet_ms(s, "tls_ms", sample->timings.tls_us);
	sheet_ms(s, "first_byte_ms", sample->timings.first_byte_us);
	sheet_ms(s, "total_ms", sample->timings.total_us);
	sheet_end(s);
	return true;
}

static bool export_samples(struct export *e, struct error *err)
{
	return state_sample_scan(e->txn, e->now->id, e->from_us, e->to_us, put_sample, e, err);
}

static int64_t measured(const struct rollup *r, uint32_t us)
{
	return r->count ? (int64_t)us : -1;
}

static void put_rollup(struct export *e, const char *kind, const struct rollup *r)
{
	struct sheet *s = &e->sheet;

	sheet_begin(s, kind);
	sheet_text(s, "monitor", e->now->slug);
	sheet_seconds(s, "from", r->from_s * US_PER_S);
	sheet_seconds(s, "to", r->to_s * US_PER_S);
	sheet_number(s, "up_s", r->up_s);
	sheet_number(s, "down_s", r->down_s);
	sheet_number(s, "unknown_s", r->unknown_s);
	sheet_share(s, "uptime", series_uptime(r));
	sheet_number(s, "count", r->count);
	sheet_ms(s, "min_ms", measured(r, r->min_us));
	sheet_ms(s, "mean_ms", measured(r, r->mean_us));
	sheet_ms(s, "p50_ms", measured(r, r->p50_us));
	sheet_ms(s, "p95_ms", measured(r, r->p95_us));
	sheet_ms(s, "max_ms", measured(r, r->max_us));
	sheet_end(s);
}

static bool put_hour(void *arg, const struct rollup *rollup)
{
	put_rollup(arg, "hour", rollup);
	return true;
}

static bool put_day(void *arg, const struct rollup *rollup)
{
	put_rollup(arg, "day", rollup);
	return true;
}

static bool export_hours(struct export *e, struct error *err)
{
	return state_rollup_scan(e->txn, ROLLUP_HOUR, e->now->id, e->from_us / US_PER_S, e->to_us / US_PER_S,
		put_hour, e, err);
}

static bool export_days(struct export *e, struct error *err)
{
	return state_rollup_scan(
		e->txn, ROLLUP_DAY, e->now->id, e->from_us / US_PER_S, e->to_us / US_PER_S, put_day, e, err);
}

static bool export_rollups(struct export *e, struct error *err)
{
	return export_hours(e, err) && export_days(e, err);
}

static bool put_incident(void *arg, const struct incident *incident)
{
	struct export *e = arg;
	struct sheet *s = &e->sheet;
	struct text told = TEXT_INIT;

	if (incident->started_us < e->from_us || incident->started_us >= e->to_us)
		return true;
	for (size_t i = 0; i < incident->told_count; i++)
		text_printf(&told, "%s%s", i ? " " : "", incident->told[i]);
	sheet_begin(s, "incident");
	sheet_number(s, "id", incident->id);
	sheet_text(s, "monitor", e->now->slug);
	sheet_text(s, "state", monitor_state_name(incident->state));
	sheet_seconds(s, "started", incident->started_us);
	sheet_seconds(s, "decided", incident->decided_us);
	sheet_seconds(s, "ended", incident->ended_us);
	sheet_seconds(s, "acknowledged", incident->acknowledged_us);
	sheet_text(s, "acknowledged_by", incident->acknowledged_by);
	sheet_text(s, "cause", incident->cause);
	sheet_text(s, "told", told.len ? text_str(&told) : NULL);
	sheet_end(s);
	text_free(&told);
	return true;
}

static bool export_incidents(struct export *e, struct error *err)
{
	return state_incident_scan(e->txn, e->now->id, false, true, put_incident, e, err);
}

static const struct kind {
	const char *name;
	bool (*run)(struct export *e, struct error *err);
} kinds[] = {
	{"samples", export_samples},
	{"hours", export_hours},
	{"days", export_days},
	{"rollups", export_rollups},
	{"incidents", export_incidents},
};

/* ---- monitor by monitor */

static bool list_one(void *arg, const struct monitor *monitor)
{
	struct export *e = arg;

	if (e->only && strcmp(e->only, monitor->slug) != 0)
		return true;
	e->monitors = mem_grow(e->monitors, e->count + 1, sizeof(e->monitors[0]));
	e->monitors[e->count++] = (struct listed){monitor->id, mem_str(monitor->slug)};
	return true;
}

/* What was taken out of the configuration keeps its history: it comes after the others. */
static bool list_removed(struct export *e, struct error *err)
{
	struct row *rows = NULL;
	size_t n = 0;
	bool good = state_rows(e->txn, &rows, &n, err);

	for (uint32_t id = 1; good && id < n; id++) {
		struct monitor monitor = {0};

		if (!(rows[id].flags & ROW_CONFIGURED) && state_monitor(e->txn, id, &monitor, NULL))
			list_one(e, &monitor);
		monitor_clear(&monitor);
	}
	free(rows);
	return good;
}

static bool list_monitors(struct export *e, struct error *err)
{
	bool good;

	e->txn = state_begin(e->state, false, err);
	good = e->txn && state_monitor_scan(e->txn, list_one, e, err) && list_removed(e, err);
	state_end(e->txn);
	if (good && e->only && !e->count)
		good = error_set(err, ERROR_INPUT, "there is no monitor \"%s\"", e->only);
	return good;
}

static bool write_out(struct export *e, struct error *err)
{
	bool good = fwrite(text_str(&e->out), 1, e->out.len, stdout) == e->out.len;

	text_clear(&e->out);
	return good || error_set(err, ERROR_TEMPORARY, "cannot write: %s", strerror(errno));
}

static bool export_one(struct export *e, const struct kind *kind, struct error *err)
{
	bool good;

	e->txn = state_begin(e->state, false, err);
	good = e->txn && kind->run(e, err);
	state_end(e->txn);
	return good && write_out(e, err);
}

static bool export_kind(struct export *e, const struct kind *kind, struct error *err)
{
	bool good = list_monitors(e, err);

	for (size_t i = 0; good && i < e->count; i++) {
		e->now = &e->monitors[i];
		good = export_one(e, kind, err);
	}
	return good &&
	       (fflush(stdout) == 0 || error_set(err, ERROR_TEMPORARY, "cannot write: %s", strerror(errno)));
}

/* ---- the command line */

/* "2026-05-01", "2026-05-01T02:00:00Z" (UTC), seconds since 1970, or "7d": that long ago. */
static bool read_time(const char *s, int64_t fallback_us, int64_t *us, struct error *err)
{
	struct civil when = {.month = 1, .day = 1};
	int64_t number;
	int used = 0;

	*us = fallback_us;
	if (!s)
		return true;
	if (text_to_i64(s, &number)) {
		*us = number * US_PER_S;
		return true;
	}
	if (calendar_parse_duration(s, &number)) {
		*us = clock_wall_us() - number * US_PER_MS;
		return true;
	}
	if (sscanf(s, "%4d-%2d-%2d%n", &when.year, &when.month, &when.day, &used) != 3)
		return error_set(err, ERROR_INPUT,
			"\"%s\" is no time: 2026-05-01, 2026-05-01T02:00:00Z, seconds since "
			"1970, or 7d",
			s);
	if (s[used] && sscanf(s + used, "%*1[T ]%2d:%2d:%2d", &when.hour, &when.minute, &when.second) < 2)
		return error_set(err, ERROR_INPUT, "\"%s\" has no time of day such as T02:00:00Z", s);
	*us = calendar_unix(calendar_zone("UTC"), &when) * US_PER_S;
	return true;
}

static const struct kind *find_kind(const char *name, struct error *err)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	error_set(err, ERROR_USAGE,
		"there is nothing called \"%s\" to export: samples, hours, days, rollups, incidents", name);
	return NULL;
}

static bool read_format(const char *format, bool *csv, struct error *err)
{
	*csv = format && strcmp(format, "csv") == 0;
	if (!format || *csv || strcmp(format, "jsonl") == 0)
		return true;
	return error_set(err, ERROR_USAGE, "there is no format \"%s\": csv or jsonl", format);
}

static int export_config(const char *path)
{
	struct text out = TEXT_INIT;
	bool good = config_print_shown(path, &out);

	fputs(text_str(&out), good ? stdout : stderr);
	text_free(&out);
	return good ? EXIT_DONE : EXIT_WRONG;
}

static void export_free(struct export *e)
{
	for (size_t i = 0; i < e->count; i++)
		free(e->monitors[i].slug);
	free(e->monitors);
	sheet_free(&e->sheet);
	text_free(&e->out);
	state_close(e->state);
}

int cmd_export(struct command *command)
{
	bool config = command_flag(command, "--config");
	const char *format = command_option(command, "--format"), *from = command_option(command, "--from"),
		   *to = command_option(command, "--to");
	struct export e = {.only = command_option(command, "--monitor")};
	const struct kind *kind;
	struct error err = {0};
	char *store;
	bool good;

	if (!command_args(command, 0, config ? 0 : 1))
		return EXIT_USAGE;
	if (config)
		return export_config(command->config);
	e.sheet.out = &e.out;
	kind = find_kind(command->argc ? command->argv[0] : "samples", &err);
	good = kind && read_format(format, &e.sheet.csv, &err) && read_time(from, 0, &e.from_us, &err) &&
	       read_time(to, INT64_MAX / 2, &e.to_us, &err);
	store = config_store(command->config);
	e.state = good ? state_open(store, STORE_READ, &err) : NULL;
	good = e.state && export_kind(&e, kind, &err);
	export_free(&e);
	free(store);
	return good ? EXIT_DONE : command_fail(&err);
}
