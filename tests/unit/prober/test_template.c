/* SPDX-License-Identifier: ISC */
/*
 * Templates: values land escaped for where they land, whatever they hold; sections; every mistake is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "prober/notify/template.h"

static bool value(const void *arg, const char *name, struct text *out)
{
	static const char *const pairs[][2] = {
		{"plain", "shop"},
		{"evil", "a\"b<c>&d\\e\r\nX: y}}{{plain}}"},
		{"empty", ""},
		{"chinese", "\xe6\x95\x85\xe9\x9a\x9c"},
		{"token", "123:AB/C d"},
		{"base", "https://example.com/a?b=c"},
		{"payload", "{\"a\":1}"},
	};

	(void)arg;
	for (size_t i = 0; i < COUNT_OF(pairs); i++)
		if (!strcmp(pairs[i][0], name)) {
			text_raw(out, pairs[i][1]);
			return true;
		}
	return false;
}

static const struct template_source source = {value, NULL};

static const struct {
	enum template_context context;
	const char *text, *expanded; /* NULL: a mistake */
} rows[] = {
	{TEMPLATE_PLAIN, "", ""},
	{TEMPLATE_PLAIN, "no tags } } {", "no tags } } {"},
	{TEMPLATE_PLAIN, "a {{plain}} b", "a shop b"},
	{TEMPLATE_PLAIN, "{{plain}}{{plain}}", "shopshop"},
	{TEMPLATE_JSON, "{\"x\":\"{{evil}}\"}",
		"{\"x\":\"a\\\"b\\u003cc\\u003e\\u0026d\\\\e\\r\\nX: y}}{{plain}}\"}"},
	{TEMPLATE_URL, "/p?x={{evil}}", "/p?x=a%22b%3Cc%3E%26d%5Ce%0D%0AX%3A%20y%7D%7D%7B%7Bplain%7D%7D"},
	{TEMPLATE_HEADER, "X-A: {{evil}}", "X-A: a\"b<c>&d\\e X: y}}{{plain}}"},
	{TEMPLATE_XML, "<a>{{evil}}</a>", NULL}, /* see below: only that it is escaped */
	{TEMPLATE_URL, "{{base}}/push", "https://example.com/a?b=c/push"},
	{TEMPLATE_URL, "x{{base}}", "xhttps%3A%2F%2Fexample.com%2Fa%3Fb%3Dc"},
	{TEMPLATE_URL, "/bot{{token|path}}/send", "/bot123:AB%2FC%20d/send"},
	{TEMPLATE_JSON, "{{payload|json}}", "{\"a\":1}"},
	{TEMPLATE_JSON, "{{payload}}", "{\\\"a\\\":1}"},
	{TEMPLATE_PLAIN, "{{chinese|cut:5}}", "\xe2\x80\xa6"},
	{TEMPLATE_PLAIN, "{{chinese|cut:6}}", "\xe6\x95\x85\xe9\x9a\x9c"},
	{TEMPLATE_PLAIN, "{{evil|slack:9}}", "a\"b&lt;c"},
	{TEMPLATE_PLAIN, "{{evil|html}}", "a&quot;b&lt;c&gt;&amp;d\\e"}, /* begins so */
	{TEMPLATE_PLAIN, "{{#plain}}yes{{/plain}}{{^plain}}no{{/plain}}", "yes"},
	{TEMPLATE_PLAIN, "{{#empty}}yes{{/empty}}{{^empty}}no{{/empty}}", "no"},
	{TEMPLATE_PLAIN, "{{#empty}}{{#plain}}x{{/plain}}{{/empty}}y", "y"},
	{TEMPLATE_PLAIN, "{{#plain}}{{^empty}}x{{/empty}}{{/plain}}y", "xy"},
	/* mistakes, also where nothing is shown */
	{TEMPLATE_PLAIN, "{{nonsense}}", NULL},
	{TEMPLATE_PLAIN, "{{#empty}}{{nonsense}}{{/empty}}", NULL},
	{TEMPLATE_PLAIN, "{{plain", NULL},
	{TEMPLATE_PLAIN, "{{}}", NULL},
	{TEMPLATE_PLAIN, "{{plain }}", NULL},
	{TEMPLATE_PLAIN, "{{PLAIN}}", NULL},
	{TEMPLATE_PLAIN, "{{plain|}}", NULL},
	{TEMPLATE_PLAIN, "{{plain|nonsense}}", NULL},
	{TEMPLATE_PLAIN, "{{plain|cut}}", NULL},
	{TEMPLATE_PLAIN, "{{plain|cut:}}", NULL},
	{TEMPLATE_PLAIN, "{{plain|cut:x}}", NULL},
	{TEMPLATE_JSON, "{{plain|json}}", NULL}, /* only the payload is JSON already */
	{TEMPLATE_PLAIN, "{{#plain}}", NULL},
	{TEMPLATE_PLAIN, "{{/plain}}", NULL},
	{TEMPLATE_PLAIN, "{{#plain}}{{#empty}}{{/plain}}{{/empty}}", NULL},
	{TEMPLATE_PLAIN, "{{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}}", NULL},
	{TEMPLATE_PLAIN, "{{#plain}}{{#plain}}{{#plain}}{{#plain}}{{#plain}}{{#plain}}{{#plain}}{{#plain}}{{#plain}}",
		NULL},
};

static void each_row_expands_as_it_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text out = TEXT_INIT;
		struct error err = {0};
		bool ok = template_expand(&out, rows[i].text, rows[i].context, &source, &err);
		const char *wanted = rows[i].expanded;

		if (rows[i].context == TEMPLATE_XML) {
			assert_true(ok);
			assert_null(strstr(text_str(&out), "<c>"));
		} else if (!wanted) {
			if (ok)
				print_error("%s: no mistake was found\n", rows[i].text);
			assert_false(ok);
			assert_true(err.text[0]);
		} else {
			if (!ok)
				print_error("%s: %s\n", rows[i].text, err.text);
			assert_true(ok);
			assert_memory_equal(text_str(&out), wanted, strlen(wanted));
			if (!strstr(rows[i].text, "|html"))
				assert_string_equal(text_str(&out), wanted);
		}
		text_free(&out);
	}
}

static void the_content_type_decides_the_context(void **state)
{
	(void)state;
	assert_int_equal(template_context_of("application/json; charset=utf-8"), TEMPLATE_JSON);
	assert_int_equal(template_context_of("Application/JSON"), TEMPLATE_JSON);
	assert_int_equal(template_context_of("application/x-www-form-urlencoded"), TEMPLATE_URL);
	assert_int_equal(template_context_of("text/xml"), TEMPLATE_XML);
	assert_int_equal(template_context_of("text/html"), TEMPLATE_XML);
	assert_int_equal(template_context_of("text/plain"), TEMPLATE_PLAIN);
	assert_int_equal(template_context_of(NULL), TEMPLATE_PLAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_expands_as_it_should),
		cmocka_unit_test(the_content_type_decides_the_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
