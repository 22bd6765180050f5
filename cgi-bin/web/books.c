/* SPDX-License-Identifier: ISC */
/*
 * The books that a process has open. See books.h.
 *
 * Locks: `use` is held for reading by every request that may touch a book, and for writing while one is let
 * go; it is only tried for writing, because a request may hold it for as long as its body takes. `opening`
 * makes first use happen once. What becomes of a book while it is open (replaced by a copy, grown, failed)
 * is the store's own care.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/copies.h"
#include "web/books.h"
#include "web/walls.h"

#define DEFAULT_STORE "/var/lib/upbeat"
#define STORE_FILE "upbeat.store"
#define DAMAGED_MARK "inbox/damaged"
#define LOG_BYTES (1024 * 1024)
#define LOOK_AGAIN_US (1 * US_PER_S)
#define URL_AGAIN_US (US_PER_S / 2)
#define BINARY_AGAIN_US (US_PER_S / 5)

struct web {
	struct web *next;
	char *dir;
	pthread_rwlock_t use;
	pthread_mutex_t opening;
	struct state *state;
	struct inbox *inbox;
	bool inbox_read_only;
	bool condemned;    /* the inbox is damaged, and is not to be touched; atomic */
	bool writes;       /* plain CGI: this one request may want to write */
	char *site_url;    /* as last read, or NULL */
	int64_t url_us;    /* when that was; 0 never */
	int64_t looked_us; /* when an inbox that could only be read was last let go */
};

static struct {
	pthread_mutex_t lock;
	struct web *first;
	bool one_request;
	char *exe; /* where our binary was when we started, or NULL */
	struct stat exe_stat;
	const char *programs[4]; /* names of it, NULL-terminated */
	char *beside;            /* the store that `upbeat.store` names, or NULL */
} process = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- the binary */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static void find_binary(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return;
	path[n] = '\0';
	process.exe = mem_str(path);
}

/* The first line of the file beside the binary: what is left to say where the store is when suexec has
   dropped the environment. Read only when nothing else says it. */
static const char *store_beside_binary(void)
{
	struct text line = TEXT_INIT;
	char *dir, *path;
	size_t n;

	if (process.exe == NULL)
		find_binary();
	if (process.beside != NULL || process.exe == NULL)
		return process.beside;
	dir = file_dir(process.exe);
	path = file_join(dir, STORE_FILE);
	if (file_read(path, 4096, &line, NULL)) {
		n = strcspn(text_str(&line), "\r\n");
		while (n > 0 && (line.ptr[n - 1] == ' ' || line.ptr[n - 1] == '\t'))
			n--;
		if (n > 0)
			process.beside = mem_strn(line.ptr, n);
	}
	text_free(&line);
	free(path);
	free(dir);
	return process.beside;
}

void web_start(const char *argv0, bool one_request)
{
	process.one_request = one_request;
	process.programs[0] = "upbeat.fcgi";
	process.programs[1] = argv0 != NULL ? base_name(argv0) : NULL;
	if (one_request)
		return; /* who starts us for one request names us by our file */
	find_binary();
	if (process.exe != NULL && stat("/proc/self/exe", &process.exe_stat) == 0) {
		process.programs[2] = base_name(process.exe);
	} else {
		free(process.exe);
		process.exe = NULL;
	}
}

const char *const *web_programs(void)
{
	return process.programs;
}

bool web_binary_replaced(void)
{
	static int64_t looked_us;
	struct stat now;
	const struct stat *then = &process.exe_stat;
	int64_t now_us = clock_mono_us();

	if (now_us - __atomic_load_n(&looked_us, __ATOMIC_RELAXED) < BINARY_AGAIN_US)
		return false;
	__atomic_store_n(&looked_us, now_us, __ATOMIC_RELAXED);
	if (process.exe == NULL || stat(process.exe, &now) != 0 || now.st_size == 0)
		return false; /* gone, or not there yet: nobody would take our place */
	return now.st_ino != then->st_ino || now.st_dev != then->st_dev || now.st_mtime != then->st_mtime ||
	       now.st_size != then->st_size;
}

/* ---- finding the store */

static struct web *web_new(const char *dir)
{
	struct web *web = MEM_NEW(struct web);
	char *log_path;

