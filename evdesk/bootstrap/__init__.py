"""The composition root: builds services from a site folder and runs the processes."""

from evdesk.bootstrap.hardening import harden, told_of
from evdesk.bootstrap.papers import versions
from evdesk.bootstrap.running import (
    CollectorChild,
    Speed,
    collect,
    device_profiles,
    save,
    simulate,
    spawn,
)
from evdesk.bootstrap.sites import (
    COLLECTOR,
    Made,
    Opened,
    Services,
    SiteRequest,
    check_site,
    create_site,
    default_folder,
    local_zone,
    open_collector,
    open_site,
    open_with_key,
)
from evdesk.bootstrap.window import open_window, picture
from evdesk.devices.simulator.listening import Links

__all__ = [
    "COLLECTOR",
    "CollectorChild",
    "Links",
    "Made",
    "Opened",
    "Services",
    "SiteRequest",
    "Speed",
    "check_site",
    "collect",
    "create_site",
    "default_folder",
    "device_profiles",
    "harden",
    "local_zone",
    "open_collector",
    "open_site",
    "open_window",
    "open_with_key",
    "picture",
    "save",
    "simulate",
    "spawn",
    "told_of",
    "versions",
]
