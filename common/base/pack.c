/* SPDX-License-Identifier: ISC */
/*
 * pack: records that older and newer programs can both read. See pack.h.
 *
 * The head, which no later format may move:
 *
 *	0  'U' 'p'
 *	2  format (1: fields as described in pack.h)
 *	3  schema version of the kind
 *	4  kind
 *	5  three zero bytes
 *	8  CRC-32C, little-endian, of bytes 0..7 and 12..end
 */
#include "base/pack.h"

#include <string.h>

#include "base/mem.h"

enum { FORMAT = 1, HEAD_BYTES = 12, CRC_AT = 8, VARINT_MAX = 10 };

/* ---- varints ----------------------------------------------------------------------------------------- */

static size_t varint_write(uint8_t out[VARINT_MAX], uint64_t value)
{
	size_t n = 0;

	while (value >= 0x80) {
		out[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	out[n++] = (uint8_t)value;
	return n;
}

static void put_varint(struct pack *p, uint64_t value)
{
	uint8_t bytes[VARINT_MAX];
	size_t n = varint_write(bytes, value);

	text_rawn(&p->out, (const char *)bytes, n);
}

static void put_key(struct pack *p, unsigned tag, bool is_bytes)
{
	put_varint(p, (uint64_t)tag << 1 | is_bytes);
}

/* Reads one and steps over it; false when it is cut off or does not fit 64 bits. */
static bool varint_read(struct unpack *u, uint64_t *out)
{
	uint64_t value = 0;

	for (unsigned shift = 0; u->at < u->end && shift < 64; shift += 7) {
		uint8_t byte = *u->at++;

		if (shift == 63 && byte > 1)
			return false;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*out = value;
			return true;
		}
	}
	return false;
}

/* ---- writing ----------------------------------------------------------------------------------------- */

void pack_begin(struct pack *p, uint8_t kind, uint8_t version)
{
	const uint8_t head[HEAD_BYTES] = {'U', 'p', FORMAT, version, kind};

	p->out = (struct text)TEXT_INIT;
	text_rawn(&p->out, (const char *)head, HEAD_BYTES);
}

void pack_u64(struct pack *p, unsigned tag, uint64_t value)
{
	if (!value)
		return;
	put_key(p, tag, false);
	put_varint(p, value);
}

void pack_i64(struct pack *p, unsigned tag, int64_t value)
{
	pack_u64(p, tag, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

void pack_str(struct pack *p, unsigned tag, const char *s)
{
	if (s)
		pack_bytes(p, tag, s, strlen(s));
}

void pack_bytes(struct pack *p, unsigned tag, const void *bytes, size_t n)
{
	put_key(p, tag, true);
	put_varint(p, n);
	text_rawn(&p->out, bytes, n);
}

size_t pack_nest(struct pack *p, unsigned tag)
{
	put_key(p, tag, true);
	return p->out.len;
}

/* The length goes before what was written since the mark, now that it is known. */
void pack_unnest(struct pack *p, size_t mark)
{
	uint8_t length[VARINT_MAX];
	size_t inner = p->out.len - mark, n = varint_write(length, inner);

	text_reserve(&p->out, n);
	memmove(p->out.ptr + mark + n, p->out.ptr + mark, inner);
	memcpy(p->out.ptr + mark, length, n);
	p->out.len += n;
	p->out.ptr[p->out.len] = '\0';
}

static uint32_t record_crc(const uint8_t *record, size_t n)
{
	return pack_crc32c(pack_crc32c(0, record, CRC_AT), record + HEAD_BYTES, n - HEAD_BYTES);
}

void pack_end(struct pack *p)
{
	uint32_t crc = record_crc((const uint8_t *)p->out.ptr, p->out.len);

	for (int i = 0; i < 4; i++)
		p->out.ptr[CRC_AT + i] = (char)(crc >> 8 * i & 0xff);
}

void pack_free(struct pack *p)
{
	text_free(&p->out);
}

/* ---- reading ----------------------------------------------------------------------------------------- */

static uint32_t stored_crc(const uint8_t *record)
{
	uint32_t crc = 0;

	for (int i = 0; i < 4; i++)
		crc |= (uint32_t)record[CRC_AT + i] << 8 * i;
	return crc;
}

bool unpack_begin(struct unpack *u, const void *bytes, size_t n, uint8_t kind, uint8_t max_version,
	struct error *err)
{
	const uint8_t *record = bytes;

	*u = (struct unpack){.bad = true};
	if (n < HEAD_BYTES || record[0] != 'U' || record[1] != 'p')
		return error_set(err, ERROR_DAMAGED, "a record of kind %u has no head", kind);
	if (stored_crc(record) != record_crc(record, n))
		return error_set(err, ERROR_DAMAGED, "a record of kind %u fails its checksum", kind);
	if (record[2] != FORMAT || record[3] > max_version)
		return error_set(err, ERROR_NEWER,
			"a record of kind %u was written by a newer version (format %u, schema %u)", kind, record[2],
			record[3]);
	if (record[4] != kind)
		return error_set(err, ERROR_DAMAGED, "a record of kind %u stands where kind %u belongs", record[4],
			kind);
	*u = (struct unpack){.at = record + HEAD_BYTES, .end = record + n};
	return true;
}

void unpack_nested(struct unpack *inner, const struct unpack *outer)
{
	*inner = (struct unpack){.bad = true};
	if (outer->is_bytes)
		*inner = (struct unpack){.at = outer->bytes, .end = outer->bytes + outer->len};
}

static bool next_field(struct unpack *u)
{
	uint64_t key, value;

	if (!varint_read(u, &key) || key >> 1 > UINT32_MAX || !varint_read(u, &value))
		return false;
	u->tag = (unsigned)(key >> 1);
	u->is_bytes = key & 1;
	u->number = u->is_bytes ? 0 : value;
	u->bytes = NULL;
	u->len = 0;
	if (!u->is_bytes)
		return true;
	if (value > (uint64_t)(u->end - u->at))
		return false;
	u->bytes = u->at;
	u->len = (size_t)value;
	u->at += value;
	return true;
}

bool unpack_next(struct unpack *u)
{
	if (u->bad || u->at == u->end)
		return false;
	u->bad = !next_field(u);
	return !u->bad;
}

uint64_t unpack_u64(const struct unpack *u)
{
	return u->number;
}

int64_t unpack_i64(const struct unpack *u)
{
	uint64_t half = u->number >> 1;

	return u->number & 1 ? -(int64_t)half - 1 : (int64_t)half;
}

char *unpack_str(const struct unpack *u)
{
	return mem_strn((const char *)u->bytes, u->len);
}

bool unpack_end(const struct unpack *u, struct error *err)
{
	return !u->bad || error_set(err, ERROR_DAMAGED, "a record has a broken field after tag %u", u->tag);
}
