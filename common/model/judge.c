/* SPDX-License-Identifier: ISC */
/*
 * judge: the state machine of one monitor. See judge.h for its contract.
 *
 * What happens to `decided`, and what is told. "enough" is a ladder with enough bad results, R is `recover`
 * good results in a row at least recover_wait apart, U is `confirm` looks in a row that could not be made.
 * A cell is: next state, event, incident. "-": stays, silent.
 *
 *	decided           good             enough, clear        enough, blind     U, or blind()
 *	pending           up, silent       down, DOWN, open     unknown, silent   U: unknown, UNKNOWN, open
 *	                                                                          blind(): -
 *	up                -                down, DOWN, open     unknown, silent   U: unknown, UNKNOWN, open
 *	                                                                          blind(): unknown, silent
 *	down              R: up, UP,       -                    -                 unknown, silent, kept open
 *	                  close
 *	unknown, nothing  up, silent       down, DOWN, open     -                 U: -, UNKNOWN, open
 *	open                                                                      blind(): -
 *	unknown, was      R: up, UP,       down, silent (they   -                 -
 *	down              close            know), kept open
 *	unknown, told     R: up, UP,       down, DOWN, kept     -                 -
 *	UNKNOWN           close            open
 *	paused            -                -                    -                 -
 *
 *	held (mass failure)   stays suspect, ready: decided again later; a good result lets it go
 *	ladder ends           without enough: back to `decided`; if that was pending or unknown and the last
 *	                      result was good, as "good"
 *	pause()               any: paused, silent, close             resume: pending, silent
 *	heartbeat             "enough" is one bad result, R is one good one
 *
 * Over this lie the rules of telling, all in tell():
 *	in maintenance        all is held but UP (and UP is told only to whom DOWN was); at its end whatever
 *	                      is still wrong is told
 *	flapping              begins with the change that is one too many: FLAPPING instead of DOWN or UP;
 *	                      then all is held, and the incident stays open, until calm: then UP (close) or
 *	                      DOWN
 *	nobody was told       of an outage: then nobody is told of its end
 *
 * "They know" is judge->told: the truth is told when it differs from what was told last, so each way
 * through the table ends with people knowing what is so, and nothing is told twice.
 */
#include "model/judge.h"

#include <string.h>

#include "base/clock.h"

/* Timers and the clocks of two looks never agree to the millisecond. */
#define APART_SLACK_US (250 * US_PER_MS)

/* ---- small things */

static unsigned at_least_one(unsigned n)
{
	return n > 0 ? n : 1;
}

/* The longest that a decision waits for the next look of a monitor that is looked at rarely. */
static int64_t patience_ms(const struct monitor *rules)
{
	return rules->interval_ms > 0 && rules->interval_ms < PATIENCE_MS ? rules->interval_ms : PATIENCE_MS;
}

/* Is `at` at least `need` after *mark? A mark in the future (the clock was stepped back) begins anew. */
static bool apart(int64_t *mark, int64_t at, int64_t need)
{
	if (at < *mark)
		*mark = at;
	return at - *mark >= need - APART_SLACK_US;
}

static void ladder_reset(struct judge *judge)
{
	judge->tries = judge->bad = judge->definite = 0;
	judge->first_bad_us = judge->last_definite_us = 0;
	judge->ready = false;
}

static void recovery_reset(struct judge *judge)
{
	judge->good = 0;
	judge->first_good_us = judge->last_good_us = 0;
}

static struct verdict verdict_begin(const struct judge *judge)
{
	return (struct verdict){.from = judge->decided, .to = judge->decided, .outage_us = judge->outage_us};
}

/* Every change of the judge is worth storing; comparing is simpler than remembering each. */
static void verdict_finish(struct verdict *verdict, const struct judge *before, const struct judge *judge)
{
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c): at worst one write more */
	verdict->dirty = memcmp(before, judge, sizeof(*judge)) != 0;
}

static void set_decided(struct judge *judge, struct verdict *verdict, enum monitor_state to, int64_t since_us)
{
	verdict->changed = judge->decided != to;
	verdict->from = judge->decided;
	verdict->to = to;
	judge->decided = judge->state = to;
	judge->since_us = since_us;
	ladder_reset(judge);
	recovery_reset(judge);
}

/* ---- telling */

/* The rule that holds this event back now, or NULL. Recovery passes maintenance: whoever was woken by the
   outage may sleep again. */
