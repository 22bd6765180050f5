/* SPDX-License-Identifier: ISC */
/*
 * Records by shape: what is written comes back, across versions of a shape too, and what is broken is
 * refused without a leak.
 */
#include "store_test.h"

#include "base/text.h"
#include "store/record.h"

static struct error err;

/* A struct with a field of each type. */
struct inner {
	char *name;
	int64_t a;
};
struct every {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	bool yes;
	int i;
	int64_t l, less;
	int less_int;
	char *s, *absent;
	char chars[8];
	uint8_t bytes[4];
	int64_t fixed[3];
	int64_t some[4];
	unsigned some_count;
	char **strings;
	size_t string_count;
	struct inner *one, *none;
	struct inner *many;
	size_t many_count;
	struct inner inside;
	struct inner row[2];
};

static const struct field inner_fields[] = {
	PLAIN(1, FIELD_STR, struct inner, name),
	PLAIN(2, FIELD_INT, struct inner, a),
};
static const struct shape SHAPE_INNER = SHAPE(0, struct inner, inner_fields);
static const struct field every_fields[] = {
	PLAIN(1, FIELD_UINT, struct every, u8),
	PLAIN(2, FIELD_UINT, struct every, u16),
	PLAIN(3, FIELD_UINT, struct every, u32),
	PLAIN(4, FIELD_UINT, struct every, u64),
	PLAIN(5, FIELD_UINT, struct every, yes),
	PLAIN(6, FIELD_INT, struct every, i),
	PLAIN(7, FIELD_INT, struct every, l),
	PLAIN(8, FIELD_LESS, struct every, less),
	PLAIN(9, FIELD_LESS, struct every, less_int),
	PLAIN(10, FIELD_STR, struct every, s),
	PLAIN(11, FIELD_STR, struct every, absent),
	PLAIN(12, FIELD_CHARS, struct every, chars),
	PLAIN(13, FIELD_BYTES, struct every, bytes),
	PLAIN(14, FIELD_INTS, struct every, fixed),
	COUNTED(15, FIELD_INTS, struct every, some, some_count),
	COUNTED(16, FIELD_STRS, struct every, strings, string_count),
	NESTED(17, FIELD_ONE, struct every, one, &SHAPE_INNER),
	NESTED(18, FIELD_ONE, struct every, none, &SHAPE_INNER),
	MANY(19, struct every, many, many_count, &SHAPE_INNER),
	NESTED(20, FIELD_INSIDE, struct every, inside, &SHAPE_INNER),
	NESTED(21, FIELD_ROW, struct every, row, &SHAPE_INNER),
};
static const struct shape SHAPE_EVERY = SHAPE(200, struct every, every_fields);

static char *strings[] = {"", "b", "c"};
static struct inner inners[] = {{"x", 1}, {NULL, -1}, {"z", INT64_MIN}};
static const struct every sample = {
	.u8 = 255,
	.u16 = 65535,
	.u32 = UINT32_MAX,
	.u64 = UINT64_MAX,
	.yes = true,
	.i = -5,
	.l = INT64_MIN,
	.less = 0,
	.less_int = -7,
	.s = "text",
	.chars = "1234567",
	.bytes = {1, 0, 2, 3},
	.fixed = {0, 7, 0},
	.some = {1, 0, 9, 8},
	.some_count = 3,
	.strings = strings,
	.string_count = 3,
	.one = &inners[0],
	.many = inners,
	.many_count = 3,
	.inside = {"in", 4},
	.row = {{NULL, 0}, {"second", 2}},
};

static void check_inner(const struct inner *got, const struct inner *meant)
{
	assert_int_equal(got->a, meant->a);
	assert_true(!got->name == !meant->name);
	if (meant->name)
		assert_string_equal(got->name, meant->name);
}

static void test_every_type_of_field_comes_back(void **state)
{
	struct every out;
	struct pack p;

	(void)state;
	record_pack(&p, &SHAPE_EVERY, &sample);
	assert_ok(record_unpack(p.out.ptr, p.out.len, &SHAPE_EVERY, &out, &err));
	assert_memory_equal(&out, &sample, offsetof(struct every, s));
	assert_string_equal(out.s, "text");
	assert_null(out.absent);
	assert_string_equal(out.chars, sample.chars);
	assert_memory_equal(out.bytes, sample.bytes, sizeof(out.bytes));
	assert_memory_equal(out.fixed, sample.fixed, sizeof(out.fixed));
	assert_int_equal(out.some_count, 3);
	assert_true(out.some[2] == 9 && out.some[3] == 0);
	assert_int_equal(out.string_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(out.strings[i], strings[i]);
		check_inner(&out.many[i], &inners[i]);
	}
	check_inner(out.one, &inners[0]);
	assert_null(out.none);
	check_inner(&out.inside, &sample.inside);
	check_inner(&out.row[0], &sample.row[0]);
	check_inner(&out.row[1], &sample.row[1]);
	record_clear(&SHAPE_EVERY, &out);
	assert_null(out.strings);
	assert_int_equal(out.less, -1);
	pack_free(&p);
}

