/* SPDX-License-Identifier: ISC */
/* The dozen monitors of seed.h: what is configured and how each is. */
#define MINUTE (60 * US_PER_S)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const struct seed_row {
	const char *slug, *type, *name, *group, *tag;
	bool is_public;
	enum monitor_state state;
	unsigned marks;
	int64_t since_us;  /* before now */
	unsigned response_ms;
	const char *cause;
	uint64_t bad;      /* which of the recent results were bad: bit 0 is the newest */
	uint64_t unseen;   /* which could not be made */
	int certificate_days;
	const char *options;
} seed_rows[] = {
	{"shop", "http", "Shop", "Shop", "web", true, STATE_UP, 0, 12 * DAY, 184, "", 0x00300000, 0, 61,
		"{\"url\":\"https://shop.example.com/\"}"},
	{"cart", "keyword", "Cart", "Shop", "web", true, STATE_DOWN, MARK_ACKNOWLEDGED, 37 * MINUTE, 0,
		"\"Add to cart\" was not found", 0x0000001f, 0, 61,
		"{\"url\":\"https://shop.example.com/cart\",\"keyword\":\"Add to cart\"}"},
	{"checkout", "http", "Checkout and payment", "Shop", "web", true, STATE_SUSPECT, 0, 5 * HOUR, 912,
		"HTTP 502", 0x1, 0, 12, "{\"url\":\"https://pay.example.com/health\"}"},
	{"search", "http", "Search", "Shop", "web", true, STATE_UP, MARK_SLOW, 3 * DAY, 2480, "", 0, 0x3000, 61,
		"{\"url\":\"https://shop.example.com/search\"}"},
	{"db", "port", "Orders database", "Infrastructure", "core", false, STATE_UP, 0, 88 * DAY, 2, "", 0, 0x3000, 0,
		"{\"host\":\"db.example.com\",\"port\":5432}"},
	{"gateway", "ping", "Gateway Taipei", "Infrastructure", "core", false, STATE_UP, 0, 41 * DAY, 9, "", 0, 0x3000,
		0, "{\"host\":\"192.0.2.1\"}"},
	{"dns", "dns", "Name servers", "Infrastructure", "core", false, STATE_UP, MARK_CERTIFICATE, 7 * DAY, 24, "",
		0x00010000, 0x3000, 6, "{\"name\":\"example.com\"}"},
	{"mail", "tls", "Mail", "Infrastructure", "core", true, STATE_PAUSED, MARK_MAINTENANCE, 2 * HOUR, 0, "", 0, 0,
		29, "{\"host\":\"mail.example.com\",\"port\":993}"},
	{"hubot", "heartbeat", "Hubot", "Jobs", "jobs", false, STATE_UP, 0, 9 * DAY, 0, "", 0, 0, 0, "{}"},
	{"backup", "heartbeat", "Nightly backup", "Jobs", "jobs", false, STATE_DOWN, 0, 3 * HOUR + 12 * MINUTE, 0,
		"no beat for 27 h, at most 26 h are allowed", 0x00000003, 0, 0, "{}"},
	{"invoices", "heartbeat", "Invoices", "Jobs", "jobs", false, STATE_PENDING, 0, 20 * MINUTE, 0, "", 0,
		0xffffffff, 0, "{}"},
	{"partner", "http", "Partner API", "", "web", false, STATE_UNKNOWN, 0, 6 * MINUTE, 0,
		"no address found within 5 s", 0, 0x3f, 19, "{\"url\":\"https://api.example.net/v3/status\"}"},
};
