# SPDX-License-Identifier: ISC
"""The prober's commands around the configuration, as a person types them: init, config, status, doctor, backup,
export, import; and what a mistake in the file does to the passes that cron makes."""
import json
import os
import re
import stat
import subprocess

import pytest

import catchers
from upbeat import PROBER

PLACE = re.compile(r"^(?P<file>/[^:]+):(?P<line>\d+):(?P<column>\d+): (?P<message>.+)$")
BEAT = {"type": "heartbeat", "secret": "a secret", "max_age": "5m"}


@pytest.fixture
def at(tmp_path):
    """Runs the prober with a configuration in a folder of its own."""
    file = tmp_path / "upbeat.json"

    def run(*args, config=None, **environment):
        if config is not None:
            file.write_text(config if isinstance(config, str) else json.dumps(config, indent=1))
            file.chmod(0o600)
        clean = {k: v for k, v in os.environ.items() if not k.startswith("UPBEAT_")}
        return subprocess.run([PROBER, "-c", file, *args], capture_output=True, text=True, timeout=60,
                              env={**clean, **environment})
    run.folder, run.file = tmp_path, file
    return run


def config(at, **keys):
    return {"store": str(at.folder / "store"), "self_check": False, **keys}


def test_init_makes_everything_and_never_overwrites(at):
    first = at("init")
    assert first.returncode == 0, first.stderr
    assert stat.S_IMODE(at.file.stat().st_mode) == 0o600
    for book in ("inbox", "state"):
        assert (at.folder / "store" / book / "data.mdb").exists()
    crontab = re.search(r"^\s*\* \* \* \* \* (\S+) -c (\S+)$", first.stdout, re.M)
    assert crontab and crontab[1] == str(PROBER) and crontab[2] == str(at.file)
    assert "SetHandler fcgid-script" in first.stdout and "fastcgi.server" in first.stdout
    text = at.file.read_text()
    assert at("config").returncode == 0
    again = at("init")
    assert again.returncode == 0 and at.file.read_text() == text and "stays as it is" in again.stdout


def test_init_says_which_file_led_it_to_a_store_that_cannot_be_made(at):
    answer = at("init", config='{ "store": "/proc/upbeat", "monitors": {} }')
    assert answer.returncode in (1, 75) and f"{at.file} was there already" in answer.stderr, answer
    assert "/proc/upbeat" in answer.stderr


def test_config_names_every_mistake_with_its_place(at):
    answer = at("config", config='{\n  "titel": "x",\n  "monitors": {\n    "a": { "type": "htpp" },\n'
                                 '    "b": { "type": "heartbeat", "secret": "x", "max_age": 5 }\n  }\n}\n')
    assert answer.returncode == 1
    places = [PLACE.match(line) for line in answer.stdout.splitlines()]
    assert all(places), answer.stdout
    assert [(int(p["line"]), int(p["column"])) for p in places] == [(2, 3), (4, 20), (5, 59)]
    assert 'did you mean "title"' in places[0]["message"] and 'did you mean "http"' in places[1]["message"]
    assert {p["file"] for p in places} == {str(at.file)}


def test_the_schema_is_json(at):
    schema = json.loads(at("config", "--schema").stdout)
    assert schema["properties"]["anonymous"]["enum"] == ["all", "public", "none"]
    types = {variant["properties"]["type"]["const"] for variant in schema["$defs"]["monitor"]["anyOf"]}
    assert {"http", "heartbeat"} <= types


def test_a_mistake_is_printed_once_and_the_last_good_configuration_runs_on(at):
    assert at(config=config(at, monitors={"a": BEAT})).returncode == 0
    broken = at(config='{"store": "store", "monitors": {"a": ')
    assert broken.returncode == 1 and PLACE.match(broken.stderr.splitlines()[0])
    silent = at()
    assert (silent.returncode, silent.stdout, silent.stderr) == (1, "", "")
    status = json.loads(at("status", "--json").stdout)
    assert [m["slug"] for m in status["monitors"]] == ["a"]
    assert status["config"]["ok"] is False and status["config"]["problems"][0]["line"] == 1
    mended = at(config=config(at, monitors={"a": BEAT, "b": {**BEAT, "secret": "another"}}))
    assert (mended.returncode, mended.stdout, mended.stderr) == (0, "", "")
    status = json.loads(at("status", "--json").stdout)
    assert [m["slug"] for m in status["monitors"]] == ["a", "b"] and status["config"]["ok"] is True


