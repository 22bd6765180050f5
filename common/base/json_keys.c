/* SPDX-License-Identifier: ISC */
/*
 * json_keys: has this name stood in this object before? See json_private.h.
 *
 * One hash table for the whole text. Each object gets a number of its own, which goes into the hash and the
 * comparison, so that closing an object costs nothing. The hash is SipHash-1-3 with a random key: whoever
 * writes the text cannot choose names that collide. Names are compared as decoded: "a" and "\u0061" are the
 * same.
 */
#include "base/json_private.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sign.h"

struct slot {
	uint64_t hash;
	uint32_t object;   /* 0: free */
	size_t start, end; /* the token in the text */
};

struct json_keys {
	struct slot *slots;
	size_t used, size; /* size is a power of two, at least twice used */
	uint32_t objects;  /* numbers given out */
	uint32_t open[JSON_MAX_DEPTH + 1];
};

enum { FIRST_SIZE = 16 };

/* ---- SipHash-1-3 ------------------------------------------------------------------------------------- */

static uint64_t seed[2];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed_draw(void)
{
	sign_random(seed, sizeof(seed));
}

static uint64_t rotate_left(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate_left(v[1], 13) ^ v[0];
	v[3] = rotate_left(v[3], 16) ^ v[2];
	v[0] = rotate_left(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate_left(v[1], 17) ^ v[2];
	v[3] = rotate_left(v[3], 21) ^ v[0];
	v[2] = rotate_left(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

static uint64_t name_hash(uint32_t object, const char *name, size_t n)
{
	uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d,
		seed[0] ^ 0x6c7967656e657261, seed[1] ^ 0x7465646279746573};
	uint64_t word;

	sip_word(v, (uint64_t)object << 32 | (n & 0xffffffff));
	for (; n >= 8; n -= 8, name += 8) {
		memcpy(&word, name, 8);
		sip_word(v, word);
	}
	word = 0;
	if (n)
		memcpy(&word, name, n);
	sip_word(v, word);
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- names ------------------------------------------------------------------------------------------- */

/* A token's decoded bytes: in the text itself unless it has escapes. */
struct name {
	const char *bytes;
	size_t n;
	struct text decoded;
};

static struct name name_of(const char *text, size_t start, size_t end)
{
	struct name name = {text + start + 1, end - start - 2, TEXT_INIT};

	if (!memchr(name.bytes, '\\', name.n))
		return name;
	json_decode(text, start, end, &name.decoded);
	name.bytes = text_str(&name.decoded);
	name.n = name.decoded.len;
	return name;
}

static bool is_name(const char *text, const struct slot *slot, const struct name *name)
{
	struct name other = name_of(text, slot->start, slot->end);
	bool same = other.n == name->n && memcmp(other.bytes, name->bytes, name->n) == 0;

	text_free(&other.decoded);
	return same;
}

/* ---- the table --------------------------------------------------------------------------------------- */

struct json_keys *json_keys_new(void)
{
	struct json_keys *keys = MEM_NEW(struct json_keys);

	pthread_once(&seed_once, seed_draw);
	keys->size = FIRST_SIZE;
	keys->slots = mem_array(keys->size, sizeof(*keys->slots));
	return keys;
}

void json_keys_free(struct json_keys *keys)
{
	if (!keys)
		return;
	free(keys->slots);
	free(keys);
}

void json_keys_open(struct json_keys *keys, unsigned depth)
{
	keys->open[depth] = ++keys->objects;
}

static void grow(struct json_keys *keys)
{
	struct slot *old = keys->slots;
	size_t old_size = keys->size;

	keys->size *= 2;
	keys->slots = mem_array(keys->size, sizeof(*keys->slots));
	for (size_t i = 0; i < old_size; i++) {
		size_t at = old[i].hash & (keys->size - 1);

		if (!old[i].object)
			continue;
		while (keys->slots[at].object)
			at = (at + 1) & (keys->size - 1);
		keys->slots[at] = old[i];
	}
	free(old);
}

/* Where it is, or the free slot where it belongs. */
static struct slot *find(struct json_keys *keys, const char *text, uint32_t object, const struct name *name,
	uint64_t hash)
{
	size_t at = hash & (keys->size - 1);

	for (; keys->slots[at].object; at = (at + 1) & (keys->size - 1)) {
		const struct slot *slot = &keys->slots[at];

		if (slot->hash == hash && slot->object == object && is_name(text, slot, name))
			break;
	}
	return &keys->slots[at];
}

bool json_keys_add(struct json_keys *keys, unsigned depth, const char *text, size_t start, size_t end)
{
	uint32_t object = keys->open[depth];
	struct name name = name_of(text, start, end);
	uint64_t hash = name_hash(object, name.bytes, name.n);
	struct slot *slot;
	bool is_new;

	if (keys->used * 2 >= keys->size)
		grow(keys);
	slot = find(keys, text, object, &name, hash);
	is_new = slot->object == 0;
	if (is_new) {
		*slot = (struct slot){hash, object, start, end};
		keys->used++;
	}
	text_free(&name.decoded);
	return is_new;
}
