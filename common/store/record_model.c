/* SPDX-License-Identifier: ISC */
/*
 * record_model: the shapes of what is stored, one row for each field (see record.h). A tag that was once
 * in a released version is never used again for something else.
 */
#include "store/record.h"

#include "base/clock.h"
#include "model/beat.h"
#include "model/incident.h"
#include "model/judge.h"
#include "model/monitor.h"
#include "model/notice.h"
#include "model/site.h"
#include "store/state.h"

/* Kinds, as they stand in the records' heads; 1 is the schema record of lmdb_book. */
enum {
	KIND_BEAT_LAST = 2, KIND_TALLY, KIND_COUNTER, KIND_SITE, KIND_PROBLEMS, KIND_MONITOR,
	KIND_HEARTBEAT, KIND_JUDGE, KIND_INCIDENT, KIND_ENTRY, KIND_NOTICE, KIND_PASS, KIND_COUNTERS,
	KIND_LISTING,
};

/* ---- inbox ------------------------------------------------------------------------------------------- */

static const struct field moment_fields[] = {
	PLAIN(1, FIELD_INT, struct moment, wall_us),
	PLAIN(2, FIELD_INT, struct moment, boot_us),
	PLAIN(3, FIELD_UINT, struct moment, boot_id),
};
static const struct shape SHAPE_MOMENT = SHAPE(0, struct moment, moment_fields);

/* msg is a record of its own: it is large, and stays when a beat without one comes. */
static const struct field beat_last_fields[] = {
	PLAIN(1, FIELD_INT, struct beat_last, last_time_us),
	PLAIN(2, FIELD_UINT, struct beat_last, count),
	NESTED(3, FIELD_INSIDE, struct beat_last, success, &SHAPE_MOMENT),
	NESTED(4, FIELD_INSIDE, struct beat_last, failed, &SHAPE_MOMENT),
	NESTED(5, FIELD_INSIDE, struct beat_last, started, &SHAPE_MOMENT),
	NESTED(6, FIELD_INSIDE, struct beat_last, any, &SHAPE_MOMENT),
	PLAIN(7, FIELD_UINT, struct beat_last, kind),
	PLAIN(8, FIELD_LESS, struct beat_last, exit_status),
	PLAIN(9, FIELD_LESS, struct beat_last, run_us),
	PLAIN(10, FIELD_STR, struct beat_last, rid),
};
const struct shape SHAPE_BEAT_LAST = SHAPE(KIND_BEAT_LAST, struct beat_last, beat_last_fields);

static const struct field tally_fields[] = {
	PLAIN(1, FIELD_UINT, struct tally, entries),
	PLAIN(2, FIELD_UINT, struct tally, bytes),
};
const struct shape SHAPE_TALLY = SHAPE(KIND_TALLY, struct tally, tally_fields);

static const struct field counter_fields[] = {
	PLAIN(1, FIELD_UINT, struct counter, value),
};
const struct shape SHAPE_COUNTER = SHAPE(KIND_COUNTER, struct counter, counter_fields);

/* ---- configuration ----------------------------------------------------------------------------------- */

static const struct field api_key_fields[] = {
	PLAIN(1, FIELD_STR, struct api_key, name),
	PLAIN(2, FIELD_BYTES, struct api_key, hash),
	PLAIN(3, FIELD_UINT, struct api_key, may_write),
	PLAIN(4, FIELD_UINT, struct api_key, may_ping),
	PLAIN(5, FIELD_UINT, struct api_key, may_hook),
};
static const struct shape SHAPE_API_KEY = SHAPE(0, struct api_key, api_key_fields);

static const struct field peer_key_fields[] = {
	PLAIN(1, FIELD_STR, struct peer_key, name),
	PLAIN(2, FIELD_STR, struct peer_key, url),
	PLAIN(3, FIELD_STR, struct peer_key, secret),
};
static const struct shape SHAPE_PEER_KEY = SHAPE(0, struct peer_key, peer_key_fields);

