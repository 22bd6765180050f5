/* SPDX-License-Identifier: ISC */
/*
 * sample_code: results in few bytes. Pure; knows nothing of LMDB.
 *
 * A result is first reduced to a mark: its time within the hour in milliseconds, its response time to
 * 0.4 %, timing parts to 1.6 %. Then it is written in one of two orders:
 *
 *	run     the results of one commit, by monitor: about 6 to 10 bytes each, timing parts among them
 *	series  the results of one monitor within an hour, by time: about 2 to 4 bytes each; timing parts
 *	        are a series of their own beside it, because they are dropped earlier
 *
 * A record holds series of many monitors, one after the other (frames), so that none pays for a key.
 */
#ifndef STORE_SAMPLE_CODE_H
#define STORE_SAMPLE_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "model/series.h"

#define HOUR_MS (3600 * 1000)
#define PARTS 5 /* dns, connect, tls, first byte, total */

struct mark {
	uint32_t id, at_ms;    /* of the monitor; within the hour */
	uint16_t response;     /* length code; meaningful with LOOK_RESPONSE */
	uint16_t part[PARTS];  /* coarse length codes; meaningful with their bit in `mask` */
	uint8_t look;          /* outcome, state << 2, LOOK_RESPONSE, LOOK_MAINTENANCE */
	uint8_t mask;          /* bit 0..4: there is this part; MASK_TOTAL_IS_RESPONSE instead of bit 4 */
};
#define LOOK_RESPONSE 0x20u
#define LOOK_MAINTENANCE 0x40u
#define MASK_TOTAL_IS_RESPONSE 0x20u

uint32_t sample_hour(int64_t at_us);
void mark_from(struct mark *mark, const struct sample *sample);
void mark_to(const struct mark *mark, uint32_t hour, struct sample *sample);
/* qsort order: by monitor, then time. */
int mark_order(const void *a, const void *b);

/* Bytes still to be read. */
struct span {
	const uint8_t *at, *end;
	bool bad;
};
void put_number(struct text *t, uint64_t value);
void put_signed(struct text *t, int64_t value);
uint64_t get_number(struct span *s); /* 0, and bad, when there is none */
int64_t get_signed(struct span *s);

/* ---- runs */

/* Appends as many of the sorted marks (at least one) as give about `room` bytes; returns how many. */
size_t run_put(struct text *t, const struct mark *marks, size_t n, size_t room);
struct run {
	uint32_t first_id, last_id, oldest_ms;
	struct span rest;
	uint32_t id;  /* of the last mark read */
	uint8_t mask;
};
bool run_begin(struct run *run, const uint8_t *bytes, size_t n);
bool run_next(struct run *run, struct mark *mark); /* false at the end, and when run->rest.bad */

/* ---- series */

/* Marks of one monitor, by time. */
void series_put(struct text *t, const struct mark *marks, size_t n);
void parts_put(struct text *t, const struct mark *marks, size_t n);
/* How many marks a series holds; 0 when it is bad. */
size_t series_count(const uint8_t *bytes, size_t n);
/* Fills that many marks; without parts. */
bool series_get(const uint8_t *bytes, size_t n, uint32_t id, struct mark *marks, size_t count);
/* Adds the parts to the marks of the same series. */
bool parts_get(const uint8_t *bytes, size_t n, struct mark *marks, size_t count);

/* ---- frames: id, length, bytes; ids ascend */

void frame_put(struct text *t, uint32_t *previous_id, uint32_t id, const struct text *series);
struct frame {
	struct span rest;
	uint32_t id;
	const uint8_t *bytes;
	size_t n;
};
void frame_begin(struct frame *frame, const uint8_t *bytes, size_t n);
bool frame_next(struct frame *frame); /* false at the end, and when frame->rest.bad */

#endif
