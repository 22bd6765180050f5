/* SPDX-License-Identifier: ISC */
/*
 * record: walks a shape's rows over a struct, to write it, to read it, to free it. See record.h.
 */
#include "store/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sign.h"

/* ---- members by offset ------------------------------------------------------------------------------- */

static const char *member(const void *from, size_t at)
{
	return (const char *)from + at;
}

static char *member_of(void *to, size_t at)
{
	return (char *)to + at;
}

static uint64_t read_unsigned(const char *at, size_t size)
{
	union { uint8_t b; uint16_t h; uint32_t w; uint64_t q; } u = {.q = 0};

	memcpy(&u, at, size);
	switch (size) {
	case 1: return u.b;
	case 2: return u.h;
	case 4: return u.w;
	default: return u.q;
	}
}

static bool write_unsigned(char *at, size_t size, uint64_t value)
{
	union { uint8_t b; uint16_t h; uint32_t w; uint64_t q; } u = {.q = 0};

	if (size < 8 && value >> 8 * size)
		return false;
	switch (size) {
	case 1: u.b = (uint8_t)value; break;
	case 2: u.h = (uint16_t)value; break;
	case 4: u.w = (uint32_t)value; break;
	default: u.q = value;
	}
	memcpy(at, &u, size);
	return true;
}

static int64_t read_signed(const char *at, size_t size)
{
	int32_t narrow;
	int64_t wide;

	if (size == sizeof(narrow)) {
		memcpy(&narrow, at, sizeof(narrow));
		return narrow;
	}
	memcpy(&wide, at, sizeof(wide));
	return wide;
}

static bool write_signed(char *at, size_t size, int64_t value)
{
	int32_t narrow = (int32_t)value;

	if (size == sizeof(narrow)) {
		memcpy(at, &narrow, sizeof(narrow));
		return narrow == value;
	}
	memcpy(at, &value, sizeof(value));
	return true;
}

static size_t count_of(const struct field *f, const void *from)
{
	return (size_t)read_unsigned(member(from, f->count_at), f->count_size);
}

static void *pointer_at(const void *from, size_t at)
{
	void *p;

	memcpy(&p, member(from, at), sizeof(p));
	return p;
}

static void set_pointer(void *to, size_t at, const void *p)
{
	memcpy(member_of(to, at), &p, sizeof(p));
}

/* Empty: zero, but -1 where the row says so. */
static void make_empty(const struct shape *shape, void *to)
{
	memset(to, 0, shape->size);
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *f = &shape->fields[i];

		if (f->type == FIELD_LESS)
			write_signed(member_of(to, f->at), f->size, -1);
		else if (f->type == FIELD_INSIDE)
			make_empty(f->nest, member_of(to, f->at));
	}
}

/* ---- writing ----------------------------------------------------------------------------------------- */

static void pack_fields(struct pack *p, const struct shape *shape, const void *from);

static void pack_inner(struct pack *p, unsigned tag, const struct shape *shape, const void *from)
{
	size_t mark = pack_nest(p, tag);

	pack_fields(p, shape, from);
	pack_unnest(p, mark);
}

static void pack_array(struct pack *p, const struct field *f, const char *first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pack_inner(p, f->tag, f->nest, first + i * f->nest->size);
}

/* As they lie in memory: LMDB's own files are as bound to the machine's byte order. */
static void pack_ints(struct pack *p, const struct field *f, const void *from)
{
	size_t n = f->count_size ? count_of(f, from) * sizeof(int64_t) : f->size;

	if (n > f->size)
		n = f->size;
	if (n)
		pack_bytes(p, f->tag, member(from, f->at), n);
}

static void pack_strings(struct pack *p, const struct field *f, const void *from)
{
	char *const *strings = pointer_at(from, f->at);

	for (size_t i = 0, n = count_of(f, from); i < n; i++)
		pack_str(p, f->tag, strings[i]);
}

