/* SPDX-License-Identifier: ISC */
/*
 * witness: asking the witnesses, all at once, on the checks that monitors use.
 *
 * A URL that answers anything by HTTP, a port that accepts, a monitor whose own check is good: each speaks
 * for us. Enough of them end the question early; it is answered "blind" only when too few can still come.
 *
 * Being blind is remembered across passes (pass_info.blind_since_us). As long as it lasts they are asked
 * again every ten seconds; when they answer, one summary goes out.
 */
#include "prober/pass/witness.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "prober/pass/pass_private.h"

#define ANSWER_COUNTS_US (3 * US_PER_S)
#define ASK_AGAIN_MS 10000
#define TIMEOUT_MS 5000

struct probe {
	struct witness *witness;
	struct monitor monitor;
	char *slug; /* of secrets, when it is one of the monitors */
	struct check *check;
	bool counted;
};

struct witness {
	struct pass *pass;
	struct probe *probes;
	size_t n, needed, good, bad;
	bool asking;
	enum sight sight;
	int64_t known_us; /* monotonic */
	struct loop_timer *again;
};

/* ---- what they are */

static char *print_and_free(cJSON *json)
{
	char *printed = cJSON_PrintUnformatted(json), *out = mem_str(printed);

	cJSON_free(printed);
	cJSON_Delete(json);
	return out;
}

static void make_url(struct monitor *monitor, const char *url)
{
	cJSON *options = cJSON_CreateObject();

	monitor->type = mem_str("http");
	cJSON_AddStringToObject(options, "url", url);
	cJSON_AddStringToObject(options, "status", "100-599");
	cJSON_AddNumberToObject(options, "follow", 0);
	cJSON_AddNumberToObject(options, "max_body", 1);
	monitor->options = print_and_free(options);
}

static bool make_port(struct monitor *monitor, const char *text)
{
	const char *colon = strrchr(text, ':');
	cJSON *options;
	uint64_t port;
	char *host;

	if (!colon || !text_to_u64(colon + 1, &port) || port == 0 || port > 65535)
		return false;
	host = mem_strn(text, (size_t)(colon - text));
	options = cJSON_CreateObject();
	monitor->type = mem_str("port");
	cJSON_AddStringToObject(options, "host", host);
	cJSON_AddNumberToObject(options, "port", (double)port);
	monitor->options = print_and_free(options);
	free(host);
	return true;
}

static bool make_monitor(struct pass *pass, struct probe *probe, const char *slug)
{
	struct state_txn *txn = state_begin(pass->state, false, NULL);
	bool ok = txn && state_monitor_by_slug(txn, slug, &probe->monitor, NULL);

	state_end(txn);
	probe->slug = ok ? mem_str(slug) : NULL;
	return ok && !probe->monitor.heartbeat;
}

static bool make_probe(struct pass *pass, struct probe *probe, const char *text)
{
	bool ok = true;

	if (strstr(text, "://"))
		make_url(&probe->monitor, text);
	else if (monitor_slug_valid(text, strlen(text)) && make_monitor(pass, probe, text))
		ok = true;
	else
		ok = make_port(&probe->monitor, text);
	if (!probe->monitor.slug)
		probe->monitor.slug = mem_str("witness");
	if (probe->monitor.timeout_ms == 0 || probe->monitor.timeout_ms > TIMEOUT_MS)
		probe->monitor.timeout_ms = TIMEOUT_MS;
	return ok;
}

static void make_probes(struct witness *witness)
{
	const cJSON *list =
		cJSON_GetObjectItemCaseSensitive(pass_privates(witness->pass, "top"), "witnesses");
	const cJSON *item;
	int n = cJSON_GetArraySize(list);

	witness->probes = mem_array((size_t)(n > 0 ? n : 0) + 1, sizeof(witness->probes[0]));
	cJSON_ArrayForEach(item, list)
	{
		struct probe *probe = &witness->probes[witness->n];

		if (!cJSON_IsString(item))
			continue;
		probe->witness = witness;
		if (make_probe(witness->pass, probe, item->valuestring))
			witness->n++;
		else
			monitor_clear(&probe->monitor);
	}
	witness->needed = witness->n < 2 ? witness->n : 2;
}

