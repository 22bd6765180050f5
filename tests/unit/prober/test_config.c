/* SPDX-License-Identifier: ISC */
/*
 * config: a table of files and what is said of them, and what a good one becomes. In the tables '@' stands for
 * the directory that the file is in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "prober/config/config.h"

static char dir[] = "/tmp/upbeat-config-XXXXXX";

static char *in_dir(const char *name)
{
	return file_join(dir, name);
}

static void write_file(const char *name, const void *bytes, size_t n, mode_t mode)
{
	char *path = in_dir(name);

	assert_true(file_write_atomic(path, bytes, n, mode, NULL));
	assert_int_equal(chmod(path, mode), 0);
	free(path);
}

/* '@' -> the directory. */
static char *expand(const char *s)
{
	struct text t = TEXT_INIT;

	for (; *s; s++)
		if (*s == '@')
			text_raw(&t, dir);
		else
			text_char(&t, *s);
	return text_take(&t);
}

static void read_config(struct config *config, const void *bytes, size_t n)
{
	char *path = in_dir("upbeat.json");

	write_file("upbeat.json", bytes, n, 0600);
	config_read(config, path);
	free(path);
}

static void read_text(struct config *config, const char *text)
{
	read_config(config, text, strlen(text));
}

static char *problems(const struct config *config)
{
	struct text t = TEXT_INIT;

	config_print_problems(config, &t);
	return text_take(&t);
}

#define PEER "{\"url\": \"https://example.net/u\", \"secret\": \"0123456789abcdef\"}"

/* Each file and all that is said of it. '^' in a file marks a place (it is not part of the file); in what is said
   '^' stands for the next marked place and '=' for the same one again. */
