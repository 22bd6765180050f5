# SPDX-License-Identifier: ISC
"""The fixtures are in fixtures.py, where the extra tests find them too. Here: the order of the tests."""
from fixtures import *  # noqa: F401,F403

# Those that wait longest, for what takes its time in the real world too.
LONG = ("test_whoever_is_left_tells_once", "test_a_crontab_line_is_all_it_takes", "test_response_times_become_metrics",
        "test_random_kills_under_load", "test_a_thousand_outages", "test_a_prober_killed_at_any_moment", "test_a_slow_link",
        "test_in_a_split", "test_the_demo_shows", "test_one_of_three_is_killed", "test_the_next_tells_when_the_first_cannot")
SLICES = 24


def pytest_collection_modifyitems(items):
    """xdist deals out slices, a worker's first ones at once: each of those begins with a long test, so that no long
    one is begun when all others have ended."""
    long = [item for name in LONG for item in items if name in item.nodeid]
    if len(items) < 10 * SLICES:
        return
    rest = [item for item in items if item not in long]
    for n, item in enumerate(long):
        rest.insert(n * (len(items) // SLICES), item)
    items[:] = rest
