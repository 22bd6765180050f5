# SPDX-License-Identifier: ISC
"""Fixtures of the end-to-end tests: a site, fronts in the modes that people use, a target whose health the
test sets, and catchers for what is sent to people. A failing test shows the logs of everything it started."""
import pytest

import catchers
from upbeat import FRONTS, Lighttpd, Site, let_others_walk


@pytest.fixture
def site(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("site")
    let_others_walk(folder)
    a_site = Site(folder)
    yield a_site
    a_site.close()
    failed = getattr(request.node, "report_call", None)
    if failed is not None and failed.failed:
        print(a_site.logs())


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    setattr(item, f"report_{report.when}", report)


@pytest.fixture(params=FRONTS)
def front(request, site):
    """Upbeat behind each web server and mode in turn. Needs site.configure() and a pass to answer more than 503."""
    return FRONTS[request.param](site)


@pytest.fixture
def lighttpd(site):
    return Lighttpd(site)


@pytest.fixture
def target():
    """A web site whose answer the test sets: target.status = 500."""
    with catchers.Target() as it:
        yield it


@pytest.fixture
def catcher():
    """Takes what is sent to Slack and webhooks: catcher.received."""
    with catchers.Catcher() as it:
        yield it


@pytest.fixture
def mailbox():
    """A real SMTP server: mailbox.mails."""
    with catchers.Mailbox() as it:
        yield it