static void pack_field(struct pack *p, const struct field *f, const void *from)
{
	const char *at = member(from, f->at);

	switch (f->type) {
	case FIELD_UINT:
		pack_u64(p, f->tag, read_unsigned(at, f->size));
		break;
	case FIELD_INT:
		pack_i64(p, f->tag, read_signed(at, f->size));
		break;
	case FIELD_LESS:
		pack_i64(p, f->tag, (int64_t)((uint64_t)read_signed(at, f->size) + 1));
		break;
	case FIELD_STR:
		pack_str(p, f->tag, pointer_at(from, f->at));
		break;
	case FIELD_CHARS:
		if (*at)
			pack_bytes(p, f->tag, at, strnlen(at, f->size));
		break;
	case FIELD_BYTES:
		pack_bytes(p, f->tag, at, f->size);
		break;
	case FIELD_INTS:
		pack_ints(p, f, from);
		break;
	case FIELD_STRS:
		pack_strings(p, f, from);
		break;
	case FIELD_ONE:
		if (pointer_at(from, f->at))
			pack_inner(p, f->tag, f->nest, pointer_at(from, f->at));
		break;
	case FIELD_MANY:
		pack_array(p, f, pointer_at(from, f->at), count_of(f, from));
		break;
	case FIELD_INSIDE:
		pack_inner(p, f->tag, f->nest, at);
		break;
	case FIELD_ROW:
		pack_array(p, f, at, f->size / f->nest->size);
		break;
	}
}

static void pack_fields(struct pack *p, const struct shape *shape, const void *from)
{
	for (size_t i = 0; i < shape->count; i++)
		pack_field(p, &shape->fields[i], from);
}

void record_pack(struct pack *p, const struct shape *shape, const void *from)
{
	pack_begin(p, shape->kind, shape->version);
	pack_fields(p, shape, from);
	pack_end(p);
}

/* ---- reading ----------------------------------------------------------------------------------------- */

static bool unpack_fields(struct unpack *u, const struct shape *shape, void *to);

static bool unpack_inner(const struct unpack *u, const struct shape *shape, void *to)
{
	struct unpack inner;

	unpack_nested(&inner, u);
	make_empty(shape, to);
	return unpack_fields(&inner, shape, to);
}

/* Room for one more of the given size in an owned array, which doubles. */
static char *one_more(const struct field *f, void *to, size_t size)
{
	size_t n = count_of(f, to);
	char *array = pointer_at(to, f->at);

	if (!(n & (n - 1)))
		array = mem_grow(array, n ? 2 * n : 1, size);
	set_pointer(to, f->at, array);
	write_unsigned(member_of(to, f->count_at), f->count_size, n + 1);
	return array + n * size;
}

static bool unpack_string(const struct unpack *u, const struct field *f, void *to)
{
	free(pointer_at(to, f->at));
	set_pointer(to, f->at, unpack_str(u));
	return true;
}

static bool unpack_strings(const struct unpack *u, const struct field *f, void *to)
{
	char *s = unpack_str(u);

	memcpy(one_more(f, to, sizeof(s)), &s, sizeof(s));
	return true;
}

static bool unpack_fixed(const struct unpack *u, const struct field *f, void *to)
{
	size_t room = f->type == FIELD_CHARS ? f->size - 1 : f->size;

	if (u->len > room || (f->type == FIELD_INTS && u->len % sizeof(int64_t)))
		return false;
	memcpy(member_of(to, f->at), u->bytes, u->len);
	return f->type != FIELD_INTS || !f->count_size ||
		write_unsigned(member_of(to, f->count_at), f->count_size, u->len / sizeof(int64_t));
}

static bool unpack_one(const struct unpack *u, const struct field *f, void *to)
{
	void *inner = pointer_at(to, f->at);

	if (inner)
		return false; /* twice */
	inner = mem_alloc(f->nest->size);
	set_pointer(to, f->at, inner);
	return unpack_inner(u, f->nest, inner);
}

/* `row` counts how many of an array within have been read. */
static bool unpack_row(const struct unpack *u, const struct field *f, void *to, size_t *row)
{
	if (*row >= f->size / f->nest->size)
		return true; /* a newer program keeps more of them */
	return unpack_inner(u, f->nest, member_of(to, f->at) + (*row)++ * f->nest->size);
}

