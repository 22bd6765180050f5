# SPDX-License-Identifier: ISC
"""The pages in a real browser (Debian's chromium): what is read, with the keyboard only, in light and dark, on a
phone and on a desk; axe-core finds nothing, the console stays empty, nothing comes from outside."""
import json
import pathlib
import subprocess

import pytest

from upbeat import wait_for

SECRET = "a secret"


@pytest.fixture
def pages(site, lighttpd, target, modules):
    """Looks at paths of a site with one monitor down, one up and one heartbeat that never beat."""
    site.configure({
        "anonymous": "all", "title": "Example",
        "defaults": {"confirm_waits": ["50ms"] * 4},
        "monitors": {
            "shop": {"type": "http", "name": "The shop", "group": "Web", "url": target.url + "/", "public": True},
            "gone": {"type": "http", "name": "Gone <i>for</i> good", "group": "Web", "url": "http://127.0.0.1:1/"},
            "robot": {"type": "heartbeat", "name": "Robot", "group": "Programs", "secret": SECRET, "max_age": "5m"}}})
    site.a_pass(check=True)
    wait_for(lambda: site.status("gone")["state"] == "down")

    def look(*paths):
        script = pathlib.Path(__file__).with_name("browser.js")
        done = subprocess.run(["node", script, *(lighttpd.url + path for path in paths)], cwd=modules,
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    look.site = site
    return look


def test_each_page_is_clean_in_light_and_dark_on_phone_and_desk(pages):
    incident = pages.site.status("gone")["incident"]
    for page in pages("/", "/m/gone", "/m/shop", "/m/robot", f"/i/{incident}"):
        where = f"{page['url']} {page['scheme']} {page['width']}"
        assert not page["errors"], where
        assert not page["violations"], where
        assert not page["overflow"], f"{where} scrolls sideways"
        assert all(u.startswith("http://127.0.0.1:") for u in page["requests"]), where


def test_the_dashboard_says_what_is_wrong_in_words(pages):
    page = pages("/")[0]
    assert "The shop" in page["text"] and "Gone <i>for</i> good" in page["text"]
    assert "1 of 3 monitors is down" in page["text"]


def test_the_keyboard_alone_reaches_things_and_shows_where_it_is(pages):
    page = pages("/")[0]
    assert page["focused"][0]["text"] == "Skip to the content"
    reached = [f["text"] for f in page["focused"] if f["tag"] in ("A", "BUTTON", "INPUT", "SUMMARY", "SELECT")]
    assert len(reached) >= 8
    assert all(f["visible"] for f in page["focused"] if f["tag"] != "BODY")