static const struct field channel_label_fields[] = {
	PLAIN(1, FIELD_STR, struct channel_label, name),
	PLAIN(2, FIELD_STR, struct channel_label, type),
};
static const struct shape SHAPE_CHANNEL_LABEL = SHAPE(0, struct channel_label, channel_label_fields);

static const struct field site_fields[] = {
	PLAIN(1, FIELD_STR, struct site, title),
	PLAIN(2, FIELD_STR, struct site, url),
	PLAIN(3, FIELD_UINT, struct site, language),
	PLAIN(4, FIELD_STR, struct site, timezone),
	PLAIN(5, FIELD_UINT, struct site, anonymous),
	COUNTED(6, FIELD_STRS, struct site, operators, operator_count),
	MANY(7, struct site, keys, key_count, &SHAPE_API_KEY),
	MANY(8, struct site, peer_keys, peer_count, &SHAPE_PEER_KEY),
	MANY(9, struct site, channels, channel_count, &SHAPE_CHANNEL_LABEL),
	COUNTED(10, FIELD_STRS, struct site, maintenance, maintenance_count),
	PLAIN(11, FIELD_INT, struct site, retain_samples_s),
	PLAIN(12, FIELD_INT, struct site, retain_timings_s),
	PLAIN(13, FIELD_INT, struct site, retain_hours_s),
	PLAIN(14, FIELD_UINT, struct site, monitors),
	PLAIN(15, FIELD_UINT, struct site, generation),
	PLAIN(16, FIELD_STR, struct site, logo),
	PLAIN(17, FIELD_STR, struct site, me),
};
const struct shape SHAPE_SITE = SHAPE(KIND_SITE, struct site, site_fields);

static const struct field problem_fields[] = {
	PLAIN(1, FIELD_STR, struct problem, file),
	PLAIN(2, FIELD_UINT, struct problem, line),
	PLAIN(3, FIELD_UINT, struct problem, column),
	PLAIN(4, FIELD_STR, struct problem, text),
	PLAIN(5, FIELD_UINT, struct problem, warning),
};
static const struct shape SHAPE_PROBLEM = SHAPE(0, struct problem, problem_fields);

static const struct field problems_fields[] = {
	MANY(1, struct problem_list, problems, count, &SHAPE_PROBLEM),
};
const struct shape SHAPE_PROBLEMS = SHAPE(KIND_PROBLEMS, struct problem_list, problems_fields);

static const struct field notify_fields[] = {
	PLAIN(1, FIELD_STR, struct notify_rule, channel),
	PLAIN(2, FIELD_INT, struct notify_rule, after_ms),
	PLAIN(3, FIELD_INT, struct notify_rule, repeat_ms),
	PLAIN(4, FIELD_UINT, struct notify_rule, events),
	PLAIN(5, FIELD_STR, struct notify_rule, hours),
};
static const struct shape SHAPE_NOTIFY = SHAPE(0, struct notify_rule, notify_fields);

static const struct field heartbeat_fields[] = {
	COUNTED(1, FIELD_STRS, struct heartbeat_rules, secrets, secret_count),
	PLAIN(2, FIELD_UINT, struct heartbeat_rules, sha256_only),
	PLAIN(3, FIELD_STR, struct heartbeat_rules, token),
	PLAIN(4, FIELD_INT, struct heartbeat_rules, max_age_ms),
	PLAIN(5, FIELD_STR, struct heartbeat_rules, schedule),
	PLAIN(6, FIELD_INT, struct heartbeat_rules, grace_ms),
	PLAIN(7, FIELD_STR, struct heartbeat_rules, timezone),
	PLAIN(8, FIELD_INT, struct heartbeat_rules, window_ms),
};
const struct shape SHAPE_HEARTBEAT = SHAPE(KIND_HEARTBEAT, struct heartbeat_rules, heartbeat_fields);

static const struct field source_fields[] = {
	PLAIN(1, FIELD_STR, struct monitor_source, from),
	PLAIN(2, FIELD_STR, struct monitor_source, name),
};
static const struct shape SHAPE_SOURCE = SHAPE(0, struct monitor_source, source_fields);

