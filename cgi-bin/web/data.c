/* SPDX-License-Identifier: ISC */
/*
 * data: the fields that a template shows. All of a page's fields live in one arena and go at once, because a
 * page of 200 rows has thousands of them.
 */
#include "web/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CHUNK_BYTES (32 * 1024)
#define ALIGNMENT sizeof(void *)

struct chunk {
	struct chunk *older;
	size_t used, size;
	char bytes[];
};
struct arena {
	struct chunk *newest;
};

static void *arena_take(struct arena *arena, size_t size)
{
	struct chunk *chunk = arena->newest;
	void *taken;

	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;

		chunk = mem_alloc(sizeof(*chunk) + room);
		chunk->size = room;
		chunk->older = arena->newest;
		arena->newest = chunk;
	}
	taken = chunk->bytes + chunk->used;
	chunk->used += size;
	return taken; /* zeroed: chunks are, and nothing is given twice */
}

struct data *data_new(void)
{
	struct arena *arena = MEM_NEW(struct arena);
	struct data *root = arena_take(arena, sizeof(*root));

	root->arena = arena;
	return root;
}

void data_free(struct data *root)
{
	struct arena *arena;

	if (!root)
		return;
	arena = root->arena;
	for (struct chunk *chunk = arena->newest, *older; chunk; chunk = older) {
		older = chunk->older;
		free(chunk);
	}
	free(arena);
}

/* A new field, before the older ones: so the newest of a name is found first. */
static struct data_field *add_field(struct data *d, const char *name)
{
	struct data_field *field = arena_take(d->arena, sizeof(*field));

	field->name = name;
	field->text = "";
	field->next = d->fields;
	d->fields = field;
	return field;
}

static struct data_field *add_text(struct data *d, const char *name, const char *value, size_t len)
{
	struct data_field *field = add_field(d, name);
	char *copy = arena_take(d->arena, len + 1);

	memcpy(copy, value, len);
	copy[len] = '\0';
	field->text = copy;
	field->len = len;
	field->on = len > 0;
	return field;
}

void data_text(struct data *d, const char *name, const char *value)
{
	if (value)
		add_text(d, name, value, strlen(value));
	else
		add_field(d, name);
}

void data_printf(struct data *d, const char *name, const char *format, ...)
{
	struct text t = TEXT_INIT;
	va_list ap;

	va_start(ap, format);
	text_vprintf(&t, format, ap);
	va_end(ap);
	add_text(d, name, text_str(&t), t.len);
	text_free(&t);
}

void data_markup(struct data *d, const char *name, struct text *markup)
{
	add_text(d, name, text_str(markup), markup->len)->markup = true;
	text_clear(markup);
}

void data_flag(struct data *d, const char *name, bool on)
{
	add_field(d, name)->on = on;
}

struct data *data_item(struct data *d, const char *list)
{
	struct data_field *field = d->fields;
	struct data *item = arena_take(d->arena, sizeof(*item));

	while (field && !(field->is_list && strcmp(field->name, list) == 0))
		field = field->next;
	if (!field) {
		field = add_field(d, list);
		field->is_list = true;
	}
	item->arena = d->arena;
	item->parent = d;
	if (field->last)
		field->last->next = item;
	else
		field->first = item;
	field->last = item;
	return item;
}

const struct data_field *data_find(const struct data *d, const char *name)
{
	for (; d; d = d->parent)
		for (const struct data_field *field = d->fields; field; field = field->next)
			if (field->name[0] == name[0] && strcmp(field->name, name) == 0)
				return field;
	return NULL;
}
