"""``init``, ``info``, ``site`` and ``issuer``."""

from dataclasses import replace

from evdesk import bootstrap
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import counted, facts
from evdesk.domain.errors import UserError
from evdesk.domain.site import Party

ISSUER_FIELDS = (
    "name", "street", "postcode", "city", "country", "vat_id", "tax_number", "contact",
    "email", "phone", "iban",
)  # fmt: skip


def add_to(groups: Groups) -> None:
    """Declare the commands."""
    init = groups.command(
        "init",
        create,
        "create the site folder, the owner's account and the recovery code",
        'evdesk --site depot --password-file pw init --owner Ada --name "North depot"',
    )
    init.add_argument("--owner", required=True, metavar="NAME", help="name of the first account")
    init.add_argument(
        "--name", default="My depot", metavar="SITE", help="name of the site (default My depot)"
    )
    init.add_argument(
        "--tz", metavar="ZONE", help="IANA time zone (default: that of this computer)"
    )
    init.add_argument(
        "--currency", default="EUR", metavar="CUR", help="ISO 4217 code (default EUR)"
    )
    init.add_argument("--country", default="DE", metavar="CC", help="ISO 3166 code (default DE)")
    init.add_argument(
        "--language", default="en", metavar="LANG", help="of invoices: en (default) or de"
    )
    init.add_argument(
        "--demo",
        action="store_true",
        help="stepped clock, loopback devices only, SPECIMEN on every document, for ever",
    )
    groups.command("info", info, "show the site at a glance", "evdesk info --json")
    site = groups.group("site", "settings of the site", "evdesk site archive")
    archive = site.command(
        "archive",
        archive_readings,
        "show how readings are archived, or set when old ones are thinned to quarter hours",
        "evdesk site archive --thin-after 90",
    )
    archive.add_argument(
        "--thin-after", metavar="DAYS", help="days for which every reading is kept, or never"
    )
    issuer = groups.group("issuer", "who bills", "evdesk issuer show")
    change = issuer.command(
        "set",
        set_issuer,
        "change who bills; what is not given stays as it is",
        'evdesk issuer set --name "Depot Ltd" --city Ulm --vat-id DE123456789',
    )
    for name in ISSUER_FIELDS:
        change.add_argument(f"--{name.replace('_', '-')}", metavar="TEXT")
    issuer.command("show", show_issuer, "show who bills", "evdesk issuer show --json")


def create(context: Context) -> None:
    """Create a site."""
    args = context.args
    made = bootstrap.create_site(
        context.folder(),
        context.new_password(),
        bootstrap.SiteRequest(
            name=args.name,
            owner=args.owner,
            tz=args.tz or bootstrap.local_zone(),
            currency=args.currency,
            country=args.country,
            language=args.language,
            demo=args.demo,
        ),
    )
    data = {
        "id": made.site.id,
        "site": made.site.name,
        "folder": str(context.folder()),
        "recovery_code": made.recovery_code,
    }
    context.out.answer(
        data,
        f"The site {made.site.name} is in {context.folder()}.\n\n"
        f"    Recovery code:  {made.recovery_code}\n\n"
        "Write it down and keep it away from this computer: it is shown only now. If the password\n"
        "and this code are both lost, nobody can open the site again, the authors included.",
    )


def info(context: Context) -> None:
    """Show the site at a glance."""
    with context.site() as services:
        found = services.site.info()
    collector = {
        "state": "running" if found.running else "stopped",
        "pid": found.collector.pid if found.running else None,
        "since_at": found.collector.since_at if found.running else None,
    }
    data = {
        "id": found.site.id,
        "site": found.site.name,
        "tz": found.site.tz,
        "currency": found.site.currency,
        "country": found.site.country,
        "language": found.site.language,
        "demo": found.site.demo,
        "schema_version": found.schema_version,
        "meters": found.meters,
        "sessions": found.sessions,
        "readings": found.readings,
        "sealed_readings": found.sealed_readings,
        "archive_bytes": found.archive.size_bytes,
        "db_bytes": found.db_bytes,
        "collector": collector["state"],
        "pid": collector["pid"],
        "since_at": collector["since_at"],
    }
    shown = data | {"since_at": collector["since_at"]}
    context.out.answer(data, facts(shown.items(), found.site.tz))


def archive_readings(context: Context) -> None:
    """Show how the archive stands; with an option, first change from when on it is thinned."""
    wanted = context.args.thin_after
    with context.site() as services:
        if wanted is not None:
            services.site.set_thinning(_days(wanted))
        found = services.site.info()
    data = {
        "id": found.site.id,
        "thin_after_days": found.archive.thin_after_days,
        "readings": found.readings,
        "sealed_readings": found.sealed_readings,
        "archive_bytes": found.archive.size_bytes,
        "sealed_until_at": found.archive.sealed_until,
        "thinned_until_at": found.archive.thinned_until,
    }
    days = found.archive.thin_after_days
    sentence = "Every reading is kept for ever."
    if days is not None:
        sentence = (
            f"Every reading is kept for {counted(days, 'day')}. Then the registers of each quarter "
            "hour stay, its lowest,\nmean and highest power, and all readings around what happened "
            "to a session."
        )
    context.out.answer(data, f"{facts(data.items(), found.site.tz)}\n\n{sentence}")


def _days(text: str) -> int | None:
    if text == "never":
        return None
    if not text.isascii() or not text.isdigit():
        raise UserError("--thin-after {text}: give a number of days, or never.", text=text)
    return int(text)


def set_issuer(context: Context) -> None:
    """Change who bills; what is not given stays."""
    given = {name: getattr(context.args, name) for name in ISSUER_FIELDS}
    changes = {name: text for name, text in given.items() if text is not None}
    with context.site() as services:
        issuer = replace(services.billing.issuer() or Party(name=""), **changes)
        services.billing.set_issuer(issuer)
        site = services.info.id
    data = {name: getattr(issuer, name) for name in ISSUER_FIELDS}
    context.out.answer({"id": site, **data}, f"{issuer.name} bills from now on.")


def show_issuer(context: Context) -> None:
    """Show who bills."""
    with context.site() as services:
        issuer = services.billing.issuer()
    data = {name: getattr(issuer, name) if issuer else None for name in ISSUER_FIELDS}
    nobody = "Nobody is set as the issuer yet. Set who bills: evdesk issuer set --help"
    context.out.answer(data, facts(data.items()) if issuer else nobody)
