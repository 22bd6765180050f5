/* SPDX-License-Identifier: ISC */
/* testing: what tests may redirect through the environment, and nobody else: only while UPBEAT_TESTING=1. */
#ifndef PROBER_TESTING_H
#define PROBER_TESTING_H

/* The variable's value; NULL when it is not set, or this is no test. */
const char *testing_env(const char *name);

#endif
