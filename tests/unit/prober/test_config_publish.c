/* SPDX-License-Identifier: ISC */
/*
 * config_publish: what a pass finds in the state after each change of the files, with real books.
 *
 * The clock runs an hour ahead of the file system here, so that no file looks as if it had just changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "prober/config/config.h"
#include "prober/privates.h"

#define ONE "{\"store\": \"books\", \"include\": \"conf.d/*.json\", \"channels\": {\"ops\": {\"type\": \"slack\", " \
	"\"webhook\": \"file:slack.url\"}}, \"monitors\": {\"a\": {\"type\": \"heartbeat\", \"secret\": \"1\", " \
	"\"notify\": \"ops\"}%s}}"

struct fixture {
	char dir[40], *path, *store;
	struct state *state;
};

static void put(const struct fixture *f, const char *name, const char *content)
{
	char *path = file_join(f->dir, name);

	assert_true(file_write_atomic(path, content, strlen(content), 0600, NULL));
	free(path);
}

static void put_main(const struct fixture *f, const char *more)
{
	struct text t = TEXT_INIT;

	text_printf(&t, ONE, more);
	put(f, "upbeat.json", text_str(&t));
	text_free(&t);
}

/* One refresh; what it wrote to stderr comes back. */
static char *refresh(struct fixture *f, bool want_ok, bool want_changed)
{
	struct text said = TEXT_INIT;
	struct error err = {0};
	struct config_news news;
	bool good;
	char *log = file_join(f->dir, "stderr");
	int saved = dup(2), fd = open(log, O_RDWR | O_CREAT | O_TRUNC, 0600);

	fflush(stderr);
	dup2(fd, 2);
	good = config_refresh(f->state, f->path, f->store, &news, &err);
	fflush(stderr);
	dup2(saved, 2);
	close(saved);
	close(fd);
	if (!good)
		fail_msg("%s", err.text);
	assert_int_equal(news.ok, want_ok);
	assert_int_equal(news.changed, want_changed);
	assert_true(file_read(log, 1 << 20, &said, NULL));
	free(log);
	return text_take(&said);
}

static void refresh_quiet(struct fixture *f, bool want_ok, bool want_changed)
{
	char *said = refresh(f, want_ok, want_changed);

	assert_string_equal(said ? said : "", "");
	free(said);
}

static bool count_one(void *arg, const struct monitor *monitor)
{
	(void)monitor;
	++*(size_t *)arg;
	return true;
}

static size_t published(struct fixture *f)
{
	struct state_txn *txn = state_begin(f->state, false, NULL);
	size_t n = 0;

	assert_true(state_monitor_scan(txn, count_one, &n, NULL));
	state_end(txn);
	return n;
}

static uint64_t transaction(struct fixture *f)
{
	struct store_figures figures;

	assert_true(state_figures(f->state, &figures, NULL));
	return figures.transaction;
}

static size_t stored_problems(struct fixture *f)
{
	struct state_txn *txn = state_begin(f->state, false, NULL);
	struct problem *problems;
	size_t n;

	assert_true(state_problems(txn, &problems, &n, NULL));
	state_end(txn);
	for (size_t i = 0; i < n; i++)
		problem_clear(&problems[i]);
	free(problems);
	return n;
}

/* The files in private/: how many, and whether only we may read them. */
static size_t private_files(const struct fixture *f)
{
	char *dir_path = file_join(f->store, "private");
	DIR *dir = opendir(dir_path);
	struct dirent *entry;
	struct stat st;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.') {
			assert_int_equal(fstatat(dirfd(dir), entry->d_name, &st, 0), 0);
			assert_int_equal(st.st_mode & 07777, 0600);
			n++;
		}
	assert_int_equal(fstat(dirfd(dir), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	closedir(dir);
	free(dir_path);
	return n;
}

static void the_first_reading_publishes(void **state)
{
	struct fixture *f = *state;
	struct privates privates;
	const cJSON *ops;

	refresh_quiet(f, true, true);
	assert_int_equal(published(f), 1);
	assert_int_equal(private_files(f), 1);
	assert_true(privates_read(f->state, f->store, &privates, NULL));
	ops = cJSON_GetObjectItemCaseSensitive(
		cJSON_GetObjectItemCaseSensitive(privates.json, "channels"), "ops");
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(ops, "webhook")),
		"https://example.com/1");
	privates_free(&privates);
}

