# SPDX-License-Identifier: ISC
"""What went wrong in comparable programs, by number: each test is the case that broke one of them, tried on
ours. T1-T6, T11, T18, T20 and T25; those of pages, people and libraries are in test_known_incidents_inside.py."""
import html
import json
import subprocess
import time

import pytest

import fastcgi
from upbeat import PROGRAM, sign

SECRET = "a secret"
CONFIG = {"anonymous": "all", "monitors": {"robot": {"type": "heartbeat", "secret": SECRET, "max_age": "5m"}}}


@pytest.fixture
def site_of(site, lighttpd):
    def make(config):
        site.configure(config)
        site.a_pass(check=True)
        return lighttpd
    return make


def alive(front):
    return front.beat("robot", SECRET).status == 200


def cgi(site, body=b"", **env):
    """The program as plain CGI, with exactly this environment."""
    base = {"UPBEAT_STORE": str(site.store), "REQUEST_METHOD": "POST", "REQUEST_URI": "/beat/robot", "SCRIPT_NAME": ""}
    done = subprocess.run([PROGRAM], input=body, capture_output=True, timeout=20,
                          env={k: v for k, v in {**base, **env}.items() if v is not None})
    assert done.returncode == 0 and done.stdout.startswith(b"Status: "), done
    return int(done.stdout.split()[1])


def test_T1_text_that_grows_when_it_is_escaped(site_of):
    """xymon, CVE-2019-13455: expansion into a fixed buffer."""
    name = "\"'<>&" * 200
    config = {**CONFIG, "monitors": {"robot": {**CONFIG["monitors"]["robot"], "name": name, "group": name[:300]}}}
    front = site_of(config)
    page = front.get("/", Accept="text/html")
    assert page.status == 200
    assert html.unescape(page.text).count(name) >= 1 and name not in page.text
    assert front.get("/m/robot", Accept="text/html").status == 200
    shown = [m["name"] for m in front.get("/api/v1/monitors").json["monitors"]]
    assert shown == [name]


def test_T2_long_parameters(site_of):
    """xymon CVE-2019-13485, nagios CVE-2012-6096: a name longer than the buffer it is copied to."""
    front = site_of(CONFIG)
    for n in (1, 63, 64, 65, 127, 128, 255, 256, 1023, 4096, 60000):
        for path in (f"/m/{'a' * n}", f"/i/{'9' * n}", f"/beat/{'a' * n}", f"/badge/{'a' * n}.svg", f"/?q={'a' * n}",
                     f"/ping/{'a' * n}/{'b' * 10}"):
            assert front.get(path, Accept="text/html").status in (200, 400, 404, 414, 431), path[:20]
    assert alive(front)


def test_T3_keys_without_values(site_of):
    """nagios CVE-2013-7108: a key without a value reads past the array."""
    front = site_of(CONFIG)
    for query in ("a", "=", "&", "a&b=", "&&&", "=&=", "q", "q=&q", "lang&lang", "&".join("abc" for _ in range(5000))):
        for path in ("/", "/m/robot", "/api/v1/monitors", "/ping/0123456789"):
            assert front.get(f"{path}?{query}", Accept="text/html").status in (200, 400, 404, 414, 431), (path, query[:20])
    assert alive(front)


@pytest.mark.parametrize("end", ["%", "%4", "%zz", "%00", "%e2%82", "%c0%af", "%25", "%2e%2e%2f"])
def test_T4_truncated_escapes(site, end):
    """monit CVE-2019-11455: decoding reads past the end."""
    site.configure(CONFIG)
    site.a_pass(check=True)
    for uri in (f"/beat/{end}", f"/m/a{end}", f"/{end}", f"/?q={end}", f"/beat/robot?{end}"):
        query = uri.partition("?")[2]
        assert cgi(site, REQUEST_METHOD="GET", REQUEST_URI=uri, QUERY_STRING=query) in (200, 400, 404), uri


@pytest.mark.parametrize("length", ["-1", "", "2147483648", "9223372036854775808", "18446744073709551616", "1e3", " 5",
                                    "5x", "0x10", "+5", None])
def test_T5_lengths_that_are_none(site, length):
    """cgit CVE-2016-1901: a length of 2^31 in an int."""
    site.configure(CONFIG)
    site.a_pass(check=True)
    body = json.dumps({"time": time.time()}).encode()
    signature = sign(SECRET, body)
    assert cgi(site, body, CONTENT_LENGTH=length, HTTP_X_HUB_SIGNATURE_256=signature) in (400, 403, 413)
    assert cgi(site, body, CONTENT_LENGTH=str(len(body)), HTTP_X_HUB_SIGNATURE_256=signature) == 200


def test_T5_bodies_shorter_and_longer_than_said(site):
    site.configure(CONFIG)
    site.a_pass(check=True)
    body = json.dumps({"time": time.time()}).encode()
    signature = sign(SECRET, body)
    said = {"CONTENT_LENGTH": str(len(body)), "HTTP_X_HUB_SIGNATURE_256": signature}
    assert cgi(site, body[:-1], **said) in (400, 403)
    assert cgi(site, body + b"more", **said) == 200, "nothing is read past the length"
    assert cgi(site, b" " * 65537, CONTENT_LENGTH="65537", HTTP_X_HUB_SIGNATURE_256=signature) == 413