def test_status_json_has_exactly_what_is_promised(at):
    at(config=config(at, monitors={"a": {**BEAT, "name": "A", "group": "G"}}))
    status = json.loads(at("status", "--json").stdout)
    assert set(status) == {"passes", "config", "monitors"}
    assert set(status["passes"]) == {"last", "fresh"} and status["passes"]["fresh"] is True
    assert set(status["config"]) == {"ok", "problems"}
    (monitor,) = status["monitors"]
    assert list(monitor) == ["slug", "name", "type", "group", "state", "since", "cause", "checked", "response_ms",
                             "incident"]
    assert (monitor["name"], monitor["group"], monitor["state"]) == ("A", "G", "pending")
    assert at("status", "nobody").returncode == 1


def test_a_secret_that_others_can_read_is_refused_with_the_cure(at):
    secret = at.folder / "a.secret"
    secret.write_text("from a file\n")
    secret.chmod(0o644)
    monitors = {"a": {**BEAT, "secret": "file:a.secret"}}
    refused = at("config", config=config(at, monitors=monitors))
    assert refused.returncode == 1 and f"chmod 600 {secret}" in refused.stdout
    secret.chmod(0o600)
    assert at("config").returncode == 0
    missing = at("config", config=config(at, monitors={"a": {**BEAT, "secret": "env:UPBEAT_TEST_SECRET"}}))
    assert missing.returncode == 1 and "cron does not read your profile" in missing.stdout
    assert at("config", UPBEAT_TEST_SECRET="x").returncode == 0


def test_backup_and_export_and_doctor(at):
    canary = "https://example.com/canary-of-a-channel"
    at(config=config(at, channels={"ops": {"type": "slack", "webhook": canary}}, monitors={"a": BEAT}))
    backup = at("backup", str(at.folder / "copy"))
    assert backup.returncode == 0, backup.stderr
    assert at("backup", str(at.folder / "copy")).returncode == 1
    at.file.write_text(at.file.read_text().replace("/store\"", "/copy\""))
    assert [m["slug"] for m in json.loads(at("status", "--json").stdout)["monitors"]] == ["a"]
    at.file.write_text(at.file.read_text().replace("/copy\"", "/store\""))
    samples = [json.loads(line) for line in at("export", "samples").stdout.splitlines()]
    assert samples and samples[0]["monitor"] == "a" and samples[0]["kind"] == "sample"
    table = at("export", "samples", "--format", "csv").stdout.splitlines()
    assert table[0].startswith("monitor,time,outcome,state,response_ms") and len(table) == len(samples) + 1
    shown = at("export", "--config").stdout
    assert canary not in shown and "a secret" not in shown
    assert json.loads(shown)["monitors"]["a"]["max_age"] == "5m"
    doctor = at("doctor", "--verify")
    assert "records hold" in doctor.stdout and canary not in doctor.stdout


def test_what_is_no_longer_configured_keeps_its_history(at):
    at(config=config(at, monitors={"a": BEAT, "b": {**BEAT, "secret": "another"}}))
    at(config=config(at, monitors={"b": {**BEAT, "secret": "another"}, "c": {**BEAT, "secret": "a third"}}))
    assert [m["slug"] for m in json.loads(at("status", "--json").stdout)["monitors"]] == ["b", "c"]
    samples = [json.loads(line)["monitor"] for line in at("export", "samples").stdout.splitlines()]
    assert sorted(set(samples)) == ["a", "b", "c"] and samples[-1] == "a"
    only = at("export", "samples", "--monitor", "a")
    assert only.returncode == 0 and set(json.loads(line)["monitor"] for line in only.stdout.splitlines()) == {"a"}
    assert at("export", "rollups").returncode == 0


