"""Starts the demo by a file of its own, `python demo/space.py`: a hosted Space can do no other."""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    # In place of this folder, whose files must not hide other people's modules.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    runpy.run_module("demo", run_name="__main__", alter_sys=True)
