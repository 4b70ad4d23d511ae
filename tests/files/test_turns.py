"""Work in turns: none waits for a large one, and what fails stops no other."""

from invoice_service.files.turns import Job, Turns
from tests.patience import PATIENCE


def test_each_gets_a_step_in_turn() -> None:
    turns, said = Turns(), list[str]()

    def job(name: str, steps: int) -> Job:
        for step in range(steps):
            said.append(f"{name}{step}")
            yield None
        said.append(f"{name} done")

    def broken() -> Job:
        raise ZeroDivisionError
        yield None

    def begin() -> Job:
        turns.add(job("large", 3))
        turns.add(job("small", 1))
        yield None

    turns.add(begin())
    assert turns.idle(PATIENCE)
    assert said == ["large0", "small0", "large1", "small done", "large2", "large done"]
    turns.add(broken())
    turns.add(job("later", 0))
    assert turns.idle(PATIENCE)
    assert said[-1] == "later done"
