/* SPDX-License-Identifier: ISC */
/* ca_bundle: where this system keeps the certificate authorities that it trusts. */
#ifndef PROBER_CA_BUNDLE_H
#define PROBER_CA_BUNDLE_H

/* The path of one file with all of them; NULL when none is found. $SSL_CERT_FILE comes first. */
const char *ca_bundle(void);

#endif
