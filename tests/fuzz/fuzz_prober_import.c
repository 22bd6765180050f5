/* SPDX-License-Identifier: ISC */
/*
 * Another service's export, whatever it holds: every monitor of it is carried over or told of, and what comes
 * out is JSON.
 */
#include "fuzz.h"
#include "prober/commands/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct import import = {.channels = cJSON_CreateObject(), .monitors = cJSON_CreateObject()};
	cJSON *answer = cJSON_ParseWithLength((const char *)data, size), *again;
	struct error err;
	char *printed;

	if (answer && import_uptimerobot(&import, answer, &err)) {
		FUZZ_CHECK((size_t)cJSON_GetArraySize(import.monitors) + import.lost_count >= import.found);
		printed = cJSON_PrintUnformatted(import.monitors);
		FUZZ_CHECK(printed);
		again = cJSON_Parse(printed);
		FUZZ_CHECK(again);
		cJSON_Delete(again);
		cJSON_free(printed);
	}
	cJSON_Delete(answer);
	cJSON_Delete(import.channels);
	cJSON_Delete(import.monitors);
	text_free(&import.lost);
	return 0;
}