static const struct field monitor_fields[] = {
	PLAIN(1, FIELD_UINT, struct monitor, id),
	PLAIN(2, FIELD_STR, struct monitor, slug),
	PLAIN(3, FIELD_STR, struct monitor, type),
	PLAIN(4, FIELD_STR, struct monitor, name),
	PLAIN(5, FIELD_STR, struct monitor, group),
	COUNTED(6, FIELD_STRS, struct monitor, tags, tag_count),
	PLAIN(7, FIELD_UINT, struct monitor, is_public),
	PLAIN(8, FIELD_UINT, struct monitor, paused),
	PLAIN(9, FIELD_INT, struct monitor, interval_ms),
	PLAIN(10, FIELD_INT, struct monitor, timeout_ms),
	PLAIN(11, FIELD_UINT, struct monitor, confirm),
	COUNTED(12, FIELD_INTS, struct monitor, confirm_waits_ms, confirm_wait_count),
	PLAIN(13, FIELD_UINT, struct monitor, recover),
	PLAIN(14, FIELD_INT, struct monitor, recover_wait_ms),
	PLAIN(15, FIELD_INT, struct monitor, slow_ms),
	COUNTED(16, FIELD_STRS, struct monitor, depends_on, depends_count),
	MANY(17, struct monitor, notify, notify_count, &SHAPE_NOTIFY),
	COUNTED(18, FIELD_STRS, struct monitor, maintenance, maintenance_count),
	PLAIN(19, FIELD_STR, struct monitor, runbook),
	PLAIN(20, FIELD_STR, struct monitor, options),
	NESTED(21, FIELD_ONE, struct monitor, heartbeat, &SHAPE_HEARTBEAT),
	PLAIN(22, FIELD_UINT, struct monitor, place),
	MANY(23, struct monitor, sources, source_count, &SHAPE_SOURCE),
	PLAIN(24, FIELD_INT, struct monitor, quorum),
	COUNTED(25, FIELD_STRS, struct monitor, places, place_count),
};
const struct shape SHAPE_MONITOR = SHAPE(KIND_MONITOR, struct monitor, monitor_fields);

static const struct field listed_fields[] = {
	PLAIN(1, FIELD_UINT, struct listed_monitor, id),
	PLAIN(2, FIELD_STR, struct listed_monitor, slug),
	PLAIN(3, FIELD_STR, struct listed_monitor, type),
	PLAIN(4, FIELD_STR, struct listed_monitor, name),
	PLAIN(5, FIELD_STR, struct listed_monitor, group),
	COUNTED(6, FIELD_STRS, struct listed_monitor, tags, tag_count),
	PLAIN(7, FIELD_UINT, struct listed_monitor, is_public),
	PLAIN(8, FIELD_INT, struct listed_monitor, interval_ms),
	COUNTED(9, FIELD_STRS, struct listed_monitor, maintenance, maintenance_count),
};
static const struct shape SHAPE_LISTED = SHAPE(0, struct listed_monitor, listed_fields);

static const struct field listing_fields[] = {
	MANY(1, struct listing, monitors, count, &SHAPE_LISTED),
};
const struct shape SHAPE_LISTING = SHAPE(KIND_LISTING, struct listing, listing_fields);

/* ---- what was decided -------------------------------------------------------------------------------- */

#define CERTIFICATE_AT(m) \
	(offsetof(struct judge, certificates[0].m) - offsetof(struct judge, certificates[0]))
static const struct field certificate_fields[] = {
	{1, FIELD_INT, CERTIFICATE_AT(expires_s), SIZE_IN(struct judge, certificates[0].expires_s), 0, 0,
		NULL},
	{2, FIELD_INT, CERTIFICATE_AT(days), SIZE_IN(struct judge, certificates[0].days), 0, 0, NULL},
};
static const struct shape SHAPE_CERTIFICATE = {0, 1, SIZE_IN(struct judge, certificates[0]),
	certificate_fields, sizeof(certificate_fields) / sizeof(certificate_fields[0])};

