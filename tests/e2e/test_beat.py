# SPDX-License-Identifier: ISC
"""Heartbeats as programs send them, behind each web server and mode that people use."""
import concurrent.futures
import http.client
import json
import socket
import time

import pytest

from upbeat import WEB_USER, AS_ROOT, Apache, fetch, sign, wait_for  # noqa: F401

SECRET, OTHER = "a secret of the robot", "a secret of the other"
CONFIG = {"monitors": {
    "robot": {"type": "heartbeat", "secret": SECRET, "max_age": "5m"},
    "other": {"type": "heartbeat", "secret": [OTHER, "its older secret"], "max_age": "5m", "signature": "sha256"},
}}


@pytest.fixture
def ready(site, front):
    site.configure(CONFIG)
    site.a_pass(check=True)
    return front


def body(t=None, **more):
    return json.dumps({"time": time.time() if t is None else t, **more}).encode()


def test_a_beat_is_taken_and_shown(ready):
    assert (ready.get("/beat/robot").status, ready.get("/beat/robot").json) == (404, {"ok": False})
    answer = ready.beat("robot", SECRET)
    assert (answer.status, answer.json) == (200, {"ok": True})
    shown = ready.get("/beat/robot")
    assert shown.status == 200
    assert shown.json["ok"] is True and 0 <= shown.json["age"] < 30 and shown.json["max_age"] == 300
    head = ready.request("HEAD", "/beat/robot")
    assert (head.status, head.body) == (200, b"")


def test_what_does_not_beat_and_what_does_not_exist_look_the_same(ready):
    late, unknown = ready.get("/beat/robot"), ready.get("/beat/nobody")
    assert (late.status, late.body) == (unknown.status, unknown.body) == (404, b'{"ok":false}')
    assert ready.get("/beat").body == late.body  # two heartbeats, none called default


def test_the_same_beat_twice_is_a_replay(ready):
    now = round(time.time(), 6)  # so that one microsecond more is more than half of one
    assert ready.beat("robot", SECRET, time_=now).status == 200
    again = ready.beat("robot", SECRET, time_=now)
    assert again.status == 400 and again.json["ok"] is False and again.json["error"]
    assert ready.beat("robot", SECRET, time_=now - 1).status == 400
    assert ready.beat("robot", SECRET, time_=now + 0.00001).status == 200


def test_a_time_outside_the_window_is_refused_and_names_both_clocks(ready):
    for away in (-301, 301, -10 ** 6):
        answer = ready.beat("robot", SECRET, time_=time.time() + away)
        assert answer.status == 400, away
        assert len([c for c in answer.json["error"].split() if any(ch.isdigit() for ch in c)]) >= 2


def test_two_identical_beats_at_once_are_taken_exactly_once(ready):
    for turn in range(5):
        data = body(time.time() + turn / 1000)
        headers = {"X-Hub-Signature-256": sign(SECRET, data)}
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = [f.result() for f in [pool.submit(ready.request, "POST", "/beat/robot", data, headers)
                                            for _ in range(8)]]
        assert sorted(a.status for a in answers) == [200] + 7 * [400]


def test_signature_grammar(ready):
    """Header name, value made from the right MACs, and whether it is a signature."""
    step = iter(range(1, 1000))

    def post(make, slug="robot"):
        data = body(time.time() + next(step) / 1000)
        return ready.request("POST", f"/beat/{slug}", data, make(data)).status

    sha256 = lambda d, s=SECRET: sign(s, d)  # noqa: E731
    sha1 = lambda d: sign(SECRET, d, "sha1")  # noqa: E731
    good = [
        lambda d: {"X-Hub-Signature-256": sha256(d)},
        lambda d: {"X-Hub-Signature-256": sha256(d)[7:]},
        lambda d: {"X-Hub-Signature-256": sha256(d).upper()},
        lambda d: {"X-Hub-Signature-256": "  " + sha256(d) + "  "},
        lambda d: {"X-Hub-Signature": sha1(d)},
        lambda d: {"X-Hub-Signature": sha1(d)[5:]},
        lambda d: {"X-Hub-Signature": sha256(d)},
        lambda d: {"X-Hub-Signature-256": sha256(d), "X-Hub-Signature": "nonsense"},
    ]
    bad = [
        lambda d: {},
        lambda d: {"X-Hub-Signature-256": ""},
        lambda d: {"X-Hub-Signature-256": sha256(d)[:-1]},
        lambda d: {"X-Hub-Signature-256": sha256(d) + "0"},
        lambda d: {"X-Hub-Signature-256": sha256(d)[:-1] + "g"},
        lambda d: {"X-Hub-Signature-256": sha256(d, OTHER)},
        lambda d: {"X-Hub-Signature-256": sha256(d + b" ")},
        lambda d: {"X-Hub-Signature-256": sha1(d)},
        lambda d: {"X-Hub-Signature-256": "sha512=" + sha256(d)[7:]},
        lambda d: {"X-Hub-Signature-256": sha256(d) + ", " + sha256(d)},
        lambda d: {"X-Hub-Signature": sha256(d)[7:]},
        lambda d: {"X-Hub-Signature": sha1(d)[:-1]},
        lambda d: {"X-Hub-Signature-256": "nonsense", "X-Hub-Signature": sha1(d)},
    ]
    for n, make in enumerate(good):
        assert post(make) == 200, f"good {n}"
    for n, make in enumerate(bad):
        assert post(make) == 403, f"bad {n}"


