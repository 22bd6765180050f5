/* SPDX-License-Identifier: ISC */
/*
 * fixture: a store with heartbeats, made without a prober, and requests asked of the program in this
 * process: dispatched as main.c does, with body and reply in memory.
 *
 *	fixture_open(&f);                            // in a directory of its own
 *	fixture_ask(&f, "GET", "/beat/robot", NULL, 0, NULL, &answer);
 *	fixture_beat(&f, "robot", "", ROBOT_SECRET, time_us, &answer);
 *	fixture_close(&f);
 */
#ifndef TESTS_WEB_FIXTURE_H
#define TESTS_WEB_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

/* robot: max_age 5m, a token. rotated: two secrets, SHA-256 only. nightly: a schedule. default: only where
   asked for. site and hidden: http monitors, the first public. */
#define ROBOT_SECRET "a secret of the robot"
#define ROBOT_TOKEN "0123456789abcdef-robot"
#define ROTATED_NEW "the newer secret"
#define ROTATED_OLD "the older secret"
#define DEFAULT_SECRET "a secret of the default one"
#define WRITE_KEY "a-key-that-may-write"
#define READ_KEY "a-key-that-may-read"
#define PING_KEY "a-key-that-may-ping"
#define HOOK_KEY "a-key-that-may-hook"
#define FIXTURE_WINDOW_S 300

#define FIXTURE_DEFAULT 1u /* with a heartbeat called "default" */
#define FIXTURE_STALE 2u   /* the newest pass is a day old */
#define FIXTURE_BOTS(n) ((unsigned)(n) << 8) /* bot0 bot1 ..., each with the secret "bench NUMBER" */

/* Publishes it into dir/state; `filler` more monitors stand before them. */
bool fixture_publish(const char *dir, unsigned flags, size_t filler, struct error *err);

struct fixture {
	char *dir;
};
struct answer {
	int status;
	struct text head; /* header lines */
	struct text body;
};

void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f); /* closes the books, removes the directory */
/* `env`: further "NAME=value" strings, NULL-terminated, or NULL. The answer's texts are replaced. */
void fixture_ask(struct fixture *f, const char *method, const char *uri, const void *body, size_t len,
	const char *const *env, struct answer *answer);
/* POST of {"time":time_us} with its right X-Hub-Signature-256. */
void fixture_beat(struct fixture *f, const char *slug, const char *verb, const char *secret, int64_t time_us,
	struct answer *answer);
void answer_clear(struct answer *answer);

#endif
