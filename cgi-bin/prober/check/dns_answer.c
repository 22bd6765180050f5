/* SPDX-License-Identifier: ISC */
/*
 * dns_answer: reads what strangers send. Names are taken apart by c-ares, which bounds its jumps; everything
 * else is a few fixed fields, each looked at only after it is known to be there.
 */
#include "prober/check/dns_answer.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define HEADER 12
#define NAMES_MAX 17 /* more aliases than anybody follows */
#define RECORD_HEAD 10 /* type, class, life, length: between a record's name and its data */

struct message {
	const uint8_t *bytes;
	size_t n, at;
};

/* ---- printing one record's data */

struct data {
	const struct message *message; /* names may point anywhere in it */
	const uint8_t *bytes;
	size_t n;
};

static bool put_name_at(const struct data *data, size_t offset, struct text *out)
{
	const struct message *m = data->message;
	char *name = NULL;
	long used;

	if (offset >= data->n ||
		ares_expand_name(data->bytes + offset, m->bytes, (int)m->n, &name, &used) != ARES_SUCCESS)
		return false;
	for (const char *c = name; *c; c++)
		text_char(out, (char)tolower((unsigned char)*c));
	if (!*name)
		text_char(out, '.'); /* the root, as in "0 .": no mail here */
	else if (out->len > 0 && out->ptr[out->len - 1] == '.')
		out->ptr[--out->len] = '\0';
	if (out->len == 0)
		text_char(out, '.'); /* the root: "0 ." of MX says that there is no mail here (RFC 7505) */
	ares_free_string(name);
	return true;
}

static bool put_name(const struct data *data, struct text *out)
{
	return put_name_at(data, 0, out);
}

static bool put_address(const struct data *data, struct text *out)
{
	char printed[INET6_ADDRSTRLEN];
	int family = data->n == 4 ? AF_INET : AF_INET6;

	if ((data->n != 4 && data->n != 16) || !inet_ntop(family, data->bytes, printed, sizeof(printed)))
		return false;
	text_raw(out, printed);
	return true;
}

static bool put_mx(const struct data *data, struct text *out)
{
	struct text name = TEXT_INIT;
	bool ok = put_name_at(data, 2, &name);

	if (ok)
		text_printf(out, "%u %s", (unsigned)data->bytes[0] << 8 | data->bytes[1], text_str(&name));
	text_free(&name);
	return ok;
}

/* The strings of one record are one text. */
static bool put_txt(const struct data *data, struct text *out)
{
	for (size_t at = 0; at < data->n;) {
		size_t length = data->bytes[at++];

		if (length > data->n - at)
			return false;
		text_rawn(out, (const char *)data->bytes + at, length);
		at += length;
	}
	return true;
}

/* ---- reading what a person wrote */

static bool canonical_address(int family, const char *s, struct text *out)
{
	unsigned char address[sizeof(struct in6_addr)];
	char printed[INET6_ADDRSTRLEN];

	if (inet_pton(family, s, address) != 1 || !inet_ntop(family, address, printed, sizeof(printed)))
		return false;
	text_raw(out, printed);
	return true;
}

static bool canonical_a(const char *s, struct text *out)
{
	return canonical_address(AF_INET, s, out);
}

static bool canonical_aaaa(const char *s, struct text *out)
{
	return canonical_address(AF_INET6, s, out);
}

/* "." is the root; elsewhere each label has something in it. */
static bool canonical_name(const char *s, struct text *out)
{
	size_t n = strlen(s);

	if (strcmp(s, ".") == 0) {
		text_char(out, '.');
		return true;
	}
	if (n > 1 && s[n - 1] == '.')
		n--;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)s[i] <= ' ' || (s[i] == '.' && (i == 0 || i == n - 1 || s[i - 1] == '.')))
			return false;
		text_char(out, (char)tolower((unsigned char)s[i]));
	}
	return n > 0;
}

static bool canonical_mx(const char *s, struct text *out)
{
	size_t digits = strspn(s, "0123456789"), blanks = strspn(s + digits, " \t");

	if (digits > 0 && blanks > 0) {
		text_rawn(out, s, digits);
		text_char(out, ' ');
		s += digits + blanks;
	}
	return canonical_name(s, out);
}

static bool canonical_txt(const char *s, struct text *out)
{
	text_raw(out, s);
	return true;
}

/* ---- the types */

static const struct record_type {
	unsigned type;
	bool (*put)(const struct data *data, struct text *out);
	bool (*canonical)(const char *s, struct text *out);
} TYPES[] = {
	{ns_t_a, put_address, canonical_a},
	{ns_t_aaaa, put_address, canonical_aaaa},
	{ns_t_cname, put_name, canonical_name},
	{ns_t_mx, put_mx, canonical_mx},
	{ns_t_txt, put_txt, canonical_txt},
	{ns_t_ns, put_name, canonical_name},
};

const char *const dns_record_names[] = {"A", "AAAA", "CNAME", "MX", "TXT", "NS", NULL};

unsigned dns_record_type(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(TYPES); i++)
		if (strcmp(dns_record_names[i], name) == 0)
			return TYPES[i].type;
	return 0;
}

static const struct record_type *type_of(unsigned type)
{
	for (size_t i = 0; i < COUNT_OF(TYPES); i++)
		if (TYPES[i].type == type)
			return &TYPES[i];
	return NULL;
}

bool dns_canonical(unsigned type, const char *s, struct text *out)
{
	const struct record_type *row = type_of(type);

	return row && row->canonical(s, out);
}

/* ---- the message */

static unsigned number_at(const struct message *m, size_t at)
{
	return (unsigned)m->bytes[at] << 8 | m->bytes[at + 1];
}

