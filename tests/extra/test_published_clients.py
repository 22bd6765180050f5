# SPDX-License-Identifier: ISC
"""Clients written for other systems, as published on npm and unchanged: only the host name is ours."""
import json
import subprocess
import uuid

import pytest

from conftest import passes_until_down
from upbeat import wait_for

TOKEN = str(uuid.UUID(int=0x0123456789ABCDEF0123456789ABCDEF, version=4))


@pytest.fixture
def node(site, lighttpd, modules):
    site.configure({"monitors": {"job": {"type": "heartbeat", "token": TOKEN, "max_age": "5m"}}})
    site.a_pass(check=True)

    def run(script):
        script = f"const URL_ = {json.dumps(lighttpd.url)}, TOKEN = {json.dumps(TOKEN)};\n{script}"
        done = subprocess.run(["node", "-e", script], cwd=modules, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    run.front = lighttpd
    return run


def test_healthchecks_io_client(node):
    begin = """const { HealthChecksPingClient } = require('healthchecks-io-client');
        const c = new HealthChecksPingClient({ uuid: TOKEN, baseUrl: URL_ + '/ping', returnResponse: true });
        (async () => { console.log(await """
    for call, status in (("c.start()", 404), ("c.success()", 200), ("c.fail('it broke')", 404),
                         ("c.success('done in 3 s')", 200)):
        assert node(begin + call + "); })();") == "OK", call
        assert node.front.get("/beat/job").status == status, call


def test_healthchecks_io_client_is_told_of_an_unknown_token(node):
    out = node("""const { HealthChecksPingClient } = require('healthchecks-io-client');
        const c = new HealthChecksPingClient({ uuid: '00000000-0000-4000-8000-000000000000', baseUrl: URL_ + '/ping' });
        c.success().then(() => console.log('taken'), (e) => console.log(e.statusCode || e.message));""")
    assert out.startswith("404") or "404" in out


def test_uptime_kuma_push_client(node):
    out = node("""const Kuma = require('uptimekuma-api'), kuma = new Kuma(URL_);
        kuma.on('pushSuccessful', () => { console.log('successful'); process.exit(0); });
        kuma.on('pushFailed', (url, e) => { console.log('failed', e.message); process.exit(0); });
        kuma.startPushing(TOKEN, 60);""")
    assert out == "successful"
    wait_for(lambda: node.front.get("/beat/job").status == 200)


KEY = "a-key-that-reads-0123"
# The client names its host itself and speaks TLS only: what it asks of that host is sent to ours instead, with
# the rest (method, path, headers, the form in chunks) as it made it. It prints each answer it gets.
ROBOT = """const http = require('http'), https = require('https'), at = new URL(URL_);
    https.request = (options, done) => http.request({ ...options, hostname: at.hostname, port: at.port,
        path: at.pathname.replace(/\\/$/, '') + options.path }, done);
    const Robot = require('@lazydb_community/uptimerobot'), robot = new Robot(%s);
    console.log = () => {};
    robot.getMonitors(%s).then((a) => process.stdout.write(JSON.stringify(a)),
        (a) => process.stdout.write(JSON.stringify(a)));"""


@pytest.fixture
def robot(site, node, target):
    site.configure({
        "api_keys": {"reader": {"key": KEY, "may": "read"}},
        "defaults": {"interval": "1m", "timeout": "2s", "confirm_waits": ["100ms"] * 4},
        "monitors": {
            "shop": {"type": "http", "name": "The shop & more", "url": target.url + "/"},
            "gone": {"type": "http", "name": "Gone", "url": "http://127.0.0.1:1/"},
            "job": {"type": "heartbeat", "name": "A job", "token": TOKEN, "max_age": "5m"}}})
    passes_until_down(site, "gone")
    return lambda key=KEY, **options: json.loads(node(ROBOT % (json.dumps(key), json.dumps(options))))


def names(answer):
    assert answer["stat"] == "ok", answer
    return [m["friendly_name"] for m in answer["monitors"]]


def test_uptimerobot_client_gets_the_monitors(robot):
    answer = robot(logs=1, response_times=1, custom_uptime_ratios="1-7-30", all_time_uptime_ratio=1)
    assert names(answer) == ["The shop & more", "Gone", "A job"]
    shop, gone, job = answer["monitors"]
    assert [m["status"] for m in (shop, gone, job)] == [2, 9, 1]
    assert [m["type"] for m in (shop, gone, job)] == [1, 1, 5]
    assert shop["custom_uptime_ratio"] == "100.000-100.000-100.000"
    assert gone["custom_uptime_ratio"].startswith("0.000-")
    assert shop["response_times"] and not shop["logs"]
    assert [log["type"] for log in gone["logs"]] == [1]


def test_uptimerobot_client_searches_and_pages(robot):
    assert names(robot(search="shop &")) == ["The shop & more"]
    assert names(robot(statuses="9")) == ["Gone"]
    second = robot(offset=1, limit=1)
    assert names(second) == ["Gone"]
    assert second["pagination"] == {"offset": 1, "limit": 1, "total": 3}


def test_uptimerobot_client_is_told_of_a_wrong_key(robot):
    answer = robot(key="not-a-key-of-ours")
    assert answer["stat"] == "fail" and answer["error"]["parameter_name"] == "api_key"
