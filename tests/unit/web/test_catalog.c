/* SPDX-License-Identifier: ISC */
/* The list of what is configured: the same as the whole configurations, and read once for each publication. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "seed.h"
#include "web/catalog.h"

static char dir[] = "/tmp/upbeat-catalog-XXXXXX";
static struct state *book;

static int start(void **state)
{
	struct error err = {0};

	(void)state;
	if (!mkdtemp(dir) || !seed_store(dir, SEED_PLAIN, clock_wall_us(), 0, &err))
		return -1;
	book = state_open(dir, STORE_WRITE, &err);
	return book ? 0 : -1;
}

static int finish(void **state)
{
	static const char *const files[] = {
		"/state/data.mdb", "/state/lock.mdb", "/state", "/inbox/data.mdb", "/inbox/lock.mdb", "/inbox", ""};

	(void)state;
	state_close(book);
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		struct text path = TEXT_INIT;

		text_raw(&path, dir);
		text_raw(&path, files[i]);
		if (unlink(path.ptr) != 0)
			rmdir(path.ptr);
		text_free(&path);
	}
	return 0;
}

struct comparing {
	const struct listed_monitor *list;
	size_t n, at;
};

static bool compare_one(void *arg, const struct monitor *m)
{
	struct comparing *c = arg;
	const struct listed_monitor *listed = &c->list[c->at++];

	assert_true(c->at <= c->n);
	assert_int_equal(listed->id, m->id);
	assert_string_equal(listed->slug, m->slug);
	assert_string_equal(listed->type, m->type);
	assert_string_equal(listed->name, m->name);
	assert_string_equal(listed->group, m->group);
	assert_int_equal(listed->is_public, m->is_public);
	assert_int_equal(listed->interval_ms, m->interval_ms);
	assert_int_equal(listed->tag_count, m->tag_count);
	for (size_t i = 0; i < m->tag_count; i++)
		assert_string_equal(listed->tags[i], m->tags[i]);
	assert_int_equal(listed->maintenance_count, m->maintenance_count);
	for (size_t i = 0; i < m->maintenance_count; i++)
		assert_string_equal(listed->maintenance[i], m->maintenance[i]);
	return true;
}

static void the_listing_says_what_the_monitors_say(void **state)
{
	struct error err = {0};
	struct state_txn *txn = state_begin(book, false, &err);
	struct comparing c = {NULL, 0, 0};
	struct listed_monitor *list = NULL;

	(void)state;
	assert_true(state_listing(txn, &list, &c.n, &err));
	c.list = list;
	assert_true(state_monitor_scan(txn, compare_one, &c, &err));
	assert_int_equal(c.at, c.n);
	listed_free(list, c.n);
	state_end(txn);
}

static void a_catalog_is_kept_until_the_next_publication(void **state)
{
	struct error err = {0};
	struct state_txn *txn = state_begin(book, false, &err);
	const struct catalog *first = catalog_get(book, txn, &err), *second = catalog_get(book, txn, &err), *third;
	struct seed seed;

	(void)state;
	assert_non_null(first);
	assert_ptr_equal(first, second);
	assert_int_equal(first->count, 12);
	assert_string_equal(catalog_by_id(first, first->monitors[3].id)->slug, first->monitors[3].slug);
	assert_null(catalog_by_id(first, 100000));
	state_end(txn);

	seed_build(&seed, SEED_EMPTY, clock_wall_us(), 0);
	txn = state_begin(book, true, &err);
	assert_true(state_publish(txn, &seed.publication, &err));
	assert_true(state_commit(txn, &err));
	txn = state_begin(book, false, &err);
	third = catalog_get(book, txn, &err);
	assert_non_null(third);
	assert_int_equal(third->count, 0);
	assert_string_equal(first->monitors[0].slug, "shop"); /* who still holds the old one may read it */
	state_end(txn);
	catalog_release(first);
	catalog_release(second);
	catalog_release(third);
	seed_clear(&seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_listing_says_what_the_monitors_say),
		cmocka_unit_test(a_catalog_is_kept_until_the_next_publication),
	};
	return cmocka_run_group_tests(tests, start, finish);
}