/* The name that was asked for, and what aliases make of it: whatever else an answer tells of is a lie, or of no
   interest. */
struct names {
	struct text at[NAMES_MAX];
	size_t n;
};

static void names_add(struct names *names, const char *name)
{
	if (names->n < NAMES_MAX)
		text_raw(&names->at[names->n++], name);
}

static bool names_have(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(text_str(&names->at[i]), name) == 0)
			return true;
	return false;
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		text_free(&names->at[i]);
}

/* The name that stands here, in small letters; the message is read on behind it. */
static bool read_name(struct message *m, struct text *out)
{
	struct data here = {m, m->bytes + m->at, m->n - m->at};
	char *name = NULL;
	long used;

	if (!put_name(&here, out) ||
		ares_expand_name(here.bytes, m->bytes, (int)m->n, &name, &used) != ARES_SUCCESS)
		return false;
	ares_free_string(name);
	m->at += (size_t)used;
	return true;
}

static bool read_questions(struct message *m, struct names *names)
{
	struct text name = TEXT_INIT;
	bool ok = true;

	for (unsigned left = number_at(m, 4); ok && left > 0; left--) {
		text_clear(&name);
		ok = read_name(m, &name) && m->n - m->at >= 4;
		if (ok && names->n == 0)
			names_add(names, text_str(&name));
		m->at += ok ? 4 : 0;
	}
	text_free(&name);
	return ok;
}

struct record {
	struct text owner;
	unsigned type;
	struct data data;
};

static bool read_record(struct message *m, struct record *record)
{
	text_clear(&record->owner);
	if (!read_name(m, &record->owner) || m->n - m->at < RECORD_HEAD)
		return false;
	record->type = number_at(m, m->at);
	record->data = (struct data){m, m->bytes + m->at + RECORD_HEAD, number_at(m, m->at + 8)};
	m->at += RECORD_HEAD;
	if (record->data.n > m->n - m->at)
		return false;
	m->at += record->data.n;
	return true;
}

static bool take_alias(const struct record *record, void *arg)
{
	struct names *names = arg;
	struct text target = TEXT_INIT;
	bool ok = record->type != ns_t_cname || put_name(&record->data, &target);

	if (ok && target.len > 0 && names_have(names, text_str(&record->owner)) && !names_have(names, text_str(&target)))
		names_add(names, text_str(&target));
	text_free(&target);
	return ok;
}

struct wanted {
	const struct record_type *type;
	const struct names *names;
	struct strings *out;
};

static bool take_wanted(const struct record *record, void *arg)
{
	const struct wanted *wanted = arg;
	struct text printed = TEXT_INIT;
	bool ok = true;

	if (record->type == wanted->type->type && wanted->out->n < DNS_RECORDS_MAX &&
		names_have(wanted->names, text_str(&record->owner))) {
		ok = wanted->type->put(&record->data, &printed);
		if (ok)
			wanted->out->at[wanted->out->n++] = mem_str(text_str(&printed));
	}
	text_free(&printed);
	return ok;
}

/* Shows each record of the answer section, which begins here, to `take`; false: it is no whole one. */
static bool each_answer(struct message from, bool (*take)(const struct record *record, void *arg), void *arg)
{
	struct record record = {.owner = TEXT_INIT};
	bool ok = true;

	for (unsigned left = number_at(&from, 6); ok && left > 0; left--)
		ok = read_record(&from, &record) && take(&record, arg);
	text_free(&record.owner);
	return ok;
}

bool dns_answer_read(const uint8_t *message, size_t n, unsigned type, struct strings *out)
{
	struct message m = {message, n, HEADER};
	struct names names = {.n = 0};
	struct wanted wanted = {type_of(type), &names, out};
	size_t known = 0;
	bool ok;

	*out = (struct strings){mem_array(DNS_RECORDS_MAX, sizeof(out->at[0])), 0};
	ok = n >= HEADER && n <= 65535 && wanted.type && read_questions(&m, &names);
	while (ok && names.n > known) { /* aliases may stand in any order */
		known = names.n;
		ok = each_answer(m, take_alias, &names);
	}
	ok = ok && each_answer(m, take_wanted, &wanted);
	names_free(&names);
	return ok;
}

void dns_records_clear(struct strings *records)
{
	for (size_t i = 0; i < records->n; i++)
		free(records->at[i]);
	free(records->at);
	*records = (struct strings){NULL, 0};
}

/* ---- comparing */

/* What is compared of a record with this expectation. */
static const char *comparable(unsigned type, const char *expected, const char *record)
{
	const char *blank = strchr(record, ' ');

	return type == ns_t_mx && !strchr(expected, ' ') && blank ? blank + 1 : record;
}

static bool fits_any(unsigned type, const char *expected, const struct strings *got)
{
	struct text wanted = TEXT_INIT;
	bool found = false;

	if (dns_canonical(type, expected, &wanted))
		for (size_t i = 0; i < got->n && !found; i++)
			found = strcmp(text_str(&wanted), comparable(type, text_str(&wanted), got->at[i])) == 0;
	text_free(&wanted);
	return found;
}

static bool is_expected(unsigned type, const char *record, const struct strings *expected)
{
	struct strings one = {(char *[]){(char *)(uintptr_t)record}, 1};

	for (size_t i = 0; i < expected->n; i++)
		if (fits_any(type, expected->at[i], &one))
			return true;
	return false;
}

bool dns_same_records(unsigned type, const struct strings *expected, const struct strings *got)
{
	for (size_t i = 0; i < expected->n; i++)
		if (!fits_any(type, expected->at[i], got))
			return false;
	for (size_t i = 0; i < got->n; i++)
		if (!is_expected(type, got->at[i], expected))
			return false;
	return true;
}