def test_an_incident_is_told_with_its_evidence(at):
    """As text and as JSON: every look with its time, address, timings, status, headers and body; and why nobody
    was told."""
    with catchers.Target() as target:
        target.status, target.body = 502, b"<h1>Bad Gateway</h1>" + b"x" * 5000
        at(config=config(at, defaults={"confirm_waits": ["50ms"] * 4}, maintenance=["00:00-24:00"],
                         channels={"mail": {"type": "mail", "to": ["a@example.com"], "from": "b@example.com",
                                            "smtp": "smtp://127.0.0.1:1"}},
                         monitors={"shop": {"type": "http", "url": target.url + "/", "notify": ["mail"]}}))
    status = json.loads(at("status", "shop", "--json").stdout)
    assert set(status) == {"passes", "config", "monitors", "incidents"} and len(status["monitors"]) == 1
    (incident,) = status["incidents"]
    assert (incident["monitor"], incident["state"], incident["cause"]) == ("shop", "down", "HTTP 502")
    looks = [e for e in incident["entries"] if e["kind"] == "attempt"]
    assert len(looks) == 3
    for look in looks:
        assert (look["outcome"], look["status"], look["address"], look["text"]) == ("down", 502, "127.0.0.1", "HTTP 502")
        assert look["headers"].startswith("HTTP/1.1 502") and look["body"].startswith("<h1>Bad Gateway</h1>")
        assert len(look["body"]) == 4096 and look["total_ms"] > 0 and look["first_byte_ms"] is not None
    assert [e["text"] for e in incident["entries"] if e["kind"] == "held"] == ["maintenance"]
    text = at("status", "shop").stdout
    assert text.count("looked: down 502 HTTP 502 at 127.0.0.1") == 3 and "| <h1>Bad Gateway</h1>" in text
    assert re.search(r"not told.*maintenance", text), text


def test_earlier_incidents_keep_their_evidence_too(at):
    def minute(n, *args, **more):
        return at(*args, **more, UPBEAT_TESTING="1", UPBEAT_CLOCK_OFFSET_MS=str(n * 60_000))

    with catchers.Target() as target:
        cfg = config(at, defaults={"confirm": 1, "recover": 1}, monitors={"shop": {"type": "http", "url": target.url + "/"}})
        for n, status in enumerate((502, 200, 503)):
            target.status = status
            assert minute(n, config=cfg).returncode == 0
    newer, older = minute(2, "status", "shop").stdout.split("Incident ")[1:]
    assert newer.startswith("2") and "looked: down 503 HTTP 503 at 127.0.0.1" in newer
    assert older.startswith("1") and "looked: down 502 HTTP 502 at 127.0.0.1" in older and "decided: up" in older


def test_an_outage_whose_end_nobody_could_see_is_one_of_the_past_too(at):
    def minute(n, *args, **more):
        return at(*args, **more, UPBEAT_TESTING="1", UPBEAT_CLOCK_OFFSET_MS=str(n * 60_000))

    with catchers.Target() as shop, catchers.Target() as cart, catchers.Target() as witness:
        for n, (status, seen) in enumerate(((200, True), (500, False), (500, False), (200, True))):
            shop.status, cart.status = 502 if n < 3 else 200, status
            cfg = config(at, defaults={"confirm": 1, "recover": 1},
                         monitors={name: {"type": "http", "url": t.url + "/"} for name, t in (("shop", shop), ("cart", cart))},
                         witnesses=[witness.url + "/" if seen else "http://127.0.0.1:1/"])
            assert minute(n, config=cfg).returncode == 0
            incident = json.loads(minute(n, "export", "incidents", "--monitor", "shop").stdout)
            assert n != 2 or (incident["state"], incident["ended"]) == ("unknown", None)
    assert incident["state"] == "down" and incident["ended"]


def test_import_prints_a_fragment_and_what_is_lost(at):
    answer = at.folder / "robot.json"
    answer.write_text(json.dumps({"stat": "ok", "monitors": [
        {"id": 1, "friendly_name": "Shop", "url": "https://shop.example.com/", "type": 1, "interval": 300},
        {"id": 2, "friendly_name": "Odd", "url": "x", "type": 42, "interval": 300}]}))
    imported = at("import", "uptimerobot", str(answer))
    assert imported.returncode == 0
    assert json.loads(imported.stdout)["monitors"]["shop"]["url"] == "https://shop.example.com/"
    assert "Odd: a monitor of type 42" in imported.stderr
    assert at("config", config=imported.stdout).returncode == 0


def test_a_mistyped_path_makes_no_store(at):
    lost = at("run", UPBEAT_STORE=str(at.folder / "elsewhere"))
    assert lost.returncode == 1 and "init writes one" in lost.stderr
    assert list(at.folder.iterdir()) == []


def test_usage_and_refusals(at):
    assert at("statsu").returncode == 2 and "status" in at("statsu").stderr
    assert at("status", "--jsno").returncode == 2
    assert at("--help").returncode == 0 and "SUBCOMMAND" in at("--help").stdout
    assert at("--version").stdout.startswith("upbeat-prober ")
    assert at("run", GATEWAY_INTERFACE="CGI/1.1").returncode != 0
