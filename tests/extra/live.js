// SPDX-License-Identifier: ISC
// live.js: what the small script adds to the dashboard, done with a real pointer and real keys, under our own CSP.
//   node live.js URL            (with node_modules in the current folder)
// Prints one JSON object: what was seen after each step.
'use strict';
const { createRequire } = require('module');
const path = require('path');
const { chromium } = createRequire(path.join(process.cwd(), 'package.json'))('playwright-core');

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
	'--disable-background-networking', '--disable-component-update'];

(async () => {
	const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
	const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: 'Asia/Taipei' })).newPage();
	const seen = { errors: [], loads: 0 };
	page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') seen.errors.push(m.text()); });
	page.on('pageerror', (e) => seen.errors.push(String(e)));
	page.on('load', () => seen.loads++);
	const rows = () => page.$$eval('.row h3', (list) => list.map((e) => e.textContent));
	const until = async (n) => { // waitForFunction() would need what our CSP forbids
		for (let i = 0; i < 100 && (await rows()).length !== n; i++) await page.waitForTimeout(50);
	};

	await page.goto(process.argv[2], { waitUntil: 'load' });
	seen.zone = await page.textContent('.zone');
	seen.all = await rows();
	await page.click('.group summary');
	await page.type('input[name=q]', 'gone', { delay: 20 });
	await until(1);
	seen.found = await rows();
	seen.query = new URL(page.url()).search;
	seen.typed = await page.inputValue('input[name=q]');
	seen.stillFocused = await page.evaluate(() => document.activeElement.name);
	await page.fill('input[name=q]', '');
	await until(seen.all.length);
	seen.folded = await page.$eval('.group', (e) => !e.open);
	await page.click('.group summary');
	await page.hover('.bar[data-days]');
	seen.tip = await page.textContent('.tip');
	await page.focus('.bar[data-days]');
	seen.today = await page.textContent('.tip');
	await page.keyboard.press('ArrowLeft');
	seen.yesterday = await page.textContent('.tip');
	console.log(JSON.stringify(seen));
	await browser.close();
})().catch((e) => { console.error(e); process.exit(1); });
