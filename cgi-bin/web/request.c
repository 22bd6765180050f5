/* SPDX-License-Identifier: ISC */
/*
 * The web server's side: plain CGI and FastCGI made one. See request.h.
 *
 * libfcgi reads and writes the records, but it does not accept: it would sit in accept() or read() for as
 * long as it pleases the other side. We wait with epoll (woken by a connection, one thread for each, or by
 * the stop descriptor), accept, set deadlines on the socket, and hand it over. libfcgi is given no listen
 * socket at all, so that a connection which turns out to be garbage ends its call instead of starting
 * another accept. The listen socket is shared with our sister processes: it is never shut down.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "web/lobby.h"
#include "web/request.h"
#include "web/uri.h"
#include "web/workers.h"

#define LISTEN_FD 0

/* So long a connection may stay silent before it has to wait in the lobby. */
#define SPEAK_MS 5
/* For other threads' answers, when the process ends for want of memory. */
#define APOLOGY_NS (250 * 1000 * 1000)
/* What a socket's buffer surely takes. */
#define SURELY_BUFFERED (16u * 1024)
/* Of a body that is refused as too large, so much is read for the sake of the server in front. */
#define DRAIN_MAX (16u * 1024 * 1024)

static _Thread_local jmp_buf *assertion_trap;

/* In place of the C library's: see begin_request(). */
void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function)
{
	if (assertion_trap != NULL)
		longjmp(*assertion_trap, 1);
	log_error("%s:%u: %s: %s does not hold", file, line, function, assertion);
	abort();
}

/* ---- for want of memory */

/* The request that this thread has in hand and has not answered; descriptor -1: none. */
static _Thread_local struct {
	int fd;
	uint16_t id; /* 0: plain CGI */
} unanswered = {-1, 0};

static void put_record(int fd, uint8_t type, uint16_t id, const void *content, uint16_t n)
{
	uint8_t record[8 + 256] = {1, type, (uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(n >> 8), (uint8_t)n};

	memcpy(record + 8, content, n);
	if (write(fd, record, 8u + n) < 0)
		unanswered.fd = -1; /* it has left */
}

void channel_apologize(void)
{
	static const char words[] = "Status: 503 Service Unavailable\r\nRetry-After: 60\r\n"
				    "Content-Type: application/json\r\nCache-Control: no-store\r\n\r\n"
				    "{\"ok\":false,\"error\":\"out of memory\"}\n";
	static const uint8_t end[8]; /* status 0, request complete */
	const struct timespec others = {0, APOLOGY_NS};
	int fd = unanswered.fd;

	_Static_assert(sizeof(words) <= 256, "it fits a record");
	if (fd >= 0 && unanswered.id == 0 && write(fd, words, sizeof(words) - 1) < 0)
		return;
	if (fd >= 0 && unanswered.id != 0) {
		put_record(fd, 6, unanswered.id, words, sizeof(words) - 1);
		put_record(fd, 6, unanswered.id, "", 0);
		put_record(fd, 3, unanswered.id, end, sizeof(end));
		workers_stop();
		nanosleep(&others, NULL); /* other threads may be about to answer */
	}
}

/* ---- plain CGI */

static long cgi_read(struct channel_io *io, void *out, size_t n, int64_t deadline_us)
{
	(void)io;
	for (;;) {
		struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
		int64_t left_ms = (deadline_us - clock_mono_us()) / 1000;
		ssize_t got;

		if (left_ms <= 0 || poll(&p, 1, (int)left_ms) == 0)
			return CHANNEL_SLOW;
		got = read(STDIN_FILENO, out, n);
		if (got >= 0)
			return got;
		if (errno != EINTR && errno != EAGAIN)
			return CHANNEL_GONE;
	}
}

static bool cgi_write(struct channel_io *io, const void *bytes, size_t n)
{
	const char *at = bytes;

	(void)io;
	unanswered.fd = -1;
	while (n > 0) {
		ssize_t done = write(STDOUT_FILENO, at, n);

		if (done < 0 && errno != EINTR)
			return false;
		if (done > 0) {
			at += done;
			n -= (size_t)done;
		}
	}
	return true;
}

/* What FCGX_IsCGI() asks, without what libfcgi sets up before it: a listening socket has no peer. */
bool channel_is_cgi(void)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);

	return getpeername(LISTEN_FD, (struct sockaddr *)&peer, &n) == 0 || errno != ENOTCONN;
}