def test_rotation_takes_either_secret_and_sha256_only_refuses_sha1(ready):
    assert ready.beat("other", OTHER).status == 200
    assert ready.beat("other", "its older secret").status == 200
    assert ready.beat("other", OTHER, algorithm="sha1").status == 403
    assert ready.beat("other", SECRET).status == 403


def test_an_unknown_heartbeat_is_refused_as_a_wrong_signature_is(ready):
    unknown, wrong = ready.beat("nobody", SECRET), ready.beat("robot", "wrong")
    assert (unknown.status, unknown.body) == (wrong.status, wrong.body)
    assert unknown.status == 403


@pytest.mark.parametrize("data", [
    b"", b"{", b"[]", b"1", b'{"time":"1"}', b'{"Time":1}', b'{"time":null}', b'{"time":1e400}', b'{"time":NaN}',
    b'{"time":+5}', b'{"time":0x10}', b'{"time":01}', b"{}", b'{"time":-1}', b'{"time":9223372036854775808}',
    b'{"time":1}x', b'{"time":1,"time":2}', b'\xef\xbb\xbf{"time":1}', b'{"time":1,"msg":"\xff"}',
    b'{"time":1,"msg":"\\ud800"}', b'{"time":{"time":1}}', b"[" * 5000, b"\x00",
], ids=repr)
def test_a_rightly_signed_body_that_is_not_as_described_is_400(site, lighttpd, data):
    site.configure(CONFIG)
    site.a_pass(check=True)
    answer = lighttpd.request("POST", "/beat/robot", data, {"X-Hub-Signature-256": sign(SECRET, data)})
    assert answer.status == 400 and answer.json["ok"] is False and answer.json["error"]
    assert lighttpd.request("POST", "/beat/robot", data, {"X-Hub-Signature-256": "00"}).status == 403
    assert lighttpd.beat("robot", SECRET).status == 200


def test_order_of_refusals(site, front):
    """405, 413, 503 (no store), 403, 400."""
    large = b" " * (64 * 1024 + 1)
    assert front.request("PUT", "/beat/robot", large).status == 405
    assert front.post("/beat/robot", large).status == 413
    answer = front.post("/beat/robot", b"x")
    assert answer.status == 503 and answer.headers["Retry-After"]
    site.configure(CONFIG)
    site.a_pass(check=True)
    assert front.request("DELETE", "/beat/robot").status == 405
    assert front.post("/beat/robot", large).status == 413
    assert front.post("/beat/robot", b"x").status == 403
    assert front.request("POST", "/beat/robot", b"x", {"X-Hub-Signature-256": sign(SECRET, b"x")}).status == 400


def test_a_body_of_64_kib_is_taken(ready):
    data = body(msg="x")
    data += b" " * (64 * 1024 - len(data))
    assert ready.request("POST", "/beat/robot", data, {"X-Hub-Signature-256": sign(SECRET, data)}).status == 200


def test_the_mount_itself_is_the_root(ready):
    """People type the address without its last slash."""
    for path in ("", "/"):
        page = ready.get(path, Accept="text/html")
        where = page.headers.get("Location", "")
        assert page.status == 200 or (page.status == 301 and where.endswith(ready.mount + "/")), (path, page)


