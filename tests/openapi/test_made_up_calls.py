"""Calls that schemathesis makes up from the description, sent to a real server by each role.

No answer is a failure of ours, none is undescribed, and nothing that the description allows is
refused, but for what it can only say in words.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import BaseSchema, Case, CheckContext, Response
from schemathesis.pytest import from_fixture

from invoice_service.api.answers import XLSX
from invoice_service.app import doors
from invoice_service.config import load
from invoice_service.openapi.document import describe_service
from invoice_service.openapi.operation import PDF
from invoice_service.services.people.ports import SCOPES, KeyTerms
from tests.api.desk import NDJSON, Desk
from tests.api.server import serving
from tests.openapi.test_roles import is_let_in
from tests.scale import WHOLE, share

IN_WORDS = {
    # who asks, and what is there
    *("key_missing", "authorization_scheme", "role_required", "invoice_unknown"),
    *("merchant_unknown", "api_key_unknown", "block_unknown", "no_block", "no_statement"),
    *("no_entry", "no_closing"),
    *("no_tile", "tile_path", "not_in_log", "order_id_conflict", "idempotency_key_conflict"),
    *("order_id_reused", "order_parts_conflict", "replaces_not_first", "order_total_exceeded"),
    *("tax_id_taken", "merchant_suspended", "quota_exhausted", "not_reversible"),
    *("already_reversed", "return_unclear", "person_unknown", "role_of_another"),
    *("person_removed", "login_taken", "login_invalid", "order_unknown", "payments_off"),
    *("part_unclear", "parts_incomplete", "order_differs", "order_claimed", "order_cancelled"),
    *("wallet_off", "grant_invalid", "wallet_token", "proof_invalid", "nonce_invalid"),
    *("time_invalid", "prepaid_unknown", "prepaid_off"),
    # check digits, lists of codes, sums, Unicode's properties, one parameter beside another
    *("tax_id_invalid", "industry_unknown", "district_unknown", "totals_mismatch"),
    *("amount_out_of_range", "tax_rate_unknown", "buyer_incomplete", "quantity_not_positive"),
    *("discount_too_large", "tax_kind_with_rate", "total_zero"),
    *("control_character", "text_empty", "text_damaged", "identifier_ambiguous"),
    *("missing_parameter", "qr_invalid", "range_invalid", "day_invalid", "not_csv"),
    *("business_day_invalid", "business_day_ahead", "parts_invalid"),
    *("application_unknown", "application_pending", "application_closed", "request_unknown"),
    *("applications_limited", "applications_full", "papers_missing", "request_pending"),
    *("readmission_needed", "merchant_left", "limits_missing", "finding_missing"),
    *("application_changed", "application_step", "application_risky", "notice_running"),
    *("paper_missing", "request_changed", "account_not_offered"),
    *("report_unknown", "report_empty", "picture_kind", "reports_limited"),
    *("empty_body", "not_xlsx", "several_lists", "pdf_unreadable"),
    *("status_list_unknown", "act_unknown", "credential", "receipt", "receipt_hash_missing"),
    *("proposal_unknown", "proposal_over", "same_person", "holder_unknown", "merchant_revoked"),
    # a part of an address in which a slash is written out, or that is only dots
    "no_such_address",
}
"""Why a request may be refused that JSON Schema allows; each stands in the description."""

SAID_OF_ONE = {
    # filters have check digits and lists of codes, and of two ranks one is taken
    ("parameter_malformed", "/v1/reports/totals"),
    ("parameter_malformed", "/v1/reports/totals/check"),
    ("by_unknown", "/v1/reports/totals"),
    ("by_unknown", "/v1/reports/totals/check"),
    ("missing_field", "/v1/proposals"),  # what each kind needs
}
"""The same, of one call each: (code, path)."""

OPERATIONS = doors(load(None, {})).operations
OF_A_TILL = {(one.method, one.path) for one in OPERATIONS if is_let_in("till", one)}
"""The calls that a till's key may make."""
PARTS = 8
"""Of the calls, for each role: so many may be made up at the same time."""

CHECKS = {
    # what is beside the description is refused or passed over, as it says
    "negative_data_rejection": {"enabled": False},
    # judged by the code here, not by the status
    "positive_data_acceptance": {"enabled": False},
}


def config_for(role: str) -> dict[str, object]:
    """What to make up for a role: in a usual run all that it may ask, of the rest a share.

    Who is turned away has not been listened to, and where nobody needs a key, none is looked at:
    there all is sent without. Without a role, nobody is turned away.
    """
    others = [
        one.name
        for one in OPERATIONS
        if (role and not is_let_in(role, one)) or (role != "nobody" and not one.key)
    ]
    return {
        "generation": {
            "deterministic": True,
            "max-examples": share(24, 3),
            "database": "none",
            "with-security-parameters": False,
        },
        "phases": {"stateful": {"enabled": False}},
        "checks": CHECKS,
        "operations": [
            {
                "include-operation-id": others,
                "phases": {"coverage": {"enabled": WHOLE}},
            }
        ],
    }


@schemathesis.serializer(NDJSON)
def lines(_: object, value: object) -> bytes:
    """A body of one record."""
    return json.dumps(value).encode()


