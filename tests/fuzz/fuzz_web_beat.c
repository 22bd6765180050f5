/* SPDX-License-Identifier: ISC */
/* Beats: the first line is the verb, the rest a body whose signature holds. */
#include "base/mem.h"
#include "web/beat_parse.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *eol = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t verb_len = eol != NULL ? (size_t)(eol - data) : 0;
	char *verb = mem_strn((const char *)data, verb_len);
	struct beat_words words = {TEXT_INIT, TEXT_INIT};
	struct text body = TEXT_INIT;
	struct beat beat;
	const char *why;

	if (!beat_parse_signal(verb, &beat))
		beat_parse_signal("", &beat);
	FUZZ_CHECK(beat.exit_status >= -1 && beat.exit_status <= 255);
	FUZZ_CHECK((beat.exit_status > 0) == (beat.kind == BEAT_FAIL && *verb != 'f'));
	if (eol != NULL)
		text_rawn(&body, (const char *)eol + 1, size - verb_len - 1);
	why = beat_parse_body(&body, &beat, &words);
	FUZZ_CHECK(why != NULL || (beat.has_time && beat.length_us >= -1));
	FUZZ_CHECK(why != NULL || beat.rid == NULL || strlen(beat.rid) <= BEAT_RID_MAX);
	beat_words_free(&words);
	text_free(&body);
	free(verb);
	return 0;
}