/* Who shares the store may have renamed our directory and put another there, or a link. */
static void secrets_that_another_wrote_are_not_believed(void **state)
{
	struct fixture *f = *state;
	struct privates privates;
	struct error err = {0};
	char *dir = file_join(f->store, "private"), *away = file_join(f->store, "away"), *path, *fingerprint = NULL;
	struct state_txn *txn;

	refresh_quiet(f, true, true);
	txn = state_begin(f->state, false, NULL);
	assert_true(txn && state_fingerprint(txn, &fingerprint, NULL));
	state_end(txn);
	assert_int_equal(chmod(f->store, 02770), 0);
	assert_true(privates_there(f->store, fingerprint));
	assert_int_equal(rename(dir, away), 0);
	assert_int_equal(symlink("away", dir), 0);
	privates_tidy(f->store, "none");
	assert_true(privates_there(f->store, fingerprint));
	path = file_join(away, fingerprint);
	path = mem_grow(path, strlen(path) + sizeof(".json"), 1);
	memcpy(path + strlen(path), ".json", sizeof(".json"));
	assert_int_equal(chmod(path, 0660), 0);
	assert_false(privates_there(f->store, fingerprint));
	assert_false(privates_read(f->state, f->store, &privates, &err));
	assert_int_equal(err.kind, ERROR_DENIED);
	free(path);
	free(fingerprint);
	free(away);
	free(dir);
}

static void nothing_changed_writes_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t before;

	refresh_quiet(f, true, true);
	before = transaction(f);
	refresh_quiet(f, true, false);
	assert_int_equal(transaction(f), before);
}

static void every_kind_of_change_is_noticed(void **state)
{
	struct fixture *f = *state;

	refresh_quiet(f, true, true);
	put_main(f, ", \"b\": {\"type\": \"heartbeat\", \"secret\": \"2\"}");
	refresh_quiet(f, true, true);
	assert_int_equal(published(f), 2);
	put(f, "slack.url", "https://example.com/2");
	refresh_quiet(f, true, true);
	put(f, "conf.d/new.json", "{\"monitors\": {\"c\": {\"type\": \"heartbeat\", \"secret\": \"env:UPBEAT_TEST_C\"}}}");
	refresh_quiet(f, true, true);
	assert_int_equal(published(f), 3);
	setenv("UPBEAT_TEST_C", "other", 1);
	refresh_quiet(f, true, true);
	assert_int_equal(private_files(f), 1);
	refresh_quiet(f, true, false);
}

static void the_same_content_again_is_no_change(void **state)
{
	struct fixture *f = *state;

	refresh_quiet(f, true, true);
	put_main(f, "");
	refresh_quiet(f, true, false);
}

static void a_broken_file_leaves_the_last_good_one_and_is_told_once(void **state)
{
	struct fixture *f = *state;
	char *said;

	refresh_quiet(f, true, true);
	put_main(f, ", \"b\": {\"type\": \"heartbaet\"}");
	said = refresh(f, false, false);
	assert_non_null(strstr(said, "did you mean \"heartbeat\"?"));
	free(said);
	assert_int_equal(published(f), 1);
	assert_int_equal(stored_problems(f), 1);
	refresh_quiet(f, false, false);
	put(f, "upbeat.json", "{");
	said = refresh(f, false, false);
	assert_non_null(strstr(said, "upbeat.json:1:2: "));
	free(said);
	put_main(f, "");
	refresh_quiet(f, true, false);
	assert_int_equal(stored_problems(f), 0);
	assert_int_equal(published(f), 1);
	assert_int_equal(private_files(f), 1);
}