def test_T6_line_ends_in_what_comes_in(site_of):
    """cgit CVE-2016-1899: CR and LF from the request in a header."""
    front = site_of(CONFIG)
    for path in ("/m/a%0d%0aX-Evil:1", "/?lang=%0d%0aX-Evil:1", "/ping/aaaaaaaa%0aX-Evil:1", "/m/robot?span=%0d%0aX-Evil:1"):
        answer = front.get(path, Accept="text/html", Cookie="lang=a\tb")
        assert answer.headers.get("X-Evil") is None and answer.status in (200, 302, 303, 400, 404), path


def test_T11_no_proxy_from_the_environment(site, target):
    """httpoxy: a header, or cron's environment, must not choose the way our requests take."""
    site.configure({"monitors": {"shop": {"type": "http", "url": target.url + "/"}}})
    names = ("http_proxy", "https_proxy", "all_proxy")
    site.env = {n: "http://127.0.0.1:1/" for name in names for n in (name, name.upper())}
    done = site.prober("check")
    assert done.returncode == 0 and target.hits == 1, done


@pytest.mark.parametrize("pair", [b"\xff\xff\xff\xff\xff\xff\xff\xff", b"\x7f\xff\xff\xff\xff\xff\xff\xff",
                                  b"\x80\x00\x00\x01\x80\x00\x00\x01", b"\xff\xff\xff\xff\x01"], ids=repr)
def test_T18_lengths_of_parameters_that_overflow(site_of, site, pair):
    """libfcgi CVE-2025-23016: the sum of two 31-bit lengths."""
    import socket
    front = site_of(CONFIG)
    assert alive(front)
    path = next(site.folder.glob("fcgi.socket*"))
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(str(path))
        s.sendall(fastcgi.record(1, b"\x00\x01\x00\x00\x00\x00\x00\x00") + fastcgi.record(4, pair + b"A" * 64)
                  + fastcgi.record(4, b"") + fastcgi.record(5, b""))
        try:
            s.recv(4096)
        except OSError:
            pass
    assert alive(front)


@pytest.mark.parametrize("body", [
    b'{"time":%f} ', b'{"time":%f}\n'])
def test_T20_blanks_around_json_are_fine(site, body):
    site.configure(CONFIG)
    site.a_pass(check=True)
    data = body % time.time()
    assert cgi(site, data, CONTENT_LENGTH=str(len(data)), HTTP_X_HUB_SIGNATURE_256=sign(SECRET, data)) == 200


@pytest.mark.parametrize("body", [
    b'{"time":%f}garbage', b'{"time":%f,"msg":"a\\u0000b","msg":"x"}', b'{"time":%f,"msg":"\xc0\xaf"}', b'{"time":0%f}',
    b'{"time":%f,"time":1}', b'{"TIME":%f}', b'{"time":%f,"x":' + b"[" * 2000 + b"]" * 2000 + b"}", b'{"time":%f,}',
    b'{"time":%f,"x":\'a\'}', b'{"time":%f /* no */}', b'[{"time":%f}]', b'{"time":%f,"x":tru}'], ids=lambda b: repr(b)[:40])
def test_T20_what_lenient_parsers_take(site, body):
    """cJSON: trailing garbage, doubled and case-insensitive keys, bad UTF-8, leading zeros, endless depth."""
    site.configure(CONFIG)
    site.a_pass(check=True)
    data = body % time.time()
    assert cgi(site, data, CONTENT_LENGTH=str(len(data)), HTTP_X_HUB_SIGNATURE_256=sign(SECRET, data)) == 400


def test_T20_digits_beyond_a_double_still_count(site):
    site.configure(CONFIG)
    site.a_pass(check=True)
    second = int(time.time())
    for fraction, wanted in (("000001", 200), ("000002", 200), ("000002", 400), ("000003", 200)):
        data = f'{{"time":{second}.{fraction}}}'.encode()
        status = cgi(site, data, CONTENT_LENGTH=str(len(data)), HTTP_X_HUB_SIGNATURE_256=sign(SECRET, data))
        assert status == wanted, fraction


def test_T25_nothing_sent_can_forge_a_log_line(site):
    """A line end or an escape sequence in what is logged would write somebody else's line."""
    site.configure(CONFIG)
    site.a_pass(check=True)
    for uri in ("/beat/x%0a2026-01-01T00:00:00Z%20web[1]%20info:%20forged", "/beat/%1b[2J", "/beat/%e2%80%ae"):
        assert cgi(site, b"{}", REQUEST_URI=uri, CONTENT_LENGTH="2", HTTP_X_HUB_SIGNATURE_256="\x1b[31m\nforged") in (400, 403)
    log = site.store / "inbox/web.log"
    if log.exists():
        for line in log.read_bytes().splitlines():
            assert line.startswith(b"20") and not line.startswith(b"2026-01-01") and b"\x1b" not in line
            assert all(32 <= c < 127 for c in line)


def test_T25_a_replay_in_every_form(site_of):
    front = site_of(CONFIG)
    now = time.time()
    body = json.dumps({"time": now}).encode()
    headers = {"X-Hub-Signature-256": sign(SECRET, body)}
    assert front.request("POST", "/beat/robot", body, headers).status == 200
    assert front.request("POST", "/beat/robot", body, headers).status == 400
    assert front.request("POST", "/beat/robot/0", body, headers).status == 400
    assert front.request("POST", "/beat/robot", body, {"X-Hub-Signature": sign(SECRET, body, "sha1")}).status == 400
    assert front.request("POST", "/beat/robot", body + b" ", headers).status == 403
    assert front.beat("robot", SECRET, time_=now - 0.001).status == 400
