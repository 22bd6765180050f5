// Three comforts, none of them needed: times in the visitor's zone, a page that renews itself in place, and
// a search that answers while one types.
"use strict";
(() => {
	const RENEW_MS = 10000;
	const FADE_MS = 60000;
	const main = document.getElementById("main");
	let renewed = Date.now();

	// 10:10 today, else 2026-05-01 10:10: as the server writes it, in the visitor's zone.
	const pad = n => String(n).padStart(2, "0");
	const short = t => {
		const day = `${t.getFullYear()}-${pad(t.getMonth() + 1)}-${pad(t.getDate())}`;
		return (t.toDateString() === new Date().toDateString() ? "" : day + " ") + pad(t.getHours()) + ":" + pad(t.getMinutes());
	};

	function localTimes(root) {
		for (const el of root.querySelectorAll("time[data-at]")) {
			const t = new Date(el.dateTime);
			if (isNaN(t)) continue;
			const seconds = el.hasAttribute("data-exact") ? ":" + pad(t.getSeconds()) : "";
			el.textContent = el.textContent.replace(el.dataset.at, short(t) + seconds);
			el.title = t.toLocaleString(document.documentElement.lang, {dateStyle: "full", timeStyle: "long"});
		}
		for (const el of root.querySelectorAll("[data-zone]"))
			el.textContent = el.textContent.replace(el.dataset.zone, Intl.DateTimeFormat().resolvedOptions().timeZone);
	}

	// Makes `old` what `now` is, touching only what differs: no flicker, and focus, selection and folds stay.
	const KEEP = {DETAILS: ["open"], INPUT: ["value"], TEXTAREA: ["value"]};

	function attributes(old, now) {
		const keep = KEEP[old.nodeName] || [];
		for (const {name, value} of now.attributes)
			if (!keep.includes(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
		for (const {name} of [...old.attributes])
			if (!keep.includes(name) && !now.hasAttribute(name)) old.removeAttribute(name);
	}

	function morph(old, now) {
		if (old.nodeType !== 1) {
			if (old.data !== now.data) old.data = now.data;
			return;
		}
		if (old.isEqualNode(now)) return;
		attributes(old, now);
		const named = new Map([...old.children].filter(e => e.id).map(e => [e.id, e]));
		let at = old.firstChild;
		for (const want of [...now.childNodes]) {
			const same = want.id ? named.get(want.id) : at;
			if (same && same.nodeName === want.nodeName && same.nodeType === want.nodeType && (same.id || "") === (want.id || "")) {
				if (same === at) at = at.nextSibling;
				else old.insertBefore(same, at);
				morph(same, want);
			} else {
				old.insertBefore(want, at);
			}
		}
		while (at) {
			const next = at.nextSibling;
			at.remove();
			at = next;
		}
	}

	async function renew(url) {
		try {
			const answer = await fetch(url, {headers: {Accept: "text/html"}, cache: "no-cache"});
			const page = new DOMParser().parseFromString(await answer.text(), "text/html");
			const fresh = page.getElementById("main");
			if (!answer.ok || !fresh) throw answer.status;
			localTimes(fresh);
			morph(main, fresh);
			document.title = page.title;
			const icon = 'link[rel="icon"]';
			document.querySelector(icon).href = page.querySelector(icon).href;
			renewed = Date.now();
		} catch (error) {
			// the server is away or busy: what is shown stays, and fades when it has grown old
		}
		main.classList.toggle("faded", Date.now() - renewed > FADE_MS);
	}

	let typing;
	function search(event) {
		const form = event.target.closest("form.find");
		if (!form) return;
		clearTimeout(typing);
		typing = setTimeout(() => {
			const asked = [...new FormData(form)].filter(([, value]) => value);
			const query = new URLSearchParams(asked).toString();
			history.replaceState(null, "", form.action + (query ? "?" + query : ""));
			renew(location.href);
		}, 200);
	}

	async function copy(event) {
		const button = event.target.closest("button[data-copy]");
		if (!button) return;
		await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
		button.textContent = button.dataset.done;
	}

	// The day under the pointer, or chosen with the arrow keys, of a bar of 90 days.
	const tip = document.createElement("div");
	tip.className = "tip";
	tip.setAttribute("role", "status");

	function tellDay(bar, at) {
		const values = bar.dataset.days.split(","), box = bar.getBoundingClientRect();
		const {today, day: pattern, noDay} = document.getElementById("groups").dataset;
		const i = Math.max(0, Math.min(values.length - 1, at));
		const day = new Date(Date.parse(today) - (values.length - 1 - i) * 86400000).toISOString().slice(0, 10);
		bar.dataset.at = i;
		tip.textContent = (values[i] ? pattern : noDay).replace("{1}", day).replace("{2}", (values[i] / 100).toFixed(2) + " %");
		tip.style.left = scrollX + box.left + box.width * (i + .5) / values.length + "px";
		tip.style.top = scrollY + box.top + "px";
		document.body.append(tip);
	}

	const barOf = event => event.target.closest && event.target.closest(".bar[data-days]");
	function point(event) {
		const bar = barOf(event);
		if (!bar) return tip.remove();
		const box = bar.getBoundingClientRect();
		tellDay(bar, Math.floor((event.clientX - box.left) / box.width * bar.dataset.days.split(",").length));
	}
	function arrow(event) {
		const bar = barOf(event), step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
		if (!bar || !step) return;
		event.preventDefault();
		tellDay(bar, Number(bar.dataset.at) + step);
	}
	function focus(event) {
		const bar = barOf(event);
		if (bar) tellDay(bar, Infinity);
		else tip.remove();
	}

	document.documentElement.classList.add("live");
	document.addEventListener("pointermove", point);
	document.addEventListener("focusin", focus);
	document.addEventListener("keydown", arrow);
	localTimes(document);
	document.addEventListener("input", search);
	document.addEventListener("click", copy);
	if (document.documentElement.dataset.renew !== undefined) {
		setInterval(() => document.hidden || renew(location.href), RENEW_MS);
		document.addEventListener("visibilitychange", () => document.hidden || renew(location.href));
	}
})();
