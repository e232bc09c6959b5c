"""The garbage collector of a process that serves."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc
from atoll import collector
kept = [[number] for number in range(50_000)]
before = len(gc.get_objects())
collector.settle()
assert gc.isenabled()
assert before > 50_000 and len(gc.get_objects()) < 1_000, len(gc.get_objects())
loop = []
loop.append(loop)
del loop
assert gc.collect() == 1, "what comes later is collected"
"""


def test_what_exists_is_left_out_and_what_comes_is_collected() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
