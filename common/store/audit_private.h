/* SPDX-License-Identifier: ISC */
/* audit_private: what the audits of both books share. */
#ifndef STORE_AUDIT_PRIVATE_H
#define STORE_AUDIT_PRIVATE_H

#include "store/audit.h"
#include "store/lmdb_book.h"

/* Counts a promise that does not hold, and says it. */
void audit_broken(struct audit *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One that only damage breaks: see `torn`. */
void audit_torn(struct audit *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Every record of every table by itself. false: some do not hold, so that what lies between them says nothing. */
bool audit_records(struct book_txn *t, struct audit *a);
/* Calls `each` for every record of a table; stops, and counts it, where the table cannot be read on. */
void audit_each(struct book_txn *t, struct audit *a, unsigned table,
	void (*each)(void *arg, const MDB_val *key, const MDB_val *value), void *arg);
/* Is there such a record? */
bool audit_has(struct book_txn *t, unsigned table, const struct key *k);
uint64_t audit_count(struct book_txn *t, unsigned table);

#endif
