/* SPDX-License-Identifier: ISC */
/*
 * target: what a monitor looks at, in one line ("https://shop.example.com/", "db.example.com:5432"), from the
 * options that its type published. Only for those who may see addresses.
 */
#ifndef WEB_TARGET_H
#define WEB_TARGET_H

#include "model/monitor.h"

/* The caller frees; NULL when there is none (a heartbeat). */
char *target_of(const struct monitor *monitor);

#endif