static const char *held_by(const struct judge *judge, enum event_kind event)
{
	if (event == EVENT_MAINTENANCE)
		return NULL;
	if ((judge->marks & MARK_FLAPPING) && event != EVENT_FLAPPING)
		return "flapping";
	if ((judge->marks & MARK_MAINTENANCE) && event != EVENT_UP)
		return "maintenance";
	return NULL;
}

static void hold(struct verdict *verdict, enum event_kind event, const char *because)
{
	verdict->held |= EVENT_BIT(event);
	if (!verdict->held_because)
		verdict->held_because = because; /* of several the one that holds the first */
}

/* What people believe once they have heard it. */
static void heard(struct judge *judge, enum event_kind event)
{
	switch (event) {
	case EVENT_DOWN:
		judge->told = TOLD_DOWN;
		break;
	case EVENT_UNKNOWN:
		judge->told = TOLD_UNKNOWN;
		break;
	case EVENT_FLAPPING:
		judge->told = TOLD_FLAPPING;
		break;
	case EVENT_UP:
		judge->told = TOLD_NOTHING;
		break;
	case EVENT_SLOW:
		judge->told_slow = (judge->marks & MARK_SLOW) != 0;
		break;
	default:
		break;
	}
}

/* Tells, unless a rule holds it back; true when told. */
static bool tell(struct judge *judge, struct verdict *verdict, enum event_kind event)
{
	const char *rule = held_by(judge, event);

	if (rule) {
		hold(verdict, event, rule);
		return false;
	}
	verdict->events |= EVENT_BIT(event);
	heard(judge, event);
	return true;
}

/* The event that makes what people believe true; EVENT__COUNT when it is. An unknown that is our own
   fault (unseen is 0 then) is nobody's news here: the pass sends one summary for all monitors. */
static enum event_kind owed_event(const struct judge *judge)
{
	bool wrong = judge->incident != 0;

	if (judge->marks & MARK_FLAPPING)
		return judge->told == TOLD_FLAPPING ? EVENT__COUNT : EVENT_FLAPPING;
	if (judge->decided == STATE_DOWN && judge->told != TOLD_DOWN)
		return EVENT_DOWN;
	if (judge->decided == STATE_UNKNOWN && judge->told == TOLD_NOTHING && wrong && judge->unseen > 0)
		return EVENT_UNKNOWN;
	if (judge->decided == STATE_UP && judge->told != TOLD_NOTHING)
		return EVENT_UP;
	return EVENT__COUNT;
}

static void tell_owed(struct judge *judge, struct verdict *verdict)
{
	enum event_kind event = owed_event(judge);

	if (event != EVENT__COUNT)
		tell(judge, verdict, event);
	if (judge->told_slow != ((judge->marks & MARK_SLOW) != 0))
		tell(judge, verdict, EVENT_SLOW);
}

/* ---- flapping */

/* Takes note of a change between up and down; true when it is the one too many. */
static bool flap_begins(struct judge *judge, enum monitor_state to, int64_t now_us)
{
	bool change = judge->known != STATE_PENDING && judge->known != to;
	int64_t oldest;

	judge->known = to;
	if (!change)
		return false;
	memmove(&judge->changes_us[1], &judge->changes_us[0], sizeof(judge->changes_us[0]) * (FLAP_RING - 1));
	judge->changes_us[0] = now_us;
	oldest = judge->changes_us[FLAP_RING - 1];
	return !(judge->marks & MARK_FLAPPING) && oldest != 0 && now_us - oldest <= FLAP_WINDOW_US;
}

/* Tells a decision, or that there are too many of them. */
static void tell_decision(struct judge *judge, struct verdict *verdict, enum event_kind event, bool flaps)
{
	if (flaps) {
		judge->marks |= MARK_FLAPPING;
		tell(judge, verdict, EVENT_FLAPPING);
	}
	tell(judge, verdict, event);
}

/* ---- decisions */

static void close_incident(struct judge *judge, struct verdict *verdict)
{
	verdict->close_incident = judge->incident != 0;
	judge->marks &= ~MARK_ACKNOWLEDGED;
	judge->outage_us = 0;
}

static void open_incident(struct judge *judge, struct verdict *verdict)
{
	if (judge->incident != 0)
		return;
	verdict->open_incident = true;
	judge->marks &= ~MARK_ACKNOWLEDGED;
}