static const struct {
	const char *file, *said;
} wrong[] = {
	/* not JSON */
	{"^", "^the text ends here, in the middle\n"},
	{"{^", "^the text ends here, in the middle\n"},
	{"^[]", "^the whole file must be one object: {...}\n"},
	{"{} ^{}", "^something follows after the end\n"},
	{"{\"title\": \"x\",^}", "^a comma must not stand before the end\n"},
	{"{\n  \"title\": \"\xe4\xb8\xad\" ^x\n}", "^a comma or } is missing here\n"},
	{"\xef\xbb\xbf{^x", "^a name in double quotes is missing here\n"},
	{"{\n^/* never closed", "^this comment is not closed\n"},
	{"{\"title\": ^\"a\\u0000b\"}", "^a string here cannot hold \\u0000\n"},
	/* keys */
	{"{^\"titel\": \"x\"}", "^unknown key \"titel\"; did you mean \"title\"?\n"},
	{"{^\"xyzzyx\": 1}", "^unknown key \"xyzzyx\"\n"},
	{"{\"title\": \"a\",\n^\"title\": \"b\"}", "^\"title\" stands twice in the same object\n"},
	{"{\"monitors\": {\n \"a\": {\"type\": \"http\", \"url\": \"https://example.com/\", ^\"intervall\": \"1m\"}}}",
		"^monitor \"a\": unknown key \"intervall\"; did you mean \"interval\"?\n"},
	{"{\"monitors\": {\n \"a\": {\"type\": \"http\", \"url\": \"https://example.com/\"},\n ^\"a\": {}}}",
		"^\"a\" stands twice in the same object\n"
		"=monitor \"a\": \"type\" must say what kind of monitor it is\n"},
	/* types and ranges */
	{"{\"title\": ^1}", "^\"title\" must be a string\n"},
	{"{\"logo\": ^\"https://www.example.com/logo.svg\"}",
		"^\"logo\" must be a path on the host of the pages, such as \"/logo.svg\"\n"},
	{"{\"logo\": ^\"//www.example.com/logo.svg\"}",
		"^\"logo\" must be a path on the host of the pages, such as \"/logo.svg\"\n"},
	{"{\"title\": ^null}", "^\"title\" must be a string\n"},
	{"{\"self_check\": ^\"yes\"}", "^\"self_check\" must be true or false\n"},
	{"{\"anonymous\": ^\"publik\"}",
		"^\"anonymous\" must be \"all\", \"public\" or \"none\"; did you mean \"public\"?\n"},
	{"{\"timezone\": ^\"Mars/Olympus\"}",
		"^\"timezone\" must be a time zone of this system, such as \"Asia/Taipei\" or \"UTC\"\n"},
	{"{\"monitors\": ^[]}", "^\"monitors\" must be an object: {...}\n"},
	{"{\"url\": ^\"ftp://example.com\"}", "^\"url\" must begin with http:// or https://\n"},
	{"{\"url\": ^\"https://example.com:0/\"}", "^\"url\" must have a port between 1 and 65535\n"},
	{"{\"url\": ^\"https://user:pw@example.com/\"}",
		"^\"url\" must not hold a user name or password (there is \"auth\" for these)\n"},
	{"{\"url\": ^\"https://ex\xc3\xa4mple.com/\"}",
		"^\"url\" must give an international host name in its ASCII form (xn--...)\n"},
	{"{\"retention\": {\"samples\": ^\"1s\", ^\"days\": \"1d\"}}",
		"^\"retention\": \"samples\" must be between 1d and 3660d\n^\"retention\": unknown key \"days\"\n"},
	{"{\"defaults\": {\"interval\": ^\"0s\", \"confirm\": ^17, \"timeout\": ^5, \"recover\": ^1.5, ^\"nothing\": 1,\n"
	 "\"slow\": ^\"4294967296s\", \"paused\": ^0}}",
		"^defaults: \"interval\" must be between 1s and 30d\n"
		"^defaults: \"confirm\" must be between 1 and 16\n"
		"^defaults: \"timeout\" must be a duration in quotes, such as \"500ms\", \"30s\", \"5m\", \"1h\" or "
		"\"2d\"\n"
		"^defaults: \"recover\" must be a whole number\n"
		"^defaults: unknown key \"nothing\"\n"
		"^defaults: \"slow\" must be between 1ms and 5m\n"
		"^defaults: \"paused\" must be true or false\n"},
	{"{\"defaults\": {\"confirm\": ^7}, \"monitors\": {\"a\": {\"type\": \"http\", \"url\": \"https://example.com/\"}}}",
		"^monitor \"a\": 7 bad results (\"confirm\") need at least 6 \"confirm_waits\"\n"},
	/* monitors */
	{"{\"monitors\": {^\"Shop\": {\"type\": \"http\", \"url\": \"https://example.com/\"}}}",
		"^monitor \"Shop\": a slug has 1 to 64 of a-z 0-9 . _ -, begins with a letter or digit, and is not "
		"start, fail or log\n"},
	{"{\"monitors\": {\"a\": ^1}}", "^monitor \"a\" must be an object: {...}\n"},
	{"{\"monitors\": {\"a\": {\"type\": ^\"htpp\"}}}",
		"^monitor \"a\": there is no type \"htpp\"; did you mean \"http\"?\n"},
	{"{\"monitors\": {^\"a\": {\"type\": \"http\"}}}", "^monitor \"a\": \"url\" is missing\n"},
	{"{\"monitors\": {^\"a\": {\"type\": \"heartbeat\", \"secret\": \"s\", \"max_age\": \"1h\", "
	 "\"schedule\": \"* * * * *\"}}}",
		"^monitor \"a\": has both \"max_age\" and \"schedule\": one of them says when a beat is late\n"},
	{"{\"monitors\": {\"a\": {\"type\": \"port\", \"host\": \"h\", \"port\": 1, \"expect\": ^\"\"}}}",
		"^monitor \"a\": \"expect\" must not be empty\n"},
	{"{\"monitors\": {\n^\"a\": {\"type\": \"heartbeat\"}}}",
		"^monitor \"a\": needs a \"secret\" that beats are signed with, or a \"token\"\n"},
	{"{\"monitors\": {\n\"a\": {\"type\": \"heartbeat\", \"secret\": \"s\"},\n\"b\": {\"type\": \"heartbeat\", "
	 "\"secret\": ^[\"t\", \"s\"]}}}",
		"^monitors \"a\" and \"b\" have the same secret: one could beat in the name of the other\n"},
	{"{\"monitors\": {\n\"a\": {\"type\": \"heartbeat\", \"token\": \"12345678\"},\n\"b\": {\"type\": \"heartbeat\", "
	 "\"token\": ^\"12345678\"}}}",
		"^monitors \"a\" and \"b\" have the same token\n"},
	/* dependencies */
	{"{\"defaults\": {\"type\": \"heartbeat\"}, \"monitors\": {\n"
	 "\"a\": {\"secret\": \"1\", \"depends_on\": [\"b\"]},\n"
	 "\"b\": {\"secret\": \"2\", \"depends_on\": [\"cc\"]},\n"
	 "\"cc\": {\"secret\": \"3\", \"depends_on\": ^[\"b\", ^\"cd\"]},\n"
	 "\"dd\": {\"secret\": \"4\", \"depends_on\": ^\"dd\"}}}",
		"^monitors depend on each other in a circle: b -> cc -> b\n"
		"^monitor \"cc\" depends on \"cd\", which does not exist; did you mean \"cc\"?\n"
		"^monitor \"dd\" depends on itself\n"},
	/* one mistake hides no other */
	{"{\"defaults\": {\"interval\": ^5, \"type\": \"heartbeat\"},\n\"monitors\": {\"a\": {^\"intervl\": 1, "
	 "\"depends_on\": [^\"nobody\"], \"secret\": \"s\"},\n^\"b\": {}, \"c\": {\"secret\": ^\"s\", \"notify\": ^\"x\"}}}",
		"^defaults: \"interval\" must be a duration in quotes, such as \"500ms\", \"30s\", \"5m\", \"1h\" or "
		"\"2d\"\n"
		"^monitor \"a\": unknown key \"intervl\"; did you mean \"interval\"?\n"
		"^monitor \"a\" depends on \"nobody\", which does not exist\n"
		"^monitor \"b\": needs a \"secret\" that beats are signed with, or a \"token\"\n"
		"^monitors \"a\" and \"c\" have the same secret: one could beat in the name of the other\n"
		"^there is no channel \"x\"\n"},
	/* who is told */
	{"{\"channels\": {\"ops\": {\"type\": \"slack\", \"webhook\": \"https://example.com/x\"}},\n"
	 "\"defaults\": {\"type\": \"heartbeat\", \"notify\": [^\"opps\", {\"channel\": \"ops\", ^\"afte\": \"5m\", "
	 "\"events\": ^[\"dwon\"], \"hours\": ^\"9:5\"}]},\n"
	 "\"monitors\": {\"a\": {\"secret\": \"1\"}, \"b\": {\"secret\": \"2\"}}}",
		"^there is no channel \"opps\"; did you mean \"ops\"?\n"
		"^defaults: \"notify\": unknown key \"afte\"; did you mean \"after\"?\n"
		"^defaults: \"notify\": \"events\" has no event \"dwon\"; did you mean \"down\"?\n"
		"^defaults: \"notify\": \"hours\" must be hours of the week, such as \"mon-fri 09:00-18:00\": expected "
		"times of the day, like 09:00-18:00 (00:00 to 24:00)\n"},
	{"{\"channels\": {\"ops\": {\"type\": ^\"slak\"}, ^\"b\": {\"webhook\": \"x\"}, \"c\": ^1}}",
		"^channel \"ops\": there is no type \"slak\"; did you mean \"slack\"?\n"
		"^channel \"b\": \"type\" must say what kind of channel it is\n"
		"^channel \"c\" must be an object: {...}\n"},
	/* what would begin a line of its own in a request, or name a field that no message has */
	{"{\"channels\": {\"a\": {\"type\": \"webhook\", \"url\": \"https://example.com/\", \"headers\": "
	 "^{\"X-A\": \"1\\r\\nX-B: 2\"}},\n\"b\": {\"type\": \"http\", \"url\": \"https://example.com/\", \"headers\": "
	 "^{\"X A\": \"1\"}},\n\"c\": {\"type\": \"webhook\", \"url\": \"https://example.com/\", \"headers\": "
	 "^{\"X-A\": \"{{nosuch}}\"}},\n\"d\": {\"type\": \"webhook\", \"url\": \"https://example.com/\", \"headers\": "
	 "{\"X-A\": \"{{cause}} \\u00fc\"}}}}",
		"^channel \"a\": \"headers\" must hold header names and values that can be sent\n"
		"^channel \"b\": \"headers\" must hold header names and values that can be sent\n"
		"^channel \"c\": \"headers\" unknown field: {{nosuch}}\n"},
	/* secrets */
	{"{\"monitors\": {\"a\": {\"type\": \"heartbeat\", \"secret\": ^\"env:UPBEAT_TEST_UNSET\"}}}",
		"^monitor \"a\": \"secret\" the environment variable UPBEAT_TEST_UNSET is not set (cron does not read "
		"your profile: set it in the crontab, or use \"file:\")\n"},
	{"{\"monitors\": {\"a\": {\"type\": \"heartbeat\", \"secret\": [^\"file:missing\", ^\"file:empty\"]}}}",
		"^monitor \"a\": \"secret\" cannot open @/missing: No such file or directory\n"
		"^monitor \"a\": \"secret\" @/empty is empty\n"},
	{"{\"monitors\": {\"a\": {\"type\": \"heartbeat\", \"secret\": ^\"file:open.secret\"}}}",
		"^monitor \"a\": \"secret\" @/open.secret holds a secret and others can read it: chmod 600 "
		"@/open.secret\n"},
	{"{\"api_keys\": {\"x\": {\"key\": \"0123456789abcdef\"}, \"y\": {\"key\": ^\"0123456789abcdef\", \"may\": "
	 "^\"wirte\"}}}",
		"^the keys \"x\" and \"y\" are the same\n"
		"^\"y\" in \"api_keys\": \"may\" must be \"read\", \"write\", \"ping\" or \"hook\"; did you mean \"write\"?\n"},
	/* a wrong key beside a right one in what guards something */
	{"{\"monitors\": {\"a\": {\"type\": \"http\", \"url\": \"https://example.com/\", \"auth\": {\"bearer\": \"x\", "
	 "^\"baisc\": [\"u\", \"p\"]}}}}",
		"^monitor \"a\": \"auth\": unknown key \"baisc\"; did you mean \"basic\"?\n"},
	/* peers */
	{"{^\"peers\": {\"b\": " PEER "}}", "^with peers, \"me\" must say what they call this one\n"},
	{"{\"me\": ^\"A b\", \"peers\": {\"b\": " PEER "}}", "^\"me\" must be like a slug: a-z 0-9 . _ -\n"},
	{"{\"me\": \"a\", \"peers\": {^\"a\": " PEER ", ^\"pingdom\": " PEER ", ^\"B\": " PEER "}}",
		"^\"a\" is this one (\"me\"): peers are the others\n"
		"^a peer cannot be called \"pingdom\": that is a service\n"
		"^the name of a peer must be like a slug: a-z 0-9 . _ -\n"},
	{"{\"me\": \"a\", \"peers\": {^\"b\": {\"url\": ^\"b.example.net\"}}}",
		"^\"b\" in \"peers\": \"secret\" is missing\n"
		"^\"b\" in \"peers\": \"url\" must begin with http:// or https://\n"},
	{"{\"me\": \"a\", \"peer_every\": ^\"10ms\", \"peers\": {\"b\": " PEER "}, \"defaults\": {\"places\": ^\"c\"},"
	 " \"monitors\": {\"m\": {\"type\": \"port\", \"host\": \"h\", \"port\": 1, \"places\": [\"a\", \"b\", ^\"d\"]},"
	 " \"p\": {\"type\": \"peer\", \"peer\": ^\"e\"}}}",
		"^\"peer_every\" must be between 1s and 1h\n"
		"^defaults: there is no peer \"c\"\n"
		"^monitor \"m\": there is no peer \"d\"\n"
		"^monitor \"p\": there is no peer \"e\"\n"},
	{"{\"me\": \"a\", \"peers\": {\"b\": {\"url\": ^\"https://b.example.net/?x\", \"secret\": \"0123456789abcdef\"}}}",
		"^\"url\" of \"b\" must be where its Upbeat is mounted, without ? and #\n"},
	{"{\"me\": \"a\", \"peers\": {\"b\": " PEER "},"
	 " \"monitors\": {^\"peer.b\": {\"type\": \"port\", \"host\": \"h\", \"port\": 1}}}",
		"^monitor \"peer.b\" must be of the type \"peer\" (\"peer\": \"b\"), or be called something else\n"},
	/* others */
	{"{\"api_keys\": {\"x\": {\"key\": ^\"not/for/an/address\", \"may\": \"hook\"}}}",
		"^the key \"x\" stands in an address: it must have 8 to 64 of A-Z a-z 0-9 _ -\n"},
	{"{\"monitors\": {\"a\": {\"type\": \"port\", \"host\": \"h\", \"port\": 1, \"sources\": ^{\"uptimerobt\": \"x\"}},"
	 " \"b\": {\"type\": \"port\", \"host\": \"h\", \"port\": 1, \"sources\": ^\"Shop\"},"
	 " \"c\": {\"type\": \"port\", \"host\": \"h\", \"port\": 1, \"sources\": ^{\"pingdom\": [\"x\", 1.5]}},"
	 " \"d\": {\"type\": \"port\", \"host\": \"h\", \"port\": 1, \"sources\": {\"pingdom\": [1, \"x\"], \"statuscake\": 7}}}}",
		"^monitor \"a\": \"sources\" has no service \"uptimerobt\": it takes uptimerobot, statuscake and pingdom\n"
		"^monitor \"b\": \"sources\" must be an object, such as {\"uptimerobot\": \"My shop\"}\n"
		"^monitor \"c\": \"sources\" must give \"pingdom\" a name of 1 to 500 bytes, a number, or a list of such\n"},
	{"{\"maintenance\": [\"sun 02:00-04:00\", ^\"now and then\", ^{\"cron\": \"0 2 * * *\"}]}",
		"^this is no maintenance window: expected days (mon-fri, sat,sun), a date (2026-05-01 02:00) or "
		"\"cron\"\n"
		"^this is no maintenance window: a cron window ends in \"for DURATION\", like cron 0 3 * * sun for "
		"2h\n"},
	{"{\"witnesses\": [\"https://example.com/\", \"192.0.2.1:53\", ^\"nobody\"]}",
		"^a witness must be a URL, host:port or the slug of a monitor\n"},
	/* a mistake hides no other one: not in the same monitor, not in another, not in the defaults */
	{"{\"defaults\": {\"interval\": ^5},\n\"monitors\": {\n"
	 "\"a\": {\"type\": \"heartbeat\", \"secret\": \"s\", ^\"x\": 1},\n"
	 "\"b\": {\"type\": \"heartbeat\", \"secret\": ^\"s\", \"paused\": ^1, \"depends_on\": [^\"c\"]},\n"
	 "^\"d\": {\"type\": \"heartbeat\", \"depends_on\": ^\"d\", ^\"y\": 1}}}",
		"^defaults: \"interval\" must be a duration in quotes, such as \"500ms\", \"30s\", \"5m\", \"1h\" or "
		"\"2d\"\n"
		"^monitor \"a\": unknown key \"x\"\n"
		"^monitors \"a\" and \"b\" have the same secret: one could beat in the name of the other\n"
		"^monitor \"b\": \"paused\" must be true or false\n"
		"^monitor \"b\" depends on \"c\", which does not exist\n"
		"^monitor \"d\": needs a \"secret\" that beats are signed with, or a \"token\"\n"
		"^monitor \"d\" depends on itself\n"
		"^monitor \"d\": unknown key \"y\"\n"},
	{"{\"store\": ^\"\"}", "^\"store\" must name a directory\n"},
	{"{\"monitors\": {\"a\": {\"type\": \"http\", \"url\": \"https://example.com/\", \"auth\": {\"basic\": ^[\"u\"]}}}}",
		"^monitor \"a\": \"auth\": \"basic\" must have 2 entries\n"},
	{"{\"include\": [^\"nothing.json\"]}", "^there is no file @/nothing.json\n"},
	{"{\"include\": ^[1]}", "^\"include\" must be a string or a list of strings, none of them empty\n"},
};

