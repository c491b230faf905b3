"""``python -m evdesk`` and the ``evdesk`` command."""

import sys

from evdesk.cli.main import run


def main() -> int:
    """Run the command line (without a command: the window) and return its exit code."""
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
