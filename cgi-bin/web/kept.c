/* SPDX-License-Identifier: ISC */
/* kept: a ring of pages. */
#include "web/kept.h"

#include <pthread.h>
#include <string.h>

#define PAGES 8
#define PAGE_MAX (1024 * 1024) /* larger ones are not worth their room */

static struct {
	pthread_mutex_t lock;
	struct {
		uint8_t key[SHA256_BYTES];
		struct text page;
	} pages[PAGES];
	size_t next;
} ring = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool kept_get(const uint8_t key[SHA256_BYTES], struct text *out)
{
	bool found = false;

	pthread_mutex_lock(&ring.lock);
	for (size_t i = 0; i < PAGES && !found; i++) {
		found = ring.pages[i].page.len && memcmp(ring.pages[i].key, key, SHA256_BYTES) == 0;
		if (found)
			text_rawn(out, ring.pages[i].page.ptr, ring.pages[i].page.len);
	}
	pthread_mutex_unlock(&ring.lock);
	return found;
}

void kept_put(const uint8_t key[SHA256_BYTES], const struct text *page)
{
	if (page->len == 0 || page->len > PAGE_MAX)
		return;
	pthread_mutex_lock(&ring.lock);
	memcpy(ring.pages[ring.next].key, key, SHA256_BYTES);
	text_clear(&ring.pages[ring.next].page);
	text_rawn(&ring.pages[ring.next].page, page->ptr, page->len);
	ring.next = (ring.next + 1) % PAGES;
	pthread_mutex_unlock(&ring.lock);
}
