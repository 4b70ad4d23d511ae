"""Why somebody is not signed in, and a person or an instance not set up."""

from typing import Final

from invoice_service.api.entry import Entry

PEOPLE: Final = {
    "sign_in_needed": Entry(403, "Sign in first", "请先登录"),
    "sign_in_refused": Entry(
        403,
        "The sign-in name or the password is wrong; who has forgotten it asks for a new invitation",
        "登录名或密码不正确；忘记密码请联系管理员重新发送邀请",
    ),
    "sign_in_limited": Entry(
        429,
        "Too many tries; wait as long as it says",
        "尝试次数过多，请按提示时间等候",
    ),
    "second_factor_refused": Entry(
        403,
        "This code is wrong or was used before; take the next one, or a recovery code",
        "验证码不正确或已使用，请输入下一个验证码，或使用恢复码",
    ),
    "second_factor_needed": Entry(
        403,
        "This role needs a second factor; set up one-time codes or a passkey first",
        "此角色须启用第二重验证，请先设置动态验证码或通行密钥",
    ),
    "passkey_refused": Entry(
        403,
        "This passkey did not work here; load the page again, or use the password",
        "通行密钥验证未通过，请刷新页面重试，或使用密码",
    ),
    "passkey_unknown": Entry(
        404, "There is no such passkey; load the page again", "没有这个通行密钥，请刷新页面"
    ),
    "pin_refused": Entry(
        403,
        "The PIN is wrong; whoever has signed in here may type the password instead",
        "PIN 码不正确；在此登录的人员也可输入密码",
    ),
    "till_handed_over": Entry(
        403,
        "Somebody else works at this till now; whoever has signed in takes it back first, on the"
        " till's page",
        "收银台现由他人操作；请登录者先在收银页面收回",
    ),
    "pin_invalid": Entry(
        422,
        "A PIN has 6 to 8 digits, at least three different ones, and is no row",
        "PIN 码须为 6 至 8 位数字，至少含三个不同数字，且不能是连续数字",
    ),
    "password_weak": Entry(
        422,
        "Choose another password: 12 characters or more, several words are best",
        "请换一个密码：至少 12 个字符，建议使用几个词",
    ),
    "form_stale": Entry(
        403,
        "This form is too old, or came from another site; load the page again",
        "表单已过期或来自其他网站，请刷新页面后重试",
    ),
    "invitation_unknown": Entry(
        404,
        "This invitation was used, or its time is over; ask for a new one",
        "邀请已使用或已过期，请联系管理员重新发送",
    ),
    "setup_code_refused": Entry(
        403,
        "The code is wrong, was used already, or is older than an hour; on the machine,"
        " `fapiao setup --link` prints another",
        "设置码不正确、已使用或已超过一小时；在服务器上运行 fapiao setup --link 可获得新的设置码",
    ),
    "setup_over": Entry(
        404,
        "Setting up is done, or no code waits; sign in, or on the machine run"
        " `fapiao setup --link`",
        "初始设置已完成，或没有可用的设置码；请登录，或在服务器上运行 fapiao setup --link",
    ),
    "address_invalid": Entry(
        422,
        "This is no address that could be served: write https:// and a host, best without a port"
        " or path, like https://fapiao.example.cn",
        "网址无法使用：请填写 https:// 加域名，最好不带端口和路径，例如 https://fapiao.example.cn",
    ),
    "address_fixed": Entry(
        409,
        "The address is fixed: there are people, merchants or entries already; go on with it",
        "网址已固定：已有人员、商户或账本记录，请继续使用当前网址",
    ),
    "address_by_hand": Entry(
        409,
        "The address cannot be changed from here: on the machine, stop the service and run"
        " `fapiao setup --address`",
        "无法在此更改网址：请在服务器上停止服务，运行 fapiao setup --address",
    ),
    "setup_elsewhere": Entry(
        409,
        "Somebody else has done this step meanwhile; go on with the next",
        "此步骤已在别处完成，请继续下一步",
    ),
    "tax_id_doubtful": Entry(
        422,
        "Characters 9 to 17 do not fit each other: compare them with the licence; if they stand so"
        " there, say that you have compared",
        "第 9 至 17 位不符合组织机构代码的校验规则：请与营业执照核对；确认无误请勾选“已核对”",
    ),
    "price_invalid": Entry(
        422,
        "Write a price in yuan with at most two decimals, like 28 or 28.50",
        "请填写以元为单位的价格，最多两位小数，例如 28 或 28.50",
    ),
    "login_invalid": Entry(
        422,
        "A sign-in name has 1 to 32 letters or digits, with . - _ between them",
        "登录名须为 1 至 32 个字母、汉字或数字，中间可用 . - _",
    ),
    "login_taken": Entry(
        409, "This sign-in name is taken; choose another", "登录名已被使用，请换一个"
    ),
    "role_of_another": Entry(
        422, "This role is not one of theirs; choose another", "不能设置此角色，请选择其他角色"
    ),
    "person_unknown": Entry(
        404, "There is no such person; load the list again", "没有这个人员，请刷新列表"
    ),
    "person_removed": Entry(
        403, "This person was removed; invite them anew", "此人员已被移除，请重新邀请"
    ),
    "session_unknown": Entry(
        404,
        "There is no such session, or not any more; load the page again",
        "没有这个登录会话或已退出，请刷新页面",
    ),
    "last_administrator": Entry(
        409,
        "The last administrator stays; invite another one first",
        "须保留最后一名管理员，请先邀请另一名",
    ),
    "seal_invalid": Entry(
        422, "This did not come from here; load the page again", "内容无效，请刷新页面后重试"
    ),
}
