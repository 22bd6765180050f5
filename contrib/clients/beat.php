#!/usr/bin/env php
<?php
// SPDX-License-Identifier: ISC
// beat.php: a heartbeat for Upbeat, with nothing but PHP itself (7.4 or newer, allow_url_fopen).
//   beat.php SLUG [start|fail|log|EXIT-STATUS]   one signal (a plain success without a second word)
//   beat.php SLUG -- COMMAND [ARG...]            start, run the command, then its exit status and length
// $UPBEAT_URL is where Upbeat is mounted; the secret is in $UPBEAT_SECRET_FILE or $UPBEAT_SECRET.
// From a program: require 'beat.php'; beat('https://example.com/upbeat', 'shop', 'secret') or error_log('no beat');

function beat(string $url, string $slug, string $secret, string $signal = '', array $more = []): bool {
	$body = json_encode(['time' => round(microtime(true), 6)] + $more);
	$context = stream_context_create(['http' => ['method' => 'POST', 'content' => $body, 'timeout' => 10,
		'ignore_errors' => true, 'follow_location' => 0, 'header' => ['Content-Type: application/json',
		'X-Hub-Signature-256: sha256=' . hash_hmac('sha256', $body, $secret)]]]);
	$path = implode('/', array_filter([rtrim($url, '/'), 'beat', $slug, $signal], 'strlen'));
	$answer = @file_get_contents($path, false, $context);
	$status = $http_response_header[0] ?? 'no answer';
	if ($answer !== false && preg_match('/^HTTP\S+ 200\b/', $status)) return true;
	fwrite(STDERR, "beat.php: $status $answer\n");
	return false;
}

if (realpath($_SERVER['SCRIPT_FILENAME'] ?? '') !== __FILE__) return; // included by a program
$url = getenv('UPBEAT_URL');
$file = getenv('UPBEAT_SECRET_FILE');
$secret = $file ? preg_replace('/\n$/D', '', file_get_contents($file)) : (string)getenv('UPBEAT_SECRET');
if ($argc < 2 || !$url) { fwrite(STDERR, "usage: UPBEAT_URL=... beat.php SLUG [SIGNAL | -- COMMAND...]\n"); exit(2); }
if (($argv[2] ?? '') !== '--') exit(beat($url, $argv[1], $secret, $argv[2] ?? '') ? 0 : 1);
$begun = microtime(true);
$rid = getmypid() . '-' . (int)$begun;
beat($url, $argv[1], $secret, 'start', ['rid' => $rid]);
$process = proc_open(array_slice($argv, 3), [STDIN, STDOUT, STDERR], $pipes);
$status = $process ? proc_close($process) & 255 : 127;
beat($url, $argv[1], $secret, (string)$status, ['rid' => $rid, 'length' => round(microtime(true) - $begun, 3)]);
exit($status);
