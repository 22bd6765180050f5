/* SPDX-License-Identifier: ISC */
/* What the tests of the two audits share: what an audit said, and that it said nothing, or the one thing. */
#ifndef TESTS_AUDIT_TEST_H
#define TESTS_AUDIT_TEST_H

#include "store_test.h"

#include "store/audit.h"

static struct error err;
static struct text said;

static void hear(void *arg, const char *what)
{
	(void)arg;
	text_raw(&said, what);
	text_char(&said, '\n');
}

static void assert_holds(const struct audit *a)
{
	if (a->damaged || a->broken)
		fail_msg("%s", text_str(&said));
}

static void assert_said(const struct audit *a, const char *what)
{
	if (!a->broken || !strstr(text_str(&said), what))
		fail_msg("\"%s\" was not said, but:\n%s", what, text_str(&said));
}

#endif
