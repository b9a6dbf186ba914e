"""Alarms from decisions over time: n of the last m clips, held, released, and not raised again at once."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from osscl.decisions.alarm_rates import check_window
from osscl.errors import ConfigError
from osscl.support.plurals import counted


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """When an alarm is raised and released.

    Attributes
    ----------
    n, m : int
        It is raised when n of the last m clips are flagged, and released when fewer are.
    hold : int
        Clips for which it stands at least.
    cool_down : int
        Clips after its release in which none is raised.

    Raises
    ------
    DecisionError
        1 <= n <= m does not hold.
    ConfigError
        A number is negative.
    """

    n: int = 3
    m: int = 5
    hold: int = 0
    cool_down: int = 0

    def __post_init__(self) -> None:
        check_window(self.n, self.m)
        for name, clips in (("hold", self.hold), ("cool_down", self.cool_down)):
            if clips < 0:
                raise ConfigError(f"{name} is {clips}; expected a number of clips, 0 or more")

    def __str__(self) -> str:
        return f"{self.n} of the last {counted(self.m, 'clip')}"


class Raised(NamedTuple):
    """One alarm.

    Attributes
    ----------
    raised_at : int
        Clip, counted from 0, that raised it.
    released_at : int or None
        Clip that released it; None where it still stands.
    """

    raised_at: int
    released_at: int | None


class AlarmState:
    """The state of one machine's alarm: quiet, raised, or cooling down.

    Parameters
    ----------
    rule : AlarmRule
        When it is raised and released.

    Attributes
    ----------
    is_raised : bool
        Whether an alarm stands now.
    """

    def __init__(self, rule: AlarmRule) -> None:
        self._rule = rule
        self._window: deque[bool] = deque(maxlen=rule.m)
        self._held = self._cooling = 0
        self.is_raised = False

    def see(self, is_anomaly: bool) -> bool:
        """Take the decision on the next clip.

        Parameters
        ----------
        is_anomaly : bool
            Whether it is flagged.

        Returns
        -------
        bool
            Whether an alarm stands from this clip on.
        """
        self._window.append(is_anomaly)
        enough = sum(self._window) >= self._rule.n
        if self.is_raised:
            self._held += 1
            if self._held >= self._rule.hold and not enough:
                self.is_raised, self._cooling = False, self._rule.cool_down
        elif self._cooling:
            self._cooling -= 1
        elif enough:
            self.is_raised, self._held = True, 0
        return self.is_raised

    def change(self, back: int, is_anomaly: bool) -> bool:
        """Take another decision on a clip that was seen: no clip more counts, for anything.

        Parameters
        ----------
        back : int
            How many clips came after it, fewer than the rule looks back at.
        is_anomaly : bool
            Whether it is flagged now.

        Returns
        -------
        bool
            Whether an alarm stands from now on.
        """
        self._window[-1 - back] = is_anomaly
        enough = sum(self._window) >= self._rule.n
        if self.is_raised and not enough and self._held >= self._rule.hold:
            self.is_raised, self._cooling = False, self._rule.cool_down
        elif not self.is_raised and enough and not self._cooling:
            self.is_raised, self._held = True, 0
        return self.is_raised

    def stored(self) -> str:
        """Write the state down.

        Returns
        -------
        str
            For `restored`.
        """
        flagged = "".join("1" if each else "0" for each in self._window)
        return f"{flagged} {int(self.is_raised)} {self._held} {self._cooling}"

    @classmethod
    def restored(cls, rule: AlarmRule, stored: str) -> "AlarmState":
        """Go on where another state was, also one under another rule.

        Parameters
        ----------
        rule : AlarmRule
            When it is raised and released from now on.
        stored : str
            What `stored` gave.

        Returns
        -------
        AlarmState
            It sees the next clip as the other would have, where the rule is the same.
        """
        state = cls(rule)
        flagged, is_raised, held, cooling = stored.split(" ")
        state._window.extend(each == "1" for each in flagged)
        state.is_raised, state._held = is_raised == "1", int(held)
        state._cooling = min(int(cooling), rule.cool_down)
        return state


def alarms_of(decisions: Iterable[bool], rule: AlarmRule) -> list[Raised]:
    """Raise and release alarms over decisions in the order of time.

    Parameters
    ----------
    decisions : iterable of bool
        Whether each clip is flagged; clips that nothing was decided of are not among them.
    rule : AlarmRule
        When an alarm is raised and released.

    Returns
    -------
    list of Raised
        In the order of time; numbers count these decisions.
    """
    state, found = AlarmState(rule), list[Raised]()
    for clip, is_anomaly in enumerate(decisions):
        was_raised = state.is_raised
        if state.see(bool(is_anomaly)) and not was_raised:
            found.append(Raised(clip, None))
        elif was_raised and not state.is_raised:
            found[-1] = Raised(found[-1].raised_at, clip)
    return found