/* The marked places of a row as "LINE:COLUMN: ". */
struct marks {
	char at[16][24];
	size_t n;
};

static char *take_marks(const char *s, struct marks *marks)
{
	struct text plain = TEXT_INIT;
	unsigned line = 1, column = 1;

	marks->n = 0;
	if (strncmp(s, "\xef\xbb\xbf", 3) == 0) {
		text_rawn(&plain, s, 3);
		s += 3;
	}
	for (; *s; s++) {
		if (*s == '^') {
			snprintf(marks->at[marks->n++], sizeof(marks->at[0]), "%u:%u: ", line, column);
			continue;
		}
		text_char(&plain, *s);
		if (*s == '\n') {
			line++;
			column = 0;
		}
		if (((unsigned char)s[0] & 0xc0) != 0x80)
			column++;
	}
	return text_take(&plain);
}

static char *with_marks(const char *said, const struct marks *marks)
{
	struct text out = TEXT_INIT;
	size_t next = 0;

	for (; *said; said++) {
		bool begins = !out.len || out.ptr[out.len - 1] == '\n';

		if (!begins || (*said != '^' && *said != '=')) {
			text_char(&out, *said);
			continue;
		}
		next += *said == '^';
		text_printf(&out, "@/upbeat.json:%s", marks->at[next - 1]);
	}
	return text_take(&out);
}