struct channel_io *channel_cgi(void)
{
	static struct channel_io io = {cgi_read, cgi_write};

	unanswered.fd = STDOUT_FILENO;
	return &io;
}

/* ---- FastCGI */

static int lobby_fd = -1;

struct fastcgi {
	struct channel_io io; /* first: a pointer to it is a pointer to us */
	FCGX_Request request;
	int epoll_fd;
	int stop_fd;
	uint64_t taken; /* bytes of this request's body so far */
	bool filled;    /* it was waited for: the socket's timeout is what was left then */
	bool ended;     /* its end was read */
};

/* What the server says of the body's length. */
struct length {
	enum body_status status;
	bool to_end; /* chunked, and the server does not know how long it is */
	uint64_t bytes;
};

/* Digits only: "-1", "+5", " 5", "5x" and "1e3" are no lengths. */
static struct length body_length(char **env)
{
	const char *s = env_get(env, "CONTENT_LENGTH"), *coding;
	struct length length = {BODY_OK, false, 0};

	if (s == NULL || *s == '\0') {
		coding = env_get(env, "HTTP_TRANSFER_ENCODING");
		length.to_end = coding != NULL && strcasestr(coding, "chunked") != NULL;
		return length;
	}
	if (s[strspn(s, "0123456789")] != '\0')
		length.status = BODY_BAD_LENGTH;
	else if (!text_to_u64(s, &length.bytes))
		length.bytes = UINT64_MAX;
	return length;
}

static void set_timeout(int fd, int option, int64_t us)
{
	struct timeval tv = {.tv_sec = us / US_PER_S, .tv_usec = us % US_PER_S};

	if (us < US_PER_MS)
		tv.tv_usec = US_PER_MS; /* zero would mean for ever */
	setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv));
}

/* One fill of libfcgi's buffer is one wait on the socket (or none, when the bytes came along with the
   parameters), so the deadline holds even against a client that drips byte by byte. */
static long fastcgi_read(struct channel_io *io, void *out, size_t n, int64_t deadline_us)
{
	struct fastcgi *f = (struct fastcgi *)io;
	FCGX_Stream *in = f->request.in;
	int64_t left = deadline_us - clock_mono_us();
	size_t here;
	int first;

	if (n == 0)
		return 0;
	if (in->rdNext == in->stop) {
		if (left <= 0)
			return CHANNEL_SLOW;
		if (f->filled)
			set_timeout(f->request.ipcFd, SO_RCVTIMEO, left);
		f->filled = true;
	}
	workers_wait_begin();
	first = FCGX_GetChar(in);
	workers_wait_end();
	if (first == EOF) {
		int error = FCGX_GetError(in);

		f->ended = error == 0;
		return error == 0 ? 0 : error == EAGAIN || error == EWOULDBLOCK ? CHANNEL_SLOW : CHANNEL_GONE;
	}
	*(char *)out = (char)first;
	here = (size_t)(in->stop - in->rdNext);
	if (here > n - 1)
		here = n - 1;
	if (here > 0)
		here = (size_t)FCGX_GetStr((char *)out + 1, (int)here, in);
	f->taken += here + 1;
	return (long)here + 1;
}

/* What fits the socket's buffer cannot block; for more the other side gets as long as for its body. */
static bool fastcgi_write(struct channel_io *io, const void *bytes, size_t n)
{
	struct fastcgi *f = (struct fastcgi *)io;

	unanswered.fd = -1;
	if (n > SURELY_BUFFERED)
		set_timeout(f->request.ipcFd, SO_SNDTIMEO, REQUEST_BODY_MS * US_PER_MS);
	return FCGX_PutStr(bytes, (int)n, f->request.out) == (int)n;
}

static bool watch(int epoll_fd, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data = {.fd = fd}};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool channel_start(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < LOBBY_MAX &&
		files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max < LOBBY_MAX ? files.rlim_max : LOBBY_MAX;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	lobby_fd = lobby_open();
	return lobby_fd >= 0 && FCGX_Init() == 0;
}

struct channel_io *channel_fastcgi(int stop_fd)
{
	struct fastcgi *f = MEM_NEW(struct fastcgi);
	int flags = fcntl(LISTEN_FD, F_GETFL);

