/* SPDX-License-Identifier: ISC */
/*
 * pack_crc: CRC-32C (Castagnoli), eight bytes a step.
 *
 * The tables are constants: they cost a plain CGI request nothing. A CRC is linear, so an entry is the sum
 * (xor) of the entries of its bits, and 64 numbers make all eight tables: bit j of table k is the polynomial
 * after 8k + 7 - j zero bits more. A test checks the whole against the definition, bit by bit.
 */
#include "base/pack.h"

#define SUM(i, b0, b1, b2, b3, b4, b5, b6, b7)                                                    \
	((((i) & 1) ? (b0) : 0u) ^ (((i) & 2) ? (b1) : 0u) ^ (((i) & 4) ? (b2) : 0u) ^            \
		(((i) & 8) ? (b3) : 0u) ^ (((i) & 16) ? (b4) : 0u) ^ (((i) & 32) ? (b5) : 0u) ^   \
		(((i) & 64) ? (b6) : 0u) ^ (((i) & 128) ? (b7) : 0u))
#define ROW4(i, ...) \
	SUM(i, __VA_ARGS__), SUM((i) + 1, __VA_ARGS__), SUM((i) + 2, __VA_ARGS__), SUM((i) + 3, __VA_ARGS__)
#define ROW16(i, ...) \
	ROW4(i, __VA_ARGS__), ROW4((i) + 4, __VA_ARGS__), ROW4((i) + 8, __VA_ARGS__), ROW4((i) + 12, __VA_ARGS__)
#define ROW64(i, ...)                                                                             \
	ROW16(i, __VA_ARGS__), ROW16((i) + 16, __VA_ARGS__), ROW16((i) + 32, __VA_ARGS__),        \
		ROW16((i) + 48, __VA_ARGS__)
#define TABLE(...)                                                                                \
	{ROW64(0, __VA_ARGS__), ROW64(64, __VA_ARGS__), ROW64(128, __VA_ARGS__), ROW64(192, __VA_ARGS__)}

/* table[k][b]: what byte b does to the checksum when k more bytes follow it in the step. */
static const uint32_t table[8][256] = {
	TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf,
		0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
	TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8,
		0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
	TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5,
		0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
	TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6,
		0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
	TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91,
		0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
	TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f,
		0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
	TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53,
		0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
	TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da,
		0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};

static uint32_t load_u32(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static uint32_t step8(uint32_t crc, const uint8_t *b)
{
	uint32_t low = crc ^ load_u32(b), high = load_u32(b + 4);

	return table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^ table[4][low >> 24] ^
		table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^ table[1][high >> 16 & 0xff] ^
		table[0][high >> 24];
}

uint32_t pack_crc32c(uint32_t crc, const void *bytes, size_t n)
{
	const uint8_t *b = bytes;

	crc = ~crc;
	for (; n >= 8; n -= 8, b += 8)
		crc = step8(crc, b);
	for (; n > 0; n--, b++)
		crc = crc >> 8 ^ table[0][(crc ^ *b) & 0xff];
	return ~crc;
}