static void every_mistake_is_told_with_its_place(void **state)
{
	size_t failed = 0;

	(void)state;
	write_file("open.secret", "x\n", 2, 0644);
	write_file("empty", "\n", 1, 0600);
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct config config;
		struct marks marks;
		char *plain = take_marks(wrong[i].file, &marks), *said = with_marks(wrong[i].said, &marks);
		char *want = expand(said), *got;

		read_text(&config, plain);
		got = problems(&config);
		if (strcmp(want, got) != 0 || config.usable) {
			fprintf(stderr, "row %zu: %s\nwant %sgot  %s\n", i, plain, want, got);
			failed++;
		}
		free(plain);
		free(said);
		free(want);
		free(got);
		config_free(&config);
	}
	assert_int_equal(failed, 0);
}

static const char good[] =
	"\xef\xbb\xbf// a comment with \"quotes\"\r\n"
	"{ \"store\": \"books\", /* here */ \"title\": \"Ex // ample\", \"timezone\": \"Asia/Taipei\",\r\n"
	"  \"channels\": { \"ops\": { \"type\": \"slack\", \"webhook\": \"file:slack.url\" } },\r\n"
	"  \"api_keys\": { \"ci\": { \"key\": \"env:UPBEAT_TEST_KEY\", \"may\": \"write\" } },\r\n"
	"  \"defaults\": { \"interval\": \"30s\", \"notify\": [\"ops\"], \"max_body\": 1000 },\r\n"
	"  \"monitors\": {\r\n"
	"    \"shop\": { \"type\": \"http\", \"url\": \"https://example.com/\", \"public\": true,\r\n"
	"              \"auth\": { \"bearer\": \"canary-bearer\" }, \"maintenance\": { \"days\": \"sun\", "
	"\"hours\": \"02:00-04:00\" } },\r\n"
	"    \"job\": { \"type\": \"heartbeat\", \"secret\": [\"file:slack.url\", \"canary-beat\"], \"depends_on\": \"shop\",\r\n"
	"             \"schedule\": \"0 2 * * *\",\r\n"
	"             \"notify\": [\"ops\", { \"channel\": \"ops\", \"after\": \"5m\", \"events\": [\"down\"] }] }\r\n"
	"  }\r\n"
	"}\r\n";

