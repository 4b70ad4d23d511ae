"""Why an official may not do something alone, or not in this way."""

from typing import Final

from invoice_service.api.entry import Entry

OFFICIALS: Final = {
    "two_needed": Entry(
        409,
        "This takes two: propose it, and have another administrator confirm it",
        "此操作须两人：请先提出，再由另一名管理员确认",
    ),
    "proposal_unknown": Entry(404, "There is no such proposal", "没有这项提议"),
    "proposal_open": Entry(
        409,
        "The same is proposed already; have another administrator confirm it",
        "已有相同的提议，请由另一名管理员确认",
    ),
    "proposal_over": Entry(
        409,
        "This proposal was confirmed or withdrawn, its time is over, or who proposed it is no"
        " administrator any more; propose it anew",
        "该提议已确认、已撤回、已过期，或提出者已不是管理员；请重新提出",
    ),
    "same_person": Entry(
        403,
        "You have proposed this yourself; another administrator has to confirm it",
        "此提议由您本人提出，须由另一名管理员确认",
    ),
    "holder_unknown": Entry(
        403,
        "It is not known who holds this key; take one that was made for a person"
        " (`fapiao keys create --official --person`), or sign in",
        "此密钥未登记持有人，请使用登记了持有人的密钥"
        "（fapiao keys create --official --person），或登录操作",
    ),
    "purpose_missing": Entry(
        400,
        "Say why you look: a header X-Purpose with the reason",
        "请注明查询目的：在请求头 X-Purpose 中填写事由",
    ),
    "merchant_revoked": Entry(
        409,
        "This merchant was revoked for good: nobody can let it issue again",
        "该商户已被永久取消开票资格，无法恢复",
    ),
}