static const struct field judge_fields[] = {
	PLAIN(1, FIELD_UINT, struct judge, state),
	PLAIN(2, FIELD_UINT, struct judge, decided),
	PLAIN(3, FIELD_UINT, struct judge, known),
	PLAIN(4, FIELD_UINT, struct judge, marks),
	PLAIN(5, FIELD_INT, struct judge, since_us),
	PLAIN(6, FIELD_INT, struct judge, outage_us),
	PLAIN(7, FIELD_UINT, struct judge, tries),
	PLAIN(8, FIELD_UINT, struct judge, bad),
	PLAIN(9, FIELD_UINT, struct judge, definite),
	PLAIN(10, FIELD_UINT, struct judge, good),
	PLAIN(11, FIELD_UINT, struct judge, unseen),
	PLAIN(12, FIELD_INT, struct judge, first_bad_us),
	PLAIN(13, FIELD_INT, struct judge, last_definite_us),
	PLAIN(14, FIELD_INT, struct judge, first_good_us),
	PLAIN(15, FIELD_INT, struct judge, last_good_us),
	PLAIN(16, FIELD_CHARS, struct judge, cause),
	PLAIN(17, FIELD_UINT, struct judge, ready),
	PLAIN(18, FIELD_INTS, struct judge, changes_us),
	PLAIN(19, FIELD_UINT, struct judge, incident),
	PLAIN(20, FIELD_UINT, struct judge, told),
	PLAIN(21, FIELD_UINT, struct judge, told_slow),
	PLAIN(22, FIELD_UINT, struct judge, slow_count),
	NESTED(23, FIELD_ROW, struct judge, certificates, &SHAPE_CERTIFICATE),
	PLAIN(24, FIELD_UINT, struct judge, paused_by_hand),
	PLAIN(25, FIELD_INT, struct judge, maintenance_until_us),
};
const struct shape SHAPE_JUDGE = SHAPE(KIND_JUDGE, struct judge, judge_fields);

static const struct field timings_fields[] = {
	PLAIN(1, FIELD_LESS, struct timings, dns_us),
	PLAIN(2, FIELD_LESS, struct timings, connect_us),
	PLAIN(3, FIELD_LESS, struct timings, tls_us),
	PLAIN(4, FIELD_LESS, struct timings, first_byte_us),
	PLAIN(5, FIELD_LESS, struct timings, total_us),
};
static const struct shape SHAPE_TIMINGS = SHAPE(0, struct timings, timings_fields);

static const struct field entry_fields[] = {
	PLAIN(1, FIELD_INT, struct incident_entry, at_us),
	PLAIN(2, FIELD_UINT, struct incident_entry, kind),
	PLAIN(3, FIELD_UINT, struct incident_entry, outcome),
	PLAIN(4, FIELD_INT, struct incident_entry, status),
	PLAIN(5, FIELD_LESS, struct incident_entry, length_us),
	NESTED(6, FIELD_INSIDE, struct incident_entry, timings, &SHAPE_TIMINGS),
	PLAIN(7, FIELD_STR, struct incident_entry, who),
	PLAIN(8, FIELD_STR, struct incident_entry, text),
	PLAIN(9, FIELD_STR, struct incident_entry, address),
	PLAIN(10, FIELD_STR, struct incident_entry, headers),
	PLAIN(11, FIELD_STR, struct incident_entry, body),
};
const struct shape SHAPE_ENTRY = SHAPE(KIND_ENTRY, struct incident_entry, entry_fields);

