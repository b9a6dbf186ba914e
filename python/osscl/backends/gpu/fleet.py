"""Several GPUs as one backend: batches go to the least busy one, and on to another if it is lost."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, NamedTuple
from weakref import WeakKeyDictionary

from osscl.audio.samples import Samples
from osscl.backends.base import Backend, Outputs, Ticket
from osscl.errors import DeviceLostError
from osscl.support.log import quiet_logger

_log = quiet_logger(__name__)


class _Given(NamedTuple):
    card: Backend
    samples: Samples


class Fleet(Backend):
    """Computes a model on several cards.

    Parameters
    ----------
    cards : sequence of Backend
        One a card, all of the same model; closed with the fleet.
    """

    can_fork: ClassVar[bool] = False

    def __init__(self, cards: Sequence[Backend]) -> None:
        self._cards = list(cards)
        self._usable = list(cards)
        self._lost: dict[str, str] = {}
        # tickets that nobody collects go with whoever forgot them
        self._given: WeakKeyDictionary[Ticket, _Given] = WeakKeyDictionary()
        self._lock = threading.Lock()
        sizes = [card.max_batch for card in cards if card.max_batch is not None]
        self.preferred_batch = self.max_batch = min(sizes)
        self.n_in_flight = sum(card.n_in_flight for card in cards)

    @property
    def facts(self) -> Mapping[str, Any]:  # type: ignore[override]  # tells of cards lost meanwhile
        """What every card says, where all say the same, else one after the other."""
        names = dict.fromkeys(name for card in self._cards for name in card.facts)
        each = {name: [card.facts.get(name, "") for card in self._cards] for name in names}
        return {name: _joined(values) for name, values in each.items()} | self._lost

    def submit(self, samples: Samples) -> Ticket:
        with self._lock:
            if not self._usable:
                raise DeviceLostError(f"all GPUs are lost: {' '.join(self._lost.values())}")
            in_work = [given.card for ticket, given in self._given.items() if not ticket.done()]
            card = min(self._usable, key=in_work.count)
            ticket = card.submit(samples)
            self._given[ticket] = _Given(card, samples)
        return ticket

    def collect(self, ticket: Ticket) -> Outputs:
        with self._lock:
            given = self._given.pop(ticket, None)
        try:
            return ticket.result()
        except DeviceLostError as error:
            if given is None:  # it was collected before
                raise
            self._retire(given.card, error)
            # copied: what it was read into may belong to the card that is lost
            return self.collect(self.submit(given.samples.copy()))

    def lend_batch(self, n_clips: int) -> Samples | None:
        for card in tuple(self._usable):
            with suppress(DeviceLostError):  # told when the card's next batch is collected
                batch = card.lend_batch(n_clips)
                if batch is not None:
                    return batch
        return None

    def close(self) -> None:
        for card in self._cards:
            card.close()

    def _retire(self, card: Backend, error: DeviceLostError) -> None:
        with self._lock:
            if card not in self._usable:
                return
            self._usable.remove(card)
            device = card.facts["device"]
            self._lost[f"lost_{device}"] = str(error)
        _log.warning("%s is lost, its batches go to other cards: %s", device, error)


def _joined(values: Sequence[str | int]) -> str | int:
    """What all cards say, or each of them in turn."""
    different = list(dict.fromkeys(values))
    return different[0] if len(different) == 1 else " | ".join(map(str, different))
