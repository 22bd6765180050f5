/* SPDX-License-Identifier: ISC */
/*
 * pack: what is written is read again, by older and newer readers too; what is damaged is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/pack.h"

enum { KIND = 7, VERSION = 3 };

/* By the definition: one bit at a time. */
static uint32_t crc_slowly(const uint8_t *b, size_t n)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= b[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static void checksum_is_crc32c(void **state)
{
	uint8_t bytes[600];

	(void)state;
	assert_int_equal(pack_crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(pack_crc32c(0, "", 0), 0);
	memset(bytes, 0, 32);
	assert_int_equal(pack_crc32c(0, bytes, 32), 0x8a9136aa); /* RFC 3720 B.4 */
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * i + i / 7);
	for (size_t n = 0; n < sizeof(bytes); n++)
		assert_int_equal(pack_crc32c(0, bytes, n), crc_slowly(bytes, n));
	for (int one = 0; one < 256; one++) {
		uint8_t byte[8] = {(uint8_t)one};

		for (size_t at = 1; at < 8; at++)
			byte[at] = (uint8_t)(one ^ (int)at);
		assert_int_equal(pack_crc32c(0, byte, 8), crc_slowly(byte, 8));
	}
}

static void checksum_goes_on_where_it_stopped(void **state)
{
	static const char digits[] = "123456789";

	(void)state;
	for (size_t cut = 0; cut <= 9; cut++)
		assert_int_equal(pack_crc32c(pack_crc32c(0, digits, cut), digits + cut, 9 - cut), 0xe3069283);
}

static const uint64_t numbers[] = {1, 127, 128, 16383, 16384, UINT32_MAX, (uint64_t)INT64_MAX, UINT64_MAX};
static const int64_t integers[] = {1, -1, 63, 64, -64, -65, INT64_MAX, INT64_MIN};

static struct pack sample(void)
{
	struct pack p;

	pack_begin(&p, KIND, VERSION);
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		pack_u64(&p, 1, numbers[i]);
	for (size_t i = 0; i < COUNT_OF(integers); i++)
		pack_i64(&p, 2, integers[i]);
	pack_u64(&p, 3, 0);
	pack_str(&p, 4, NULL);
	pack_str(&p, 5, "");
	pack_str(&p, 6, "words");
	pack_bytes(&p, 100000, "\0\xff", 2);
	pack_end(&p);
	return p;
}

static void fields_come_back_as_written(void **state)
{
	struct pack p = sample();
	struct error err;
	struct unpack u;

	(void)state;
	assert_true(unpack_begin(&u, p.out.ptr, p.out.len, KIND, VERSION, &err));
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		assert_true(unpack_next(&u));
		assert_int_equal(u.tag, 1);
		assert_false(u.is_bytes);
		assert_true(unpack_u64(&u) == numbers[i]);
	}
	for (size_t i = 0; i < COUNT_OF(integers); i++) {
		assert_true(unpack_next(&u));
		assert_int_equal(u.tag, 2);
		assert_true(unpack_i64(&u) == integers[i]);
	}
	for (unsigned tag = 5; tag <= 6; tag++) {
		char *s;

		assert_true(unpack_next(&u));
		assert_int_equal(u.tag, tag);
		assert_true(u.is_bytes);
		s = unpack_str(&u);
		assert_string_equal(s, tag == 5 ? "" : "words");
		free(s);
	}
	assert_true(unpack_next(&u));
	assert_int_equal(u.tag, 100000);
	assert_int_equal(u.len, 2);
	assert_memory_equal(u.bytes, "\0\xff", 2);
	assert_int_equal(unpack_u64(&u), 0);
	assert_false(unpack_next(&u));
	assert_false(unpack_next(&u));
	assert_true(unpack_end(&u, &err));
	pack_free(&p);
}

