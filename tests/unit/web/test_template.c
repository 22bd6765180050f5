/* SPDX-License-Identifier: ISC */
/* The template engine: what each tag shows, what is escaped, and that wrong templates are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "web/template.h"

#define CANARY "\"'><svg/onload=1>&"
#define CANARY_HTML "&quot;&#39;&gt;&lt;svg/onload=1&gt;&amp;"

static const struct template *part;

static const struct template *find_part(const char *name)
{
	return strcmp(name, "part.html") == 0 ? part : NULL;
}

static struct data *some_data(void)
{
	struct data *d = data_new(), *item;
	struct text markup = TEXT_INIT;

	data_text(d, "name", "Shop");
	data_text(d, "evil", CANARY);
	data_text(d, "empty", "");
	data_text(d, "absent", NULL);
	data_flag(d, "yes", true);
	data_flag(d, "no", false);
	text_raw(&markup, "<b>bold</b>");
	data_markup(d, "markup", &markup);
	text_free(&markup);
	for (int i = 1; i <= 3; i++) {
		item = data_item(d, "rows");
		data_printf(item, "n", "%d", i);
		if (i == 2) {
			data_text(item, "name", "inner");
			data_text(data_item(item, "tags"), "tag", "a");
			data_text(data_item(item, "tags"), "tag", "b");
		}
	}
	return d;
}

static void shows_what_each_tag_says(void **state)
{
	static const struct {
		const char *tpl, *shown;
	} rows[] = {
		{"", ""},
		{"plain } { text", "plain } { text"},
		{"{{name}}", "Shop"},
		{"a {{ name }} b", "a Shop b"},
		{"{{empty}}|{{absent}}", "|"},
		{"{{evil}}", CANARY_HTML},
		{"<a title=\"{{evil}}\">", "<a title=\"" CANARY_HTML "\">"},
		{"{{raw evil}}", CANARY_HTML},
		{"{{markup}}", "&lt;b&gt;bold&lt;/b&gt;"},
		{"{{raw markup}}", "<b>bold</b>"},
		{"{{url evil}}", "%22%27%3E%3Csvg%2Fonload%3D1%3E%26"},
		{"{{#yes}}y{{/yes}}{{#no}}n{{/no}}{{#name}}t{{/name}}{{#empty}}e{{/empty}}", "yt"},
		{"{{^yes}}y{{/yes}}{{^no}}n{{/no}}{{^name}}t{{/name}}{{^empty}}e{{/empty}}", "ne"},
		{"{{#nowhere}}x{{/nowhere}}{{^nowhere}}none{{/nowhere}}", "none"},
		{"{{#rows}}{{n}}:{{name}} {{/rows}}", "1:Shop 2:inner 3:Shop "},
		{"{{#rows}}{{n}}{{#tags}}({{tag}}{{n}}){{/tags}}{{/rows}}", "12(a2)(b2)3"},
		{"{{^rows}}none{{/rows}}", ""},
		{"{{! remark {{name }}x", "x"},
		{"\t\tone\n\t\ttwo\tthree\n", "one\ntwo\tthree\n"},
		{"a\n\t{{#yes}}\n\tb\n\t{{/yes}}\nc\n", "a\nb\nc\n"},
		{"{{name}}\n{{#no}}\nx\n{{/no}}\n{{! remark }}\ny", "Shop\ny"},
		{"{{#yes}}{{name}}{{/yes}}\ny", "Shop\ny"},
		{"[{{>part.html}}]", "[part of Shop]"},
		{"{{#rows}}{{#yes}}{{/yes}}{{/rows}}.", "."},
		{"{{STATE_UP}}", "up"},
	};
	struct data *d = some_data();
	struct error err = {0};

	(void)state;
	part = template_compile("part of {{name}}", 16, &err);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text out = TEXT_INIT;
		struct template *tpl = template_compile(rows[i].tpl, strlen(rows[i].tpl), &err);

		assert_non_null(tpl);
		assert_null(template_render(tpl, find_part, LANGUAGE_EN, d, &out));
		assert_string_equal(text_str(&out), rows[i].shown);
		text_free(&out);
		template_free(tpl);
	}
	template_free((struct template *)(uintptr_t)part);
	data_free(d);
}

static void speaks_the_readers_language(void **state)
{
	struct text out = TEXT_INIT;
	struct data *d = data_new();
	struct template *tpl = template_compile("{{STATE_DOWN}}", 14, NULL);

	(void)state;
	template_render(tpl, NULL, LANGUAGE_ZH_TW, d, &out);
	assert_string_equal(text_str(&out), word(LANGUAGE_ZH_TW, WORD_STATE_DOWN));
	text_free(&out);
	template_free(tpl);
	data_free(d);
}

static void names_a_field_that_is_not_there(void **state)
{
	static const char *const rows[] = {
		"{{nmae}}", "{{url nmae}}", "{{#yes}}{{raw nmae}}{{/yes}}", "{{>nmae}}"};
	struct data *d = some_data();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text out = TEXT_INIT;
		struct template *tpl = template_compile(rows[i], strlen(rows[i]), NULL);

		assert_string_equal(template_render(tpl, find_part, LANGUAGE_EN, d, &out), "nmae");
		assert_string_equal(text_str(&out), "");
		text_free(&out);
		template_free(tpl);
	}
	data_free(d);
}

static void a_template_that_includes_itself_ends(void **state)
{
	struct text out = TEXT_INIT;
	struct data *d = data_new();

	(void)state;
	part = template_compile(".{{>part.html}}", 15, NULL);
	assert_non_null(template_render(part, find_part, LANGUAGE_EN, d, &out));
	assert_in_range(out.len, 2, 100);
	template_free((struct template *)(uintptr_t)part);
	text_free(&out);
	data_free(d);
}

static void refuses_what_is_not_a_template(void **state)
{
	static const struct {
		const char *tpl, *why;
	} rows[] = {
		{"\n\n{{name", "line 3: never closed: \"{{\""},
		{"{{#a}}", "line 1: never closed: \"a\""},
		{"{{/a}}", "line 1: closes what is not open \"a\""},
		{"{{#a}}{{#b}}{{/a}}{{/b}}", "line 1: closes what is not open \"a\""},
		{"{{}}", "line 1: not a tag \"\""},
		{"{{a b}}", "line 1: not a tag \"a\""},
		{"{{#}}", "line 1: not a tag \"#\""},
		{"{{raw}}", "line 1: not a tag \"\""},
		{"\n{{NO_SUCH_SENTENCE}}", "line 2: no such sentence \"NO_SUCH_SENTENCE\""},
		{"{{STATE_UP a b c d e}}", "line 1: too many fields for \"STATE_UP\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error err = {0};

		assert_null(template_compile(rows[i].tpl, strlen(rows[i].tpl), &err));
		assert_string_equal(err.text, rows[i].why);
	}
	assert_null(template_compile("a\0b", 3, NULL));
}

static void refuses_endless_nesting(void **state)
{
	struct text t = TEXT_INIT;
	struct error err = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		text_raw(&t, "{{#a}}");
	assert_null(template_compile(t.ptr, t.len, &err));
	assert_non_null(strstr(err.text, "too deeply nested"));
	text_free(&t);
}

static void keeps_large_fields_whole(void **state)
{
	struct text big = TEXT_INIT, out = TEXT_INIT;
	struct data *d = data_new();
	struct template *tpl = template_compile("{{big}}{{small}}", 16, NULL);

	(void)state;
	for (int i = 0; i < 100000; i++)
		text_char(&big, 'x');
	data_text(d, "big", text_str(&big));
	data_text(d, "small", "y");
	template_render(tpl, NULL, LANGUAGE_EN, d, &out);
	assert_int_equal(out.len, 100001);
	text_free(&big);
	text_free(&out);
	template_free(tpl);
	data_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_what_each_tag_says),
		cmocka_unit_test(speaks_the_readers_language),
		cmocka_unit_test(names_a_field_that_is_not_there),
		cmocka_unit_test(a_template_that_includes_itself_ends),
		cmocka_unit_test(refuses_what_is_not_a_template),
		cmocka_unit_test(refuses_endless_nesting),
		cmocka_unit_test(keeps_large_fields_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
