"""Starts the demo from the command line: ``python -m demo --port 7860``."""

import argparse
import os
import signal
import sys

from demo.port import PortError, choose_port
from demo.session import private_folder


def main() -> int:
    """Read the options and stay until stopped; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="Start the FaceVeil demo.")
    parser.add_argument(
        "--port",
        type=int,
        help="to listen on; else GRADIO_SERVER_PORT, else a free one from 7860",
    )
    parser.add_argument(
        "--host",
        default="0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1",
        help="address to listen on; 0.0.0.0 lets other machines in",
    )
    options = parser.parse_args()
    try:
        port, moved = choose_port(options.host, options.port)
    except PortError as error:
        sys.stderr.write(f"error: {error}\nhint: {error.hint}\n")
        return 1
    if moved:
        sys.stderr.write(f"{moved}\n")
    # Ended by a service, a container or a closed terminal, too, it leaves no picture behind.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: sys.exit(0))
    folder = private_folder()
    from demo.app import launch  # after the folder is known: gradio reads it when imported

    launch(folder, options.host, port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
