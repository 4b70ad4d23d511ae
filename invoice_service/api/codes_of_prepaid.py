"""Why a prepaid account is not opened, and a meal not paid from it."""

from typing import Final

from invoice_service.api.entry import Entry

PREPAID: Final = {
    "prepaid_off": Entry(
        404,
        "Wallets may not call here; put their keys where config.toml says",
        "本服务未启用预付钱包，请按 config.toml 放置钱包公钥",
    ),
    "prepaid_unknown": Entry(
        404,
        "There is no such prepaid account; show its code again, or ask the wallet",
        "没有这个预付账户，请重新出示或向钱包询问",
    ),
    "prepaid_ended": Entry(
        409,
        "This prepaid account pays no meal any more: what is left goes back to the customer. Take"
        " another way of payment",
        "该预付账户已停止支付，余额退还顾客，请改用其他方式付款",
    ),
    "prepaid_short": Entry(
        409,
        "The prepaid account holds less than that; take another way of payment",
        "预付账户余额不足，请改用其他方式付款",
    ),
    "prepaid_full": Entry(
        409,
        "This prepaid account has paid as many meals as one may; open another at the wallet",
        "该预付账户的支付次数已达上限，请在钱包中另开一个",
    ),
    "prepaid_term": Entry(
        422,
        "A prepaid account ends later than now, within ten years",
        "预付账户的到期时间须晚于现在且不超过十年",
    ),
    "prepaid_differs": Entry(
        409,
        "The wallet has said something else under this request number; take a new number",
        "该请求编号已用于其他内容，请使用新的编号",
    ),
    "prepaid_pays_all": Entry(
        422,
        "A prepaid account pays all of an invoice; where the rest is paid otherwise, split the"
        " bill",
        "预付账户须支付整张发票，其余另付的请先拆单",
    ),
    "prepaid_goes_back": Entry(
        422,
        "What a prepaid account has paid goes back to it by itself: pay nothing out. What was paid"
        " otherwise goes back as it came",
        "预付账户支付的款项会自动退回该账户，请勿另行退款；其他方式支付的请按原方式退还",
    ),
    "prepaid_released": Entry(
        409,
        "Another prepaid account has paid this invoice",
        "该发票已由其他预付账户支付",
    ),
    "prepaid_not_whole": Entry(
        409,
        "Only a blue invoice of which nothing was taken back is paid from a prepaid account",
        "只有未被红冲的蓝字发票才能由预付账户支付",
    ),
    "prepaid_not_released": Entry(
        404,
        "This account has released nothing for that invoice",
        "该账户没有为此发票支付过",
    ),
    "prepaid_given_back": Entry(
        409,
        "All that was released for this invoice has come back already",
        "该发票的支付款已全部退回账户",
    ),
    "wallet_time_over": Entry(
        403,
        "The wallet's time is more than five minutes off; look at its clock and ours",
        "钱包请求的时间与本机相差超过五分钟，请检查双方时钟",
    ),
    "wallet_unknown": Entry(
        403,
        "No key of this wallet is here; ask the operator to add it",
        "本服务没有该钱包的公钥，请联系运营方添加",
    ),
    "wallet_signature_invalid": Entry(
        403,
        "The wallet's signature does not fit this call; nothing was done",
        "钱包签名与请求不符，未作任何处理",
    ),
    "wallet_keys_unreadable": Entry(
        503,
        "The wallet's key cannot be read; look at the folder in config.toml",
        "无法读取钱包公钥，请检查 config.toml 中的目录",
    ),
}
