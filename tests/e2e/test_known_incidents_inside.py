# SPDX-License-Identifier: ISC
"""What went wrong in comparable programs, by number, on the inside: pages, people, texts that reach files, shells and
other hosts, and the libraries that we stand on. T7-T10, T12-T17, T19 and T21-T24; those of bytes that come in
are in test_known_incidents.py."""
import hashlib
import html.parser
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time

import pytest

from upbeat import PROBER, PROGRAM, SANITIZED, sign

SECRET, READ_KEY = "a secret", "a-key-that-reads-0123"
CANARY = "\"'><svg/onload=alert(1)>"
HTML = {"HTTP_ACCEPT": "text/html"}
CONFIG = {"anonymous": "all", "self_check": False, "defaults": {"confirm_waits": ["10ms"] * 4, "timeout": "2s"},
          "monitors": {"robot": {"type": "heartbeat", "secret": SECRET, "max_age": "5m"}}}


TRACED = shutil.which("strace") and not SANITIZED


class Answer:
    def __init__(self, done):
        head, _, self.body = done.stdout.partition(b"\r\n\r\n")
        self.head = head.decode()
        self.headers = dict(line.split(": ", 1) for line in self.head.splitlines())
        self.status = int(self.headers["Status"].split()[0])


def ask(site, uri, method="GET", body=b"", prefix=(), **env):
    """One plain CGI request; REMOTE_USER= says who asks."""
    path, _, query = uri.partition("?")
    base = {"UPBEAT_STORE": str(site.store), "REQUEST_METHOD": method, "REQUEST_URI": uri, "QUERY_STRING": query,
            "PATH_INFO": path, "SCRIPT_NAME": "", "CONTENT_LENGTH": str(len(body)), "HTTP_HOST": "example.com"}
    done = subprocess.run([*prefix, PROGRAM], input=body, capture_output=True, timeout=30, env={**base, **env})
    assert done.returncode == 0 and done.stdout.startswith(b"Status: "), done
    return Answer(done)


def beat(site, **env):
    body = json.dumps({"time": time.time(), **env.pop("more", {})}).encode()
    return ask(site, "/beat/robot", "POST", body, HTTP_X_HUB_SIGNATURE_256=sign(SECRET, body), **env).status


def running(site, **config):
    site.configure({**CONFIG, **config})
    site.a_pass(check=True)


@pytest.mark.parametrize("where", ["../upbeat.json", "%2e%2e/upbeat.json", "..%2f..%2fetc%2fpasswd", "/etc/passwd",
                                   "....//upbeat.json", "..%5cupbeat.json", "state/data.mdb", "upbeat.json%00.css"])
def test_T7_no_part_of_a_request_is_a_file_name(site, where):
    """cgit CVE-2018-14912, Kuma CVE-2023-36822: ../ in a path. No open() names anything that was sent."""
    running(site)
    for path in ("/", "/m/", "/i/", "/badge/", "/beat/", "/style.css/../", "/?lang="):
        opened = site.folder / "opened"
        prefix = ["strace", "-f", "-qq", "-e", "trace=openat,open,stat,newfstatat,readlink", "-o", str(opened)] \
            if TRACED and path == "/m/" else []
        answer = ask(site, path + where, prefix=prefix, HTTP_ACCEPT="text/html", HTTP_COOKIE="lang=" + where)
        assert SECRET.encode() not in answer.body and b"root:" not in answer.body
        if prefix:
            assert "passwd" not in opened.read_text() and "upbeat.json" not in opened.read_text()


