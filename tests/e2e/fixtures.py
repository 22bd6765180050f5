# SPDX-License-Identifier: ISC
"""Fixtures of the end-to-end tests: a site, fronts in the modes that people use, a target whose health the
test sets, and catchers for what is sent to people. A failing test shows the logs of everything it started."""
import pathlib
import shutil
import tempfile

import pytest

import catchers
from upbeat import FRONTS, Lighttpd, Site


@pytest.fixture
def open_folder():
    """A folder that the web server's user may walk to. pytest's own are closed to others, and closed anew
    whenever somebody else starts pytest."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="upbeat-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def site(open_folder, request):
    a_site = Site(open_folder)
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
