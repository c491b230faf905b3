"""``python -m evdesk`` and the ``evdesk`` command."""

import sys

INTERRUPTED = 130


def main() -> int:
    """Run the command line (without a command: the window) and return its exit code."""
    try:
        from evdesk.cli.main import run  # Ctrl-C while the libraries load leaves no traceback

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