def test_unknown_keys_and_any_content_type_are_fine(ready):
    data = body(msg="done", version=3, nested={"a": [1, 2]}, deep=json.loads("[" * 60 + "]" * 60))
    headers = {"X-Hub-Signature-256": sign(SECRET, data), "Content-Type": "text/x-nonsense"}
    assert ready.request("POST", "/beat/robot", data, headers).status == 200


def test_chunked_body_is_read(ready):
    data = body()
    connection = http.client.HTTPConnection("127.0.0.1", ready.port, timeout=15)
    connection.request("POST", ready.mount + "/beat/robot", iter([data[:7], data[7:]]),
                       {"X-Hub-Signature-256": sign(SECRET, data)}, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()


def test_a_client_that_vanishes_mid_body_harms_nobody(ready):
    with socket.create_connection(("127.0.0.1", ready.port)) as s:
        s.sendall(f"POST {ready.mount}/beat/robot HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{{".encode())
    assert ready.beat("robot", SECRET).status == 200


def test_each_refused_beat_is_one_line_in_the_log_without_its_control_characters(site, lighttpd):
    site.configure(CONFIG)
    site.a_pass(check=True)
    bad = b'{"time":"\x1b[31m\n"}'
    lighttpd.post("/beat/nobody", b"{}")
    lighttpd.request("POST", "/beat/robot", bad, {"X-Hub-Signature-256": sign(SECRET, bad)})
    lighttpd.post("/beat/robot", b" " * 65537)
    lighttpd.beat("robot", SECRET, time_=1)
    log = [line for line in (site.store / "inbox/web.log").read_text().splitlines() if " info: " not in line]  # of walls
    assert len(log) == 4
    for line, said in zip(log, ("nobody", "robot", "65536 bytes", "our clock")):
        assert said in line and line.isprintable()


def test_signals_of_a_job(ready):
    assert ready.beat("robot", SECRET, "start").status == 200
    assert ready.get("/beat/robot").status == 404, "a start is no success"
    assert ready.beat("robot", SECRET, "0").status == 200
    assert ready.get("/beat/robot").status == 200
    assert ready.beat("robot", SECRET, "log", msg="half way").status == 200
    assert ready.get("/beat/robot").status == 200
    assert ready.beat("robot", SECRET, "3").status == 200
    assert ready.get("/beat/robot").status == 404, "a non-zero exit status is a failure"
    assert ready.beat("robot", SECRET).status == 200
    assert ready.get("/beat/robot").status == 200
    assert ready.beat("robot", SECRET, "fail").status == 200
    assert ready.get("/beat/robot").status == 404


def test_the_root_serves_the_original_client_of_a_default_heartbeat(site, front):
    site.configure({"anonymous": "all", "monitors": {
        "default": {"type": "heartbeat", "secret": SECRET, "max_age": "5m"},
        "other": {"type": "heartbeat", "secret": OTHER, "max_age": "5m"}}})
    site.a_pass(check=True)
    assert front.get("/", Accept="*/*").status == 404
    data = body()
    assert front.request("POST", "/", data, {"X-Hub-Signature": sign(SECRET, data, "sha1")}).status == 200
    assert front.get("/", Accept="*/*").json["ok"] is True
    assert front.get("/beat").status == 200
    page = front.get("/", Accept="text/html,application/xhtml+xml")
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")


def test_forged_users_and_authorization_are_nobody(site, front):
    site.configure({"anonymous": "none", "monitors": CONFIG["monitors"]})
    site.a_pass(check=True)
    for headers in ({"REMOTE_USER": "ann"}, {"Remote-User": "ann"}, {"X-Remote-User": "ann"},
                    {"Authorization": "Basic YW5uOnNlY3JldA=="}, {"Authorization": "Bearer x"}):
        page = front.get("/", Accept="text/html", **headers)
        assert "robot" not in page.text
    assert front.get("/staff/", Accept="text/html").status in (401, 301)
    import base64
    pair = base64.b64encode(b"ann:secret").decode()
    secure = f"https://127.0.0.1:{front.tls_port}{front.mount}/staff/"
    import ssl
    import urllib.request
    context = ssl._create_unverified_context()
    request = urllib.request.Request(secure, headers={"Authorization": f"Basic {pair}", "Accept": "text/html"})
    with urllib.request.urlopen(request, context=context, timeout=15) as reply:
        assert b"robot" in reply.read()
