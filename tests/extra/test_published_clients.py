# SPDX-License-Identifier: ISC
"""Clients written for other systems, as published on npm and unchanged: only the host name is ours."""
import json
import subprocess
import uuid

import pytest

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
