/* SPDX-License-Identifier: ISC */
/*
 * metrics: GET /metrics for Prometheus (text format 0.0.4). Names are blackbox_exporter's where the meaning
 * is the same. What is not known has no sample: a stale state never looks like a good one.
 */
#ifndef WEB_METRICS_H
#define WEB_METRICS_H

#include "web/routes.h"

route_handler metrics_page;

#endif
