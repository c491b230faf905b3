"""``simulate``: a depot to try evdesk with."""

import asyncio
import json
from argparse import Namespace
from pathlib import Path

from evdesk import bootstrap
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.domain.errors import UserError

LAST_PORT = 65_535


def add_to(groups: Groups) -> None:
    """Declare the command."""
    simulate = groups.command(
        "simulate",
        simulate_depot,
        "serve a simulated depot over Modbus on loopback until stopped",
        "evdesk simulate sample_data/depot.toml --port 15020",
    )
    simulate.add_argument("scenario", metavar="SCENARIO.toml", help="explained in sample_data")
    simulate.add_argument(
        "--port", type=int, default=0, metavar="P", help="first port (default: any)"
    )
    simulate.add_argument(
        "--stepped", action="store_true", help="its time is what the collector of a demo site tells"
    )
    simulate.add_argument(
        "--pty",
        action="store_true",
        help="a serial line (RTU on a pseudo-terminal) for every bus, instead of a port",
    )
    simulate.add_argument(
        "--baud", type=int, metavar="B", help="with --pty: bytes take their time, as at B baud"
    )
    simulate.add_argument(
        "--tls",
        nargs=3,
        metavar=("CA", "CERT", "KEY"),
        help="secure the ports: the CA of the clients, the certificate of the depot and its key",
    )
    simulate.add_argument("--log", metavar="FILE", help="write what was served, one JSON a line")


def simulate_depot(context: Context) -> None:
    """Serve until stopped; the first line names the addresses, the last counts what was served."""
    args = context.args
    log = None if args.log is None else Path(args.log)
    if not 0 <= args.port <= LAST_PORT:
        raise UserError("--port {port}: ports go from 1 to {last}.", port=args.port, last=LAST_PORT)

    def ready(devices: list[dict[str, object]]) -> None:
        print(json.dumps({"devices": devices}), flush=True)

    scenario = Path(args.scenario)
    served = asyncio.run(
        bootstrap.simulate(
            scenario, args.port, ready, stepped=args.stepped, log=log, links=_links(args)
        )
    )
    print(json.dumps({"served": served}), flush=True)


def _links(args: Namespace) -> bootstrap.Links:
    if args.pty and (args.tls or args.port):
        raise UserError("--pty serves serial lines, so neither --port nor --tls can be.")
    if args.baud is not None and not args.pty:
        raise UserError("--baud is the speed of a serial line: it goes with --pty.")
    return bootstrap.Links.of(baud=args.baud, files=args.tls or (), pty=args.pty)