static void decide_up(struct judge *judge, struct verdict *verdict, int64_t since_us, int64_t now_us)
{
	bool flaps = flap_begins(judge, STATE_UP, now_us);

	set_decided(judge, verdict, STATE_UP, since_us);
	if (judge->told != TOLD_NOTHING || flaps)
		tell_decision(judge, verdict, EVENT_UP, flaps);
	else if (verdict->from == STATE_DOWN)
		hold(verdict, EVENT_UP, "untold");
	if (!(judge->marks & MARK_FLAPPING))
		close_incident(judge, verdict);
}

static void decide_down(struct judge *judge, struct verdict *verdict, int64_t now_us)
{
	int64_t first_bad_us = judge->first_bad_us < now_us ? judge->first_bad_us : now_us;
	bool flaps;

	if (judge->known != STATE_DOWN)
		judge->outage_us = first_bad_us; /* else it went on behind the unknown */
	flaps = flap_begins(judge, STATE_DOWN, now_us);
	set_decided(judge, verdict, STATE_DOWN, judge->outage_us);
	judge->unseen = 0;
	verdict->outage_us = judge->outage_us;
	open_incident(judge, verdict);
	if (judge->told != TOLD_DOWN || flaps)
		tell_decision(judge, verdict, EVENT_DOWN, flaps);
}

/* Evidence suffices, but we do not see ourselves. */
static void decide_blind(struct judge *judge, struct verdict *verdict, const struct monitor *rules,
	int64_t now_us)
{
	int64_t first_bad_us = judge->first_bad_us < now_us ? judge->first_bad_us : now_us;

	hold(verdict, EVENT_DOWN, "blind");
	set_decided(judge, verdict, STATE_UNKNOWN,
		judge->decided == STATE_UNKNOWN ? judge->since_us : first_bad_us);
	judge->unseen = 0;
	verdict->recheck_ms = patience_ms(rules);
}

/* Looks were impossible for reasons of this monitor alone. */
static void decide_unseen(struct judge *judge, struct verdict *verdict, int64_t since_us)
{
	bool wrong = judge->incident != 0;

	if (judge->decided != STATE_UNKNOWN)
		set_decided(judge, verdict, STATE_UNKNOWN, since_us);
	if (wrong)
		return;
	judge->outage_us = verdict->outage_us = judge->since_us;
	open_incident(judge, verdict);
	tell(judge, verdict, EVENT_UNKNOWN);
}

struct verdict judge_decide(struct judge *judge, const struct monitor *rules, enum judge_view view,
	int64_t now_us)
{
	struct verdict verdict = verdict_begin(judge);
	struct judge before;

	if (!judge->ready)
		return verdict;
	memcpy(&before, judge, sizeof(before));
	switch (view) {
	case VIEW_CLEAR:
		decide_down(judge, &verdict, now_us);
		break;
	case VIEW_BLIND:
		decide_blind(judge, &verdict, rules, now_us);
		break;
	case VIEW_HELD:
		hold(&verdict, EVENT_DOWN, "mass");
		verdict.recheck_ms = patience_ms(rules);
		break;
	case VIEW_OUTVOTED:
		hold(&verdict, EVENT_DOWN, "quorum");
		verdict.recheck_ms = patience_ms(rules);
		break;
	}
	verdict_finish(&verdict, &before, judge);
	return verdict;
}

/* ---- the ladder */

/* How long until the next look when `done` of the ladder's are done. A wait of nothing is a moment: a verdict's 0
   says that there is no recheck. */
static int64_t ladder_wait_ms(const struct monitor *rules, unsigned done)
{
	unsigned n = rules->confirm_wait_count;
	int64_t wait_ms;

	if (n == 0)
		return patience_ms(rules);
	if (done > n)
		done = n;
	wait_ms = done > 0 ? rules->confirm_waits_ms[done - 1] : rules->confirm_waits_ms[0];
	return wait_ms > 0 ? wait_ms : 1;
}

static unsigned ladder_left(const struct judge *judge, const struct monitor *rules)
{
	unsigned length = rules->confirm_wait_count + 1, confirm = at_least_one(rules->confirm);

	if (length < confirm)
		length = confirm;
	return judge->tries < length ? length - judge->tries : 0;
}

static bool enough_bad(const struct judge *judge, const struct monitor *rules)
{
	if (rules->heartbeat)
		return judge->bad > 0;
	return judge->bad >= at_least_one(rules->confirm) || judge->definite >= DEFINITE_ENOUGH;
}

