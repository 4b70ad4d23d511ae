"""A merchant hands an invoice of its own on, without what its holder does not show."""

from chain.proof.file import hidden_in, parse_proof
from tests.documents.paper.printing import read
from tests.web.till.counter import COMPANY, NOODLES, Counter


def test_owner_and_cashier_take_every_form_and_hide_what_they_like(counter: Counter) -> None:
    sale = counter.zhang.sell(NOODLES, buyer=COMPANY)["invoices"][0]
    counter.anchor()
    path = f"/till/invoices/{sale['hash']}"
    page = counter.zhang.browser.get(f"{path}/share").text
    assert f'action="{path}/file"' in page
    assert sale["number"] in page
    for hidden in ((), ("buyer", "lines")):
        asked = "".join(f"&hide={name}" for name in hidden)
        for form, kind in (("pdf", "application/pdf"), ("picture", "image/png")):
            answer = counter.zhang.get(f"invoices/{sale['hash']}/file?form={form}{asked}")
            assert (answer.status_code, answer.content_type) == (200, kind)
            assert answer.headers["Cache-Control"] == "no-store"
            if form == "pdf":
                texts, files = read(answer.data)
                assert (COMPANY["name"] in texts[0]) is not bool(hidden)
                (proof,) = files.values()
                assert hidden_in(parse_proof(proof)) == hidden
    assert counter.zhang.get(f"invoices/{sale['hash']}/file?form=exe").status_code == 400
