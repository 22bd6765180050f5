/* SPDX-License-Identifier: ISC */
/*
 * incident: adding to its list of what happened, and remembering whom it was told to.
 */
#include "model/incident.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void entry_clear(struct incident_entry *entry)
{
	free(entry->who);
	free(entry->text);
	free(entry->address);
	free(entry->headers);
	free(entry->body);
}

void incident_clear(struct incident *incident)
{
	free(incident->monitor);
	free(incident->acknowledged_by);
	free(incident->cause);
	strings_free(incident->told, incident->told_count);
	for (size_t i = 0; i < incident->entry_count; i++)
		entry_clear(&incident->entries[i]);
	free(incident->entries);
	*incident = (struct incident){0};
}

static bool has_room(const struct incident *incident, enum incident_entry_kind kind)
{
	bool bulk = kind == ENTRY_ATTEMPT || kind == ENTRY_DELIVERY;

	return incident->entry_count < INCIDENT_ENTRIES_MAX - (bulk ? INCIDENT_ENTRIES_RESERVED : 0u);
}

struct incident_entry *incident_add(struct incident *incident, enum incident_entry_kind kind, int64_t at_us)
{
	struct incident_entry *entry;

	if (!has_room(incident, kind)) {
		incident->entries_dropped++;
		return NULL;
	}
	incident->entries =
		mem_grow(incident->entries, incident->entry_count + 1, sizeof(*incident->entries));
	entry = &incident->entries[incident->entry_count++];
	*entry = (struct incident_entry){
		.at_us = at_us, .kind = kind, .length_us = -1, .timings = TIMINGS_NONE};
	return entry;
}

bool incident_told(const struct incident *incident, const char *channel)
{
	for (size_t i = 0; i < incident->told_count; i++) {
		if (strcmp(incident->told[i], channel) == 0)
			return true;
	}
	return false;
}

void incident_tell(struct incident *incident, const char *channel)
{
	if (incident_told(incident, channel))
		return;
	incident->told = mem_grow(incident->told, incident->told_count + 1, sizeof(*incident->told));
	incident->told[incident->told_count++] = mem_str(channel);
}