/* Can the looks that are left still make it enough? */
static bool ladder_over(const struct judge *judge, const struct monitor *rules)
{
	unsigned left = ladder_left(judge, rules);

	return judge->bad + left < at_least_one(rules->confirm) && judge->definite + left < DEFINITE_ENOUGH;
}

/* Two definite answers are worth more than any two failures only when nothing good came between: with
   the default waits one stray 502 among good answers would otherwise weigh as much as an outage. */
static void count_definite(struct judge *judge, const struct result *result)
{
	if (!result->definite)
		return;
	if (judge->definite > 0 && !apart(&judge->last_definite_us, result->at_us, DEFINITE_APART_US))
		return;
	judge->definite++;
	judge->last_definite_us = result->at_us;
}

static void weigh_ladder(struct judge *judge, const struct monitor *rules, struct verdict *verdict)
{
	if (enough_bad(judge, rules)) {
		judge->ready = true;
		verdict->ready = true;
	} else if (ladder_over(judge, rules)) {
		ladder_reset(judge);
		judge->state = judge->decided;
	} else {
		verdict->recheck_ms = ladder_wait_ms(rules, judge->tries);
	}
}

/* ---- slow */

/* Not slow is one fast answer, not being slow any more is several: slow_count counts the answers in a
   row that speak against the mark as it stands. */
static void weigh_slow(struct judge *judge, const struct monitor *rules, const struct result *result,
	struct verdict *verdict)
{
	bool marked = (judge->marks & MARK_SLOW) != 0, slow;

	if (rules->slow_ms <= 0) {
		judge->marks &= ~MARK_SLOW;
		judge->told_slow = false;
		judge->slow_count = 0;
		return;
	}
	if (result->timings.total_us < 0)
		return;
	slow = result->timings.total_us > rules->slow_ms * US_PER_MS;
	judge->slow_count = slow != marked ? judge->slow_count + 1 : 0;
	if (judge->slow_count < SLOW_ENOUGH)
		return;
	judge->marks ^= MARK_SLOW;
	judge->slow_count = 0;
	if (slow != judge->told_slow)
		tell(judge, verdict, EVENT_SLOW);
}

/* ---- weighing one result */

static void recover(struct judge *judge, const struct monitor *rules, const struct result *result,
	struct verdict *verdict, int64_t now_us)
{
	int64_t wait_us = rules->recover_wait_ms * US_PER_MS;

	if (judge->good == 0) {
		judge->good = 1;
		judge->first_good_us = judge->last_good_us = result->at_us;
	} else if (apart(&judge->last_good_us, result->at_us, wait_us)) {
		judge->good++;
		judge->last_good_us = result->at_us;
	}
	if (judge->good >= at_least_one(rules->recover) || rules->heartbeat) {
		decide_up(judge, verdict, judge->first_good_us, now_us);
		return;
	}
	verdict->recheck_ms = (judge->last_good_us + wait_us - result->at_us) / US_PER_MS;
	if (verdict->recheck_ms < 1)
		verdict->recheck_ms = 1;
}

static void weigh_good(struct judge *judge, const struct monitor *rules, const struct result *result,
	struct verdict *verdict, int64_t now_us)
{
	judge->unseen = 0;
	if (judge->tries > 0) {
		judge->tries++;
		judge->definite = 0;
		if (!judge->ready && !ladder_over(judge, rules)) {
			verdict->recheck_ms = ladder_wait_ms(rules, judge->tries);
			return;
		}
		ladder_reset(judge);
		judge->state = judge->decided;
	}
	if (judge->decided == STATE_DOWN || (judge->decided == STATE_UNKNOWN && judge->incident != 0))
		recover(judge, rules, result, verdict, now_us);
	else if (judge->decided != STATE_UP)
		decide_up(judge, verdict, result->at_us, now_us);
	if (judge->decided == STATE_UP)
		weigh_slow(judge, rules, result, verdict);
}

static void weigh_bad(struct judge *judge, const struct monitor *rules, const struct result *result,
	struct verdict *verdict, int64_t now_us)
{
	(void)now_us;
	memcpy(judge->cause, result->cause, sizeof(judge->cause));
	judge->unseen = 0;
	judge->slow_count = 0;
	recovery_reset(judge);
	if (judge->decided == STATE_DOWN)
		return;
	if (judge->tries == 0)
		judge->first_bad_us = result->at_us;
	judge->tries++;
	judge->bad++;
	judge->state = STATE_SUSPECT;
	count_definite(judge, result);
	weigh_ladder(judge, rules, verdict);
}