static void test_what_is_not_there_is_empty(void **state)
{
	struct every out;
	struct pack p;

	(void)state;
	pack_begin(&p, 200, 1);
	pack_end(&p);
	assert_ok(record_unpack(p.out.ptr, p.out.len, &SHAPE_EVERY, &out, &err));
	assert_int_equal(out.u64, 0);
	assert_int_equal(out.less, -1);
	assert_int_equal(out.less_int, -1);
	assert_null(out.s);
	assert_int_equal(out.many_count, 0);
	record_clear(&SHAPE_EVERY, &out);
	pack_free(&p);
}

/* A shape with fewer rows stands for an older program, one with more for a newer. */
static void test_older_and_newer_shapes_read_each_other(void **state)
{
	struct shape older = SHAPE_EVERY;
	struct every out;
	struct pack p;

	(void)state;
	older.count = 3;
	record_pack(&p, &SHAPE_EVERY, &sample);
	assert_ok(record_unpack(p.out.ptr, p.out.len, &older, &out, &err));
	assert_int_equal(out.u32, UINT32_MAX);
	assert_int_equal(out.u64, 0);
	pack_free(&p);
	record_pack(&p, &older, &sample);
	assert_ok(record_unpack(p.out.ptr, p.out.len, &SHAPE_EVERY, &out, &err));
	assert_int_equal(out.u16, 65535);
	assert_null(out.s);
	pack_free(&p);
	older.version = 2;
	record_pack(&p, &older, &sample);
	assert_false(record_unpack(p.out.ptr, p.out.len, &SHAPE_EVERY, &out, &err));
	assert_int_equal(err.kind, ERROR_NEWER);
	pack_free(&p);
}

static void seal(struct pack *p, void (*fill)(struct pack *p))
{
	pack_begin(p, 200, 1);
	fill(p);
	pack_end(p);
}

static void too_wide(struct pack *p)
{
	pack_u64(p, 1, 256);
}
static void too_wide_signed(struct pack *p)
{
	pack_i64(p, 6, INT64_C(1) << 31);
}
static void bytes_for_a_number(struct pack *p)
{
	pack_str(p, 1, "x");
}
static void number_for_bytes(struct pack *p)
{
	pack_u64(p, 10, 5);
}
static void chars_too_long(struct pack *p)
{
	pack_str(p, 12, "12345678");
}
static void odd_ints(struct pack *p)
{
	pack_bytes(p, 14, "1234567", 7);
}
static void too_many_ints(struct pack *p)
{
	static const char zeros[40];

	pack_bytes(p, 15, zeros, 40);
}
static void one_twice(struct pack *p)
{
	pack_bytes(p, 17, "", 0);
	pack_bytes(p, 17, "", 0);
}
static void bad_nest(struct pack *p)
{
	pack_str(p, 10, "before"); /* owned memory must not leak */
	pack_bytes(p, 19, "\x03\xff", 2);
}

static void test_broken_fields_are_damage(void **state)
{
	static void (*const fills[])(struct pack * p) = {
		too_wide,
		too_wide_signed,
		bytes_for_a_number,
		number_for_bytes,
		chars_too_long,
		odd_ints,
		too_many_ints,
		one_twice,
		bad_nest,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fills); i++) {
		struct every out;
		struct pack p;

		seal(&p, fills[i]);
		assert_false(record_unpack(p.out.ptr, p.out.len, &SHAPE_EVERY, &out, &err));
		assert_int_equal(err.kind, ERROR_DAMAGED);
		assert_null(out.s);
		pack_free(&p);
	}
}

static void two_strings(struct pack *p)
{
	pack_str(p, 10, "first");
	pack_str(p, 10, "second");
}

static void test_a_string_given_twice_is_the_last(void **state)
{
	struct every out;
	struct pack p;

	(void)state;
	seal(&p, two_strings);
	assert_ok(record_unpack(p.out.ptr, p.out.len, &SHAPE_EVERY, &out, &err));
	assert_string_equal(out.s, "second");
	record_clear(&SHAPE_EVERY, &out);
	pack_free(&p);
}

static void test_every_cut_and_every_flipped_bit_is_noticed(void **state)
{
	struct every out;
	struct pack p;

	(void)state;
	record_pack(&p, &SHAPE_EVERY, &sample);
	for (size_t n = 0; n < p.out.len; n++)
		assert_false(record_unpack(p.out.ptr, n, &SHAPE_EVERY, &out, &err));
	for (size_t bit = 0; bit < p.out.len * 8; bit++) {
		p.out.ptr[bit / 8] ^= (char)(1 << bit % 8);
		assert_false(record_unpack(p.out.ptr, p.out.len, &SHAPE_EVERY, &out, &err));
		p.out.ptr[bit / 8] ^= (char)(1 << bit % 8);
	}
	pack_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_of_field_comes_back),
		cmocka_unit_test(test_what_is_not_there_is_empty),
		cmocka_unit_test(test_older_and_newer_shapes_read_each_other),
		cmocka_unit_test(test_broken_fields_are_damage),
		cmocka_unit_test(test_a_string_given_twice_is_the_last),
		cmocka_unit_test(test_every_cut_and_every_flipped_bit_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
