/* SPDX-License-Identifier: ISC */
/*
 * Entries of the inbox's queue: the first nine bytes are the key, the rest is the record's content, given
 * a head and a good checksum. It is refused, or read within its bounds.
 */
#include "fuzz.h"
#include "store/inbox_private.h"
#include "store/record.h"

#define KEY_BYTES 9 /* kind, id */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t name[KEY_BYTES];
	MDB_val key = {sizeof(name), name}, value;
	struct error err = {0};
	struct pack p;

	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = fuzz_byte(&data, &size);
	blob_pack(&p, BLOB_QUEUED, data, size);
	value = (MDB_val){p.out.len, p.out.ptr};
	if (!inbox_check_queued(&key, &value, &err))
		FUZZ_CHECK(err.text[0]);
	pack_free(&p);
	return 0;
}
