/* SPDX-License-Identifier: ISC */
/* places: where each value of the configuration stands, found by the address of its node. */
#include <stdlib.h>

#include "base/mem.h"
#include "prober/config/reading.h"

static size_t place_slot(const struct reading *r, const cJSON *node)
{
	size_t mask = r->place_room - 1;
	size_t slot = ((uintptr_t)node >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 20 & mask;

	while (r->places[slot].node && r->places[slot].node != node)
		slot = (slot + 1) & mask;
	return slot;
}

void places_reserve(struct reading *r, size_t more)
{
	struct place *old = r->places;
	size_t old_room = r->place_room;

	if ((r->place_count + more) * 2 <= old_room)
		return;
	if (!r->place_room)
		r->place_room = 256;
	while (r->place_room < (r->place_count + more) * 2)
		r->place_room *= 2;
	r->places = mem_array(r->place_room, sizeof(r->places[0]));
	for (size_t i = 0; i < old_room; i++)
		if (old[i].node)
			r->places[place_slot(r, old[i].node)] = old[i];
	free(old);
}

struct place *place_of(const struct reading *r, const cJSON *node)
{
	struct place *place = r->place_room ? &r->places[place_slot(r, node)] : NULL;

	return place && place->node ? place : NULL;
}

const struct place *place_put(struct reading *r, const cJSON *node, const struct place *spot)
{
	struct place *place = &r->places[place_slot(r, node)];

	*place = *spot;
	place->node = node;
	r->place_count++;
	return place;
}
