"""Cut the power at every step of a trace and yield what the disk may hold then."""

import random
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from tests.power.cuts import (
    Fate,
    Kept,
    Lost,
    NamesOnly,
    Torn,
    Tree,
    after_cut,
    materialise,
    same_tree,
)
from tests.power.disk import Disk
from tests.power.replay import Step, replay
from tests.power.trace import Call
from tests.scale import WHOLE, every

Chooser = Callable[[Step], bool]


@dataclass(frozen=True)
class Cut:
    """One possible disk after one possible power cut."""

    step: Step
    fate: str
    tree: Tree
    sent: Sequence[bytes]
    seen: Sequence[bytes]

    def __str__(self) -> str:
        call = self.step.call
        return f"cut after step {self.step.number} ({call.name} {self.step.path}), {self.fate}"


def everywhere(step: Step) -> bool:
    """Cut after every system call that touched the disk or told somebody something."""
    return True


def often(step: Step) -> bool:
    """Cut around every sync and every answer, and after a third of the other calls.

    With `make whole` it is everywhere. Which third is the same in each run: a state that fails can
    be looked at again.
    """
    return WHOLE or _A_THIRD(step)


def around_syncs(rate: float, seed: int) -> Chooser:
    """Cut after every sync and every answer, and after a random ``rate`` of the other calls."""
    rng = random.Random(seed)
    return lambda step: step.synced or bool(step.sent) or rng.random() < rate


_A_THIRD = around_syncs(1 / 3, seed=20180810)


def power_cuts(
    calls: Sequence[Call], disk: Disk, *, where: Chooser, seed: int, torn: int, watch: str = ""
) -> Iterator[Cut]:
    """Yield every distinct disk state after a cut, with what had been told outside by then.

    For each chosen step: everything unsynced lost; everything kept; names kept but contents lost;
    and ``torn`` random subsets. ``sent`` are the bytes that had left through sockets, ``seen``
    every contents that the file ``watch`` (relative to the disk's root) had shown to readers.
    """
    rng = random.Random(seed)
    sent: list[bytes] = []
    seen: list[bytes] = []
    checked: set[tuple[bytes, int, int]] = set()
    tells = [bool(step.sent) for step in replay(calls, deepcopy(disk))]
    for step in replay(calls, disk):
        if step.sent:
            sent.append(step.sent)
        if watch and step.path == f"{disk.root}/{watch}":
            _look(disk, step.path, seen)
        # Telling changes no disk: the cut after it promises more about the same disks.
        if any(tells[step.number + 1 : step.number + 2]) or not where(step):
            continue
        for name, fate in _fates(rng, torn):
            tree = after_cut(disk, fate)
            mark = same_tree(tree), len(sent), len(seen)
            if mark not in checked:
                checked.add(mark)
                yield Cut(step, name, tree, tuple(sent), tuple(seen))


def check_cuts(
    cuts: Iterator[Cut], folder: Path, check: Callable[[Path, Cut], None], nth: int = 1
) -> int:
    """Check every state in a folder of its own; return how many there were.

    In a usual run every ``nth``. Raises AssertionError naming the first cut whose state breaks a
    promise.
    """
    checked = 0
    for checked, cut in enumerate(every(nth, cuts), start=1):
        state = folder / str(checked)
        materialise(cut.tree, state)
        try:
            check(state, cut)
        except Exception as problem:
            raise AssertionError(f"{cut}: {problem}") from problem
        rmtree(state)
    return checked


def _look(disk: Disk, path: str, seen: list[bytes]) -> None:
    inode = disk.find(path)
    if inode is None:
        return
    contents = disk.file(path).contents()
    if contents and (not seen or seen[-1] != contents):
        seen.append(contents)


def _fates(rng: random.Random, torn: int) -> Iterator[tuple[str, Fate]]:
    yield "unsynced lost", Lost()
    yield "unsynced kept", Kept()
    yield "names kept, contents lost", NamesOnly()
    for _ in range(torn):
        seed = rng.getrandbits(32)
        yield f"torn with seed {seed}", Torn(random.Random(seed))