	f->io.read = fastcgi_read;
	f->io.write = fastcgi_write;
	f->stop_fd = stop_fd;
	f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	/* Exclusive: one connection wakes one thread. Not blocking: the one that comes second waits on. */
	if (f->epoll_fd < 0 || flags < 0 || fcntl(LISTEN_FD, F_SETFL, flags | O_NONBLOCK) != 0 ||
		!watch(f->epoll_fd, LISTEN_FD, EPOLLIN | EPOLLEXCLUSIVE) ||
		!watch(f->epoll_fd, stop_fd, EPOLLIN) || !watch(f->epoll_fd, lobby_fd, EPOLLIN) ||
		FCGX_InitRequest(&f->request, -1, 0) != 0) {
		log_error("cannot wait for requests on descriptor 0: %s", strerror(errno));
		channel_free(&f->io);
		return NULL;
	}
	return &f->io;
}

/* What an accept() that failed means. true: wait on; false: there is nothing to wait for. */
static bool accept_again(int error)
{
	struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};

	if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
		log_limited("accept", "cannot accept a connection: %s", strerror(error));
		lobby_make_room();
		nanosleep(&pause, NULL);
	} else if (error == EBADF || error == EINVAL || error == ENOTSOCK || error == EOPNOTSUPP) {
		log_error("descriptor 0 is no listening socket any more: %s", strerror(error));
		return false;
	}
	return true;
}

/* FCGI_WEB_SERVER_ADDRS is the FastCGI specification's list of web servers that may speak to us over TCP. It
   is libfcgi's accept that would heed it, and so ours does. */
static bool may_connect(int fd)
{
	const char *list = getenv("FCGI_WEB_SERVER_ADDRS");
	struct sockaddr_storage peer = {0};
	socklen_t n = sizeof(peer);
	char host[INET6_ADDRSTRLEN];
	size_t len;

	if (list == NULL || getpeername(fd, (struct sockaddr *)&peer, &n) != 0 || peer.ss_family == AF_UNIX)
		return true;
	if (peer.ss_family == AF_INET)
		inet_ntop(AF_INET, &((struct sockaddr_in *)&peer)->sin_addr, host, sizeof(host));
	else if (peer.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&peer)->sin6_addr, host, sizeof(host));
	else
		return false;
	for (; *list != '\0'; list += len + strspn(list + len, ", ")) {
		len = strcspn(list, ", ");
		if (len == strlen(host) && strncmp(list, host, len) == 0)
			return true;
	}
	log_limited("peer", "%s may not speak to us (FCGI_WEB_SERVER_ADDRS)", host);
	return false;
}

/* The next one that is waiting to be accepted and has something to say; -1: none. */
static int accept_speaking(void)
{
	for (;;) {
		int fd = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC);
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (fd >= 0 && !may_connect(fd)) {
			close(fd);
			continue;
		}
		if (fd < 0 || poll(&p, 1, SPEAK_MS) != 0)
			return fd;
		lobby_enter(fd);
	}
}

/* A connection on which a request begins. Under load the next one is there already, and is taken without
   asking first. */
static enum accepted next_connection(struct fastcgi *f, int idle_ms, int *fd)
{
	struct epoll_event events[3];
	int i, n;

	for (;;) {
		*fd = accept_speaking();
		if (*fd >= 0)
			return ACCEPTED;
		if (!accept_again(errno))
			return ACCEPT_END;
		n = epoll_wait(f->epoll_fd, events, COUNT_OF(events), idle_ms);
		if (n == 0)
			return ACCEPT_IDLE;
		for (i = 0; i < n; i++) {
			if (events[i].data.fd == f->stop_fd) {
				*fd = accept_speaking();
				return *fd >= 0 ? ACCEPTED : ACCEPT_END;
			}
			if (events[i].data.fd == lobby_fd && (*fd = lobby_take()) >= 0)
				return ACCEPTED;
		}
	}
}

/* Reads the parameters. libfcgi asserts that it got the memory which the other side's lengths ask for: an
   assertion of its there costs that connection, not the process. */
static bool begin_request(FCGX_Request *request)
{
	jmp_buf place;
	bool ok;

	if (setjmp(place) == 0) {
		assertion_trap = &place;
		ok = FCGX_Accept_r(request) == 0;
	} else {
		FCGX_Free(request, 1);
		ok = false;
	}
	assertion_trap = NULL;
	return ok;
}

enum accepted channel_accept(struct channel_io *io, char ***env, int idle_ms)
{
	struct fastcgi *f = (struct fastcgi *)io;