static bool count_notice(void *arg, const struct notice *notice)
{
	assert_string_equal(notice->channel, "ops");
	assert_int_equal(notice->event, EVENT_DIGEST);
	++*(size_t *)arg;
	return true;
}

static size_t waiting_notices(struct fixture *f)
{
	struct state_txn *txn = state_begin(f->state, false, NULL);
	size_t n = 0;

	assert_true(state_notice_scan(txn, 0, count_notice, &n, NULL));
	state_end(txn);
	return n;
}

static void the_last_good_channels_are_told_of_it_and_of_its_end(void **state)
{
	struct fixture *f = *state;

	refresh_quiet(f, true, true);
	assert_int_equal(waiting_notices(f), 0);
	put_main(f, ", \"b\": 1");
	free(refresh(f, false, false));
	assert_int_equal(waiting_notices(f), 1);
	free(refresh(f, false, false));
	assert_int_equal(waiting_notices(f), 1);
	put_main(f, "");
	refresh_quiet(f, true, false);
	assert_int_equal(waiting_notices(f), 2);
}

static void without_its_secrets_file_it_is_published_anew(void **state)
{
	struct fixture *f = *state;
	char *command_dir = file_join(f->store, "private");
	DIR *dir;
	struct dirent *entry;

	refresh_quiet(f, true, true);
	dir = opendir(command_dir);
	while ((entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	free(command_dir);
	refresh_quiet(f, true, true);
	assert_int_equal(private_files(f), 1);
}

static void secrets_of_channels_are_in_no_book(void **state)
{
	struct fixture *f = *state;
	char *data = file_join(f->store, "state/data.mdb");
	struct text book = TEXT_INIT;

	put(f, "slack.url", "https://example.com/canary-of-a-channel");
	refresh_quiet(f, true, true);
	assert_true(file_read(data, 64u << 20, &book, NULL));
	assert_null(memmem(book.ptr, book.len, "canary-of-a-channel", 19));
	assert_non_null(memmem(book.ptr, book.len, "upbeat.json", 11));
	text_free(&book);
	free(data);
}

/* ---- fixture */

static int setup(void **state)
{
	struct fixture *f = MEM_NEW(struct fixture);
	char *sub;
	struct error err = {0};

	memcpy(f->dir, "/tmp/upbeat-publish-XXXXXX", sizeof("/tmp/upbeat-publish-XXXXXX"));
	if (!mkdtemp(f->dir))
		return 1;
	f->path = file_join(f->dir, "upbeat.json");
	f->store = file_join(f->dir, "books");
	sub = file_join(f->dir, "conf.d");
	mkdir(sub, 0700);
	free(sub);
	setenv("UPBEAT_TEST_C", "3", 1);
	put(f, "slack.url", "https://example.com/1");
	put_main(f, "");
	if (!store_prepare(f->store, &err) || !(f->state = state_open(f->store, STORE_CREATE, &err)))
		return 1;
	*state = f;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	state_close(f->state);
	nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f->path);
	free(f->store);
	free(f);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_reading_publishes),
		TEST(secrets_that_another_wrote_are_not_believed),
		TEST(nothing_changed_writes_nothing),
		TEST(every_kind_of_change_is_noticed),
		TEST(the_same_content_again_is_no_change),
		TEST(a_broken_file_leaves_the_last_good_one_and_is_told_once),
		TEST(the_last_good_channels_are_told_of_it_and_of_its_end),
		TEST(without_its_secrets_file_it_is_published_anew),
		TEST(secrets_of_channels_are_in_no_book),
	};

	setenv("UPBEAT_TESTING", "1", 1);
	setenv("UPBEAT_CLOCK_OFFSET_MS", "3600000", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