static void a_good_file_becomes_monitors(void **state)
{
	struct config config;
	const struct monitor *shop, *job;
	char *got, *want = expand("@/books");

	(void)state;
	setenv("UPBEAT_TEST_KEY", "0123456789abcdef", 1);
	write_file("slack.url", "https://hooks.example.com/canary-hook\n", 38, 0600);
	read_text(&config, good);
	got = problems(&config);
	assert_string_equal(got, "");
	assert_true(config.usable);
	assert_string_equal(config.store, want);
	assert_int_equal(config.publication.monitor_count, 2);
	shop = &config.publication.monitors[0];
	job = &config.publication.monitors[1];
	assert_string_equal(shop->slug, "shop");
	assert_string_equal(shop->name, "shop");
	assert_int_equal(shop->interval_ms, 30000);
	assert_true(shop->is_public);
	assert_int_equal(shop->confirm, 3);
	assert_int_equal(shop->confirm_wait_count, 4);
	assert_int_equal(shop->notify_count, 1);
	assert_int_equal(shop->notify[0].events, EVENTS_DEFAULT);
	assert_string_equal(shop->maintenance[0], "sun 02:00-04:00");
	assert_non_null(strstr(shop->options, "\"max_body\":1000"));
	assert_null(strstr(shop->options, "canary"));
	assert_int_equal(job->notify_count, 2);
	assert_int_equal(job->notify[1].after_ms, 300000);
	assert_int_equal(job->notify[1].events, EVENT_BIT(EVENT_DOWN));
	assert_string_equal(job->depends_on[0], "shop");
	assert_int_equal(job->heartbeat->secret_count, 2);
	assert_string_equal(job->heartbeat->secrets[0], "https://hooks.example.com/canary-hook");
	assert_string_equal(job->heartbeat->timezone, "Asia/Taipei");
	assert_true(config.publication.site.keys[0].may_write);
	assert_string_equal(config.publication.site.channels[0].type, "slack");
	free(got);
	free(want);
	config_free(&config);
}

static void secrets_go_to_the_private_part(void **state)
{
	struct config config;
	char *json;

	(void)state;
	read_text(&config, good);
	json = cJSON_PrintUnformatted(config.privates);
	assert_non_null(strstr(json, "canary-hook"));
	assert_non_null(strstr(json, "\"shop\":{\"auth\":{\"bearer\":\"canary-bearer\"}}"));
	assert_non_null(strstr(json, "\"self_check\":true"));
	cJSON_free(json);
	config_free(&config);
}

static const struct monitor *named(const struct config *config, const char *slug)
{
	for (size_t i = 0; i < config->publication.monitor_count; i++)
		if (strcmp(config->publication.monitors[i].slug, slug) == 0)
			return &config->publication.monitors[i];
	return NULL;
}