class Markup(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.bad = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.bad += [tag] if tag == "svg" and ("onload", "alert(1)>") in attrs else []
        self.bad += [f"{tag} {name}" for name, _ in attrs if name.startswith("on") or not re.fullmatch(r"[a-z][a-z:-]*\d?", name)]


def test_T8_what_others_wrote_is_text_on_every_page(site, catcher):
    """xymon CVE-2016-2058, monit CVE-2019-11454, Kuma CVE-2023-49276: markup in names, errors, headers, users."""
    catcher.script["/"] = (500, f"<title>{CANARY}</title>".encode(), ("X-Evil", CANARY))
    running(site, title=CANARY, monitors={
        "robot": {**CONFIG["monitors"]["robot"], "name": CANARY, "group": CANARY, "tags": [CANARY]},
        "shop": {"type": "http", "url": catcher.url + "/", "name": CANARY, "runbook": "https://example.com/?" + CANARY, "public": True,
                 "json": {CANARY: CANARY}, "status": "200-599", "confirm": 1}})
    assert beat(site, more={"msg": CANARY, "rid": "x"}, HTTP_USER_AGENT=CANARY, REMOTE_ADDR=CANARY) == 200
    site.a_pass(check=True)
    incident = site.status("shop")["incident"]
    pages = ["/", "/m/robot", "/m/shop", f"/i/{incident}", "/?q=" + CANARY.replace("%", "%25"), "/m/" + CANARY]
    for page in pages + ["/staff" + p for p in pages]:
        answer = ask(site, page, REMOTE_USER=CANARY, HTTP_USER_AGENT=CANARY, **HTML)
        text = answer.body.decode()
        if answer.headers["Content-Type"].startswith("text/html"):
            assert Markup(text).bad == [], page
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "unsafe-inline" not in policy
        assert "<svg/onload" not in text, page
    for page in ("/feed.atom", "/badge/shop.svg", "/badge/robot.svg"):
        assert b"<svg/onload" not in ask(site, page).body


def test_T9_reading_changes_nothing_and_strangers_cannot_post(site):
    """monit CVE-2016-7067: a state changed by GET, or by a form of another site."""
    running(site)
    assert beat(site) == 200

    def books():
        return [hashlib.sha256((site.store / book / "data.mdb").read_bytes()).digest() for book in ("inbox", "state")]

    before = books()
    for path in ("/", "/m/robot", "/beat/robot", "/up/robot", "/healthz", "/api/v1/monitors", "/metrics", "/m/robot/pause",
                 "/m/robot/acknowledge", "/api/v1/monitors/robot/pause", "/hook/pingdom/x", "/peer/x"):
        for prefix in ("", "/staff"):
            ask(site, prefix + path, REMOTE_USER="alex")
            ask(site, prefix + path, "HEAD", REMOTE_USER="alex")
    assert books() == before
    form = {"method": "POST", "body": b"for=1h", "REMOTE_USER": "alex", "CONTENT_TYPE": "application/x-www-form-urlencoded"}
    for headers in ({}, {"HTTP_ORIGIN": "https://evil.example"}, {"HTTP_SEC_FETCH_SITE": "cross-site"}, {"HTTP_ORIGIN": "null"},
                    {"HTTP_COOKIE": "csrf=" + "0" * 32}):
        assert ask(site, "/staff/m/robot/pause", **form, **headers).status == 403, headers
    assert books() == before


def test_T10_text_never_reaches_a_shell(site):
    """ShellShock, xymon CVE-2016-2056, OpenSMTPD CVE-2020-7247: the web program starts nothing, sendmail gets an argv."""
    touched = site.folder / "touched"
    shell = f"() {{ :;}}; $(touch {touched}) `touch {touched}` ; touch {touched} | touch {touched}"
    running(site)
    if TRACED:
        trace = site.folder / "trace"
        for uri, env in (("/", {}), ("/m/x", {}), ("/beat/robot", {"REQUEST_METHOD": "GET"})):
            ask(site, uri, prefix=["strace", "-f", "-qq", "-e", "trace=execve,execveat,fork,vfork", "-o", str(trace)],
                HTTP_USER_AGENT=shell, HTTP_X_EVIL=shell, HTTP_COOKIE=shell, **env)
            assert trace.read_text().count("execve") == 1
    sendmail = site.folder / "sendmail"
    sendmail.write_text(f"#!/bin/sh\nenv > {site.folder}/env\nprintf '%s\\n' \"$0\" \"$@\" > {site.folder}/argv\ncat > {site.folder}/mail\n")
    sendmail.chmod(0o755)
    site.env = {"EVIL": shell}
    site.configure({**CONFIG, "title": shell, "channels": {
        "post": {"type": "mail", "to": ["ops@example.com"], "from": "upbeat@example.com", "sendmail": str(sendmail)}}})
    done = site.prober("notify", "post")
    assert done.returncode == 0, done
    assert (site.folder / "argv").read_text().splitlines()[1:3] in (["-t", "-i"], ["-i", "-t"])
    assert "EVIL" not in (site.folder / "env").read_text() and not touched.exists()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/", "dict://127.0.0.1/", "FILE:/etc/passwd",
                                 "file:%2f%2f/etc/passwd", "javascript:1", "//127.0.0.1/", "http:/x"])
