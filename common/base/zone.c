/* SPDX-License-Identifier: ISC */
/*
 * zone: time zones from TZif files (RFC 8536, versions 1 to 4). See zone.h.
 *
 * A file holds a table of changes and, from version 2 on, a rule in POSIX TZ form for what comes after the
 * table. Distributions ship "slim" files whose tables end in the past, so the rule matters every day.
 */
#include "base/zone.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

/* One end of daylight saving time: a day of each year and a local time on it. */
struct turn {
	enum { TURN_JULIAN, TURN_DAY, TURN_WEEKDAY } kind; /* "J60" skips 29 February, "59" counts it, "M3.5.0" */
	int month, week, day;
	int64_t time_s; /* after midnight; may be negative or beyond the day */
};

struct rule {
	bool exists, has_dst;
	int64_t std_offset, dst_offset;
	struct turn to_dst, to_std;
};

struct change {
	int64_t at, offset;
};

struct zone {
	struct zone *next; /* in the cache */
	char *name;
	struct change *changes; /* ascending */
	size_t n_changes;
	int64_t first_offset; /* before the first change */
	struct rule rule;     /* from the last change on */
};

/* ---- the Gregorian calendar -------------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Counting years from March puts the leap day at their end: months then begin at (153 m + 2) / 5. */
int64_t zone_days(int64_t year, int month, int64_t day)
{
	int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
	int64_t era = floor_div(y, 400), of_era = y - era * 400;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 + day - 1 - 719468;
}

