"""What every page is given."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from evdesk.domain.site import Site
from evdesk.gui.desk import Desk
from evdesk.gui.preferences import Preferences
from evdesk.gui.pulse import Pulse
from evdesk.gui.rights import Rights
from evdesk.gui.tasks import Tasks
from evdesk.gui.theme import Theme


@dataclass(frozen=True, slots=True)
class Context:
    """The use cases, and what the window lends its pages."""

    desk: Desk
    site: Site
    tasks: Tasks
    pulse: Pulse
    theme: Theme
    preferences: Preferences

    @property
    def rights(self) -> Rights:
        """Return what the person who is here may do."""
        return Rights(self.desk.who.role)

    @property
    def zone(self) -> ZoneInfo:
        """Return the site's zone, in which everything local is shown."""
        return ZoneInfo(self.site.tz)
