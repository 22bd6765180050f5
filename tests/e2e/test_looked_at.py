# SPDX-License-Identifier: ISC
"""What people and programs look at, behind each server: pages below a mount, the API as /openapi.json says it is,
the answers of other systems, and what one may not see."""
import html.parser
import re
import xml.etree.ElementTree as ET

import pytest

from upbeat import wait_for

KEYS = {"reader": {"key": "a-key-that-reads-0123", "may": "read"},
        "writer": {"key": "a-key-that-writes-0123", "may": "write"}}
READ, WRITE = {"X-Api-Key": "a-key-that-reads-0123"}, {"X-Api-Key": "a-key-that-writes-0123"}
HTML = {"Accept": "text/html"}


@pytest.fixture
def world(site, front, target):
    """A public site that is up, a private one that is refused, a heartbeat that never beat; one pass was made."""
    site.configure({
        "title": "Our <things>", "api_keys": KEYS,
        "defaults": {"interval": "1m", "timeout": "2s", "confirm_waits": ["100ms"] * 4},
        "monitors": {
            "shop": {"type": "http", "name": "The shop & more", "group": "Web", "url": target.url + "/", "public": True},
            "hidden": {"type": "http", "name": "Hidden thing", "url": "http://127.0.0.1:1/", "interval": "1m"},
            "robot": {"type": "heartbeat", "secret": "a secret", "max_age": "5m"}}})
    site.a_pass(check=True)
    return front


# ---- the API is what it says it is