static bool unpack_field(const struct unpack *u, const struct field *f, void *to, size_t *row)
{
	if (u->is_bytes == (f->type <= FIELD_LESS))
		return false;
	switch (f->type) {
	case FIELD_UINT:
		return write_unsigned(member_of(to, f->at), f->size, unpack_u64(u));
	case FIELD_INT:
		return write_signed(member_of(to, f->at), f->size, unpack_i64(u));
	case FIELD_LESS:
		return write_signed(member_of(to, f->at), f->size, (int64_t)((uint64_t)unpack_i64(u) - 1));
	case FIELD_STR:
		return unpack_string(u, f, to);
	case FIELD_STRS:
		return unpack_strings(u, f, to);
	case FIELD_CHARS:
	case FIELD_BYTES:
	case FIELD_INTS:
		return unpack_fixed(u, f, to);
	case FIELD_ONE:
		return unpack_one(u, f, to);
	case FIELD_MANY:
		return unpack_inner(u, f->nest, one_more(f, to, f->nest->size));
	case FIELD_INSIDE:
		return unpack_inner(u, f->nest, member_of(to, f->at));
	case FIELD_ROW:
		return unpack_row(u, f, to, row);
	}
	return false;
}

static const struct field *field_of(const struct shape *shape, unsigned tag)
{
	for (size_t i = 0; i < shape->count; i++)
		if (shape->fields[i].tag == tag)
			return &shape->fields[i];
	return NULL;
}

static bool unpack_fields(struct unpack *u, const struct shape *shape, void *to)
{
	size_t row = 0;

	while (unpack_next(u)) {
		const struct field *f = field_of(shape, u->tag);

		if (f && !unpack_field(u, f, to, &row))
			u->bad = true;
	}
	return !u->bad;
}

bool record_unpack(const void *bytes, size_t n, const struct shape *shape, void *to, struct error *err)
{
	struct unpack u;

	make_empty(shape, to);
	if (!unpack_begin(&u, bytes, n, shape->kind, shape->version, err))
		return false;
	if (unpack_fields(&u, shape, to) && unpack_end(&u, err))
		return true;
	record_clear(shape, to);
	return error_set(err, ERROR_DAMAGED, "a record of kind %u has a broken field", shape->kind);
}

/* ---- freeing ----------------------------------------------------------------------------------------- */

static void free_string(char *s)
{
	if (s)
		sign_wipe(s, strlen(s));
	free(s);
}

static void clear_array(const struct shape *shape, char *first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		record_clear(shape, first + i * shape->size);
}

static void clear_field(const struct field *f, void *what)
{
	char **strings;

	switch (f->type) {
	case FIELD_STR:
		free_string(pointer_at(what, f->at));
		break;
	case FIELD_STRS:
		strings = pointer_at(what, f->at);
		for (size_t i = 0, n = count_of(f, what); i < n; i++)
			free_string(strings[i]);
		free(strings);
		break;
	case FIELD_ONE:
		if (pointer_at(what, f->at))
			record_clear(f->nest, pointer_at(what, f->at));
		free(pointer_at(what, f->at));
		break;
	case FIELD_MANY:
		clear_array(f->nest, pointer_at(what, f->at), count_of(f, what));
		free(pointer_at(what, f->at));
		break;
	case FIELD_INSIDE:
		record_clear(f->nest, member_of(what, f->at));
		break;
	case FIELD_ROW:
		clear_array(f->nest, member_of(what, f->at), f->size / f->nest->size);
		break;
	default:
		break;
	}
}

void record_clear(const struct shape *shape, void *what)
{
	for (size_t i = 0; i < shape->count; i++)
		clear_field(&shape->fields[i], what);
	make_empty(shape, what);
}

/* ---- blobs ------------------------------------------------------------------------------------------- */

void blob_pack(struct pack *p, enum blob_kind kind, const void *bytes, size_t n)
{
	pack_begin(p, (uint8_t)kind, 1);
	pack_bytes(p, 1, bytes, n);
	pack_end(p);
}

bool blob_unpack(const void *bytes, size_t n, enum blob_kind kind, const uint8_t **out, size_t *out_n,
	struct error *err)
{
	struct unpack u;

	*out = (const uint8_t *)"";
	*out_n = 0;
	if (!unpack_begin(&u, bytes, n, (uint8_t)kind, 1, err))
		return false;
	while (unpack_next(&u))
		if (u.tag == 1 && u.is_bytes) {
			*out = u.bytes;
			*out_n = u.len;
		}
	return unpack_end(&u, err);
}