/* Also where the file names no monitor at all; one of its own goes before. */
static void each_peer_is_watched(void **state)
{
	struct config config;
	const struct monitor *m;

	(void)state;
	read_text(&config, "{\"me\": \"a\", \"peers\": {\"b\": " PEER "}}");
	m = named(&config, "peer.b");
	assert_non_null(m);
	assert_string_equal(m->type, "peer");
	assert_string_equal(m->name, "Upbeat b");
	assert_int_equal(m->confirm, 1);
	assert_int_equal(m->notify_count, 0);
	assert_string_equal(config.publication.site.me, "a");
	config_free(&config);

	read_text(&config, "{\"me\": \"a\", \"peer_every\": \"5s\", \"peers\": {\"b\": " PEER ", \"c\": " PEER "},"
		"\"channels\": {\"ops\": {\"type\": \"webhook\", \"url\": \"https://example.com/\"}},"
		"\"monitors\": {\"m\": {\"type\": \"port\", \"host\": \"h\", \"port\": 1, \"places\": [],"
		"\"notify\": [\"ops\", {\"channel\": \"ops\", \"after\": \"5m\"}]},"
		"\"peer.c\": {\"type\": \"peer\", \"peer\": \"c\", \"name\": \"Over there\"}}}");
	assert_int_equal(config.publication.monitor_count, 3);
	m = named(&config, "peer.b");
	assert_int_equal(m->interval_ms, 5000);
	assert_int_equal(m->notify_count, 1); /* whoever is told of anything */
	assert_string_equal(m->notify[0].channel, "ops");
	assert_string_equal(named(&config, "peer.c")->name, "Over there");
	assert_int_equal(named(&config, "m")->place_count, 1); /* nobody else */
	assert_string_equal(named(&config, "m")->places[0], "a");
	config_free(&config);
}

static void truncated_anywhere_it_is_refused_whole(void **state)
{
	size_t whole = sizeof(good) - 1, end = (size_t)(strrchr(good, '}') + 1 - good);

	(void)state;
	for (size_t n = 0; n <= whole; n++) {
		struct config config;

		read_config(&config, good, n);
		assert_int_equal(config.usable, n >= end);
		if (n < end) {
			assert_int_equal(config.publication.monitor_count, 0);
			assert_int_equal(config.error_count, 1);
		}
		config_free(&config);
	}
}

static void the_store_is_known_from_before_the_mistake(void **state)
{
	struct config config;
	char *books = expand("@/books"), *path = in_dir("upbeat.json"), *store;

	(void)state;
	read_text(&config, "{\"title\": \"x\", \"store\": \"books\", \"monitors\": {\"a\": }");
	assert_false(config.usable);
	assert_string_equal(config.store, books);
	config_free(&config);
	store = config_store(path);
	assert_string_equal(store, books);
	free(store);

	read_text(&config, "{\"title\": x, \"store\": \"books\"}");
	assert_string_equal(config.store, "/var/lib/upbeat");
	config_free(&config);
	setenv("UPBEAT_STORE", "/srv/books", 1);
	store = config_store(path);
	assert_string_equal(store, "/srv/books");
	free(store);
	unsetenv("UPBEAT_STORE");
	free(books);
	free(path);
}

/* path -> what is said; NULL: nothing. */
static char *said_of(const char *name)
{
	struct config config;
	char *path = in_dir(name), *said;

	config_read(&config, path);
	assert_false(config.usable);
	said = problems(&config);
	config_free(&config);
	free(path);
	return said;
}

static void what_is_no_readable_file_is_said_at_once(void **state)
{
	char *path = in_dir("pipe"), *said;
	char *big = mem_alloc(17u << 20);

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	said = said_of("pipe");
	assert_non_null(strstr(said, "/pipe:1:1: "));
	free(said);
	said = said_of("loop.json");
	assert_non_null(strstr(said, "is not a regular file"));
	free(said);
	said = said_of("absent");
	assert_non_null(strstr(said, "/absent:1:1: cannot "));
	free(said);
	memset(big, ' ', 17u << 20);
	write_file("big", big, 17u << 20, 0600);
	said = said_of("big");
	assert_non_null(strstr(said, "larger"));
	free(said);
	write_file("nul", "{\0}", 3, 0600);
	said = said_of("nul");
	assert_non_null(strstr(said, "/nul:1:2: "));
	free(said);
	free(big);
	free(path);
}

/* What makes a file one that others must not read, and what does not. */
static const struct {
	const char *file;
	bool secret;
} inline_secrets[] = {
	{"{\"monitors\": {\"a\": {\"type\": \"heartbeat\", \"secret\": ^\"inline\"}}}", true},
	{"{\"monitors\": {\"a\": {\"type\": \"http\", \"url\": \"https://example.com/\", \"auth\": {\"bearer\": "
	 "^\"inline\"}}}}", true},
	{"{\"channels\": {\"a\": {\"type\": \"slack\", \"webhook\": ^\"https://example.com/\"}}}", true},
	{"{\"api_keys\": {\"a\": {\"key\": ^\"0123456789abcdef\"}}}", true},
	{"{\"report_to\": \"https://example.com/\", \"monitors\": {\"a\": {\"type\": \"http\", \"url\": "
	 "\"https://example.com/\"}}}", false},
	{"{\"monitors\": {\"a\": {\"type\": \"heartbeat\", \"secret\": \"file:slack.url\"}}}", false},
};