/* A look that could not be made says nothing of the target: a ladder waits for the next one. */
static void weigh_unseen(struct judge *judge, const struct monitor *rules, const struct result *result,
	struct verdict *verdict, int64_t now_us)
{
	unsigned confirm = at_least_one(rules->confirm);

	(void)now_us;
	if (rules->heartbeat && judge->decided == STATE_PENDING)
		return;
	memcpy(judge->cause, result->cause, sizeof(judge->cause));
	if (judge->unseen == 0 && judge->tries == 0)
		judge->first_bad_us = result->at_us;
	if (judge->unseen < confirm)
		judge->unseen++; /* and no further, or each look would be a change to store */
	if (judge->unseen < confirm)
		verdict->recheck_ms = ladder_wait_ms(rules, judge->unseen);
	else if (judge->decided != STATE_UNKNOWN || judge->incident == 0)
		decide_unseen(judge, verdict, judge->first_bad_us);
}

struct verdict judge_result(struct judge *judge, const struct monitor *rules, const struct result *result,
	int64_t now_us)
{
	static void (*const WEIGH[OUTCOME__COUNT])(struct judge *, const struct monitor *,
		const struct result *, struct verdict *, int64_t) = {
		[OUTCOME_UNKNOWN] = weigh_unseen,
		[OUTCOME_UP] = weigh_good,
		[OUTCOME_DOWN] = weigh_bad,
	};
	struct verdict verdict = verdict_begin(judge);
	struct judge before;

	if (judge->decided == STATE_PAUSED || (unsigned)result->outcome >= OUTCOME__COUNT)
		return verdict;
	if (result->outcome == OUTCOME_DOWN && result->lagged) {
		verdict.recheck_ms = ladder_wait_ms(rules, judge->tries);
		return verdict;
	}
	memcpy(&before, judge, sizeof(before));
	WEIGH[result->outcome](judge, rules, result, &verdict, now_us);
	verdict_finish(&verdict, &before, judge);
	return verdict;
}

/* ---- certificates */

/* The smallest threshold that the remaining time has passed, or 0. */
static int threshold_passed(int64_t remaining_s, const int *days, size_t n)
{
	int smallest = 0;

	for (size_t i = 0; i < n; i++) {
		if (remaining_s <= (int64_t)days[i] * 86400 && (smallest == 0 || days[i] < smallest))
			smallest = days[i];
	}
	return smallest;
}

/* Where this certificate is remembered; an unknown one takes the place of the oldest. */
static size_t certificate_slot(const struct judge *judge, int64_t expires_s)
{
	for (size_t i = 0; i < CERTIFICATES_TOLD; i++) {
		if (judge->certificates[i].expires_s == expires_s)
			return i;
	}
	return CERTIFICATES_TOLD - 1;
}

static void certificate_told(struct judge *judge, size_t slot, int64_t expires_s, int days)
{
	memmove(&judge->certificates[1], &judge->certificates[0], slot * sizeof(judge->certificates[0]));
	judge->certificates[0].expires_s = expires_s;
	judge->certificates[0].days = days;
}

struct verdict judge_certificate(struct judge *judge, int64_t expires_s, const int *days, size_t n,
	int64_t now_us)
{
	struct verdict verdict = verdict_begin(judge);
	size_t slot = certificate_slot(judge, expires_s);
	int passed = threshold_passed(expires_s - now_us / US_PER_S, days, n);
	bool known = judge->certificates[slot].expires_s == expires_s;
	struct judge before;

	if (expires_s == 0 || judge->decided == STATE_PAUSED)
		return verdict;
	memcpy(&before, judge, sizeof(before));
	if (passed == 0)
		judge->marks &= ~MARK_CERTIFICATE;
	else
		judge->marks |= MARK_CERTIFICATE;
	if (passed > 0 && !(known && judge->certificates[slot].days <= passed) &&
		tell(judge, &verdict, EVENT_CERTIFICATE))
		certificate_told(judge, slot, expires_s, passed);
	verdict_finish(&verdict, &before, judge);
	return verdict;
}

/* ---- what is not a result */

