/* SPDX-License-Identifier: ISC */
/*
 * audit: walking all tables of a book, and saying what does not hold.
 */
#include "store/audit_private.h"

#include <stdarg.h>

#include "base/text.h"

static void say(struct audit *a, uint64_t already, const char *what)
{
	if (already < AUDIT_SAID && a->say)
		a->say(a->arg, what);
}

static void __attribute__((format(printf, 2, 0))) broken(struct audit *a, const char *format, va_list ap)
{
	struct text what = TEXT_INIT;

	text_vprintf(&what, format, ap);
	say(a, a->broken++, text_str(&what));
	text_free(&what);
}

void audit_broken(struct audit *a, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	broken(a, format, ap);
	va_end(ap);
}

void audit_torn(struct audit *a, const char *format, ...)
{
	va_list ap;

	a->torn++;
	va_start(ap, format);
	broken(a, format, ap);
	va_end(ap);
}

static void damaged(struct audit *a, const struct book_txn *t, unsigned table, uint64_t place,
	const char *why)
{
	struct text what = TEXT_INIT;

	text_printf(&what, "%s, table %s, record %llu: %s", t->book->data_path,
		t->book->plan->tables[table].name, (unsigned long long)place, why);
	say(a, a->damaged++, text_str(&what));
	text_free(&what);
}

static void audit_table(struct book_txn *t, struct audit *a, unsigned table)
{
	const struct book_table *row = &t->book->plan->tables[table];
	struct error err = {ERROR_NONE, ""};
	uint64_t place = 0;
	struct walk w;

	for (bool on = walk_first(&w, t, table); on; on = walk_next(&w)) {
		place++;
		if (row->holds(&w.key, &w.value, &err))
			a->records++;
		else
			damaged(a, t, table, place, err.text);
	}
	if (!walk_end(&w, &err))
		damaged(a, t, table, place, err.text);
	else if (!book_verify_shape(t, table, place, &err))
		damaged(a, t, table, place, err.text);
}

bool audit_records(struct book_txn *t, struct audit *a)
{
	struct error err;

	for (unsigned table = 0; table < t->book->tables_open; table++)
		audit_table(t, a, table);
	if (!a->damaged && !book_verify_free(t, &err)) /* what is damaged spoils the transaction for what comes after it */
		say(a, a->damaged++, err.text);
	return !a->damaged;
}

void audit_each(struct book_txn *t, struct audit *a, unsigned table,
	void (*each)(void *arg, const MDB_val *key, const MDB_val *value), void *arg)
{
	struct error err = {ERROR_NONE, ""};
	struct walk w;

	for (bool on = walk_first(&w, t, table); on; on = walk_next(&w))
		each(arg, &w.key, &w.value);
	if (!walk_end(&w, &err))
		damaged(a, t, table, 0, err.text);
}

bool audit_has(struct book_txn *t, unsigned table, const struct key *k)
{
	MDB_val value;

	return book_get(t, table, k, &value, NULL);
}

uint64_t audit_count(struct book_txn *t, unsigned table)
{
	MDB_stat figures;

	if (table >= t->book->tables_open || mdb_stat(t->txn, t->book->tables[table], &figures))
		return 0;
	return figures.ms_entries;
}
