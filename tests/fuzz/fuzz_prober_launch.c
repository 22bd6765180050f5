/* SPDX-License-Identifier: ISC */
/*
 * A request to the launcher of programs: it is refused, or it is a row of the table and, where that takes one, an
 * address of its family as we write addresses, and seconds within the limit. So no argument is the asker's own.
 */
#include <arpa/inet.h>

#include "fuzz.h"
#include "prober/launch.h"

static char name[] = "name";
static struct launch_program rows[] = {
	{.name = name}, {.name = name, .family = AF_INET}, {.name = name, .family = AF_INET6}};
static const struct launch_table table = {rows, sizeof(rows) / sizeof(rows[0])};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct launch_order order;
	unsigned char address[sizeof(struct in6_addr)];
	char back[INET6_ADDRSTRLEN];

	if (!launch_decode(&table, data, size, &order))
		return 0;
	FUZZ_CHECK(size == sizeof(struct launch_request));
	FUZZ_CHECK(order.program >= rows && order.program < rows + table.n);
	if (order.program->family == 0) {
		FUZZ_CHECK(order.address[0] == '\0' && order.wait_s == 0);
		return 0;
	}
	FUZZ_CHECK(order.wait_s > 0 && order.wait_s <= LAUNCH_WAIT_MAX_S);
	FUZZ_CHECK(inet_pton(order.program->family, order.address, address) == 1);
	FUZZ_CHECK(strcmp(inet_ntop(order.program->family, address, back, sizeof(back)), order.address) == 0);
	return 0;
}
