"""``fapiao issue`` on this machine's instance: files good, bad and mixed."""

import json
from pathlib import Path

import pytest

from tests.cli.town import TAX_ID, Town

HEADER = "order_id,time,item,quantity,unit_price,tax_rate\n"


def _results(path: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_one_bad_order_stops_no_other_and_each_says_why(town: Town) -> None:
    orders = [
        {"order_id": "good", "lines": [{"name": "餐费", "unit_price": 11300, "tax_rate": "0.06"}]},
        {"order_id": "rate", "lines": [{"name": "餐费", "unit_price": 1, "tax_rate": "0.07"}]},
        {"order_id": "none", "lines": []},
        {"order_id": "good", "lines": [{"name": "酒水", "unit_price": 5, "tax_rate": "0.06"}]},
    ]
    text = "\n".join([*map(json.dumps, orders), "not json", ""])
    Path("orders.ndjson").write_text(text, encoding="utf-8")
    said = town.asked("issue", "orders.ndjson", "--merchant", TAX_ID, status=1)
    assert (said["issued"], said["refused"]) == (1, 4)
    results = _results(said["results"])
    assert [result.get("code", "") for result in results] == [
        "",
        "tax_rate_unknown",
        "no_lines",
        "order_id_conflict",
        "not_json",
    ]
    assert results[1]["pointer"] == "/lines/0/tax_rate"
    assert len(str(results[0]["hash"])) == 66
    assert (results[0]["number"], results[0]["total"]) == ("00000001", 11300)


def test_one_number_on_two_days_is_two_invoices(town: Town) -> None:
    rows = "t1,2026/11/28 12:01,x,1,28.00,0.06\nt1,2026/11/29 09:01,x,1,28.00,0.06\n"
    Path("o.csv").write_text(HEADER + rows)
    said = town.asked("issue", "o.csv", "--merchant", "1")
    assert (said["issued"], said["refused"]) == (2, 0)
    assert [result["total"] for result in _results(said["results"])] == [2800, 2800]
    again = town.asked("issue", "o.csv", "--merchant", "1", "--results", "elsewhere")
    assert (again["issued"], again["replayed"]) == (0, 2)


def test_a_meal_past_midnight_is_refused_with_its_lines(town: Town) -> None:
    rows = "t1,2026/11/28 23:58,x,1,28.00,0.06\nt1,2026/11/29 00:07,x,1,28.00,0.06\n"
    Path("o.csv").write_text(HEADER + rows)
    said = town.asked("issue", "o.csv", "--merchant", "1", status=1)
    assert (said["issued"], said["refused"]) == (0, 1)
    [refused] = _results(said["results"])
    assert refused["code"] == "csv_order_two_days"
    assert "(line 2)" in str(refused["detail"])
    assert "(line 3)" in str(refused["detail"])


def test_without_days_the_same_file_is_known_and_tomorrows_is_refused(town: Town) -> None:
    """Both have a 001 of the same coffee: whether that is one sale or two, nobody can tell."""
    path = Path("day.csv")
    coffee, tea = "001,,coffee,1,5.00,0.06\n", "002,,tea,1,4.00,0.06\n"
    path.write_text(HEADER + coffee)
    town.run("issue", "day.csv", "--merchant", "1")
    again = town.asked("issue", "day.csv", "--merchant", "1", "--results", "elsewhere")
    assert (again["issued"], again["replayed"]) == (0, 1)
    path.write_text(HEADER + coffee + tea)
    other = town.asked("issue", "day.csv", "--merchant", "1", "--results", "tomorrow", status=1)
    assert (other["issued"], other["refused"]) == (1, 1)
    refused = _results("tomorrow")[0]
    assert refused["code"] == "order_id_reused"
    assert "invoice 00000001 of" in str(refused["detail"])
    # With the list of hashes beside it, it is the same record, and is not asked for again.
    known = town.asked("issue", "day.csv", "--merchant", "1")
    assert (known["refused"], known["done_before"]) == (0, 1)


def test_a_corrected_file_goes_on_with_what_was_refused(town: Town) -> None:
    path = Path("orders.csv")
    path.write_text(HEADER + "a,,x,1,5.00,0.06\nb,,x,0,5.00,0.06\n")
    first = town.asked("issue", "orders.csv", "--merchant", "1", status=1)
    assert (first["issued"], first["refused"]) == (1, 1)
    assert _results(first["results"])[1]["code"] == "quantity_not_positive"
    path.write_text(HEADER + "a,,x,1,5.00,0.06\nb,,x,2,5.00,0.06\n")
    second = town.asked("issue", "orders.csv", "--merchant", "1")
    assert (second["issued"], second["done_before"]) == (1, 1)


def test_the_result_file_may_stand_elsewhere(town: Town) -> None:
    Path("o.csv").write_text(HEADER + "a,,x,1,5.00,0.06\n")
    town.run("issue", "o.csv", "--merchant", "1", "--results", "elsewhere")
    assert len(_results("elsewhere")) == 1
    assert not Path("o.csv.results.ndjson").exists()


def test_a_file_that_is_wrong_as_a_whole_issues_nothing(town: Town) -> None:
    Path("o.csv").write_text(HEADER + "a,,x,1,5.00,0.06\nb,,x,1,5.00,0.06\na,,x,1,5.00,0.06\n")
    said = town.refusal("issue", "o.csv", "--merchant", "1", status=2)
    assert "csv_order_scattered" in said
    assert town.asked("merchants", "list")[0]["used"] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["o.csv"],
        ["o.csv", "--sample", "year", "--merchant", "1"],
        ["o.csv", "--merchant", "1", "--url", "http://127.0.0.1:1", "--key", "k"],
        ["o.csv", "--url", "http://127.0.0.1:1"],
        ["missing.csv", "--merchant", "1"],
    ],
)
def test_usage_that_makes_no_sense_is_2(town: Town, arguments: list[str]) -> None:
    Path("o.csv").write_text(HEADER)
    town.refusal("issue", *arguments, status=2)


