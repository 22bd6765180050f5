/* SPDX-License-Identifier: ISC */
/*
 * commit DIR N TIMES: what the commit of a pass costs: N results and rows in one synced transaction, TIMES
 * times, a minute apart, in a new store in DIR. Prints the median milliseconds of one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/state.h"

static struct error err;

static void need(bool good)
{
	if (good)
		return;
	fprintf(stderr, "%s\n", err.text);
	exit(1);
}

static void publish(struct state *state, size_t n)
{
	struct monitor *monitors = mem_array(n, sizeof(monitors[0]));
	struct publication publication = {.monitors = monitors, .monitor_count = n};
	struct state_txn *txn = state_begin(state, true, &err);

	for (size_t i = 0; i < n; i++) {
		struct text slug = TEXT_INIT;

		text_printf(&slug, "m%zu", i);
		monitors[i] = (struct monitor){.slug = text_take(&slug), .type = mem_str("http"), .options = mem_str("{}")};
	}
	need(txn && state_publish(txn, &publication, &err) && state_commit(txn, &err));
	for (size_t i = 0; i < n; i++)
		monitor_clear(&monitors[i]);
	free(monitors);
}

/* One pass's results, as keep.c writes them; milliseconds. */
static double commit(struct state *state, size_t n, int64_t now_us)
{
	struct sample *samples = mem_array(n, sizeof(samples[0]));
	uint32_t *ids = mem_array(n, sizeof(ids[0]));
	struct row *rows;
	size_t row_count;
	int64_t begun = clock_mono_us();
	struct state_txn *txn = state_begin(state, true, &err);

	need(txn && state_rows(txn, &rows, &row_count, &err));
	for (uint32_t i = 0; i < n; i++) {
		int64_t took_us = 2000 + rand() % 100000;

		ids[i] = i + 1;
		samples[i] = (struct sample){.monitor_id = i + 1, .at_us = now_us + rand() % 1000000, .outcome = OUTCOME_UP,
			.state = STATE_UP, .response_us = took_us,
			.timings = {.dns_us = 50, .connect_us = took_us / 4, .tls_us = -1, .first_byte_us = took_us / 2,
				.total_us = took_us}};
		rows[i + 1].checked_us = samples[i].at_us;
		rows[i + 1].next_due_us = now_us + 60 * US_PER_S;
		rows[i + 1].response_us = (uint32_t)took_us;
	}
	need(state_rows_put(txn, ids, rows + 1, n, &err) && state_samples_add(txn, samples, n, &err) &&
		state_commit(txn, &err));
	free(rows);
	free(ids);
	free(samples);
	return (double)(clock_mono_us() - begun) / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	size_t n = argc == 4 ? strtoul(argv[2], NULL, 10) : 0, times = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	int64_t now_us = clock_wall_us();
	struct state *state;
	double *took;

	if (n == 0 || times == 0)
		return 2;
	took = mem_array(times, sizeof(took[0]));
	state = state_open(argv[1], STORE_CREATE, &err);
	need(state);
	publish(state, n);
	for (size_t i = 0; i < times; i++)
		took[i] = commit(state, n, now_us + (int64_t)i * 60 * US_PER_S);
	qsort(took, times, sizeof(took[0]), by_size);
	printf("%.2f\n", took[times / 2]);
	state_close(state);
	free(took);
	return 0;
}
