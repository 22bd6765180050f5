/* SPDX-License-Identifier: ISC */
/*
 * access: who may see and do what, in one function.
 *
 * People are REMOTE_USER below /staff/ (the web server has checked them). Programs are an API key. Everybody
 * else is a visitor, who sees what "anonymous" in the configuration allows. What somebody may not see is
 * answered byte for byte as if it did not exist.
 */
#ifndef WEB_ACCESS_H
#define WEB_ACCESS_H

#include <stdbool.h>

#include "model/monitor.h"
#include "model/site.h"
#include "web/request.h"

enum may {
	MAY_ANYONE,  /* the handler has its own proof (signature, token), or tells nothing */
	MAY_VIEW,    /* anything at all is visible to them: pages, API, metrics, badges */
	MAY_OPERATE, /* acknowledge, pause, maintenance, note */
};

enum asker_kind { ASKER_VISITOR, ASKER_PERSON, ASKER_KEY };
struct asker {
	enum asker_kind kind;
	const char *name;  /* REMOTE_USER or the key's name; NULL for visitors; points into req or site */
	bool sees_all;     /* private monitors, addresses, errors, evidence */
	bool sees_public;  /* public monitors: name, state, uptime, response time, incidents */
	bool operates;
};

/* Who asks: from REMOTE_USER below /staff/, X-Api-Key, Authorization: Bearer, or a form's api_key. */
void access_asker(const struct request *req, const struct site *site, struct asker *out);
/* May they do this at all? */
bool access_may(const struct asker *asker, enum may what);
/* May they know that this monitor exists? */
bool access_sees(const struct asker *asker, const struct monitor *monitor);

#endif
