#!/bin/sh
# SPDX-License-Identifier: ISC
# beat.sh: a heartbeat for Upbeat, with nothing but sh, curl and openssl.
#   beat.sh SLUG [start|fail|log|EXIT-STATUS]   one signal (a plain success without a second word)
#   beat.sh SLUG -- COMMAND [ARG...]            start, run the command, then its exit status and length
# $UPBEAT_URL is where Upbeat is mounted (https://example.com/upbeat); the secret is in the file
# $UPBEAT_SECRET_FILE, or in $UPBEAT_SECRET. It never appears in a command line, where ps would show it.
set -u
: "${UPBEAT_URL:?set it to where Upbeat is mounted}"
slug=${1:?usage: beat.sh SLUG [SIGNAL | -- COMMAND...]}; shift
secret() { if [ -n "${UPBEAT_SECRET_FILE:-}" ]; then printf %s "$(cat "$UPBEAT_SECRET_FILE")"; else printf %s "${UPBEAT_SECRET:?}"; fi; }
sha256() { openssl dgst -sha256 -binary; }
hex() { od -An -v -tx1 | tr -d '\n'; }

key=$(secret | hex)
[ ${#key} -le 192 ] || key=$(secret | sha256 | hex)
pad() { # the key, filled up to 64 bytes with zeros and XORed with $1 (RFC 2104)
	bytes='' n=0
	for b in $key; do bytes="$bytes $((0x$b ^ $1))" n=$((n + 1)); done
	while [ $n -lt 64 ]; do bytes="$bytes $1" n=$((n + 1)); done
	# shellcheck disable=SC2059,SC2086
	printf "$(printf '\\%03o' $bytes)"
}
sign() { { pad 92; { pad 54; printf %s "$1"; } | sha256; } | sha256 | hex | tr -d ' '; }
now() { t=$(date +%s.%N); case $t in *N) date +%s ;; *) printf %s "$t" ;; esac; }
beat() { # beat SIGNAL [MORE-JSON]
	body="{\"time\":$(now)${2:-}}"
	curl -fsS -m 10 -o /dev/null -H "X-Hub-Signature-256: sha256=$(sign "$body")" \
		--data-binary "$body" "$UPBEAT_URL/beat/$slug${1:+/$1}"
}

[ "${1:-}" = -- ] || { beat "${1:-}"; exit; }
shift; begun=$(date +%s); rid="$$-$begun"
beat start ",\"rid\":\"$rid\""
"$@"; status=$?
beat "$status" ",\"rid\":\"$rid\",\"length\":$(($(date +%s) - begun))"
exit "$status"
