/* SPDX-License-Identifier: ISC */
/*
 * Packed records. The input is tried as a whole record, and as fields that are given a head and a good
 * checksum: rows nest as deep as they like. What can be read lies within the record, and packed again
 * reads the same.
 */
#include "base/mem.h"
#include "base/pack.h"
#include "fuzz.h"

enum { KIND = 1, VERSION = 1, MAX_DEPTH = 8 };

static void walk(struct unpack *u, int depth)
{
	const uint8_t *begin = u->at, *end = u->end;

	while (unpack_next(u)) {
		struct unpack inner;
		char *s = unpack_str(u);

		FUZZ_CHECK(u->at > begin && u->at <= end);
		FUZZ_CHECK(!u->is_bytes || (u->bytes > begin && u->len <= (size_t)(end - u->bytes)));
		FUZZ_CHECK(strlen(s) <= u->len);
		FUZZ_CHECK(u->is_bytes || ((uint64_t)unpack_i64(u) << 1 ^ (unpack_i64(u) < 0 ? UINT64_MAX : 0)) ==
						   unpack_u64(u));
		free(s);
		unpack_nested(&inner, u);
		FUZZ_CHECK(inner.bad == !u->is_bytes);
		if (depth < MAX_DEPTH)
			walk(&inner, depth + 1);
	}
	FUZZ_CHECK(u->bad || u->at == end);
}

static void put_again(struct unpack *u, struct pack *p)
{
	while (unpack_next(u)) {
		if (u->is_bytes)
			pack_bytes(p, u->tag, u->bytes, u->len);
		else
			pack_u64(p, u->tag, unpack_u64(u));
	}
}

static bool same_field(const struct unpack *a, const struct unpack *b)
{
	return a->tag == b->tag && a->is_bytes == b->is_bytes && a->number == b->number && a->len == b->len &&
		(a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

/* Written again, the same fields come in the same order, less the zeros. */
static void check_rewritten(const struct pack *first)
{
	struct pack second;
	struct unpack a, b;

	pack_begin(&second, KIND, VERSION);
	FUZZ_CHECK(unpack_begin(&a, first->out.ptr, first->out.len, KIND, VERSION, NULL));
	put_again(&a, &second);
	pack_end(&second);
	FUZZ_CHECK(unpack_begin(&a, first->out.ptr, first->out.len, KIND, VERSION, NULL));
	FUZZ_CHECK(unpack_begin(&b, second.out.ptr, second.out.len, KIND, VERSION, NULL));
	while (unpack_next(&a)) {
		if (!a.is_bytes && a.number == 0)
			continue;
		FUZZ_CHECK(unpack_next(&b));
		FUZZ_CHECK(same_field(&a, &b));
	}
	FUZZ_CHECK(!unpack_next(&b) && unpack_end(&b, NULL));
	pack_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = mem_dup(data, size);
	struct error err = {0};
	struct unpack u;
	struct pack p;

	if (unpack_begin(&u, exact, size, KIND, VERSION, &err))
		walk(&u, 0);
	else
		FUZZ_CHECK(err.kind == ERROR_DAMAGED || err.kind == ERROR_NEWER);
	free(exact);

	pack_begin(&p, KIND, VERSION);
	text_rawn(&p.out, (const char *)data, size);
	pack_end(&p);
	FUZZ_CHECK(unpack_begin(&u, p.out.ptr, p.out.len, KIND, VERSION, NULL));
	walk(&u, 0);
	check_rewritten(&p);
	pack_free(&p);
	return 0;
}
