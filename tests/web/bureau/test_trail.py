"""The trail as people and programs read it: by names, for officials alone."""

from pathlib import Path

from invoice_service.domain.acts import By
from tests.web.people.visitors import Bureau


def test_the_trail_names_people_and_what_they_changed(tmp_path: Path) -> None:
    """Somebody who was removed, too; in the trail, a merchant's file, and for programs."""
    with Bureau(tmp_path) as bureau:
        chen, _ = (bureau.person(name, "administrator") for name in ("chen", "wu"))
        li = bureau.person("li", "viewer")
        auditor = bureau.strong(bureau.person("au", "auditor"))
        store, by = bureau.instance.store, By(f"person:{chen.id}", bureau.instance.people.clock())
        store.set_quota(1, 7, by)
        store.set_role(li.id, "examiner", by)
        store.remove_person(chen.id, bureau.instance.operator())
        page = auditor.get(f"/bureau/trail?actor={chen.login}").text
        assert page.count(f'Chen <span class="aside mono">person:{chen.id}</span>') >= 2
        assert f'Li <span class="aside mono">person:{li.id}</span>' in page
        assert "角色: 查阅员 → 审核员" in page
        assert "发票总份数: 7" in page
        assert auditor.get("/bureau/trail?actor=chen").text == page.replace(chen.login, "chen")
        auditor.send("/bureau/purpose", purpose="案号 7", to="/bureau/merchants/1")
        assert f'Chen <span class="aside mono">person:{chen.id}</span>' in (
            auditor.get("/bureau/merchants/1").text
        )
        (act,) = bureau.acts("quota")
        assert (act["actor_name"], act["subject_name"]) == ("Chen", bureau.restaurant.merchant.name)
        decided = bureau.client.get("/v1/acts?limit=1000", headers=bureau.official()).get_json()
        assert decided["acts"][-1]["subject_name"] == "Chen"
        own = bureau.client.get("/v1/acts", headers=bureau.auth())
        assert "Chen" not in own.text
        assert "_name" not in own.text
        assert "Chen" not in bureau.client.get("/log/acts").text