@schemathesis.serializer(XLSX, PDF, "application/cose", "application/dc+sd-jwt")
def workbook(_: object, value: object) -> bytes:
    """A body of whatever bytes."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An instance with an invoice in the log, and one that waits."""
    with Desk(tmp_path_factory.mktemp("desk")) as desk:
        desk.clock.now = datetime.now(UTC)  # the server reads the machine's clock
        desk.issue("T1")
        desk.anchor()
        desk.issue("T2")
        yield desk


@pytest.fixture(scope="module")
def url(desk: Desk) -> Iterator[str]:
    """Its server, without a worker: what waits for the log may wait long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAPIAO_ANCHOR_MAX_DELAY", str(10 * 365 * 86400))
        with serving(desk, workers=1, threads=2) as url:
            yield url


@pytest.fixture(scope="module")
def all_scopes(desk: Desk) -> str:
    """A merchant's key that is for everything."""
    return desk.new_key(desk.restaurant.merchant.id, KeyTerms(scopes=SCOPES["merchant"]))


@pytest.fixture(scope="module")
def offices(desk: Desk) -> list[str]:
    """A key of each official who is no administrator."""
    return [desk.new_key(None, KeyTerms(office=name)) for name in ("viewer", "examiner", "auditor")]


@pytest.fixture(autouse=True)
def named(request: pytest.FixtureRequest) -> None:
    """The name of a test where schemathesis 4 looks for it, and pytest 9.2 has it no more."""
    request.node._nodeid = request.node.nodeid


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    """The service as described to programs."""
    config = load(None, {})
    return describe_service(config.service.public_url, doors(config))


@pytest.fixture(params=range(PARTS))
def part(request: pytest.FixtureRequest, description: dict[str, Any]) -> dict[str, Any]:
    """The same, with every so manieth path: calls are made up only where they are sent."""
    paths = description["paths"]
    these = list(paths)[request.param :: PARTS]
    return {**description, "paths": {path: paths[path] for path in these}}


def made_up(description: dict[str, Any], role: str) -> BaseSchema:
    """What makes up calls of a role."""
    config = schemathesis.Config.from_dict(config_for(role))
    return schemathesis.openapi.from_dict(description, config=config)


@pytest.fixture
def for_nobody(part: dict[str, Any]) -> BaseSchema:
    """Calls without a key."""
    return made_up(part, "nobody")


@pytest.fixture
def for_merchant(part: dict[str, Any]) -> BaseSchema:
    """Calls with a merchant's key."""
    return made_up(part, "merchant")


@pytest.fixture
def for_administrator(part: dict[str, Any]) -> BaseSchema:
    """Calls with an administrator's key."""
    return made_up(part, "administrator")


@pytest.fixture
def for_offices(description: dict[str, Any]) -> BaseSchema:
    """Calls with the keys of other officials: all that nobody may ask, whoever of them may."""
    return made_up(description, "")


def _place(label: str) -> int:
    """A number of a call, the same on all machines."""
    return sum(label.encode())


shared = from_fixture("for_offices").include(
    lambda found: WHOLE or _place(found.operation.label) % 5 == 0
)
"""Each call by each official; in a usual run every fifth call, by one of them."""


FEW = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@pytest.mark.scaled
@from_fixture("for_nobody").parametrize()
@FEW
def test_nobody_gets_what_is_described(case: Case[Any], url: str) -> None:
    call(case, url, {})


@pytest.mark.slow
@pytest.mark.scaled
@from_fixture("for_merchant").parametrize()
@FEW
def test_a_merchant_gets_what_is_described(
    case: Case[Any], url: str, desk: Desk, all_scopes: str
) -> None:
    """In full by its till's key as well, which may less."""
    call(case, url, desk.auth(all_scopes))
    if WHOLE and (case.method.lower(), case.path) in OF_A_TILL:
        call(case, url, desk.auth())


@pytest.mark.slow
@pytest.mark.scaled
@from_fixture("for_administrator").parametrize()
@FEW
def test_an_administrator_gets_what_is_described(case: Case[Any], url: str, desk: Desk) -> None:
    call(case, url, desk.official())


@pytest.mark.slow
@pytest.mark.scaled
@shared.parametrize()
@settings(FEW, max_examples=share(24, 1))
def test_other_officials_get_what_is_described(
    case: Case[Any], url: str, desk: Desk, offices: list[str]
) -> None:
    for key in offices if WHOLE else offices[_place(case.operation.label) % 3 :][:1]:
        call(case, url, desk.auth(key))


def call(case: Case[Any], url: str, headers: dict[str, str]) -> None:
    case.body = spelled(case.body)
    answer = case.call(base_url=url, headers=headers)
    case.validate_response(answer, headers=headers, additional_checks=[nothing_valid_is_refused])


def spelled(value: Any) -> Any:  # noqa: ANN401 # whatever JSON holds
    """Whole numbers without a fraction, which JSON Schema cannot ask for."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: spelled(item) for name, item in value.items()}
    return [spelled(item) for item in value] if isinstance(value, list) else value


def nothing_valid_is_refused(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """What the description allows is answered, or refused for a reason that it has in words."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code < 400:
        return
    if "json" not in response.headers["content-type"][0]:
        return  # a page
    code = response.json()["code"]
    if (code, case.path) in SAID_OF_ONE:
        return
    assert code in IN_WORDS, f"{code}: {response.json()['detail']}"
