"""``simulate``: a depot to try evdesk with."""

import asyncio
import json
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
        "serve a simulated depot over Modbus TCP on loopback until stopped",
        "evdesk simulate sample_data/depot.toml --port 15020",
    )
    simulate.add_argument("scenario", metavar="SCENARIO.toml", help="explained in sample_data")
    simulate.add_argument(
        "--port", type=int, default=0, metavar="P", help="first port (default: any)"
    )
    simulate.add_argument(
        "--stepped", action="store_true", help="its time is what the collector of a demo site tells"
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
        bootstrap.simulate(scenario, args.port, ready, stepped=args.stepped, log=log)
    )
    print(json.dumps({"served": served}), flush=True)