	for (;;) {
		int fd;
		enum accepted what = next_connection(f, idle_ms, &fd);

		if (what != ACCEPTED)
			return what;
		set_timeout(fd, SO_RCVTIMEO, REQUEST_BODY_MS * US_PER_MS);
		f->filled = f->ended = false;
		f->taken = 0;
		/* As if this connection were kept from an earlier request: FCGX_Accept_r() then reads from it
		   at once. It overwrites the flag with what the web server asks for. */
		f->request.ipcFd = fd;
		f->request.keepConnection = 1;
		if (begin_request(&f->request)) {
			/* One request each: a kept connection would hold this thread while others wait. */
			f->request.keepConnection = 0;
			*env = f->request.envp;
			unanswered.fd = fd;
			unanswered.id = (uint16_t)f->request.requestId;
			return ACCEPTED;
		}
		log_limited("fastcgi", "a connection brought no FastCGI request");
	}
}

/* Has all been read that the web server sends? Then only the mark at the end is left, which came along. */
static bool all_read(struct fastcgi *f)
{
	struct length length = body_length(f->request.envp);

	if (!f->ended && length.status == BODY_OK && !length.to_end && length.bytes == f->taken)
		f->ended = FCGX_GetChar(f->request.in) == EOF && FCGX_GetError(f->request.in) == 0;
	return f->ended;
}

/* libfcgi closes politely: it waits for the web server to close first, so that nothing which still comes in
   can destroy what went out. Where nothing comes any more that is a wait for nothing, and a detached
   request is closed at once. */
void channel_finish(struct channel_io *io)
{
	struct fastcgi *f = (struct fastcgi *)io;

	unanswered.fd = -1;
	if (all_read(f))
		FCGX_Detach(&f->request);
	FCGX_Finish_r(&f->request);
}

void channel_free(struct channel_io *io)
{
	struct fastcgi *f = (struct fastcgi *)io;

	if (f->epoll_fd >= 0)
		close(f->epoll_fd);
	free(f);
}

/* ---- parameters */

