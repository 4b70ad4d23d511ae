"""Why an official may not do something alone, or not in this way."""

from typing import Final

from invoice_service.api.entry import Entry

OFFICIALS: Final = {
    "two_needed": Entry(
        409,
        "This takes two: propose it, and have another administrator confirm it",
        "此操作须两人：请先提出，再由另一名管理员确认",
    ),
    "proposal_unknown": Entry(
        404, "There is no such proposal; load the list again", "没有这项提议，请刷新列表"
    ),
    "proposal_open": Entry(
        409,
        "The same is proposed already; have another administrator confirm it",
        "已有相同的提议，请由另一名管理员确认",
    ),
    "role_same": Entry(
        409,
        "This person has that role already; choose another role, or withdraw the proposal",
        "该人员已是此角色，请选择其他角色或撤回提议",
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
    "provider_off": Entry(
        404,
        "No provider of sign-ins is set here; sign in with a password",
        "未启用统一登录，请使用密码登录",
    ),
    "provider_unreachable": Entry(
        503,
        "The bureau's provider of sign-ins cannot be reached, or answers what cannot be used; try"
        " again, or sign in with a password",
        "无法连接统一登录服务或其应答无效，请稍后重试，或使用密码登录",
    ),
    "provider_stale": Entry(
        403,
        "This sign-in took too long, or was begun in another browser; begin again",
        "登录超时或不是在此浏览器发起的，请重新登录",
    ),
    "provider_refused": Entry(
        403,
        "The provider did not let you in, or its answer is not for us; begin again, and tell an"
        " administrator if that does not help",
        "统一登录未通过或应答无效，请重新登录；仍不成功请联系管理员",
    ),
    "provider_weak": Entry(
        403,
        "The provider asked for no second factor; set one up there, then sign in again",
        "统一登录未进行第二重验证，请先在统一登录服务中设置，再重新登录",
    ),
    "provider_domain": Entry(
        403,
        "Your address of mail is not one that is let in; ask an administrator",
        "您的邮箱不在允许范围内，请联系管理员",
    ),
    "provider_no_role": Entry(
        403,
        "The provider gives you no role here; ask whoever manages roles there",
        "统一登录服务未授予您此处的角色，请联系角色管理员",
    ),
    "purpose_missing": Entry(
        400,
        "Say why you look: on the page that asks for it, or in a header X-Purpose",
        "请注明查询目的：在提示的页面填写，或在请求头 X-Purpose 中给出",
    ),
    "merchant_revoked": Entry(
        403,
        "This merchant was revoked for good: nobody can let it issue again",
        "该商户已被永久取消开票资格，无法恢复",
    ),
}