/* Without its entries: each is a record of its own. */
static const struct field incident_fields[] = {
	PLAIN(1, FIELD_UINT, struct incident, id),
	PLAIN(2, FIELD_UINT, struct incident, monitor_id),
	PLAIN(3, FIELD_STR, struct incident, monitor),
	PLAIN(4, FIELD_UINT, struct incident, state),
	PLAIN(5, FIELD_INT, struct incident, started_us),
	PLAIN(6, FIELD_INT, struct incident, decided_us),
	PLAIN(7, FIELD_INT, struct incident, ended_us),
	PLAIN(8, FIELD_INT, struct incident, acknowledged_us),
	PLAIN(9, FIELD_STR, struct incident, acknowledged_by),
	PLAIN(10, FIELD_STR, struct incident, cause),
	COUNTED(11, FIELD_STRS, struct incident, told, told_count),
	PLAIN(12, FIELD_UINT, struct incident, entries_dropped),
	PLAIN(13, FIELD_UINT, struct incident, episode),
};
const struct shape SHAPE_INCIDENT = SHAPE(KIND_INCIDENT, struct incident, incident_fields);

static const struct field notice_fields[] = {
	PLAIN(1, FIELD_UINT, struct notice, id),
	PLAIN(2, FIELD_CHARS, struct notice, event_id),
	PLAIN(3, FIELD_UINT, struct notice, event),
	PLAIN(4, FIELD_UINT, struct notice, state),
	PLAIN(5, FIELD_STR, struct notice, channel),
	PLAIN(6, FIELD_STR, struct notice, monitor),
	PLAIN(7, FIELD_UINT, struct notice, monitor_id),
	PLAIN(8, FIELD_UINT, struct notice, incident),
	PLAIN(9, FIELD_UINT, struct notice, now),
	PLAIN(10, FIELD_UINT, struct notice, previous),
	PLAIN(11, FIELD_INT, struct notice, since_us),
	PLAIN(12, FIELD_INT, struct notice, at_us),
	PLAIN(13, FIELD_INT, struct notice, ended_us),
	PLAIN(14, FIELD_STR, struct notice, cause),
	PLAIN(15, FIELD_STR, struct notice, body),
	PLAIN(16, FIELD_INT, struct notice, due_us),
	PLAIN(17, FIELD_INT, struct notice, expires_us),
	PLAIN(18, FIELD_UINT, struct notice, attempts),
	PLAIN(19, FIELD_UINT, struct notice, in_flight),
	PLAIN(20, FIELD_UINT, struct notice, repeat),
	PLAIN(21, FIELD_STR, struct notice, answer),
	PLAIN(22, FIELD_STR, struct notice, thread),
	PLAIN(23, FIELD_STR, struct notice, instead),
};
const struct shape SHAPE_NOTICE = SHAPE(KIND_NOTICE, struct notice, notice_fields);

/* ---- passes ------------------------------------------------------------------------------------------ */

static const struct field pass_fields[] = {
	PLAIN(1, FIELD_INT, struct pass_info, started_us),
	PLAIN(2, FIELD_INT, struct pass_info, finished_us),
	PLAIN(3, FIELD_INT, struct pass_info, progress_us),
	PLAIN(4, FIELD_INT, struct pass_info, cadence_us),
	PLAIN(5, FIELD_INT, struct pass_info, grace_from_us),
	PLAIN(6, FIELD_INT, struct pass_info, blind_since_us),
	PLAIN(7, FIELD_UINT, struct pass_info, web_failing),
	PLAIN(8, FIELD_UINT, struct pass_info, config_ok),
	PLAIN(9, FIELD_UINT, struct pass_info, passes),
	PLAIN(10, FIELD_UINT, struct pass_info, boot_id),
	PLAIN(11, FIELD_INT, struct pass_info, boot_us),
	PLAIN(12, FIELD_UINT, struct pass_info, checked),
	PLAIN(13, FIELD_UINT, struct pass_info, failed),
};
const struct shape SHAPE_PASS = SHAPE(KIND_PASS, struct pass_info, pass_fields);

static const struct field counters_fields[] = {
	PLAIN(1, FIELD_UINT, struct counters, monitor),
	PLAIN(2, FIELD_UINT, struct counters, incident),
	PLAIN(3, FIELD_UINT, struct counters, notice),
};
const struct shape SHAPE_COUNTERS = SHAPE(KIND_COUNTERS, struct counters, counters_fields);
