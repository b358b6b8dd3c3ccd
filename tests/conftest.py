"""What holds for every test: pictures are small, and a second thread costs more than it gives."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before any test imports torch
