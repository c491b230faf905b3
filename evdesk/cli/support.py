"""``support``: a file for whoever helps."""

from pathlib import Path

from evdesk import bootstrap
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.domain.errors import UserError


def add_to(groups: Groups) -> None:
    """Declare the command."""
    bundle = groups.command(
        "support",
        write_bundle,
        "write a file for whoever helps: versions, counts, settings, logs; no personal data",
        "evdesk support --out support.zip",
    )
    bundle.add_argument("--out", required=True, metavar="FILE", help="ends in .zip")


def write_bundle(context: Context) -> None:
    """Write the bundle."""
    out = Path(context.args.out).expanduser()
    if out.suffix.lower() != ".zip":
        raise UserError("--out {out}: give a name that ends in .zip.", out=out)
    with context.site() as services:
        content = services.support.bundle()
    bootstrap.save(out, content)
    context.out.answer(
        {"file": str(out), "bytes": len(content)},
        f"{out} is written. It holds no personal data and no secrets; look through it all the same "
        "before you send it.",
    )