void zone_split(int64_t local_s, struct civil *out)
{
	int64_t days = floor_div(local_s, DAY_S), second = local_s - days * DAY_S;
	int64_t shifted = days + 719468, era = floor_div(shifted, 146097), of_era = shifted - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (year * 365 + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	out->day = (int)(of_year - (153 * month + 2) / 5 + 1);
	out->month = (int)(month < 10 ? month + 3 : month - 9);
	out->year = (int)(year + era * 400 + (out->month <= 2));
	out->hour = (int)(second / 3600);
	out->minute = (int)(second / 60 % 60);
	out->second = (int)(second % 60);
	out->weekday = (int)((days % 7 + 11) % 7); /* day 0 was a Thursday */
}

/* ---- the rule after the table ------------------------------------------------------------------------ */

/* Days since 1970 of the day that the turn falls on. */
static int64_t turn_day(const struct turn *turn, int64_t year)
{
	int64_t first, day;

	if (turn->kind == TURN_DAY)
		return zone_days(year, 1, 1) + turn->day;
	if (turn->kind == TURN_JULIAN)
		return zone_days(year, 1, turn->day) + (is_leap(year) && turn->day >= 60);
	first = zone_days(year, turn->month, 1);
	day = first + (turn->day - (first % 7 + 11) % 7 + 7) % 7 + 7 * (turn->week - 1);
	/* Week 5 means the last one, which may be the fourth. */
	if (day >= zone_days(turn->month == 12 ? year + 1 : year, turn->month % 12 + 1, 1))
		day -= 7;
	return day;
}

/* Narrows the span to where the turn of one year, to the given offset, leaves unix_s in. */
static void span_turn(struct zone_span *span, int64_t unix_s, int64_t at, int64_t offset)
{
	if (at > unix_s && at < span->end)
		span->end = at;
	if (at <= unix_s && at >= span->start) {
		span->start = at;
		span->offset = offset;
	}
}

/* A year's turns may fall into the neighbouring ones, hence three years. Of two at the same moment (a rule
   that says "always daylight saving time") the one to daylight saving time counts: it is tried last. */
static struct zone_span rule_span(const struct rule *rule, int64_t unix_s)
{
	struct zone_span span = {INT64_MIN, INT64_MAX, rule->std_offset};
	struct civil now;

	if (!rule->has_dst)
		return span;
	zone_split(unix_s, &now);
	for (int64_t year = now.year - 1; year <= now.year + 1; year++) {
		int64_t to_std = turn_day(&rule->to_std, year) * DAY_S + rule->to_std.time_s - rule->dst_offset;

		span_turn(&span, unix_s, to_std, rule->std_offset);
	}
	for (int64_t year = now.year - 1; year <= now.year + 1; year++) {
		int64_t to_dst = turn_day(&rule->to_dst, year) * DAY_S + rule->to_dst.time_s - rule->std_offset;

		span_turn(&span, unix_s, to_dst, rule->dst_offset);
	}
	return span;
}

/* A number in low..high; false when there is none. */
static bool read_number(const char **s, int low, int high, int *out)
{
	int value = 0, digits = 0;

	for (; **s >= '0' && **s <= '9' && digits < 4; digits++)
		value = value * 10 + (*(*s)++ - '0');
	*out = value;
	return digits > 0 && value >= low && value <= high;
}

static bool skip_char(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(const char **s, int max_hours, int64_t *out)
{
	bool negative = skip_char(s, '-');
	int hours, minutes = 0, seconds = 0;

	if (!negative)
		skip_char(s, '+');
	if (!read_number(s, 0, max_hours, &hours))
		return false;
	if (skip_char(s, ':') && !read_number(s, 0, 59, &minutes))
		return false;
	if (skip_char(s, ':') && !read_number(s, 0, 59, &seconds))
		return false;
	*out = hours * INT64_C(3600) + minutes * 60 + seconds;
	if (negative)
		*out = -*out;
	return true;
}

/* "CET" or "<+0330>": nobody here shows it. */
static bool skip_name(const char **s)
{
	const char *start = *s;

	if (skip_char(s, '<')) {
		*s += strcspn(*s, ">");
		return skip_char(s, '>');
	}
	*s += strspn(*s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
	return *s - start >= 3;
}

/* ,J60 or ,59 or ,M3.2.0 and perhaps /time */
static bool read_turn(const char **s, struct turn *turn)
{
	bool ok;

	if (!skip_char(s, ','))
		return false;
	if (skip_char(s, 'M')) {
		turn->kind = TURN_WEEKDAY;
		ok = read_number(s, 1, 12, &turn->month) && skip_char(s, '.') &&
			read_number(s, 1, 5, &turn->week) && skip_char(s, '.') && read_number(s, 0, 6, &turn->day);
	} else if (skip_char(s, 'J')) {
		turn->kind = TURN_JULIAN;
		ok = read_number(s, 1, 365, &turn->day);
	} else {
		turn->kind = TURN_DAY;
		ok = read_number(s, 0, 365, &turn->day);
	}
	turn->time_s = 2 * 3600;
	return ok && (!skip_char(s, '/') || read_time(s, 167, &turn->time_s));
}

/* POSIX counts offsets westwards; we, like everybody else, eastwards. */
static bool read_rule(const char *s, struct rule *rule)
{
	if (!skip_name(&s) || !read_time(&s, 24, &rule->std_offset))
		return false;
	rule->std_offset = -rule->std_offset;
	rule->exists = true;
	if (!*s)
		return true;
	rule->has_dst = true;
	rule->dst_offset = rule->std_offset + 3600;
	if (!skip_name(&s))
		return false;
	if (*s != ',') {
		if (!read_time(&s, 24, &rule->dst_offset))
			return false;
		rule->dst_offset = -rule->dst_offset;
	}
	return read_turn(&s, &rule->to_dst) && read_turn(&s, &rule->to_std) && !*s;
}

/* ---- the file ---------------------------------------------------------------------------------------- */

enum { TZIF_HEAD = 44, TZIF_MAX_BYTES = 1 << 20 };

/* What the head of a block counts, and where its parts begin. */
struct block {
	uint32_t n_isut, n_isstd, n_leap, n_times, n_types, n_chars;
	const uint8_t *times, *indexes, *types, *end;
};

static uint32_t be32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Two's complement of either width: gcc and clang define these casts. */
static int64_t be_signed(const uint8_t *b, size_t width)
{
	if (width == 4)
		return (int32_t)be32(b);
	return (int64_t)((uint64_t)be32(b) << 32 | be32(b + 4));
}

/* Measures the block that starts at b; false when it is not one or does not fit. */
static bool block_open(const uint8_t *b, size_t n, size_t width, struct block *out)
{
	uint64_t size;

	if (n < TZIF_HEAD || memcmp(b, "TZif", 4) != 0)
		return false;
	*out = (struct block){be32(b + 20), be32(b + 24), be32(b + 28), be32(b + 32), be32(b + 36), be32(b + 40),
		NULL, NULL, NULL, NULL};
	size = (uint64_t)out->n_times * (width + 1) + (uint64_t)out->n_types * 6 + out->n_chars +
		(uint64_t)out->n_leap * (width + 4) + out->n_isstd + out->n_isut;
	if (size > n - TZIF_HEAD)
		return false;
	out->times = b + TZIF_HEAD;
	out->indexes = out->times + out->n_times * width;
	out->types = out->indexes + out->n_times;
	out->end = b + TZIF_HEAD + size;
	return true;
}

static bool block_offset(const struct block *block, uint8_t type, int64_t *offset)
{
	if (type >= block->n_types)
		return false;
	*offset = be_signed(block->types + (size_t)type * 6, 4);
	return *offset > -DAY_S && *offset < DAY_S;
}

static bool load_changes(const struct block *block, size_t width, struct zone *zone)
{
	if (!block_offset(block, 0, &zone->first_offset))
		return false;
	zone->changes = mem_array(block->n_times, sizeof(*zone->changes));
	for (uint32_t i = 0; i < block->n_times; i++) {
		struct change *change = &zone->changes[zone->n_changes++];

		change->at = be_signed(block->times + i * width, width);
		if (!block_offset(block, block->indexes[i], &change->offset))
			return false;
		if (i > 0 && change->at <= change[-1].at)
			return false;
	}
	return true;
}

/* "\n" rule "\n"; an empty rule says nothing about later times. */
static bool load_footer(const uint8_t *b, const uint8_t *end, struct zone *zone)
{
	const uint8_t *stop = end - b > 1 && *b == '\n' ? memchr(b + 1, '\n', (size_t)(end - b - 1)) : NULL;
	char *text;
	bool ok;

	if (!stop)
		return false;
	text = mem_strn((const char *)b + 1, (size_t)(stop - b - 1));
	ok = !*text || read_rule(text, &zone->rule);
	free(text);
	return ok;
}

/* Files with leap seconds ("right/...") count another kind of time than ours: refused. */
static bool load_bytes(const uint8_t *b, size_t n, struct zone *zone)
{
	struct block block;

	if (!block_open(b, n, 4, &block))
		return false;
	if (b[4] < '2')
		return block.n_leap == 0 && load_changes(&block, 4, zone);
	n -= (size_t)(block.end - b);
	b = block.end;
	return block_open(b, n, 8, &block) && block.n_leap == 0 && load_changes(&block, 8, zone) &&
		load_footer(block.end, b + n, zone);
}

void zone_free(struct zone *zone)
{
	free(zone->name);
	free(zone->changes);
	free(zone);
}

struct zone *zone_parse(const uint8_t *bytes, size_t n)
{
	struct zone *zone = MEM_NEW(struct zone);

	if (load_bytes(bytes, n, zone))
		return zone;
	zone_free(zone);
	return NULL;
}

static struct zone *load_file(const char *dir, const char *name)
{
	struct text bytes = TEXT_INIT;
	struct zone *zone = NULL;
	char *path = file_join(dir, name);

	if (file_read(path, TZIF_MAX_BYTES, &bytes, NULL))
		zone = zone_parse((const uint8_t *)text_str(&bytes), bytes.len);
	if (zone)
		zone->name = mem_str(name);
	text_free(&bytes);
	free(path);
	return zone;
}

/* ---- finding zones ----------------------------------------------------------------------------------- */

static struct zone utc = {.name = (char[]){"UTC"}};
static struct zone *cache = &utc;
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;

/* "Asia/Taipei", "Etc/GMT+8", "America/Port-au-Prince": no dots, so no way out of the directory. */
static bool is_plain_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < 64 && name[0] != '/' &&
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == n;
}

const char *zone_directory(size_t i)
{
	static const char *const dirs[] = {
		"/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"};

	if (i == 0)
		return getenv("TZDIR") ? getenv("TZDIR") : "";
	return i <= COUNT_OF(dirs) ? dirs[i - 1] : NULL;
}

static struct zone *load_named(const char *name)
{
	struct zone *zone = NULL;
	const char *dir;

	for (size_t i = 0; !zone && (dir = zone_directory(i)); i++)
		if (dir[0] == '/')
			zone = load_file(dir, name);
	return zone;
}

/* Called with the cache locked. */
static const struct zone *find_or_load(const char *name)
{
	struct zone *zone;

	for (zone = cache; zone; zone = zone->next)
		if (strcmp(zone->name, name) == 0)
			return zone;
	zone = load_named(name);
	if (zone) {
		zone->next = cache;
		cache = zone;
	}
	return zone;
}

const struct zone *calendar_zone(const char *name)
{
	const struct zone *zone;

	if (!name || !is_plain_name(name))
		return NULL;
	pthread_mutex_lock(&cache_lock);
	zone = find_or_load(name);
	pthread_mutex_unlock(&cache_lock);
	return zone;
}

/* ---- spans ------------------------------------------------------------------------------------------- */

/* How many changes are at or before unix_s. */
static size_t changes_until(const struct zone *zone, int64_t unix_s)
{
	size_t low = 0, high = zone->n_changes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (zone->changes[middle].at <= unix_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct zone_span zone_span_at(const struct zone *zone, int64_t unix_s)
{
	struct zone_span span = {INT64_MIN, INT64_MAX, 0};
	size_t passed;

	if (!zone)
		return span;
	passed = changes_until(zone, unix_s);
	if (passed == zone->n_changes && zone->rule.exists) {
		span = rule_span(&zone->rule, unix_s);
		if (passed > 0 && span.start < zone->changes[passed - 1].at)
			span.start = zone->changes[passed - 1].at;
		return span;
	}
	span.offset = passed > 0 ? zone->changes[passed - 1].offset : zone->first_offset;
	if (passed > 0)
		span.start = zone->changes[passed - 1].at;
	if (passed < zone->n_changes)
		span.end = zone->changes[passed].at;
	return span;
}

int64_t zone_first_moment(const struct zone *zone, int64_t local_s)
{
	struct zone_span span = zone_span_at(zone, local_s - ZONE_MAX_SHIFT_S);

	while (local_s - span.offset >= span.end)
		span = zone_span_at(zone, span.end);
	return local_s - span.offset > span.start ? local_s - span.offset : span.start;
}

int64_t zone_latest_shown(const struct zone *zone, int64_t unix_s)
{
	struct zone_span span = zone_span_at(zone, unix_s);
	int64_t latest = unix_s + span.offset;

	while (span.start > unix_s - ZONE_MAX_SHIFT_S) {
		span = zone_span_at(zone, span.start - 1);
		if (span.end - 1 + span.offset > latest)
			latest = span.end - 1 + span.offset;
	}
	return latest;
}
