/* SPDX-License-Identifier: ISC */
/* target: url, or host and port, or name. */
#include "web/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/mem.h"

/* The string or number that is the value of the current key, appended. */
static void take_value(struct json_scan *scan, struct text *value)
{
	switch (json_scan_next(scan)) {
	case JSON_STRING:
		json_scan_string(scan, value);
		break;
	case JSON_NUMBER:
		text_rawn(value, scan->text + scan->start, scan->end - scan->start);
		break;
	default:
		break;
	}
}

/* A member of the options; NULL when there is none, or it is neither string nor number. The caller frees. */
static char *option(const struct monitor *monitor, const char *name)
{
	struct text value = TEXT_INIT;
	struct json_scan scan;

	json_scan_init(&scan, monitor->options, strlen(monitor->options), 0, 16);
	if (json_scan_next(&scan) == JSON_OBJECT) {
		while (json_scan_next(&scan) == JSON_KEY) {
			if (json_scan_is(&scan, name)) {
				take_value(&scan, &value);
				break;
			}
			if (!json_scan_skip(&scan))
				break;
		}
	}
	json_scan_free(&scan);
	return value.ptr ? text_take(&value) : NULL;
}

char *target_of(const struct monitor *monitor)
{
	static const char *const names[] = {"url", "host", "name"};
	char *target = NULL, *port;

	if (!monitor->options || monitor->heartbeat)
		return NULL;
	for (size_t i = 0; !target && i < COUNT_OF(names); i++)
		target = option(monitor, names[i]);
	port = option(monitor, "port");
	if (target && port) {
		struct text t = TEXT_INIT;

		text_raw(&t, target);
		text_char(&t, ':');
		text_raw(&t, port);
		free(target);
		target = text_take(&t);
	}
	free(port);
	return target;
}
