# SPDX-License-Identifier: ISC
"""The fixtures are in fixtures.py, where the extra tests find them too."""
from fixtures import *  # noqa: F401,F403