	web->dir = mem_str(dir);
	pthread_rwlock_init(&web->use, NULL);
	pthread_mutex_init(&web->opening, NULL);
	if (walls_stand() && !walls_include(dir)) {
		log_limited("store", "%s is out of this process's reach: name it in UPBEAT_STORES", dir);
		return web;
	}
	log_path = file_join(dir, "inbox/web.log");
	log_open("web", log_path, LOG_BYTES, true);
	free(log_path);
	return web;
}

struct web *web_for(char **env)
{
	const char *dir = env_get_redirected(env, "UPBEAT_STORE");
	struct web *web;

	if (dir == NULL || *dir == '\0')
		dir = getenv("UPBEAT_STORE"); /* of the process: no request sets it */
	pthread_mutex_lock(&process.lock);
	if (dir == NULL || *dir == '\0')
		dir = store_beside_binary();
	if (dir == NULL || *dir == '\0')
		dir = DEFAULT_STORE;
	for (web = process.first; web != NULL && strcmp(web->dir, dir) != 0; web = web->next)
		;
	if (web == NULL) {
		web = web_new(dir);
		web->next = process.first;
		process.first = web;
	}
	pthread_mutex_unlock(&process.lock);
	return web;
}

const char *web_directory(const struct web *web)
{
	return web->dir;
}

/* ---- the books */

struct state *web_state(struct web *web, struct error *err)
{
	struct state *state;

	pthread_mutex_lock(&web->opening);
	if (web->state == NULL)
		web->state = state_open(web->dir, STORE_READ, err);
	state = web->state;
	pthread_mutex_unlock(&web->opening);
	return state;
}

/* Behind walls nothing can be put in the place of a book: the next process does it, before it raises its own.
   Which file is meant stands in a file beside it, and goes with it. */
static void leave_to_next(struct web *web)
{
	struct text id = TEXT_INIT;
	char *mark = file_join(web->dir, DAMAGED_MARK);

	text_printf(&id, "%" PRIu64, inbox_file_id(web->dir));
	file_write_atomic(mark, id.ptr, id.len, 0660, NULL);
	walls_give_way();
	free(mark);
	text_free(&id);
}

static bool mend_inbox(struct web *web, uint64_t file, struct error *err)
{
	if (!walls_stand())
		return inbox_mend(web->dir, file, clock_wall_us() / US_PER_S, err);
	leave_to_next(web);
	return error_set(err, ERROR_TEMPORARY, "it is mended when this process has made room for another");
}

/* A request that only reads must get its answer where we may not write; a plain CGI one need not try. */
static void open_inbox(struct web *web, enum store_mode mode, struct error *err)
{
	uint64_t file = inbox_file_id(web->dir);

	web->inbox_read_only = mode == STORE_READ;
	web->inbox = inbox_open(web->dir, mode, err);
	if (web->inbox == NULL && err->kind == ERROR_DAMAGED && mend_inbox(web, file, err))
		web->inbox = inbox_open(web->dir, mode == STORE_READ ? mode : STORE_CREATE, err);
	if (web->inbox == NULL && mode == STORE_WRITE && err->kind != ERROR_MISSING) {
		web->inbox_read_only = true;
		web->inbox = inbox_open(web->dir, STORE_READ, err);
	}
}

static bool is_condemned(struct web *web, struct error *err)
{
	if (!__atomic_load_n(&web->condemned, __ATOMIC_RELAXED))
		return false;
	error_set(err, ERROR_TEMPORARY, "the inbox is damaged, and is mended in a moment");
	return true;
}

struct inbox *web_inbox(struct web *web, struct error *err)
{
	struct inbox *inbox;

	if (is_condemned(web, err))
		return NULL;
	pthread_mutex_lock(&web->opening);
	if (web->inbox == NULL)
		open_inbox(web, process.one_request && !web->writes ? STORE_READ : STORE_WRITE, err);
	inbox = web->inbox;
	pthread_mutex_unlock(&web->opening);
	return inbox;
}

struct inbox *web_inbox_writable(struct web *web, struct error *err)
{
	struct inbox *inbox = NULL;

	if (is_condemned(web, err))
		return NULL;
	pthread_mutex_lock(&web->opening);
	if (web->inbox == NULL)
		open_inbox(web, STORE_CREATE, err);
	if (web->inbox != NULL && web->inbox_read_only)
		error_set(err, ERROR_DENIED, "%s/inbox cannot be written", web->dir);
	else
		inbox = web->inbox;
	pthread_mutex_unlock(&web->opening);
	return inbox;
}