const char *env_get(char **env, const char *name)
{
	size_t n = strlen(name);

	for (; *env != NULL; env++)
		if ((*env)[0] == name[0] && strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

const char *env_get_redirected(char **env, const char *name)
{
	static const char *const prefixes[] = {"", "REDIRECT_", "REDIRECT_REDIRECT_"};
	char full[96];
	size_t i;

	for (i = 0; i < COUNT_OF(prefixes); i++) {
		struct text t = TEXT_INIT;
		const char *value;

		if (strlen(prefixes[i]) + strlen(name) >= sizeof(full))
			return NULL;
		text_raw(&t, prefixes[i]);
		text_raw(&t, name);
		value = env_get(env, t.ptr);
		text_free(&t);
		if (value != NULL)
			return value;
	}
	return NULL;
}

const char *request_env(const struct request *req, const char *name)
{
	return env_get(req->env, name);
}

/* "X-Hub-Signature" -> HTTP_X_HUB_SIGNATURE. Authorization often comes by another name. */
const char *request_header(const struct request *req, const char *name)
{
	struct text t = TEXT_INIT;
	const char *value;

	if (strcasecmp(name, "Content-Type") != 0)
		text_raw(&t, "HTTP_");
	for (; *name != '\0'; name++)
		text_char(&t, *name == '-' ? '_' : *name >= 'a' && *name <= 'z' ? (char)(*name - 32) : *name);
	value = strcmp(text_str(&t), "HTTP_AUTHORIZATION") == 0 ? env_get_redirected(req->env, text_str(&t))
								: env_get(req->env, text_str(&t));
	text_free(&t);
	return value;
}

bool request_wants_html(const struct request *req)
{
	return uri_accepts_html(env_get(req->env, "HTTP_ACCEPT"));
}

/* ---- a request */

static enum method parse_method(const char *name)
{
	static const struct {
		const char *name;
		enum method method;
	} rows[] = {{"GET", METHOD_GET}, {"HEAD", METHOD_HEAD}, {"POST", METHOD_POST}};
	size_t i;

	for (i = 0; name != NULL && i < COUNT_OF(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].method;
	return METHOD_OTHER;
}

/* Some servers leave QUERY_STRING empty behind a rewrite; the address still has it. */
static const char *find_query(char **env)
{
	const char *query = env_get(env, "QUERY_STRING"), *uri;

	if (query != NULL && *query != '\0')
		return query;
	uri = env_get(env, "REQUEST_URI");
	uri = uri != NULL ? strchr(uri, '?') : NULL;
	return uri != NULL ? uri + 1 : "";
}

void request_begin(struct request *req, char **env, struct channel_io *io, const char *mount,
	const char *site_url, const char *const *programs)
{
	struct uri_facts facts = {
		.request_uri = env_get(env, "REQUEST_URI"),
		.script_name = env_get(env, "SCRIPT_NAME"),
		.path_info = env_get(env, "PATH_INFO"),
		.mount = mount,
		.site_url = site_url,
		.programs = programs,
	};
	struct uri uri;

	memset(req, 0, sizeof(*req));
	clock_now(&req->now);
	req->env = env;
	req->io = io;
	req->method = parse_method(env_get(env, "REQUEST_METHOD"));
	req->query = find_query(env);
	uri_split(&facts, &uri);
	req->path = uri.path;
	req->mount = uri.mount;
	req->staff = uri.staff;
	req->staff_bare = uri.staff_bare;
	req->bad = uri.bad;
	if (req->staff && req->bad == NULL) {
		const char *person = env_get_redirected(env, "REMOTE_USER");

		req->person = person != NULL && *person != '\0' ? person : NULL;
	}
}

void request_end(struct request *req)
{
	free(req->path);
	free(req->mount);
	text_free(&req->body);
}

/* ---- the body */

/* Reads up to `want` bytes and keeps the first `keep` of them. */
static enum body_status read_bytes(struct request *req, uint64_t want, bool to_end, size_t keep,
	int64_t deadline_us)
{
	char buffer[8192];
	uint64_t got = 0;

	while (got < want) {
		size_t n = want - got < sizeof(buffer) ? (size_t)(want - got) : sizeof(buffer);
		long more = req->io->read(req->io, buffer, n, deadline_us);

		if (more == 0 && to_end)
			break;
		if (more <= 0)
			return more == CHANNEL_SLOW ? BODY_SLOW : BODY_SHORT;
		if (req->body.len < keep) {
			size_t room = keep - req->body.len;

			text_rawn(&req->body, buffer, (size_t)more < room ? (size_t)more : room);
		}
		got += (uint64_t)more;
	}
	return BODY_OK;
}

enum body_status request_body(struct request *req, size_t max)
{
	struct length length = body_length(req->env);
	int64_t deadline_us = clock_mono_us() + REQUEST_BODY_MS * US_PER_MS;
	enum body_status status;

	req->body_read = true;
	if (length.status != BODY_OK)
		return length.status;
	if (!length.to_end && length.bytes <= max)
		return read_bytes(req, length.bytes, false, max, deadline_us);
	if (length.to_end) {
		status = read_bytes(req, max + 1, true, max + 1, deadline_us);
		if (status != BODY_OK || req->body.len <= max)
			return status;
	}
	text_clear(&req->body);
	read_bytes(req, length.to_end || length.bytes > DRAIN_MAX ? DRAIN_MAX : length.bytes, true, 0,
		deadline_us);
	return BODY_TOO_LARGE;
}

enum body_status request_body_prefix(struct request *req, size_t keep)
{
	struct length length = body_length(req->env);
	int64_t deadline_us = clock_mono_us() + REQUEST_BODY_MS * US_PER_MS;
	uint64_t want = length.to_end || length.bytes > DRAIN_MAX ? DRAIN_MAX : length.bytes;

	req->body_read = true;
	if (length.status != BODY_OK)
		return length.status;
	return read_bytes(req, want, length.to_end, keep, deadline_us);
}

/* mod_cgid and others lose the answer when the program leaves bytes of the request behind. */
void request_discard_body(struct request *req)
{
	if (!req->body_read)
		request_body_prefix(req, 0);
}

/* ---- parameters of query and form */

char *request_query(const struct request *req, const char *name)
{
	return uri_query(req->query, strlen(req->query), name);
}

char *request_form(const struct request *req, const char *name)
{
	const char *type = env_get(req->env, "CONTENT_TYPE");
	static const char form[] = "application/x-www-form-urlencoded";

	if (!req->body_read || req->body.len == 0 || type == NULL ||
		strncasecmp(type, form, sizeof(form) - 1) != 0)
		return NULL;
	return uri_query(req->body.ptr, req->body.len, name);
}
