"""Starts the demo from the command line: ``python -m demo --port 7860``."""

import argparse
import os
import signal
import sys

from demo.session import private_folder


def main() -> None:
    """Read the options and stay until stopped."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="Start the FaceVeil demo.")
    parser.add_argument("--port", type=int, help="to listen on; a free one from 7860 unless given")
    parser.add_argument(
        "--host",
        default="0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1",
        help="address to listen on; 0.0.0.0 lets other machines in",
    )
    options = parser.parse_args()
    # Ended by a service, a container or a closed terminal, too, it leaves no picture behind.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: sys.exit(0))
    folder = private_folder()
    from demo.app import launch  # after the folder is known: gradio reads it when imported

    launch(folder, options.host, options.port)


if __name__ == "__main__":
    main()
