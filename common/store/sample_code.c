/* SPDX-License-Identifier: ISC */
/*
 * sample_code: see sample_code.h for what it is for; here is how.
 *
 * Lengths are coded like floating-point numbers without sign: exponent and a few bits of mantissa, so that
 * the precision is the same share of any length, and small ones are exact. The codes have the order of the
 * lengths, and the difference of two codes is small when the ratio of the lengths is near one: that is what
 * makes the next response time of a steady server one byte. Numbers are varints (7 bits a byte).
 */
#include "store/sample_code.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
	FINE = 7,   /* bits of mantissa: 0.4 % */
	COARSE = 5, /* 1.6 % */
	LOOK_STATE_SHIFT = 2,
	LOOK_OUTCOME = 0x03,
	LOOK_STATE = 0x1c,
	LOOK_ALL = 0x7f,
	RUN_NEW_MASK = 0x80, /* in a run's look byte: not the parts of the one before; the mask follows */
	TOTAL = PARTS - 1,
};

/* ---- numbers ----------------------------------------------------------------------------------------- */

void put_number(struct text *t, uint64_t value)
{
	while (value >= 0x80) {
		text_char(t, (char)(value | 0x80));
		value >>= 7;
	}
	text_char(t, (char)value);
}

void put_signed(struct text *t, int64_t value)
{
	put_number(t, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

uint64_t get_number(struct span *s)
{
	uint64_t value = 0;

	for (unsigned shift = 0; s->at < s->end && shift < 64; shift += 7) {
		uint8_t byte = *s->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	s->bad = true;
	return 0;
}

int64_t get_signed(struct span *s)
{
	uint64_t value = get_number(s);
	int64_t half = (int64_t)(value >> 1);

	return value & 1 ? -half - 1 : half;
}

/* Milliseconds within an hour; 0, and bad, when more. */
static uint32_t get_within_hour(struct span *s)
{
	uint64_t ms = get_number(s);

	if (ms < HOUR_MS)
		return (uint32_t)ms;
	s->bad = true;
	return 0;
}

/* ---- lengths ----------------------------------------------------------------------------------------- */

static uint16_t length_code(int64_t us, unsigned bits)
{
	uint32_t v = us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
	unsigned shift;

	if (v < 1u << bits)
		return (uint16_t)v;
	shift = 31u - (unsigned)__builtin_clz(v) - bits;
	return (uint16_t)((shift + 1) << bits | (v >> shift & ((1u << bits) - 1)));
}

/* The middle of what has this code. */
static int64_t length_of(uint16_t code, unsigned bits)
{
	unsigned shift = code >> bits;
	int64_t mantissa = code & ((1u << bits) - 1);

	if (!shift)
		return mantissa;
	if (shift > 32)
		return UINT32_MAX;
	shift--;
	return ((mantissa | INT64_C(1) << bits) << shift) + ((INT64_C(1) << shift) >> 1);
}

/* ---- marks ------------------------------------------------------------------------------------------- */

static int64_t not_negative(int64_t us)
{
	return us > 0 ? us : 0;
}

uint32_t sample_hour(int64_t at_us)
{
	return (uint32_t)(not_negative(at_us) / (HOUR_MS * US_PER_MS));
}

static const size_t part_at[PARTS] = {
	offsetof(struct timings, dns_us),
	offsetof(struct timings, connect_us),
	offsetof(struct timings, tls_us),
	offsetof(struct timings, first_byte_us),
	offsetof(struct timings, total_us),
};

static int64_t part_of(const struct timings *timings, unsigned i)
{
	int64_t us;

	memcpy(&us, (const char *)timings + part_at[i], sizeof(us));
	return us;
}

static void set_part(struct timings *timings, unsigned i, int64_t us)
{
	memcpy((char *)timings + part_at[i], &us, sizeof(us));
}

void mark_from(struct mark *mark, const struct sample *sample)
{
	*mark = (struct mark){
		.id = sample->monitor_id,
		.at_ms = (uint32_t)(not_negative(sample->at_us) / US_PER_MS % HOUR_MS),
		.look = (uint8_t)((sample->outcome & LOOK_OUTCOME) |
			(sample->state << LOOK_STATE_SHIFT & LOOK_STATE)),
	};
	if (sample->maintenance)
		mark->look |= LOOK_MAINTENANCE;
	if (sample->response_us >= 0) {
		mark->look |= LOOK_RESPONSE;
		mark->response = length_code(sample->response_us, FINE);
	}
	for (unsigned i = 0; i < PARTS; i++) {
		int64_t us = part_of(&sample->timings, i);

		if (us < 0)
			continue;
		if (i == TOTAL && us == sample->response_us) {
			mark->mask |= MASK_TOTAL_IS_RESPONSE;
			continue;
		}
		mark->mask |= (uint8_t)(1u << i);
		mark->part[i] = length_code(us, COARSE);
	}
}

void mark_to(const struct mark *mark, uint32_t hour, struct sample *sample)
{
	*sample = (struct sample){
		.monitor_id = mark->id,
		.at_us = ((int64_t)hour * HOUR_MS + mark->at_ms) * US_PER_MS,
		.outcome = (enum outcome)(mark->look & LOOK_OUTCOME),
		.state = (enum monitor_state)((mark->look & LOOK_STATE) >> LOOK_STATE_SHIFT),
		.maintenance = mark->look & LOOK_MAINTENANCE,
		.response_us = mark->look & LOOK_RESPONSE ? length_of(mark->response, FINE) : -1,
		.timings = TIMINGS_NONE,
	};
	for (unsigned i = 0; i < PARTS; i++)
		if (mark->mask & 1u << i)
			set_part(&sample->timings, i, length_of(mark->part[i], COARSE));
	if (mark->mask & MASK_TOTAL_IS_RESPONSE)
		sample->timings.total_us = sample->response_us;
}

int mark_order(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

/* ---- runs -------------------------------------------------------------------------------------------- */

/* What parts are told relative to: the whole, of which each is a share. */
static uint16_t whole_of(const struct mark *mark)
{
	if (mark->mask & 1u << TOTAL)
		return mark->part[TOTAL];
	if (mark->look & LOOK_RESPONSE)
		return length_code(length_of(mark->response, FINE), COARSE);
	return 0;
}

static void put_share(struct text *t, uint16_t whole, uint16_t part)
{
	if (part <= whole) {
		put_number(t, (uint64_t)(whole - part) + 1);
	} else {
		put_number(t, 0);
		put_number(t, part);
	}
}

static uint16_t get_share(struct span *s, uint16_t whole)
{
	uint64_t less = get_number(s);

	if (!less)
		return (uint16_t)get_number(s);
	if (less - 1 > whole)
		s->bad = true;
	return (uint16_t)(whole - (less - 1));
}

static void put_run_mark(struct text *t, const struct mark *mark, uint32_t previous_id, uint32_t oldest_ms,
	uint8_t *mask)
{
	uint8_t look = mark->look & LOOK_ALL;
	uint16_t whole = whole_of(mark);

	if (mark->mask != *mask)
		look |= RUN_NEW_MASK;
	put_number(t, mark->id - previous_id);
	text_char(t, (char)look);
	put_number(t, mark->at_ms - oldest_ms);
	if (look & LOOK_RESPONSE)
		put_number(t, mark->response);
	if (look & RUN_NEW_MASK)
		text_char(t, (char)mark->mask);
	if (mark->mask & 1u << TOTAL)
		put_number(t, mark->part[TOTAL]);
	for (unsigned i = 0; i < TOTAL; i++)
		if (mark->mask & 1u << i)
			put_share(t, whole, mark->part[i]);
	*mask = mark->mask;
}

static uint32_t oldest_of(const struct mark *marks, size_t n)
{
	uint32_t oldest = UINT32_MAX;

	for (size_t i = 0; i < n; i++)
		if (marks[i].at_ms < oldest)
			oldest = marks[i].at_ms;
	return oldest;
}

size_t run_put(struct text *t, const struct mark *marks, size_t n, size_t room)
{
	struct text body = TEXT_INIT;
	uint32_t oldest = oldest_of(marks, n), previous = marks[0].id;
	uint8_t mask = 0;
	size_t i;

	for (i = 0; i < n && (!i || body.len < room); i++) {
		put_run_mark(&body, &marks[i], previous, oldest, &mask);
		previous = marks[i].id;
	}
	put_number(t, marks[0].id);
	put_number(t, previous - marks[0].id);
	put_number(t, oldest);
	text_rawn(t, body.ptr, body.len);
	text_free(&body);
	return i;
}

bool run_begin(struct run *run, const uint8_t *bytes, size_t n)
{
	*run = (struct run){.rest = {bytes, bytes + n, false}};
	run->first_id = (uint32_t)get_number(&run->rest);
	run->last_id = run->first_id + (uint32_t)get_number(&run->rest);
	run->oldest_ms = get_within_hour(&run->rest);
	run->id = run->first_id;
	return !run->rest.bad;
}

static uint8_t get_byte(struct span *s)
{
	if (s->at < s->end)
		return *s->at++;
	s->bad = true;
	return 0;
}

static void get_run_parts(struct run *run, struct mark *mark)
{
	uint16_t whole;

	mark->mask = run->mask;
	if (mark->mask & 1u << TOTAL)
		mark->part[TOTAL] = (uint16_t)get_number(&run->rest);
	whole = whole_of(mark);
	for (unsigned i = 0; i < TOTAL; i++)
		if (mark->mask & 1u << i)
			mark->part[i] = get_share(&run->rest, whole);
}

bool run_next(struct run *run, struct mark *mark)
{
	uint8_t look;

	if (run->rest.bad || run->rest.at == run->rest.end)
		return false;
	run->id += (uint32_t)get_number(&run->rest);
	look = get_byte(&run->rest);
	*mark = (struct mark){.id = run->id, .look = look & LOOK_ALL};
	mark->at_ms = run->oldest_ms + get_within_hour(&run->rest);
	if (mark->at_ms >= HOUR_MS)
		run->rest.bad = true;
	if (look & LOOK_RESPONSE)
		mark->response = (uint16_t)get_number(&run->rest);
	if (look & RUN_NEW_MASK)
		run->mask = get_byte(&run->rest);
	get_run_parts(run, mark);
	return !run->rest.bad;
}

/* ---- series ------------------------------------------------------------------------------------------ */

/* Times: the first, the step to the second, then how each step differs from the one before. */
static void put_times(struct text *t, const struct mark *marks, size_t n)
{
	int64_t step = 0;

	put_number(t, marks[0].at_ms);
	for (size_t i = 1; i < n; i++) {
		int64_t next = (int64_t)marks[i].at_ms - marks[i - 1].at_ms;

		put_signed(t, next - step);
		step = next;
	}
}

static void get_times(struct span *s, struct mark *marks, size_t n)
{
	int64_t step = 0, at = get_within_hour(s);

	marks[0].at_ms = (uint32_t)at;
	for (size_t i = 1; i < n && !s->bad; i++) {
		int64_t more = get_signed(s);

		/* no honest step is longer than an hour: keeps the sums from overflowing, too */
		if (more > 2 * HOUR_MS || more < -2 * HOUR_MS || at + step + more < 0 ||
			at + step + more >= HOUR_MS) {
			s->bad = true;
			return;
		}
		step += more;
		at += step;
		marks[i].at_ms = (uint32_t)at;
	}
}

/* One byte for each mark, in runs of equal ones. */
static void put_bytes_in_runs(struct text *t, const struct mark *marks, size_t n, size_t at)
{
	for (size_t i = 0; i < n;) {
		uint8_t byte = *((const uint8_t *)&marks[i] + at);
		size_t length = 1;

		while (i + length < n && *((const uint8_t *)&marks[i + length] + at) == byte)
			length++;
		text_char(t, (char)byte);
		put_number(t, length);
		i += length;
	}
}

static void get_bytes_in_runs(struct span *s, struct mark *marks, size_t n, size_t at)
{
	for (size_t i = 0; i < n && !s->bad;) {
		uint8_t byte = get_byte(s);
		uint64_t length = get_number(s);

		if (!length || length > n - i)
			s->bad = true;
		for (; length && i < n; length--, i++)
			*((uint8_t *)&marks[i] + at) = byte;
	}
}

void series_put(struct text *t, const struct mark *marks, size_t n)
{
	uint16_t previous = 0;

	put_number(t, n);
	put_times(t, marks, n);
	put_bytes_in_runs(t, marks, n, offsetof(struct mark, look));
	for (size_t i = 0; i < n; i++) {
		if (!(marks[i].look & LOOK_RESPONSE))
			continue;
		put_signed(t, (int64_t)marks[i].response - previous);
		previous = marks[i].response;
	}
}

size_t series_count(const uint8_t *bytes, size_t n)
{
	struct span s = {bytes, bytes + n, false};
	uint64_t count = get_number(&s);

	/* each but the first takes a byte of time at least */
	return s.bad || count > n ? 0 : (size_t)count;
}

bool series_get(const uint8_t *bytes, size_t n, uint32_t id, struct mark *marks, size_t count)
{
	struct span s = {bytes, bytes + n, false};
	uint16_t previous = 0;

	memset(marks, 0, count * sizeof(*marks));
	if (get_number(&s) != count || !count)
		return false;
	get_times(&s, marks, count);
	get_bytes_in_runs(&s, marks, count, offsetof(struct mark, look));
	for (size_t i = 0; i < count && !s.bad; i++) {
		marks[i].id = id;
		if (!(marks[i].look & LOOK_RESPONSE))
			continue;
		previous = (uint16_t)((uint64_t)get_signed(&s) + previous);
		marks[i].response = previous;
	}
	return !s.bad && s.at == s.end;
}

/* Each part relative to the same part of the mark before that had it. */
void parts_put(struct text *t, const struct mark *marks, size_t n)
{
	uint16_t previous[PARTS] = {0};

	put_bytes_in_runs(t, marks, n, offsetof(struct mark, mask));
	for (size_t i = 0; i < n; i++)
		for (unsigned j = 0; j < PARTS; j++)
			if (marks[i].mask & 1u << j) {
				put_signed(t, (int64_t)marks[i].part[j] - previous[j]);
				previous[j] = marks[i].part[j];
			}
}

bool parts_get(const uint8_t *bytes, size_t n, struct mark *marks, size_t count)
{
	struct span s = {bytes, bytes + n, false};
	uint16_t previous[PARTS] = {0};

	get_bytes_in_runs(&s, marks, count, offsetof(struct mark, mask));
	for (size_t i = 0; i < count && !s.bad; i++)
		for (unsigned j = 0; j < PARTS; j++)
			if (marks[i].mask & 1u << j) {
				previous[j] = (uint16_t)((uint64_t)get_signed(&s) + previous[j]);
				marks[i].part[j] = previous[j];
			}
	return !s.bad && s.at == s.end;
}

/* ---- frames ------------------------------------------------------------------------------------------ */

void frame_put(struct text *t, uint32_t *previous_id, uint32_t id, const struct text *series)
{
	put_number(t, id - *previous_id);
	put_number(t, series->len);
	text_rawn(t, series->ptr, series->len);
	*previous_id = id;
}

void frame_begin(struct frame *frame, const uint8_t *bytes, size_t n)
{
	*frame = (struct frame){.rest = {bytes, bytes + n, false}};
}

bool frame_next(struct frame *frame)
{
	struct span *s = &frame->rest;
	uint64_t length;

	if (s->bad || s->at == s->end)
		return false;
	frame->id += (uint32_t)get_number(s);
	length = get_number(s);
	if (s->bad || length > (uint64_t)(s->end - s->at)) {
		s->bad = true;
		return false;
	}
	frame->bytes = s->at;
	frame->n = (size_t)length;
	s->at += length;
	return true;
}