/* Inner rows from 0 to 300 bytes: their lengths take one byte and two. */
static void rows_nest_at_any_length(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 300; n += 10) {
		char filler[300];
		struct pack p;
		struct unpack outer, inner, innermost;
		size_t mark, mark2;

		memset(filler, 'x', sizeof(filler));
		pack_begin(&p, KIND, VERSION);
		mark = pack_nest(&p, 1);
		mark2 = pack_nest(&p, 2);
		if (n)
			pack_bytes(&p, 3, filler, n);
		pack_unnest(&p, mark2);
		pack_u64(&p, 4, n + 1);
		pack_unnest(&p, mark);
		pack_u64(&p, 5, 99);
		pack_end(&p);

		assert_true(unpack_begin(&outer, p.out.ptr, p.out.len, KIND, VERSION, NULL));
		assert_true(unpack_next(&outer));
		unpack_nested(&inner, &outer);
		assert_true(unpack_next(&inner));
		unpack_nested(&innermost, &inner);
		assert_int_equal(unpack_next(&innermost), n > 0);
		assert_int_equal(innermost.len, n);
		assert_false(unpack_next(&innermost));
		assert_true(unpack_end(&innermost, NULL));
		assert_true(unpack_next(&inner));
		assert_int_equal(unpack_u64(&inner), n + 1);
		assert_false(unpack_next(&inner));
		assert_true(unpack_next(&outer));
		assert_int_equal(unpack_u64(&outer), 99);
		assert_false(unpack_next(&outer));
		assert_true(unpack_end(&outer, NULL));
		unpack_nested(&inner, &outer);
		assert_false(unpack_next(&inner));
		assert_false(unpack_end(&inner, NULL));
		pack_free(&p);
	}
}

static void every_flipped_bit_and_every_cut_is_noticed(void **state)
{
	struct pack p = sample();

	(void)state;
	for (size_t bit = 0; bit < p.out.len * 8; bit++) {
		struct error err = {0};
		struct unpack u;

		p.out.ptr[bit / 8] ^= (char)(1 << bit % 8);
		assert_false(unpack_begin(&u, p.out.ptr, p.out.len, KIND, VERSION, &err));
		assert_int_equal(err.kind, ERROR_DAMAGED);
		assert_false(unpack_next(&u));
		assert_false(unpack_end(&u, NULL));
		p.out.ptr[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t n = 0; n < p.out.len; n++) {
		char *cut = mem_dup(p.out.ptr, n);
		struct unpack u;

		assert_false(unpack_begin(&u, cut, n, KIND, VERSION, NULL));
		free(cut);
	}
	pack_free(&p);
}

static void versions_and_kinds_are_told_apart(void **state)
{
	struct pack p = sample();
	struct error err;
	struct unpack u;

	(void)state;
	assert_true(unpack_begin(&u, p.out.ptr, p.out.len, KIND, VERSION + 1, &err));
	assert_false(unpack_begin(&u, p.out.ptr, p.out.len, KIND, VERSION - 1, &err));
	assert_int_equal(err.kind, ERROR_NEWER);
	assert_false(unpack_begin(&u, p.out.ptr, p.out.len, KIND + 1, VERSION, &err));
	assert_int_equal(err.kind, ERROR_DAMAGED);
	p.out.ptr[2]++; /* another format, rightly sealed */
	pack_end(&p);
	assert_false(unpack_begin(&u, p.out.ptr, p.out.len, KIND, VERSION, &err));
	assert_int_equal(err.kind, ERROR_NEWER);
	pack_free(&p);
}

/* Records with a good checksum over a bad structure: a bug of another version, or somebody's work. */
static void bad_structure_under_a_good_checksum_is_refused(void **state)
{
	static const struct {
		const char *fields;
		size_t n, good; /* fields that can be read before the bad one */
	} rows[] = {
		{"\x02", 1, 0},                                             /* a key alone */
		{"\x02\x80", 2, 0},                                         /* a number that does not end */
		{"\x02\x05\x82", 3, 1},                                     /* a key that does not end */
		{"\x03\x01", 2, 0},                                         /* bytes that are not there */
		{"\x03\x05" "abcd", 6, 0},                                  /* one too few */
		{"\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" "abcd", 15, 0},  /* a length of 2^64 - 1 */
		{"\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, 0},    /* 65 bits */
		{"\x02\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12, 0}, /* eleven bytes */
		{"\x80\x80\x80\x80\x80\x01\x01", 7, 0},                     /* a tag of more than 32 bits */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error err;
		struct unpack u;
		struct pack p;
		size_t good = 0;

		pack_begin(&p, KIND, VERSION);
		text_rawn(&p.out, rows[i].fields, rows[i].n);
		pack_end(&p);
		assert_true(unpack_begin(&u, p.out.ptr, p.out.len, KIND, VERSION, NULL));
		while (unpack_next(&u))
			good++;
		assert_int_equal(good, rows[i].good);
		assert_false(unpack_end(&u, &err));
		assert_int_equal(err.kind, ERROR_DAMAGED);
		pack_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum_is_crc32c),
		cmocka_unit_test(checksum_goes_on_where_it_stopped),
		cmocka_unit_test(fields_come_back_as_written),
		cmocka_unit_test(rows_nest_at_any_length),
		cmocka_unit_test(every_flipped_bit_and_every_cut_is_noticed),
		cmocka_unit_test(versions_and_kinds_are_told_apart),
		cmocka_unit_test(bad_structure_under_a_good_checksum_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
