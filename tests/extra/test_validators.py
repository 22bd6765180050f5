# SPDX-License-Identifier: ISC
"""What is made for other programs, judged by those programs: promtool on /metrics, feedparser and the musts of
RFC 4287 on the feed."""
import datetime
import shutil
import subprocess
import urllib.parse
import xml.etree.ElementTree as ET

import pytest

from conftest import passes_until_down

KEY = "a-key-that-reads-0123"
READ = {"X-Api-Key": KEY}
ATOM = "{http://www.w3.org/2005/Atom}"
WEIRD = 'Quote " slash \\ <b>&amp; 監控\u2028é'


@pytest.fixture
def looked_at(site, lighttpd, target):
    """Two that are up, one that is refused and has an incident, names that need every kind of escaping."""
    site.configure({
        "title": WEIRD, "api_keys": {"reader": {"key": KEY, "may": "read"}},
        "defaults": {"interval": "1m", "timeout": "2s", "confirm_waits": ["100ms"] * 4},
        "monitors": {
            "shop": {"type": "http", "name": WEIRD, "group": WEIRD, "url": target.url + "/", "public": True},
            "gone": {"type": "http", "name": "Gone", "url": "http://127.0.0.1:1/", "public": True},
            "robot": {"type": "heartbeat", "secret": "a secret", "max_age": "5m"}}})
    passes_until_down(site, "gone")
    return lighttpd


def promtool(text):
    if not shutil.which("promtool"):
        pytest.skip("promtool (Debian: prometheus) is not installed")
    return subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=60)


def test_promtool_finds_nothing_in_the_metrics(looked_at):
    for headers in ({}, READ):
        answer = looked_at.get("/metrics", **headers)
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "probe_success{" in answer.text
        done = promtool(answer.text)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_promtool_would_find_something(looked_at):
    assert promtool(looked_at.get("/metrics").text + "probe_success{ 1\n").returncode != 0


def test_feedparser_reads_the_feed(looked_at):
    feedparser = pytest.importorskip("feedparser")
    answer = looked_at.get("/feed.atom")
    feed = feedparser.parse(answer.body, response_headers={"content-type": answer.headers["Content-Type"]},
                            sanitize_html=False)
    assert not feed.bozo, feed.get("bozo_exception")
    assert feed.version == "atom10"
    assert WEIRD in feed.feed.title
    assert [("Gone" in e.title, bool(e.updated_parsed), e.link == e.id) for e in feed.entries] == [(True,) * 3]


def only(parent, name):
    found = parent.findall(ATOM + name)
    assert len(found) == 1, f"{len(found)} of {name} in {parent.tag}"
    return found[0]


def test_the_feed_has_what_rfc_4287_demands(looked_at):
    feed = ET.fromstring(looked_at.get("/feed.atom").body)
    assert feed.tag == ATOM + "feed"
    assert only(only(feed, "author"), "name").text
    entries = feed.findall(ATOM + "entry")
    assert entries
    ids = []
    for part in [feed, *entries]:
        ids.append(only(part, "id").text)
        assert urllib.parse.urlsplit(ids[-1]).scheme in ("http", "https")
        assert only(part, "title").text
        updated = only(part, "updated").text
        assert datetime.datetime.fromisoformat(updated.replace("Z", "+00:00")).tzinfo
        links = [(l.get("rel", "alternate"), l.get("type"), l.get("hreflang")) for l in part.findall(ATOM + "link")]
        assert ("alternate", None, None) in links and len(set(links)) == len(links)
        assert all(urllib.parse.urlsplit(l.get("href")).netloc for l in part.findall(ATOM + "link"))
    assert len(set(ids)) == len(ids)
    assert [l.get("href") for l in feed.findall(ATOM + "link") if l.get("rel") == "self"][0].endswith("/feed.atom")
    for entry in entries:
        assert only(entry, "content").get("type") in (None, "text", "html", "xhtml")
