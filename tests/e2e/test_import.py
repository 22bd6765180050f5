# SPDX-License-Identifier: ISC
"""Moving in: what UptimeRobot's getMonitors answered becomes a configuration that upbeat-prober takes as it is, and
what has no equal is told, each thing of it."""
import json

SHOP = {
    "id": 777749809, "friendly_name": "Bücher & mehr", "url": "https://shop.example.com/", "type": 1, "sub_type": "",
    "keyword_type": "", "keyword_value": "", "http_username": "", "http_password": "", "port": "", "interval": 300,
    "timeout": 30, "status": 2, "create_datetime": 1462565497, "http_method": 2, "logs": [{"type": 98, "duration": 5}],
    "custom_http_headers": {"X-Token": "abc"}, "custom_http_statuses": "401:1_302:0",
    "ssl": {"brand": "X", "expires": 1893456000, "ignore_errors": 0, "disable_domain_expire_notifications": 0, "watch_ct": 1},
    "alert_contacts": [{"id": "1", "type": 2, "value": "ops@example.com", "threshold": 0, "recurrence": 0},
                       {"id": "2", "type": 11, "value": "https://hooks.example.com/T0", "threshold": 5, "recurrence": 30},
                       {"id": "3", "type": 8, "value": "+15550100", "threshold": 0, "recurrence": 0}],
    "mwindows": [{"id": 1, "type": 3, "friendly_name": "weekly", "start_time": "02:00", "duration": 30, "status": 1, "value": "1-7"}]}
FIRST = {"stat": "ok", "pagination": {"offset": 0, "limit": 4, "total": 9}, "monitors": [
    SHOP,
    {"id": 2, "friendly_name": "bücher MEHR", "url": "https://shop.example.com/", "type": 2, "keyword_type": 2,
     "keyword_value": "Warenkorb", "keyword_case_type": 1, "interval": "60", "status": 0},
    {"id": 3, "friendly_name": "gateway", "url": "2001:db8::1", "type": 3, "interval": 60, "status": 9},
    {"id": 4, "friendly_name": "mail", "url": "mail.example.com", "type": 4, "sub_type": 4, "port": 25, "interval": 60, "status": 1}]}
SECOND = {"stat": "ok", "pagination": {"offset": 4, "limit": 50, "total": 9}, "monitors": [
    FIRST["monitors"][3],
    {"id": 5, "friendly_name": "backup", "url": "https://heartbeat.uptimerobot.com/m5-abc", "type": 5, "interval": 86400,
     "grace_period": 3600, "status": 2},
    {"id": 6, "friendly_name": "zone", "url": "example.com", "type": 6, "interval": 300, "status": 2},
    {"id": 7, "friendly_name": "路", "url": "https://api.example.com/", "type": 1, "http_method": 1, "post_value": {"a": "1"},
     "interval": 300, "timeout": 999, "status": 2, "http_username": "u", "http_password": "p", "http_auth_type": 2},
    {"id": 8, "friendly_name": "abroad", "url": "https://例え.example.com/", "type": 1, "interval": 300, "status": 2},
    {"id": 9, "friendly_name": "start", "url": "https://u:p@example.com/", "type": 1, "interval": 300, "status": 2,
     "tags": ["blue"]}]}


def moved_in(site, text):
    file = site.folder / "getMonitors.json"
    file.write_text(text)
    return site.prober("import", "uptimerobot", file)


def test_two_pages_become_one_configuration_that_is_good(site):
    done = moved_in(site, json.dumps(FIRST) + "\n" + json.dumps(SECOND) + "\n")
    assert done.returncode == 0, done
    fragment = json.loads(done.stdout)
    site.configure(fragment)
    assert site.prober("config").returncode == 0, site.prober("config")

    monitors = fragment["monitors"]
    assert {slug: m["type"] for slug, m in monitors.items()} == {
        "b-cher-mehr": "http", "b-cher-mehr-2": "keyword", "gateway": "ping", "mail": "port", "backup": "heartbeat", "m7": "http",
        "m9": "http"}
    shop = monitors["b-cher-mehr"]
    assert shop["name"] == "Bücher & mehr" and shop["headers"] == {"X-Token": "abc"} and shop["status"] == "200-301,303-399,401"
    assert shop["notify"] == ["contact-1", {"channel": "contact-2", "after": "5m", "repeat": "30m"}]
    assert shop["maintenance"] == ["cron 0 2 * * 1,7 for 30m"]
    assert monitors["b-cher-mehr-2"]["paused"] and monitors["gateway"]["host"] == "2001:db8::1"
    assert monitors["backup"]["max_age"] == "25h" and monitors["m9"]["auth"] == {"basic": ["u", "p"]}

    # Each of these is nowhere in the fragment.
    assert done.stderr.startswith("7 of 9 monitors carried over.")
    for lost in ("contact-3 (SMS +15550100)", "zone: a monitor of type 6", "路: digest authentication (user u)",
                 'a HEAD request has no "body"', '"timeout" must be between', 'monitor "abroad": "url"', 'start: tags ["blue"]',
                 "backup: the program must call its new address", "history (logs",
                 "the registration of a domain ends, as it did for 1 of them", "watch_ct"):
        assert lost in done.stderr, (lost, done.stderr)
    assert "Traceback" not in done.stderr and "alert_contacts=1" not in done.stderr


def test_what_was_not_asked_for_is_told(site):
    bare = {"stat": "ok", "pagination": {"offset": 0, "limit": 1, "total": 3}, "monitors": [
        {"id": 1, "friendly_name": "shop", "url": "https://shop.example.com/", "type": 1, "interval": 300, "status": 2}]}
    said = moved_in(site, json.dumps([bare])).stderr
    assert "alert_contacts=1, mwindows=1, custom_http_headers=1, custom_http_statuses=1" in said
    assert "1 of 3 monitors: save the answers for the other offsets too" in said


def test_what_has_another_form_than_expected_is_told(site):
    odd = {"stat": "ok", "monitors": [{
        "id": 1, "friendly_name": "shop", "url": "https://shop.example.com/", "type": "1", "interval": -5, "mwindows": 7,
        "alert_contacts": "993765_5_30-1234_0_0", "custom_http_headers": "{\"X-A\":\"b\"}"}]}
    done = moved_in(site, json.dumps(odd))
    assert done.returncode == 0 and json.loads(done.stdout)["monitors"]["shop"]["type"] == "http"
    for lost in ("993765_5_30-1234_0_0", "X-A", "mwindows 7", "interval -5", "200-399,401"):
        assert lost in done.stderr, (lost, done.stderr)


def test_what_is_no_answer_of_getmonitors_is_refused_with_a_reason(site):
    for text, why in (
            ('{"stat":"fail","error":{"type":"invalid_parameter","parameter_name":"api_key","message":"api_key is wrong."}}',
             "an error of UptimeRobot, not monitors: api_key is wrong."),
            (json.dumps(FIRST) + '{"stat":"fail","error":{"type":"rate_limit"}}', "an error of UptimeRobot"),
            ('{"stat":"ok"}', 'no "monitors"'), ("[]", "no answer"), ("", "is empty"), ("<rsp/>", "1:1"), ('{"stat":"ok"', ":1:13: "),
            (json.dumps(FIRST) + "\n{", ":2:2: ")):
        done = moved_in(site, text)
        assert done.returncode == 1 and why in done.stderr and not done.stdout, (text, done)