static void an_inline_secret_wants_a_closed_file(void **state)
{
	char *path = in_dir("upbeat.json");

	(void)state;
	write_file("slack.url", "https://hooks.example.com/canary-hook\n", 38, 0600);
	for (size_t i = 0; i < COUNT_OF(inline_secrets); i++) {
		struct config config;
		struct marks marks;
		char *plain = take_marks(inline_secrets[i].file, &marks), *got, *want;
		char *said = with_marks(inline_secrets[i].secret
			? "^this is a secret, and others can read this file: chmod 600 @/upbeat.json\n" : "", &marks);

		want = expand(said);
		write_file("upbeat.json", plain, strlen(plain), 0644);
		config_read(&config, path);
		got = problems(&config);
		assert_string_equal(got ? got : "", want ? want : "");
		config_free(&config);
		assert_int_equal(chmod(path, 0600), 0);
		config_read(&config, path);
		assert_true(config.usable);
		config_free(&config);
		free(got);
		free(want);
		free(said);
		free(plain);
	}
	free(path);
}

static void included_files_are_merged(void **state)
{
	struct config config;
	char *sub = in_dir("conf.d");
	static const char one[] = "{\"monitors\": {\"b\": {\"type\": \"heartbeat\", \"secret\": \"2\"}}}";
	static const char two[] = "{\"defaults\": {\"group\": \"G\"}, \"monitors\": {\"c\": {\"type\": \"heartbeat\", "
				  "\"secret\": \"3\"}}}";

	(void)state;
	assert_int_equal(mkdir(sub, 0700), 0);
	write_file("conf.d/1.json", one, sizeof(one) - 1, 0600);
	write_file("conf.d/2.json", two, sizeof(two) - 1, 0600);
	read_text(&config, "{\"include\": [\"conf.d/*.json\"], \"monitors\": {\"a\": {\"type\": \"heartbeat\", "
			   "\"secret\": \"1\"}}}");
	assert_true(config.usable);
	assert_int_equal(config.publication.monitor_count, 3);
	assert_string_equal(config.publication.monitors[0].group, "G");
	assert_string_equal(config.publication.monitors[2].slug, "c");
	assert_int_equal(config.file_count, 4); /* with the directory */
	config_free(&config);
	free(sub);
}

static void includes_that_clash_or_go_round_are_told(void **state)
{
	static const char loop[] = "{\"include\": \"around.json\", \"store\": \"x\", \"title\": \"again\",\n"
				   "\"monitors\": {\"a\": {\"type\": \"heartbeat\", \"secret\": \"2\"}}}";
	struct config config;
	char *got, *want;

	(void)state;
	write_file("around.json", loop, sizeof(loop) - 1, 0600);
	read_text(&config, "{\"include\": [\"around.json\"], \"title\": \"x\", \"monitors\": {\"a\": {\"type\": "
			   "\"heartbeat\", \"secret\": \"1\"}}}");
	got = problems(&config);
	want = expand("@/around.json:1:13: @/around.json includes itself, directly or through others\n"
		      "@/around.json:1:28: \"store\" must stand in the main file, @/upbeat.json\n"
		      "@/around.json:1:42: \"title\" stands in @/upbeat.json already\n"
		      "@/around.json:2:14: \"a\" stands in @/upbeat.json already\n");
	assert_string_equal(got, want);
	free(got);
	free(want);
	config_free(&config);
}

static void a_broken_include_makes_nothing_else_seem_missing(void **state)
{
	struct config config;
	char *got, *want = expand("@/around.json:1:2: the text ends here, in the middle\n");

	(void)state;
	write_file("around.json", "{", 1, 0600);
	read_text(&config, "{\"include\": \"around.json\", \"monitors\": {\"a\": {\"type\": \"heartbeat\", \"secret\": \"1\", "
			   "\"depends_on\": \"there\", \"notify\": \"there\"}}}");
	got = problems(&config);
	assert_string_equal(got, want);
	free(got);
	free(want);
	config_free(&config);
}

static void plain_http_is_a_warning_only(void **state)
{
	struct config config;
	char *got, *want = expand("@/upbeat.json:1:44: warning: monitor \"a\": \"url\" http:// to another host can be "
				  "read and changed on the way\n");

	(void)state;
	read_text(&config, "{\"monitors\": {\"a\": {\"type\": \"http\", \"url\": \"http://192.0.2.1/\"}, \"b\": {\"type\": "
			   "\"http\", \"url\": \"http://127.0.0.1:8080/\"}}}");
	got = problems(&config);
	assert_string_equal(got, want);
	assert_true(config.usable);
	free(got);
	free(want);
	config_free(&config);
}

static void who_looks_too_is_counted_named_and_watched_once(void **state)
{
	struct config config;
	char *got, *want = expand("@/upbeat.json:2:57: warning: monitor \"m\": \"quorum\" is more than there are places "
				  "that look at it (3)\n");
	const struct monitor *m;

	(void)state;
	read_text(&config, "{\"me\": \"a\", \"peers\": {\"b\": " PEER "}, \"monitors\": {\n"
			   "\"m\": {\"type\": \"port\", \"host\": \"h\", \"port\": 1, \"quorum\": 4,\n"
			   "\"places\": [\"a\", \"b\"], \"sources\": {\"pingdom\": [12345, 777810874]}},\n"
			   "\"there\": {\"type\": \"peer\", \"peer\": \"b\"}}}");
	got = problems(&config);
	assert_string_equal(got, want);
	assert_true(config.usable);
	m = named(&config, "m");
	assert_int_equal(m->source_count, 2);
	assert_string_equal(m->sources[0].name, "12345");
	assert_string_equal(m->sources[1].name, "777810874");
	assert_int_equal(config.publication.monitor_count, 2);
	free(got);
	free(want);
	config_free(&config);
}

