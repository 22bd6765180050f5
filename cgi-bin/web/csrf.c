/* SPDX-License-Identifier: ISC */
/* csrf: cookie, token, origin. */
#include "web/csrf.h"

#include <string.h>
#include <strings.h>

#include "base/sign.h"

#define COOKIE "upbeat_form="
#define NONCE_BYTES 16
#define NONCE_HEX 32

/* ---- cookie */

static bool is_hex(const char *s, size_t n)
{
	uint8_t bytes[NONCE_BYTES];

	return sign_unhex(s, n, bytes, sizeof(bytes));
}

const char *csrf_cookie(const struct request *req, char out[33])
{
	const char *at = request_header(req, "Cookie");

	out[0] = '\0';
	while (at && *at) {
		size_t n;

		at += strspn(at, " ;");
		n = strcspn(at, ";");
		if (n == strlen(COOKIE) + NONCE_HEX && strncmp(at, COOKIE, strlen(COOKIE)) == 0 &&
			is_hex(at + strlen(COOKIE), NONCE_HEX)) {
			memcpy(out, at + strlen(COOKIE), NONCE_HEX);
			out[NONCE_HEX] = '\0';
			return out;
		}
		at += n;
	}
	return out;
}

static void new_cookie(char out[33], const struct request *req, struct reply *reply)
{
	uint8_t bytes[NONCE_BYTES];
	struct text t = TEXT_INIT;

	sign_random(bytes, sizeof(bytes));
	sign_hex(&t, bytes, sizeof(bytes));
	memcpy(out, t.ptr, NONCE_HEX + 1);
	text_clear(&t);
	text_printf(&t, COOKIE "%s; Path=%s/; SameSite=Strict; HttpOnly", out, req->mount);
	if (request_env(req, "HTTPS"))
		text_raw(&t, "; Secure");
	reply_header(reply, "Set-Cookie", text_str(&t));
	text_free(&t);
}

/* ---- token */

static void put_token(struct text *t, const struct view *view, const char *nonce)
{
	uint8_t mac[SHA256_BYTES];
	struct text what = TEXT_INIT;
	const char *key = view->catalog->fingerprint;

	text_printf(&what, "upbeat form %s ", nonce);
	text_raw(&what, view->asker.name ? view->asker.name : "");
	sign_hmac_sha256(key, strlen(key), what.ptr, what.len, mac);
	sign_hex(t, mac, NONCE_BYTES);
	text_free(&what);
}

void csrf_token(struct text *t, const struct view *view, const struct request *req, struct reply *reply)
{
	char nonce[33];

	if (!*csrf_cookie(req, nonce))
		new_cookie(nonce, req, reply);
	put_token(t, view, nonce);
}

/* ---- origin */

/* Appends the host (and port) of "https://example.com:8080/x"; nothing when it is no such URL. */
static void put_host(struct text *t, const char *url)
{
	const char *at = strstr(url, "://");

	if (at)
		text_rawn(t, at + 3, strcspn(at + 3, "/?#"));
}

static bool same_host(const char *origin, const char *host)
{
	return host && *host && strcasecmp(origin, host) == 0;
}

/* Ours is the host that the request was sent to, or that of the configured address: a proxy in front may
   have changed the former. */
static bool from_us(const struct view *view, const struct request *req)
{
	const char *sent = request_header(req, "Origin"), *site = request_header(req, "Sec-Fetch-Site");
	struct text origin = TEXT_INIT, configured = TEXT_INIT;
	bool ours;

	if (site && strcmp(site, "cross-site") == 0)
		return false;
	if (!sent)
		sent = request_header(req, "Referer");
	if (!sent)
		return true; /* not a browser of today; the token has to do */
	put_host(&origin, sent);
	put_host(&configured, view->site->url ? view->site->url : "");
	ours = same_host(text_str(&origin), request_header(req, "Host")) ||
		same_host(text_str(&origin), text_str(&configured));
	text_free(&origin);
	text_free(&configured);
	return ours;
}

bool csrf_good(const struct view *view, const struct request *req, const char *token)
{
	struct text expected = TEXT_INIT;
	char nonce[33];
	bool good = false;

	if (token && strlen(token) == NONCE_HEX && *csrf_cookie(req, nonce) && from_us(view, req)) {
		put_token(&expected, view, nonce);
		good = sign_equal(expected.ptr, token, NONCE_HEX);
	}
	text_free(&expected);
	return good;
}
