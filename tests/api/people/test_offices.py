"""Officials' keys by role: what a viewer sees, and who is out."""

from invoice_service.services.people.person import Whose
from invoice_service.services.people.ports import KeyTerms
from invoice_service.services.people.roles import OfficialRole
from invoice_service.services.people.sessions import Visit
from tests.api.desk import TAX_ID, Desk, problem


def key_of(desk: Desk, role: OfficialRole, person: int | None = None) -> dict[str, str]:
    """A key of that role."""
    return desk.auth(desk.new_key(None, KeyTerms(office=role, person=person)))


def test_a_viewer_sees_that_there_are_merchants_and_not_which(desk: Desk) -> None:
    request = {"tax_id": "91330100799655058B", "name": "杭州咖啡馆", "industry": "6220"}
    request |= {"district": "440303", "address_phone": "滨海路 1 号", "drawer": "王"}
    assert desk.post("/v1/merchants", request, desk.official()).status_code == 201
    answer = desk.client.get("/v1/merchants", headers=key_of(desk, "viewer"))
    seen = answer.get_json()["merchants"]
    assert [one["name"] for one in seen] == ["深***", "杭***"]
    assert [one["tax_id"] for one in seen] == [f"{TAX_ID[:8]}{'*' * 10}", "91330100**********"]
    for secret in (TAX_ID, "旋转餐厅", "咖啡馆", "滨海路", "王"):
        assert secret not in answer.text
    for role in ("examiner", "auditor", "administrator"):
        whole = desk.client.get("/v1/merchants", headers=key_of(desk, role)).get_json()
        assert whole["merchants"][0]["tax_id"] == TAX_ID


def test_a_viewer_sees_of_an_invoice_what_anybody_sees(desk: Desk) -> None:
    hash_ = desk.issue()["hash"]
    path = f"/v1/invoices/{hash_}"
    public = desk.client.get(path).get_json()
    assert desk.client.get(path, headers=key_of(desk, "viewer")).get_json() == public
    for role in ("examiner", "auditor", "administrator"):
        seen = desk.client.get(path, headers=key_of(desk, role)).get_json()
        assert isinstance(seen["lines"], list)
        assert seen != public


def test_a_key_is_out_with_whoever_holds_it(desk: Desk) -> None:
    staff, by = desk.instance.people.staff, desk.instance.operator()
    invited = staff.invite(Whose(None), "examiner", "He", "he", by)
    he = staff.accept(invited.token, "seven ducks cross a river", Visit("", ""), by.at)
    key = key_of(desk, "administrator", he.id)
    assert desk.client.get("/v1/merchants/1", headers=key).status_code == 200
    problem(desk.client.get("/v1/people", headers=key), 403, "role_required")
    staff.remove(he, by)
    refused = desk.client.get("/v1/merchants/1", headers=key)
    problem(refused, 401, "key_suspended")
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
