#!/usr/bin/env node
// SPDX-License-Identifier: ISC
// beat.js: a heartbeat for Upbeat, with nothing but Node's own modules (18 or newer).
//   beat.js SLUG [start|fail|log|EXIT-STATUS]   one signal (a plain success without a second word)
//   beat.js SLUG -- COMMAND [ARG...]            start, run the command, then its exit status and length
// $UPBEAT_URL is where Upbeat is mounted; the secret is in $UPBEAT_SECRET_FILE or $UPBEAT_SECRET.
// From a program: await require('./beat.js').beat('https://example.com/upbeat', 'hubot', 'secret')
'use strict';
const crypto = require('crypto'), fs = require('fs'), child = require('child_process');

async function beat(url, slug, secret, signal, more) {
	const body = JSON.stringify(Object.assign({ time: Date.now() / 1000 }, more));
	const mac = crypto.createHmac('sha256', secret).update(body).digest('hex');
	const path = [url.replace(/\/+$/, ''), 'beat', slug].concat(signal || []).join('/');
	const headers = { 'X-Hub-Signature-256': 'sha256=' + mac, 'Content-Type': 'application/json' };
	const answer = await fetch(path, { method: 'POST', body, headers, signal: AbortSignal.timeout(10000) });
	if (!answer.ok) throw new Error('HTTP ' + answer.status + ' ' + (await answer.text()));
}

async function main([slug, ...rest]) {
	const { UPBEAT_URL: url, UPBEAT_SECRET_FILE: file, UPBEAT_SECRET: given } = process.env;
	if (!slug || !url) throw new Error('usage: UPBEAT_URL=... beat.js SLUG [SIGNAL | -- COMMAND...]');
	const secret = file ? fs.readFileSync(file, 'utf8').replace(/\n$/, '') : given;
	if (rest[0] !== '--') return beat(url, slug, secret, rest[0]);
	const attempt = (...what) => beat(url, slug, secret, ...what).catch((e) => console.error('beat.js:', e.message));
	const begun = Date.now(), rid = process.pid + '-' + begun;
	await attempt('start', { rid });
	const done = child.spawnSync(rest[1], rest.slice(2), { stdio: 'inherit' });
	if (done.error) console.error('beat.js:', done.error.message);
	process.exitCode = done.status === null ? 127 : done.status;
	await attempt(String(process.exitCode), { rid, length: (Date.now() - begun) / 1000 });
}

module.exports = { beat };
if (require.main === module)
	main(process.argv.slice(2)).catch((e) => { console.error('beat.js:', e.message); process.exitCode = 1; });
