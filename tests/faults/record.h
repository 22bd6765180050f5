/* SPDX-License-Identifier: ISC */
/* record: one entry of what record_writes.c writes down and power_cut.c reads. */
#ifndef FAULTS_RECORD_H
#define FAULTS_RECORD_H

#include <stdint.h>

#define ENTRY_MAGIC 0x75706274u

struct entry {
	uint32_t magic;
	char kind;       /* 'w' written, 'f' all of the file synced, 'a' acknowledged: "SLUG TIME_US" */
	char book;       /* 'i' inbox, 's' state */
	uint8_t durable; /* the write itself was synchronous */
	uint8_t unused;
	uint32_t length; /* of the bytes that follow */
	uint32_t more;
	uint64_t offset;
};

#endif
