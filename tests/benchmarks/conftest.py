"""The benchmarks are no part of what is installed: they are found where they lie."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent.parent))
collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]  # they pin processes, and wait with epoll