def test_a_stranger_cannot_issue(town: Town) -> None:
    Path("o.csv").write_text(HEADER + "a,,x,1,5.00,0.06\n")
    assert "merchant_unknown" in town.refusal("issue", "o.csv", "--merchant", "9")


def test_an_empty_file_is_done_at_once(town: Town) -> None:
    Path("o.ndjson").write_text("")
    assert town.asked("issue", "o.ndjson", "--merchant", "1")["issued"] == 0


def test_the_result_file_tells_what_became_of_its_invoices_since(town: Town) -> None:
    """One file name on two days; in between some are taken back, and one is issued anew."""
    path = Path("day.csv")
    path.write_text(HEADER + "".join(f"{n},2026-11-28 12:0{n},x,1,10.00,6%\n" for n in (1, 2, 3)))
    town.run("issue", "day.csv", "--merchant", "1")
    first, second, _ = _results("day.csv.results.ndjson")
    town.reverse(str(first["hash"]))
    town.reverse(str(second["hash"]), amount=300)
    town.run("anchor")
    anew = {
        "order_id": "1",
        "business_day": "2026-11-28",
        "replaces": first["hash"],
        "lines": [{"name": "y", "unit_price": 900, "tax_rate": "0.06"}],
    }
    Path("anew.ndjson").write_text(json.dumps(anew))
    town.run("issue", "anew.ndjson", "--merchant", "1")
    path.write_text(HEADER + "1,2026-11-29 12:00,x,1,10.00,6%\n")
    town.run("issue", "day.csv", "--merchant", "1")
    told = _results("day.csv.results.ndjson")
    assert [one["business_day"] for one in told] == ["2026-11-28"] * 3 + ["2026-11-29"]
    assert [one["state"] for one in told] == ["reversed", "partly_reversed", "authentic", "pending"]
    assert (told[0]["left"], told[1]["left"]) == (0, 700)
    assert (told[0]["reversed_by"], told[1]["reversed_by"]) == (["00000004"], ["00000005"])
    assert told[0]["replaced_by"] == ["00000006"]
    assert "reversed_by" not in told[2]


def test_another_merchants_orders_under_one_name_are_set_aside(town: Town) -> None:
    """The same file for two merchants: neither's list of hashes is mixed with the other's."""
    town.run(
        *("merchants", "add", "--tax-id", "91330100799655058B", "--name", "别家"),
        *("--industry", "6210", "--district", "440303"),
    )
    Path("o.csv").write_text(HEADER + "a,2026-11-28,x,1,5.00,0.06\n")
    town.run("issue", "o.csv", "--merchant", "1")
    town.run("issue", "o.csv", "--merchant", "2")
    [mine], [theirs] = _results("o.csv.results.ndjson.1"), _results("o.csv.results.ndjson")
    assert mine["hash"] != theirs["hash"]
    Path("o.csv").write_text(HEADER + "b,2026-11-28,x,1,5.00,0.06\n")
    town.run("issue", "o.csv", "--merchant", "1")
    told = _results("o.csv.results.ndjson")
    assert [one["order_id"] for one in told] == ["a", "b"]
    assert told[0] == theirs  # not this merchant's to be told of, and left as it was


@pytest.mark.parametrize("name", ["t.xlsx", "t.csv"])
def test_the_template_is_written_and_read(town: Town, name: str) -> None:
    town.run("issue", "--template", name)
    said = town.asked("issue", name, "--merchant", "1")
    assert (said["issued"], said["refused"]) == (0, 0)
