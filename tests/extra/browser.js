// SPDX-License-Identifier: ISC
// browser.js: opens pages in Debian's chromium and tells what a person, a keyboard and a screen reader find.
//   node browser.js URL...      (with node_modules in the current folder)
// Prints one JSON object for each page: {url, title, text, errors, violations, focused, overflow, requests}.
'use strict';
const { createRequire } = require('module');
const path = require('path');
const need = createRequire(path.join(process.cwd(), 'package.json'));
const { chromium } = need('playwright-core');
const axe = need.resolve('axe-core/axe.min.js');

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
	'--disable-background-networking', '--disable-component-update'];

async function look(browser, url, scheme, width) {
	const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 900 },
		ignoreHTTPSErrors: true, bypassCSP: true, reducedMotion: 'reduce',
		httpCredentials: { username: 'ann', password: 'secret' } });
	const page = await context.newPage();
	const errors = [], requests = [];
	page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') errors.push(m.text()); });
	page.on('pageerror', (e) => errors.push(String(e)));
	page.on('request', (r) => requests.push(r.url()));
	await page.goto(url, { waitUntil: 'load' });
	await page.addScriptTag({ path: axe });
	const found = await page.evaluate(() => window.axe.run(document));
	const focused = [];
	for (let i = 0; i < 12; i++) {
		await page.keyboard.press('Tab');
		focused.push(await page.evaluate(() => {
			const e = document.activeElement, s = getComputedStyle(e);
			return { tag: e.tagName, text: (e.textContent || e.getAttribute('aria-label') || '').trim().slice(0, 40),
				visible: s.outlineStyle !== 'none' || s.boxShadow !== 'none' };
		}));
	}
	const answer = {
		url, scheme, width, title: await page.title(), text: await page.evaluate(() => document.body.innerText),
		errors, requests, focused,
		violations: found.violations.map((v) => `${v.id}: ${v.help} (${v.nodes.map((n) => n.target).join(', ')})`),
		overflow: await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth),
	};
	await context.close();
	return answer;
}

(async () => {
	const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
	try {
		for (const url of process.argv.slice(2)) {
			for (const [scheme, width] of [['light', 1280], ['dark', 1280], ['light', 375], ['dark', 375]])
				console.log(JSON.stringify(await look(browser, url, scheme, width)));
		}
	} finally {
		await browser.close();
	}
})().catch((e) => { console.error(e); process.exit(1); });
