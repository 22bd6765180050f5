# SPDX-License-Identifier: ISC
"""Three installations on three hosts: one killed, one cut off, a split, a slow link, clocks two minutes apart. No missed
outage, no false one, repeats only in a split.

The hosts are network namespaces; where those are refused, and in nightly runs, the three are on loopback addresses with
relays between them.
"""
import os
import subprocess
import time

import pytest

import namespaces
from catchers import Catcher, Target
from faulty import NIGHTLY
from links import Trio, all_up, state, told, told_names, views
from upbeat import ROOT, wait_for


@pytest.fixture(params=[namespaces.Apart, Trio], ids=["namespaces", "loopback"])
def three(open_folder, request):
    refused = namespaces.refused()
    if request.param is namespaces.Apart and refused:
        pytest.skip(f"no network namespaces here: {refused}")
    if request.param is Trio and not refused and not NIGHTLY:
        pytest.skip("told in network namespaces; on loopback addresses too: nightly")
    it = request.param(open_folder, "a", "b", "c")
    yield it
    it.end(request)


@pytest.fixture
def target(three):
    with three.outside(Target) as it:
        yield it


@pytest.fixture
def catcher(three):
    with three.outside(Catcher) as it:
        yield it


def test_one_of_three_is_killed_and_the_next_tells(three, target, catcher):
    """Clocks two minutes apart, all the while."""
    three.start(target, catcher, {"b": 120_000, "c": -60_000})
    all_up(three)
    three.kill("a")
    for name in "bc":
        wait_for(lambda: state(three, name, "peer.a") == "down", 60)
    wait_for(lambda: told(catcher, "down", "peer.a"), 60)
    target.status = 500
    for name in "bc":
        wait_for(lambda: state(three, name) == "down", 60)
    wait_for(lambda: told(catcher, "down"), 60)
    target.status = 200
    wait_for(lambda: told(catcher, "up"), 60)
    three.cut("a", False)
    three.begin("a")
    all_up(three)
    wait_for(lambda: told(catcher, "up", "peer.a"), 60)
    time.sleep(6)
    assert [(who, m) for who, m in told(catcher, monitor="peer.b") + told(catcher, monitor="peer.c")] == []
    for monitor in ("shop", "peer.a"):
        assert (told_names(catcher, "down", monitor), told_names(catcher, "up", monitor)) == (["b"], ["b"]), monitor


def test_one_that_is_cut_off_tells_nothing_that_is_not_so(three, target, catcher):
    three.start(target, catcher)
    all_up(three)
    three.cut("c")
    wait_for(lambda: told(catcher, "down", "peer.c"), 60)
    wait_for(lambda: state(three, "c") in ("unknown", "suspect"), 60)  # suspect while it looks again
    assert (state(three, "a"), state(three, "b")) == ("up", "up")
    three.cut("c", False)
    all_up(three)
    wait_for(lambda: told(catcher, "up", "peer.c"), 60)
    time.sleep(6)
    assert [r.json["monitor"] for r in catcher.received] == ["peer.c", "peer.c"]
    assert told_names(catcher, "down", "peer.c") == told_names(catcher, "up", "peer.c") == ["a"]


def test_in_a_split_both_sides_tell_under_one_name(three, target, catcher):
    three.start(target, catcher)
    all_up(three)
    three.split("c")
    for one, other in (("a", "peer.c"), ("c", "peer.a"), ("c", "peer.b")):
        wait_for(lambda: state(three, one, other) == "down", 60)
    target.status = 500
    wait_for(lambda: sorted(told_names(catcher, "down")) == ["a", "c"], 60)
    assert len({event for _, event in told(catcher, "down")}) == 1, "a receiver can drop the repeat"
    three.split("c", False)
    for name in "abc":
        wait_for(lambda: set(views(three, name).values()) == {"down"}, 60)
    target.status = 200
    all_up(three)
    wait_for(lambda: told(catcher, "up"), 60)
    time.sleep(6)
    assert sorted(told_names(catcher, "down")) == ["a", "c"]
    assert len({event for _, event in told(catcher, "up")}) == 1 and "b" not in told_names(catcher)


def test_a_slow_link_makes_no_outage_and_no_repeat(three, target, catcher):
    three.start(target, catcher, peer_wait="6s")
    all_up(three)
    three.slow("a", 1.4)
    time.sleep(6)
    target.status = 500
    for name in "abc":
        wait_for(lambda: state(three, name) == "down", 60)
    wait_for(lambda: told(catcher, "down"), 60)
    time.sleep(9)
    target.status = 200
    all_up(three)
    wait_for(lambda: told(catcher, "up"), 60)
    time.sleep(9)
    assert [(r.path, r.json["event"], r.json["monitor"]) for r in catcher.received] == [
        ("/a", "down", "shop"), ("/a", "up", "shop")]


def oldest(folder):
    """The build folder of the first Upbeat that these stories were told of."""
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout
    try:
        commit = git("log", "--diff-filter=A", "--format=%H", "--", "tests/e2e/test_peers.py").decode().split()[-1]
        tree = git("archive", commit)
    except (OSError, IndexError, subprocess.CalledProcessError):
        pytest.skip("the history is not here")
    folder.mkdir()
    subprocess.run(["tar", "x", "-C", folder], input=tree, check=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(["make", "-s", "-C", folder, f"BUILD={folder}/build"], env=environment, check=True)
    return folder / "build"


@pytest.mark.skipif(not NIGHTLY, reason="builds an older Upbeat: nightly")
@pytest.mark.parametrize("older", ["a", "c"])
def test_an_older_one_tells_with_the_newer_ones(three, target, catcher, open_folder, older):
    three.sites[older].programs = oldest(open_folder / "older")
    three.start(target, catcher)
    all_up(three)
    target.status = 500
    for name in "abc":
        wait_for(lambda: state(three, name) == "down", 60)
    wait_for(lambda: told(catcher, "down"), 60)
    target.status = 200
    all_up(three)
    wait_for(lambda: told(catcher, "up"), 60)
    time.sleep(6)
    three.kill("a")
    for name in "bc":
        wait_for(lambda: state(three, name, "peer.a") == "down", 60)
    wait_for(lambda: told(catcher, "down", "peer.a"), 60)
    time.sleep(6)
    assert [(r.path, r.json["event"], r.json["monitor"]) for r in catcher.received] == [
        ("/a", "down", "shop"), ("/a", "up", "shop"), ("/b", "down", "peer.a")]