/* The prober examines our book in a child of its own, because reading a damaged one may end who does. What it
   found is heeded before the book is touched. */
static void heed_damage(struct web *web, const char *note)
{
	struct error err;
	uint64_t file;

	if (note == NULL || !text_to_u64(note, &file) || file == 0 || inbox_file_id(web->dir) != file)
		return;
	if (mend_inbox(web, file, &err))
		return;
	log_limited("mend", "the inbox is damaged: %s", err.text);
	__atomic_store_n(&web->condemned, walls_stand(), __ATOMIC_RELAXED);
}

/* Left by a process that could not mend it. Only asked before there are walls. */
static void heed_mark(struct web *web)
{
	struct text id = TEXT_INIT;
	char *mark;

	if (walls_stand())
		return;
	mark = file_join(web->dir, DAMAGED_MARK);
	if (file_read(mark, 32, &id, NULL))
		heed_damage(web, text_str(&id));
	text_free(&id);
	free(mark);
}

static char *read_site_url(struct web *web)
{
	struct error err = {ERROR_NONE, ""};
	struct state *state = web_state(web, &err);
	struct state_txn *txn = state != NULL ? state_begin(state, false, &err) : NULL;
	struct site site;
	char *url = NULL, *damaged = NULL;

	memset(&site, 0, sizeof(site));
	if (txn != NULL && state_site(txn, &site, &err)) {
		url = site.url;
		site.url = NULL;
	}
	if (txn != NULL)
		state_note_get(txn, STATE_NOTE_INBOX_DAMAGED, &damaged, NULL);
	state_end(txn);
	site_clear(&site);
	heed_damage(web, damaged);
	heed_mark(web);
	free(damaged);
	return url;
}

/* Every request asks for it and it hardly ever changes: a process with many requests reads it twice a
   second, one of a single request once. */
char *web_site_url(struct web *web)
{
	int64_t now_us = clock_mono_us();
	char *url;

	pthread_mutex_lock(&web->opening);
	if (web->url_us != 0 &&
		(process.one_request || (web->site_url != NULL && now_us - web->url_us < URL_AGAIN_US))) {
		url = mem_str(web->site_url);
		pthread_mutex_unlock(&web->opening);
		return url;
	}
	pthread_mutex_unlock(&web->opening);
	url = read_site_url(web);
	pthread_mutex_lock(&web->opening);
	free(web->site_url);
	web->site_url = mem_str(url);
	web->url_us = now_us;
	pthread_mutex_unlock(&web->opening);
	return url;
}

void web_let_go(struct web *web)
{
	inbox_close(web->inbox);
	state_close(web->state);
	web->inbox = NULL;
	web->state = NULL;
}

/* An inbox that could only be read is let go once a second as a request comes: it may be writable by now. */
static void let_go_of_read_only(struct web *web)
{
	int64_t now_us = clock_mono_us();

	if (pthread_rwlock_trywrlock(&web->use) != 0)
		return;
	if (web->inbox_read_only && now_us - web->looked_us >= LOOK_AGAIN_US) {
		web->looked_us = now_us;
		web->inbox_read_only = false;
		inbox_close(web->inbox);
		web->inbox = NULL;
	}
	pthread_rwlock_unlock(&web->use);
}

void web_enter(struct web *web, char **env)
{
	const char *method = env_get(env, "REQUEST_METHOD");

	if (process.one_request)
		web->writes = method != NULL && strcmp(method, "POST") == 0;
	if (__atomic_load_n(&web->inbox_read_only, __ATOMIC_RELAXED))
		let_go_of_read_only(web);
	pthread_rwlock_rdlock(&web->use);
}

void web_leave(struct web *web)
{
	struct inbox *inbox = __atomic_load_n(&web->inbox, __ATOMIC_RELAXED);

	if (inbox != NULL && walls_stand() && inbox_unmended(inbox))
		leave_to_next(web);
	pthread_rwlock_unlock(&web->use);
}

void web_close_all(void)
{
	while (process.first != NULL) {
		struct web *web = process.first;

		process.first = web->next;
		web_let_go(web);
		pthread_rwlock_destroy(&web->use);
		pthread_mutex_destroy(&web->opening);
		free(web->dir);
		free(web->site_url);
		free(web);
	}
	free(process.exe);
	free(process.beside);
	process.exe = process.beside = NULL;
}
