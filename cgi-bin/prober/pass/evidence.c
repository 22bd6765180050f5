/* SPDX-License-Identifier: ISC */
/*
 * evidence: attempts at a suspect whose ladder goes on in the next pass. They have no incident yet that could
 * keep them, so they wait in a note of the state until it is decided.
 *
 * When very many are suspect at once only the plain facts are kept, not headers and bodies: then it is most
 * likely us, and the store must not grow by it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prober/pass/pass_private.h"

#define WHOLE_FOR 50 /* suspects */

static void add_text(cJSON *to, const char *name, const char *value)
{
	if (value)
		cJSON_AddStringToObject(to, name, value);
}

static cJSON *entry_json(const struct incident_entry *entry, bool whole)
{
	const struct timings *t = &entry->timings;
	double timings[] = {(double)t->dns_us, (double)t->connect_us, (double)t->tls_us,
		(double)t->first_byte_us, (double)t->total_us};
	cJSON *json = cJSON_CreateObject();

	cJSON_AddNumberToObject(json, "at", (double)entry->at_us);
	cJSON_AddNumberToObject(json, "outcome", entry->outcome);
	cJSON_AddNumberToObject(json, "status", entry->status);
	cJSON_AddItemToObject(json, "timings", cJSON_CreateDoubleArray(timings, (int)COUNT_OF(timings)));
	add_text(json, "text", entry->text);
	add_text(json, "address", entry->address);
	add_text(json, "headers", whole ? entry->headers : NULL);
	add_text(json, "body", whole ? entry->body : NULL);
	return json;
}

static double number(const cJSON *json, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static char *string(const cJSON *json, const char *name)
{
	return mem_str(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name)));
}

static int64_t timing(const cJSON *timings, int index)
{
	const cJSON *item = cJSON_GetArrayItem(timings, index);

	return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : -1;
}

static void entry_parse(struct incident *draft, const cJSON *json)
{
	const cJSON *t = cJSON_GetObjectItemCaseSensitive(json, "timings");
	struct incident_entry *entry = incident_add(draft, ENTRY_ATTEMPT, (int64_t)number(json, "at"));

	if (!entry)
		return;
	entry->outcome = (enum outcome)number(json, "outcome");
	entry->status = (int)number(json, "status");
	entry->timings =
		(struct timings){timing(t, 0), timing(t, 1), timing(t, 2), timing(t, 3), timing(t, 4)};
	entry->length_us = entry->timings.total_us;
	entry->text = string(json, "text");
	entry->address = string(json, "address");
	entry->headers = string(json, "headers");
	entry->body = string(json, "body");
}

static void note_name(struct text *name, uint32_t id)
{
	text_printf(name, "evidence/%u", id);
}

static bool is_undecided(const struct post *post)
{
	return post && post->draft && post->draft->entry_count > 0 && !post->judge.incident;
}

static void save(struct post *post, bool whole)
{
	cJSON *list = cJSON_CreateArray();
	struct text name = TEXT_INIT;
	char *printed;

	for (size_t i = 0; i < post->draft->entry_count; i++)
		cJSON_AddItemToArray(list, entry_json(&post->draft->entries[i], whole));
	printed = cJSON_PrintUnformatted(list);
	note_name(&name, post->id);
	keep_note(post->pass, text_str(&name), printed);
	cJSON_free(printed);
	text_free(&name);
	cJSON_Delete(list);
}

void evidence_save(struct pass *pass)
{
	size_t n = 0;

	for (size_t id = 0; id < pass->post_count; id++)
		n += is_undecided(pass->posts[id]);
	for (size_t id = 0; n > 0 && id < pass->post_count; id++)
		if (is_undecided(pass->posts[id]))
			save(pass->posts[id], n <= WHOLE_FOR);
}

/* Once it is taken over, the note goes with the next commit. */
void evidence_load(struct post *post, struct state_txn *txn)
{
	struct text name = TEXT_INIT;
	char *value = NULL;
	cJSON *list = NULL;

	note_name(&name, post->id);
	if (state_note_get(txn, text_str(&name), &value, NULL))
		list = cJSON_Parse(value);
	if (list) {
		post->draft = MEM_NEW(struct incident);
		for (const cJSON *json = list->child; json; json = json->next)
			entry_parse(post->draft, json);
		keep_note(post->pass, text_str(&name), NULL);
	}
	cJSON_Delete(list);
	free(value);
	text_free(&name);
}