static void the_fingerprint_follows_content_and_secrets(void **state)
{
	struct config one, two, three;

	(void)state;
	write_file("slack.url", "https://hooks.example.com/canary-hook\n", 38, 0600);
	read_text(&one, good);
	read_text(&two, good);
	write_file("slack.url", "https://hooks.example.com/canary-hooj\n", 38, 0600);
	read_text(&three, good);
	assert_string_equal(one.publication.fingerprint, two.publication.fingerprint);
	assert_string_not_equal(one.publication.fingerprint, three.publication.fingerprint);
	config_free(&one);
	config_free(&two);
	config_free(&three);
}

static void many_monitors_with_one_wrong_default_are_told_once(void **state)
{
	struct text text = TEXT_INIT;
	struct config config;

	(void)state;
	text_raw(&text, "{\"defaults\": {\"interval\": 5, \"type\": \"heartbeat\"}, \"monitors\": {");
	for (int i = 0; i < 2000; i++)
		text_printf(&text, "%s\"m%d\": {\"secret\": \"s%d\"}", i ? "," : "", i, i);
	text_raw(&text, "}}");
	read_config(&config, text_str(&text), text.len);
	assert_int_equal(config.problem_count, 1);
	config_free(&config);
	text_free(&text);
}

static void it_is_shown_without_secrets(void **state)
{
	static const char included[] = "{\"monitors\": {\"b\": {\"type\": \"keyword-of-tomorrow\", \"odd\": \"canary-unknown\"}}}";
	static const char text[] = "{\"include\": \"around.json\", \"report_to\": \"https://example.com/canary-report\",\n"
		"\"api_keys\": {\"ci\": {\"key\": \"canary-key-0123456789\"}},\n"
		"\"channels\": {\"ops\": {\"type\": \"slack\", \"webhook\": \"canary-hook\"}},\n"
		"\"defaults\": {\"secret\": \"canary-default\", \"interval\": \"1m\"},\n"
		"\"monitors\": {\"a\": {\"type\": \"http\", \"url\": \"https://example.com/\", \"auth\": {\"basic\": [\"canary-user\", "
		"\"file:pw\"]}}}}";
	struct text shown = TEXT_INIT;
	char *path = in_dir("upbeat.json");
	cJSON *tree;

	(void)state;
	write_file("around.json", included, sizeof(included) - 1, 0600);
	write_file("upbeat.json", text, sizeof(text) - 1, 0600);
	assert_true(config_print_shown(path, &shown));
	assert_null(strstr(text_str(&shown), "canary"));
	assert_non_null(strstr(text_str(&shown), "\"file:pw\""));
	assert_non_null(strstr(text_str(&shown), "https://example.com/"));
	assert_null(strstr(text_str(&shown), "\"include\""));
	tree = cJSON_Parse(text_str(&shown));
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(tree, "monitors")), 2);
	cJSON_Delete(tree);
	text_free(&shown);
	write_file("upbeat.json", "{", 1, 0600);
	assert_false(config_print_shown(path, &shown));
	assert_non_null(strstr(text_str(&shown), ":1:2: "));
	text_free(&shown);
	free(path);
}

static void the_schema_is_json_and_knows_every_type(void **state)
{
	struct text text = TEXT_INIT;
	cJSON *tree;

	(void)state;
	config_print_schema(&text);
	tree = cJSON_Parse(text_str(&text));
	assert_non_null(tree);
	assert_non_null(strstr(text_str(&text), "\"heartbeat\""));
	assert_non_null(strstr(text_str(&text), "\"confirm_waits\""));
	assert_non_null(strstr(text_str(&text), "\"slack\""));
	cJSON_Delete(tree);
	text_free(&text);
}

static int make_dir(void **state)
{
	char *sub;

	(void)state;
	unsetenv("UPBEAT_STORE");
	unsetenv("UPBEAT_TEST_UNSET");
	if (!mkdtemp(dir))
		return 1;
	sub = in_dir("loop.json");
	mkdir(sub, 0700);
	free(sub);
	return 0;
}

static int remove_dir(void **state)
{
	static const char *const names[] = {"upbeat.json", "open.secret", "empty", "slack.url", "pipe", "big", "nul",
		"around.json", "conf.d/1.json", "conf.d/2.json", "conf.d", "loop.json"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char *path = in_dir(names[i]);

		remove(path);
		free(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mistake_is_told_with_its_place),
		cmocka_unit_test(a_good_file_becomes_monitors),
		cmocka_unit_test(secrets_go_to_the_private_part),
		cmocka_unit_test(each_peer_is_watched),
		cmocka_unit_test(truncated_anywhere_it_is_refused_whole),
		cmocka_unit_test(the_store_is_known_from_before_the_mistake),
		cmocka_unit_test(what_is_no_readable_file_is_said_at_once),
		cmocka_unit_test(an_inline_secret_wants_a_closed_file),
		cmocka_unit_test(included_files_are_merged),
		cmocka_unit_test(includes_that_clash_or_go_round_are_told),
		cmocka_unit_test(a_broken_include_makes_nothing_else_seem_missing),
		cmocka_unit_test(plain_http_is_a_warning_only),
		cmocka_unit_test(who_looks_too_is_counted_named_and_watched_once),
		cmocka_unit_test(the_fingerprint_follows_content_and_secrets),
		cmocka_unit_test(many_monitors_with_one_wrong_default_are_told_once),
		cmocka_unit_test(it_is_shown_without_secrets),
		cmocka_unit_test(the_schema_is_json_and_knows_every_type),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
