"""The issuing transaction against a model of it in a few lines of Python."""

import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from invoice_service.domain.invoice import Issued, Prepared
from tests.domain.samples import line
from tests.storage.shop import Shop, codes

QUOTA = 6

Order = tuple[str, int, str]
"""order_id, which content, Idempotency-Key."""

orders = st.tuples(
    st.sampled_from(["A", "B", "C"]),
    st.integers(1, 3),
    st.sampled_from(["", "", "k", "l"]),
)
reversals = st.tuples(st.just("red"), st.integers(0, 9), st.sampled_from(["", "", "k"]))
batches = st.lists(st.lists(orders | reversals, min_size=1, max_size=5), min_size=1, max_size=6)


@dataclass
class Model:
    """What must become of each request, in order; ``made`` is every invoice so far."""

    made: list[dict[str, object]] = field(default_factory=list)
    keys: dict[str, tuple[object, int]] = field(default_factory=dict)

    def ask(self, content: tuple[object, ...], key: str) -> tuple[str, int]:
        """(code, seq of the answer or 0)."""
        if key in self.keys:
            known, seq = self.keys[key]
            return ("replayed", seq) if known == content else ("idempotency_key_conflict", 0)
        code, seq = self._red(content) if content[0] == "red" else self._blue(content)
        if key and seq:
            self.keys[key] = content, seq
        return code, seq

    def _blue(self, content: tuple[object, ...]) -> tuple[str, int]:
        same_order = [row for row in self.made if row["order"] == content[0]]
        for row in reversed(same_order):
            if row["content"] == content:
                return "replayed", int(str(row["seq"]))
        if same_order and not same_order[-1]["reversed"]:
            return "order_id_conflict", 0
        if sum(1 for row in self.made if row["order"]) >= QUOTA:
            return "quota_exhausted", 0
        return self._add(content[0], content)

    def _red(self, content: tuple[object, ...]) -> tuple[str, int]:
        blue = self.made[int(str(content[1])) - 1]
        if blue["reversed"]:
            return "already_reversed", 0
        blue["reversed"] = True
        return self._add(None, content)

    def _add(self, order: object, content: object) -> tuple[str, int]:
        seq = len(self.made) + 1
        self.made.append({"seq": seq, "order": order, "content": content, "reversed": False})
        return "issued", seq


@settings(max_examples=60, deadline=None)
@given(batches, st.randoms(use_true_random=False))
def test_every_answer_is_the_models(
    sequence: list[list[tuple[str, int, str]]], chance: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop, model = Shop(Path(folder), quota=QUOTA), Model()
        for batch in sequence:
            drafts, expected = [], []
            # What a reversal names is read before the batch, as the service does it.
            blues = [row for row in model.made if row["order"]]
            for name, number, key in batch:
                if name != "red":
                    drafts.append(_draft(shop, name, number, key))
                    expected.append(model.ask((name, number), key))
                elif blues:
                    seq = int(str(chance.choice(blues)["seq"]))
                    drafts.append(_red(shop, seq, key))
                    expected.append(model.ask(("red", seq), key))
            answers = shop.hand_in(*drafts)
            assert codes(answers) == [code for code, _ in expected]
            seqs = [answer.seq if isinstance(answer, Issued) else 0 for answer in answers]
            assert seqs == [seq for _, seq in expected]
        assert shop.rows("SELECT seq, CAST(number AS INTEGER) FROM invoices") == [
            (n, n) for n in range(1, len(model.made) + 1)
        ]
        blue_count = sum(1 for row in model.made if row["order"])
        assert shop.rows("SELECT used FROM merchants") == [(blue_count,)]
        shop.store.close()


def _draft(shop: Shop, name: str, number: int, key: str) -> Prepared:
    return shop.draft(name, lines=[line(unit_price=number)], idempotency_key=key)


def _red(shop: Shop, seq: int, key: str) -> Prepared:
    blue = shop.store.invoice_at(seq)
    assert blue is not None
    return shop.red_over(blue, idempotency_key=key)