def matches(value, schema, root, where="answer"):
    """The part of JSON Schema that our own description uses."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return matches(value, root["components"]["schemas"][name], root, where)
    for part in schema.get("allOf", []):
        matches(value, part, root, where)
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    is_kind = {"object": lambda v: isinstance(v, dict), "array": lambda v: isinstance(v, list),
               "string": lambda v: isinstance(v, str), "boolean": lambda v: isinstance(v, bool),
               "null": lambda v: v is None,
               "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
               "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)}
    assert not kinds or any(is_kind[k](value) for k in kinds), f"{where} is {value!r}, not {kinds}"
    assert "enum" not in schema or value in schema["enum"], f"{where}: {value!r}"
    assert "const" not in schema or value == schema["const"], f"{where}: {value!r}"
    for name in schema.get("required", []):
        assert name in value, f"{where} has no {name}"
    for name, part in schema.get("properties", {}).items():
        if isinstance(value, dict) and name in value:
            matches(value[name], part, root, f"{where}.{name}")
    for i, item in enumerate(value if isinstance(value, list) and "items" in schema else []):
        matches(item, schema["items"], root, f"{where}[{i}]")


def test_every_answer_of_the_api_is_as_its_description_says(world):
    doc = world.get("/openapi.json").json
    assert doc["openapi"].startswith("3.1")
    for path, item in doc["paths"].items():
        if "get" not in item or not path.startswith("/api/"):
            continue
        answer = world.get(path.replace("{slug}", "shop").replace("{id}", "1"), **READ)
        described = item["get"]["responses"].get(str(answer.status))
        assert described, f"{path}: {answer.status} is not described"
        kind, content = next(iter(described["content"].items()))
        assert answer.headers["Content-Type"].startswith(kind)
        matches(answer.json, content["schema"], doc, path)


def test_the_api_gives_what_status_prints(world, site):
    ours = site.status()["monitors"] if isinstance(site.status(), dict) else site.status()
    theirs = world.get("/api/v1/monitors", **READ).json["monitors"]
    by_slug = {m["slug"]: m for m in theirs}
    for monitor in ours:
        assert by_slug[monitor["slug"]].keys() == monitor.keys()
        assert by_slug[monitor["slug"]]["state"] == monitor["state"]


def test_an_unchanged_answer_is_304(world):
    first = world.get("/api/v1/monitors/shop")
    again = world.get("/api/v1/monitors/shop", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


def test_a_key_that_may_write_pauses_and_it_shows_at_once(world, site):
    assert world.post("/api/v1/monitors/shop/pause", b"", **READ).status == 403
    assert world.post("/api/v1/monitors/shop/pause", b"", **WRITE).status == 202
    assert world.get("/api/v1/monitors/shop").json["state"] == "paused"
    site.a_pass(check=True)
    assert site.status("shop")["state"] == "paused"
    assert world.post("/api/v1/monitors/shop/resume", b"", **WRITE).status == 202
    assert world.get("/api/v1/monitors/shop").json["state"] != "paused"


# ---- pages


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.styles = [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.styles += tag == "style" or "style" in attrs or any(name.startswith("on") for name in attrs)
        for name in ("href", "src", "action"):
            if name in attrs:
                self.links.append(attrs[name])


def test_every_link_of_the_pages_leads_somewhere(world):
    """Below the mount, whatever it is; and nothing is from elsewhere."""
    seen, todo = set(), ["/"]
    while todo:
        path = todo.pop()
        answer = world.get(path, **HTML)
        assert answer.status == 200, path
        if not answer.headers["Content-Type"].startswith("text/html"):
            continue
        assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
        page = Page(answer.text)
        assert page.styles == 0, path
        for link in page.links:
            link = link.split("#")[0]
            if not link or link.endswith("/staff/") or "/staff/" in link:
                continue
            assert link.startswith(world.mount + "/"), link
            link = link[len(world.mount):]
            if link not in seen and len(seen) < 60:
                seen.add(link)
                todo.append(link)
    assert any("/m/shop" in link for link in seen)


def test_the_dashboard_says_it_in_words_and_in_the_readers_language(world):
    page = world.get("/", **HTML).text
    assert "Our &lt;things&gt;" in page and "The shop &amp; more" in page and ">up<" in page
    assert "Checked" in page and "Hidden thing" not in page
    chinese = world.get("/", **{**HTML, "Accept-Language": "zh-TW,zh;q=0.9"}).text
    assert 'lang="zh-TW"' in chinese and "正常" in chinese


def test_a_logo_of_the_site_stands_beside_its_title(world, site):
    assert "<img" not in world.get("/", **HTML).text
    site.configure({"title": "Ours", "logo": "/pictures/ours.svg?a&b='c'", "monitors": {}})
    site.a_pass(check=True)
    wait_for(lambda: '<img class="logo" src="/pictures/ours.svg?a&amp;b=&#39;c&#39;" alt="">Ours'
             in world.get("/", **HTML).text)


def test_uptime_is_told_before_the_first_hour_is_over(world):
    def row(slug):
        return world.get("/", **{**HTML, **READ}).text.split(f'id="m-{slug}"')[1].split("</li>")[0]

    wait_for(lambda: "<b>100 %</b>" in row("shop"))
    assert "%" not in row("robot").split('class="uptimes"')[1]


def test_what_is_private_looks_like_what_does_not_exist(world):
    for path in ("/m/{}", "/api/v1/monitors/{}", "/api/v1/monitors/{}/uptime", "/badge/{}.svg", "/up/{}"):
        for headers in (HTML, {}):
            hidden, missing = (world.get(path.format(slug), **headers) for slug in ("hidden", "nowhere"))
            assert hidden.status == missing.status == 404
            assert hidden.body == missing.body, path


# ---- other systems' answers


def test_metrics_are_well_formed_and_say_nothing_of_private_monitors(world):
    answer = world.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    line = re.compile(r'^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? -?[0-9.e+]+)$')
    for row in answer.text.splitlines():
        assert line.match(row), row
    assert 'probe_success{monitor="shop"} 1' in answer.text
    assert "hidden" not in answer.text
    assert 'probe_success{monitor="hidden"}' in world.get("/metrics", **READ).text or \
        'monitor="hidden"' in world.get("/metrics", **READ).text


def test_feed_badges_and_status_documents_are_well_formed(world):
    atom = ET.fromstring(world.get("/feed.atom").body)
    assert atom.find("{http://www.w3.org/2005/Atom}updated") is not None
    ET.fromstring(world.get("/badge/shop.svg").body)
    assert world.get("/badge/shop.json").json["schemaVersion"] == 1
    summary = world.get("/api/v2/summary.json").json
    assert [c["name"] for c in summary["components"]] == ["The shop & more"]
    assert summary["status"]["indicator"] == "none"


def test_uptimerobots_getmonitors_takes_its_key_in_the_form(world):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    good = world.post("/v2/getMonitors", b"api_key=a-key-that-reads-0123&format=json&logs=1", **form).json
    assert good["stat"] == "ok" and good["pagination"]["total"] == 3
    assert {m["friendly_name"]: m["status"] for m in good["monitors"]}["The shop & more"] == 2
    assert world.post("/v2/getMonitors", b"api_key=wrong", **form).json["stat"] == "fail"