def test_T12_only_http_is_asked_for(site, url, catcher):
    """Kuma CVE-2024-56331: file:///etc/passwd as a monitor's address, and as a redirect's."""
    site.configure({**CONFIG, "monitors": {"x": {"type": "http", "url": url}}})
    assert site.prober("config").returncode == 1
    catcher.script["/"] = (302, b"", ("Location", url))
    site.configure({**CONFIG, "monitors": {"x": {"type": "keyword", "url": catcher.url + "/", "keyword": "root:"}}})
    looked = site.prober("check")
    assert looked.returncode == 1 and "root:x" not in looked.stdout + looked.stderr


ROUTES = ["/m/SLUG", "/up/SLUG", "/badge/SLUG.svg", "/api/v1/monitors/SLUG", "/api/v1/monitors/SLUG/history",
          "/api/v1/monitors/SLUG/uptime", "/beat/SLUG"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_T13_a_private_monitor_is_one_that_is_not_there(site, route, method, target):
    """Kuma CVE-2026-32230: one of several endpoints forgot to ask whether it is public."""
    running(site, anonymous="public", monitors={
        "public1": {"type": "http", "url": target.url, "public": True}, "hidden-a": {"type": "http", "url": target.url}})

    def seen(slug, **who):
        answer = ask(site, route.replace("SLUG", slug), method, HTTP_ACCEPT="text/html", **who)
        return answer.status, re.sub(r"(?m)^(ETag|Last-Modified): .*$", "", answer.head).replace(slug, "SLUG"), \
            answer.body.replace(slug.encode(), b"SLUG")

    def same(**who):  # a page says how old it is, in seconds
        return any(seen("hidden-a", **who) == seen("absent-b") for _ in range(4))

    assert same() and seen("hidden-a")[0] == 404
    assert same(REMOTE_USER="alex"), "a name is believed below /staff/ only"
    if not route.startswith("/beat"):
        assert seen("public1")[0] == 200


def test_T14_a_template_reads_nothing_but_its_fields(site, catcher):
    """Kuma GHSA-vffh: a template engine that reads files."""
    body = "{% include '/etc/passwd' %} ${/etc/passwd} <%= File.read('/etc/passwd') %> $(cat /etc/passwd) {{title}}"
    for text, good in ((body, True), ("{{> /etc/passwd}}", False), ("{{include '/etc/passwd'}}", False), ("{{constructor}}", False)):
        catcher.received.clear()
        site.configure({**CONFIG, "channels": {"x": {"type": "http", "url": catcher.url, "headers": {"Content-Type": "text/plain"}, "body": text}}})
        assert (site.prober("config").returncode == 0) == good, text
        site.prober("notify", "x")
        assert [r.body.decode().startswith(body[:60]) and b"root:" not in r.body for r in catcher.received] == [True] * good


def test_T15_a_key_that_was_taken_away_opens_nothing(site):
    """Kuma CVE-2023-44400: sessions that outlive the password."""
    keys = {"reader": {"key": READ_KEY, "may": "read"}}
    running(site, anonymous="none", api_keys=keys)
    answer = ask(site, "/api/v1/monitors", HTTP_X_API_KEY=READ_KEY)
    assert answer.status == 200 and "Set-Cookie" not in answer.headers
    running(site, anonymous="none")
    assert ask(site, "/api/v1/monitors", HTTP_X_API_KEY=READ_KEY).status in (401, 403, 404)


@pytest.mark.parametrize("keyword", ["(a+)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 200 + "!", "aA" * 100])
def test_T16_a_keyword_is_no_expression_and_takes_no_time(site, catcher, keyword):
    """Kuma CVE-2025-26042: an expression that never ends on 64 KiB of a's."""
    catcher.script["/"] = (200, b"aA" * 32768)
    site.configure({**CONFIG, "monitors": {"x": {"type": "keyword", "url": catcher.url + "/", "keyword": keyword, "ignore_case": True}}})
    begun = time.monotonic()
    site.prober("check")
    assert time.monotonic() - begun < 2.5


@pytest.mark.parametrize("broken", [
    {"api_keys": {"good": {"key": READ_KEY, "may": "read"}, "bad": {"key": "another-key-0123", "may": "wirte"}}},
    {"api_keys": {"good": {"key": READ_KEY, "may": "read"}, "bad": {"kee": "another-key-0123"}}},
    {"anonymous": "pubic"}, {"operators": 5}, {"anonymos": "none"}])
def test_T17_a_mistake_in_who_may_what_changes_nothing(site, broken):
    """Gatus a2fc5ab9: an invalid block beside a valid one was accepted."""
    running(site, anonymous="none")
    assert ask(site, "/api/v1/monitors").status in (401, 403, 404)
    site.configure({**CONFIG, **broken})
    assert site.prober("config").returncode == 1
    assert site.a_pass().returncode == 1
    assert ask(site, "/api/v1/monitors").status in (401, 403, 404)
    assert ask(site, "/api/v1/monitors", HTTP_X_API_KEY=READ_KEY).status in (401, 403, 404)


@pytest.mark.skipif(not shutil.which("nm"), reason="needs nm (binutils)")
def test_T19_of_cjson_only_the_parser_is_linked():
    """cJSON's open faults are in its patch and compare functions."""
    symbols = subprocess.run(["nm", "-D", PROBER], capture_output=True, text=True, check=True).stdout
    assert "cJSON_Parse" in symbols
    assert not re.search(r"cJSONUtils_|cJSON_Compare|cJSON_Minify|cJSON_SetNumberHelper", symbols)
    assert b"cJSON_" not in PROGRAM.read_bytes()


@pytest.mark.parametrize("seed", range(100 if os.environ.get("UPBEAT_NIGHTLY") else 2))
def test_T21_a_forged_book_kills_nobody(site, seed, target):
    """LMDB CVE-2019-16224 to -16228: what is in data.mdb is believed. It is read in a child first."""
    running(site, monitors={**CONFIG["monitors"], "shop": {"type": "http", "url": target.url}})
    beat(site)
    random.seed(seed)
    for book in ("state", "inbox"):
        path = site.store / book / "data.mdb"
        data = bytearray(path.read_bytes())
        used = max(i for i in range(0, len(data), 4096) if any(data[i:i + 4096])) + 4096
        for _ in range(8):
            at = random.randrange(0, used)
            n = min(random.choice((1, 4, 16)), used - at)
            data[at:at + n] = random.randbytes(n)
        path.write_bytes(data)
    for command in (["doctor", "--verify"], ["run"], ["status"]):
        done = site.prober(*command, timeout=90)
        assert done.returncode in (0, 1, 75), (command, done)
    done = subprocess.run([PROGRAM], capture_output=True, timeout=30,
                          env={"UPBEAT_STORE": str(site.store), "REQUEST_METHOD": "GET", "REQUEST_URI": "/", "SCRIPT_NAME": ""})
    assert done.returncode >= 0 or -done.returncode in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)
    site.a_pass(timeout=90)
    assert ask(site, "/healthz").status in (200, 503)


SPY = r"""
#define _GNU_SOURCE
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#undef curl_easy_setopt
CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	static CURLcode (*real)(CURL *, CURLoption, ...);
	va_list ap;
	void *value;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "curl_easy_setopt");
	va_start(ap, option);
	value = va_arg(ap, void *);
	va_end(ap);
	if (option < 10000 || option >= 30000)
		fprintf(stderr, "SPY %d %ld\n", (int)option, (long)value);
	else if (option < 20000 && (option == CURLOPT_PROXY || option == CURLOPT_PROTOCOLS_STR || option == CURLOPT_REDIR_PROTOCOLS_STR))
		fprintf(stderr, "SPY %d \"%s\"\n", (int)option, value ? (char *)value : "(null)");
	else
		fprintf(stderr, "SPY %d pointer\n", (int)option);
	return real(easy, option, value);
}
"""


@pytest.mark.skipif(not shutil.which("gcc") or SANITIZED, reason="needs gcc, and a build that can be spied on")
def test_T22_libcurl_is_asked_for_little(site, target, catcher, tmp_path):
    """curl: 20 CVEs that Debian's does not name as fixed need options that we never set."""
    names = ("FORBID_REUSE FRESH_CONNECT PROXY PROTOCOLS_STR NETRC FOLLOWLOCATION HTTPAUTH NOSIGNAL COOKIE COOKIEFILE COOKIEJAR "
             "COOKIELIST SSL_VERIFYPEER SSL_VERIFYHOST SSH_AUTH_TYPES SSLCERT PROXYAUTH UNRESTRICTED_AUTH STREAM_DEPENDS").split()
    (tmp_path / "spy.c").write_text(SPY)
    (tmp_path / "numbers.c").write_text("#include <curl/curl.h>\n#include <stdio.h>\nint main(void)\n{\n" + "".join(
        f'\tprintf("{n} %d\\n", (int)CURLOPT_{n});\n' for n in names) + "\treturn 0;\n}\n")
    subprocess.run(["gcc", "-w", "-shared", "-fPIC", "-DCURL_DISABLE_TYPECHECK", "-o", tmp_path / "spy.so", tmp_path / "spy.c", "-ldl"], check=True)
    subprocess.run(["gcc", "-w", "-o", tmp_path / "numbers", tmp_path / "numbers.c"], check=True)
    listed = subprocess.run([tmp_path / "numbers"], capture_output=True, text=True, check=True).stdout
    number = {name: int(value) for name, value in (line.split() for line in listed.splitlines())}
    site.configure({**CONFIG, "channels": {"hook": {"type": "webhook", "url": catcher.url, "secret": "x"}},
                    "monitors": {"shop": {"type": "http", "url": target.url, "auth": {"basic": ["me", "password"]}}}})
    site.env = {"LD_PRELOAD": str(tmp_path / "spy.so"), "HTTP_PROXY": "http://127.0.0.1:1/"}
    for command in (["check"], ["notify", "hook"]):
        done = site.prober(*command)
        said = {}
        for option, value in re.findall(r"SPY (\d+) (.*)", done.stderr):
            said.setdefault(int(option), set()).add(value)

        def only(name, *values):
            assert said.get(number[name], set()) <= set(values), (command, name, said.get(number[name]))
            return bool(said.get(number[name]))

        assert done.returncode == 0, done
        assert only("PROXY", '""') and only("NOSIGNAL", "1") and only(
            "PROTOCOLS_STR", '"http,https"', '"http,https,smtp,smtps"')
        assert only("FORBID_REUSE", "1") or only("FRESH_CONNECT", "1")
        only("FOLLOWLOCATION", "0")
        only("NETRC", "0")
        only("HTTPAUTH", "1", str(1 << 6))
        only("SSL_VERIFYPEER", "1")
        only("SSL_VERIFYHOST", "2")
        for name in "COOKIE COOKIEFILE COOKIEJAR COOKIELIST SSH_AUTH_TYPES SSLCERT PROXYAUTH UNRESTRICTED_AUTH STREAM_DEPENDS".split():
            assert number[name] not in said, name


def test_T23_looking_is_no_beat(site):
    """Kuma push: any GET or HEAD counts, so a prefetch beats."""
    running(site)
    assert ask(site, "/beat/robot").status == 404
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"):
        for path in ("/beat/robot", "/beat/robot/start", "/beat", "/"):
            ask(site, path, method, HTTP_PURPOSE="prefetch", HTTP_SEC_PURPOSE="prefetch;prerender")
    assert ask(site, "/beat/robot").status == 404
    assert beat(site) == 200 and ask(site, "/beat/robot").status == 200


def test_T24_nobody_is_sent_elsewhere(site):
    """healthchecks: an absolute address in a redirect."""
    running(site)
    evil = "https://evil.example/"
    for path in ("//evil.example/", "/staff", "/m/robot/", "/?next=" + evil, "/staff//evil.example/", "/\\evil.example", "/@evil.example/"):
        answer = ask(site, path, HTTP_REFERER=evil, HTTP_X_FORWARDED_HOST="evil.example", REMOTE_USER="alex", **HTML)
        where = answer.headers.get("Location", "")
        assert "evil" not in where or re.match(r"(https?://example\.com)?/(?![/\\])", where), (path, where)
