# SPDX-License-Identifier: ISC
"""The heartbeat clients of contrib/clients against the real thing."""
import shutil
import subprocess

import pytest

from upbeat import ROOT

SECRET = "it's a secret: $HOME `id` \\ \" ü"
CLIENTS = {
    "sh": [ROOT / "contrib/clients/beat.sh"],
    "python": ["/usr/bin/python3", ROOT / "contrib/clients/beat.py"],
    "node": ["node", ROOT / "contrib/clients/beat.js"],
    "php": ["php", ROOT / "contrib/clients/beat.php"],
}


@pytest.fixture(params=CLIENTS)
def client(request, site, lighttpd):
    if not shutil.which(CLIENTS[request.param][0]):
        pytest.skip(f"{request.param} is not installed")
    site.configure({"monitors": {"job": {"type": "heartbeat", "secret": SECRET, "max_age": "5m"}}})
    site.a_pass(check=True)

    def run(*arguments, secret=SECRET):
        return subprocess.run([*CLIENTS[request.param], *arguments], capture_output=True, text=True, timeout=60,
                              env={"PATH": "/usr/bin:/bin", "UPBEAT_URL": lighttpd.url, "UPBEAT_SECRET": secret})

    run.front = lighttpd
    return run


def test_a_plain_beat(client):
    assert client("job").returncode == 0
    assert client.front.get("/beat/job").status == 200
    assert client("job", "fail").returncode == 0
    assert client.front.get("/beat/job").status == 404


def test_a_long_secret(client, site):
    long = "k" * 200
    site.configure({"monitors": {"job": {"type": "heartbeat", "secret": long, "max_age": "5m"}}})
    site.a_pass(check=True)
    assert client("job", secret=long).returncode == 0


def test_the_length_of_a_run_is_known(client, site):
    assert client("job", "--", "sleep", "0.3").returncode == 0
    page = client.front.get("/beat/job")
    assert page.status == 200
    assert client("job", "--", "no-such-command").returncode != 0
    assert client.front.get("/beat/job").status == 404


def test_a_secret_in_a_file_and_a_plain_signal(client, site, tmp_path):
    assert client("job", "0").returncode == 0
    assert client.front.get("/beat/job").status == 200
    assert client("job", "7").returncode == 0
    assert client.front.get("/beat/job").status == 404


def test_a_wrong_secret_is_reported(client):
    done = client("job", secret="wrong")
    assert done.returncode != 0 and "403" in done.stderr


def test_a_wrapped_command_keeps_its_output_and_status(client):
    done = client("job", "--", "sh", "-c", "echo out; exit 3")
    assert (done.returncode, done.stdout) == (3, "out\n")
    assert client.front.get("/beat/job").status == 404
    assert client("job", "--", "true").returncode == 0
    assert client.front.get("/beat/job").status == 200


def test_each_client_is_under_40_lines():
    for client in (ROOT / "contrib/clients").iterdir():
        assert len(client.read_text().splitlines()) < 40, client.name