static struct witness *witness_of(struct pass *pass)
{
	if (!pass->witness) {
		pass->witness = MEM_NEW(struct witness);
		pass->witness->pass = pass;
		make_probes(pass->witness);
		pass->witness->sight = pass->witness->n > 0 ? SIGHT_NOT_KNOWN : SIGHT_NO_WITNESS;
	}
	return pass->witness;
}

/* ---- being blind, and seeing again */

static void ask_again(void *arg)
{
	struct witness *witness = arg;

	witness->again = NULL;
	if (!witness->pass->over)
		witness_ask(witness->pass);
}

static void note_sight(struct witness *witness, enum sight sight)
{
	struct pass *pass = witness->pass;
	bool was_blind = pass->info.blind_since_us != 0;

	witness->asking = false;
	witness->sight = sight;
	witness->known_us = clock_mono_us();
	if (sight == SIGHT_BLIND && !was_blind) {
		pass->info.blind_since_us = pass_now(pass);
		log_warn("none of enough witnesses answers: we are offline");
	} else if (sight == SIGHT_CLEAR && was_blind) {
		announce(pass, ANNOUNCE_BLIND_OVER, pass->info.blind_since_us, NULL);
		pass->info.blind_since_us = 0;
		pass->seen_again_us = pass_now(pass);
		log_info("witnesses answer again");
	}
	if (was_blind != (sight == SIGHT_BLIND))
		keep_info(pass);
	if (sight == SIGHT_BLIND && !witness->again)
		witness->again = loop_after(pass->loop, ASK_AGAIN_MS, ask_again, witness);
	pass_wake(pass);
}

/* ---- asking */

static void count(struct probe *probe, bool good)
{
	struct witness *witness = probe->witness;

	probe->counted = true;
	witness->good += good;
	witness->bad += !good;
	if (!witness->asking)
		return;
	if (witness->good >= witness->needed)
		note_sight(witness, SIGHT_CLEAR);
	else if (witness->bad > witness->n - witness->needed)
		note_sight(witness, SIGHT_BLIND);
}

static void probe_done(struct check *check, void *arg)
{
	struct probe *probe = arg;

	probe->check = NULL;
	count(probe, check->result.outcome == OUTCOME_UP);
}

static void probe_start(struct probe *probe)
{
	struct pass *pass = probe->witness->pass;
	const cJSON *secrets =
		probe->slug ? cJSON_GetObjectItemCaseSensitive(pass_privates(pass, "monitors"), probe->slug)
			    : NULL;
	struct error err = {0};

	check_cancel(probe->check);
	probe->counted = false;
	probe->check =
		check_start(pass->loop, &pass->world, &probe->monitor, secrets, probe_done, probe, &err);
	if (!probe->check) {
		log_warn("witness: %s", err.text);
		count(probe, false);
	}
}

void witness_ask(struct pass *pass)
{
	struct witness *witness = witness_of(pass);

	if (witness->sight == SIGHT_NO_WITNESS || witness->asking || witness_sight(pass) != SIGHT_NOT_KNOWN)
		return;
	witness->asking = true;
	witness->good = witness->bad = 0;
	for (size_t i = 0; i < witness->n; i++)
		probe_start(&witness->probes[i]);
}

enum sight witness_sight(struct pass *pass)
{
	struct witness *witness = witness_of(pass);

	if (witness->sight == SIGHT_NO_WITNESS)
		return SIGHT_NO_WITNESS;
	if (witness->asking || clock_mono_us() - witness->known_us > ANSWER_COUNTS_US)
		return SIGHT_NOT_KNOWN;
	return witness->sight;
}

bool witness_busy(const struct pass *pass)
{
	return pass->witness && pass->witness->asking;
}

void witness_free(struct witness *witness)
{
	if (!witness)
		return;
	for (size_t i = 0; i < witness->n; i++) {
		check_cancel(witness->probes[i].check);
		monitor_clear(&witness->probes[i].monitor);
		free(witness->probes[i].slug);
	}
	loop_timer_stop(witness->again);
	free(witness->probes);
	free(witness);
}