static void pause_begin(struct judge *judge, struct verdict *verdict, int64_t now_us)
{
	set_decided(judge, verdict, STATE_PAUSED, now_us);
	if (judge->told != TOLD_NOTHING)
		hold(verdict, EVENT_UP, "paused");
	close_incident(judge, verdict);
	judge->known = STATE_PENDING;
	judge->marks &= ~(MARK_FLAPPING | MARK_SLOW);
	judge->told = TOLD_NOTHING;
	judge->told_slow = false;
	judge->slow_count = judge->unseen = 0;
	memset(judge->changes_us, 0, sizeof(judge->changes_us));
}

struct verdict judge_pause(struct judge *judge, bool paused, int64_t now_us)
{
	struct verdict verdict = verdict_begin(judge);
	struct judge before;

	memcpy(&before, judge, sizeof(before));
	if (paused && judge->decided != STATE_PAUSED)
		pause_begin(judge, &verdict, now_us);
	else if (!paused && judge->decided == STATE_PAUSED)
		set_decided(judge, &verdict, STATE_PENDING, now_us);
	verdict_finish(&verdict, &before, judge);
	return verdict;
}

struct verdict judge_maintenance(struct judge *judge, bool active, int64_t now_us)
{
	struct verdict verdict = verdict_begin(judge);
	struct judge before;

	(void)now_us;
	if (active == ((judge->marks & MARK_MAINTENANCE) != 0))
		return verdict;
	memcpy(&before, judge, sizeof(before));
	judge->marks ^= MARK_MAINTENANCE;
	tell(judge, &verdict, EVENT_MAINTENANCE);
	if (!active)
		tell_owed(judge, &verdict);
	verdict_finish(&verdict, &before, judge);
	return verdict;
}

bool judge_maintenance_due(const struct judge *judge, bool window_active, int64_t now_us)
{
	return window_active || now_us < judge->maintenance_until_us;
}

struct verdict judge_blind(struct judge *judge, int64_t now_us)
{
	struct verdict verdict = verdict_begin(judge);
	struct judge before;

	if (judge->decided == STATE_PAUSED)
		return verdict;
	memcpy(&before, judge, sizeof(before));
	if (judge->decided == STATE_UP || judge->decided == STATE_DOWN)
		set_decided(judge, &verdict, STATE_UNKNOWN, now_us);
	ladder_reset(judge);
	recovery_reset(judge);
	judge->state = judge->decided;
	judge->unseen = 0;
	verdict_finish(&verdict, &before, judge);
	return verdict;
}

/* Stable means seen to be so: time behind an unknown does not count. */
static bool is_calm(struct judge *judge, int64_t now_us)
{
	int64_t seen_us = judge->since_us;

	if (judge->state != STATE_UP && judge->state != STATE_DOWN)
		return false; /* being confirmed, or nobody can know */
	return judge->good == 0 && apart(&judge->changes_us[0], now_us, FLAP_CALM_US) &&
		apart(&seen_us, now_us, FLAP_CALM_US);
}

struct verdict judge_calm(struct judge *judge, int64_t now_us)
{
	struct verdict verdict = verdict_begin(judge);
	struct judge before;

	memcpy(&before, judge, sizeof(before));
	if ((judge->marks & MARK_FLAPPING) && is_calm(judge, now_us)) {
		judge->marks &= ~MARK_FLAPPING;
		memset(judge->changes_us, 0, sizeof(judge->changes_us));
		tell_owed(judge, &verdict);
		if (judge->decided == STATE_UP)
			close_incident(judge, &verdict);
	}
	verdict_finish(&verdict, &before, judge);
	return verdict;
}

void judge_untold(struct judge *judge, unsigned events)
{
	const unsigned alerts = EVENT_BIT(EVENT_DOWN) | EVENT_BIT(EVENT_UNKNOWN) | EVENT_BIT(EVENT_FLAPPING);

	if (events & alerts)
		judge->told = TOLD_NOTHING;
	if (events & EVENT_BIT(EVENT_SLOW))
		judge->told_slow = !(judge->marks & MARK_SLOW);
}

struct verdict judge_owed(struct judge *judge, int64_t now_us)
{
	struct verdict verdict = verdict_begin(judge);
	struct judge before;

	(void)now_us;
	memcpy(&before, judge, sizeof(before));
	tell_owed(judge, &verdict);
	verdict_finish(&verdict, &before, judge);
	return verdict;
}
