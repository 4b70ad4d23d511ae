"""Why an invoice is not claimed, and a payment notice not taken."""

from typing import Final

from invoice_service.api.entry import Entry

WALLET: Final = {
    "receipt_missing": Entry(
        409,
        "The newest checkpoint was signed without receipts; try again in a minute",
        "最新的账本签名尚不含凭据，请一分钟后重试",
    ),
    "status_list_unknown": Entry(
        404,
        "There is no such status list; ask at the address that the credential names",
        "没有此状态列表；请使用凭证中的地址",
    ),
    "status_list": Entry(
        400,
        "This is no status list of ours, or a damaged one; fetch it again from the address that"
        " the credential names",
        "这不是本服务的状态列表，或文件已损坏；请按凭证中的地址重新下载",
    ),
    "status_expired": Entry(
        422,
        "This status list is past its time; fetch it again from the address that the credential"
        " names",
        "此状态列表已过期；请按凭证中的地址重新下载",
    ),
    "status_other": Entry(
        422,
        "This is not the status list of the credential's place in the log; do not rely on it",
        "状态列表与凭证在账本中的位置不符，不可采信",
    ),
    "credential": Entry(
        400,
        "This is no receipt for wallets of ours, or a damaged one; have it shown again",
        "这不是本服务的钱包凭证，或文件已损坏；请重新出示",
    ),
    "receipt": Entry(
        400,
        "This is no receipt of the log, or a damaged one; fetch it again",
        "这不是账本凭据，或文件已损坏；请重新下载",
    ),
    "receipt_missing_file": Entry(
        422,
        "Choose one file: a receipt of the log, or an invoice from a wallet",
        "请选择一个文件：账本凭据或钱包中的发票",
    ),
    "receipt_hash_missing": Entry(
        422,
        "A receipt does not say of which invoice it is: give the password area as well",
        "账本凭据不含发票信息，请一并填写密码区",
    ),
    "wallet_off": Entry(
        404, "Nothing is issued to wallets here; take the PDF", "本服务未开通电子钱包，请下载 PDF"
    ),
    "wallet_needs_https": Entry(
        409,
        "Wallets take nothing from this address: it has to begin with https://",
        "电子钱包只接受 https:// 地址",
    ),
    "wallet_key_missing": Entry(
        503, "The wallet's key is missing; operators have to look", "电子钱包密钥缺失，请联系运维"
    ),
    "wallet_unavailable": Entry(
        503,
        "Nobody signs for wallets just now; try again in a minute",
        "暂时无法签发，请一分钟后重试",
    ),
    "grant_unsupported": Entry(
        400, "Only the code of an offer is taken here", "此处只接受预授权码"
    ),
    "grant_invalid": Entry(
        400,
        "This code is used or over; load the page with the invoice again, and scan its new code",
        "该码已使用或已过期，请刷新发票页面后重新扫码",
    ),
    "wallet_token": Entry(
        401,
        "This token is used or over; scan a new code on the page with the invoice",
        "令牌已使用或已过期，请在发票页面重新扫码",
    ),
    "credential_request": Entry(
        400, "This is not a request for a credential that is issued here", "请求格式不正确"
    ),
    "proof_invalid": Entry(
        400, "This does not prove the wallet's key; the wallet has to sign anew", "钱包密钥证明无效"
    ),
    "nonce_invalid": Entry(
        400,
        "This nonce is not ours, or over; ask for a new one, and sign that",
        "随机数无效或已过期",
    ),
}

CLAIM: Final = {
    "order_unknown": Entry(
        404,
        "There is no such order of yours; look at the list of orders",
        "没有这笔订单，请查看订单列表",
    ),
    "order_differs": Entry(
        409,
        "This order number stands here with other content; cancel that order first, or give this"
        " one another number",
        "该订单号已登记且内容不同：请先取消原订单，或使用新的订单号",
    ),
    "claim_unknown": Entry(
        404,
        "This link leads to no order; scan the code on the slip again",
        "链接无效，请重新扫描小票上的二维码",
    ),
    "claim_secret_invalid": Entry(
        422, "Load the page again, then press once more", "请刷新页面后再提交一次"
    ),
    "claim_not_yours": Entry(
        403,
        "Only the browser that has claimed this invoice may do that; open the link in it",
        "只有领取本发票的浏览器才能进行此操作，请在该浏览器中打开链接",
    ),
    "not_confirmed": Entry(
        422,
        "Nothing was erased: tick that you want it, then press again",
        "未删除任何内容：请先勾选确认，再提交",
    ),
    "order_claimed": Entry(
        409,
        "This order has its invoice already; if that was not you, ask the restaurant",
        "此单发票已开具；如非本人领取，请向商家询问",
    ),
    "order_part_taken": Entry(
        409,
        "Somebody else has just taken this share; choose another",
        "该份已被他人领取，请选择其他份额",
    ),
    "order_cancelled": Entry(
        410,
        "The restaurant has cancelled this order; ask there",
        "商家已取消此订单，请向商家询问",
    ),
    "order_expired": Entry(
        410,
        "The time to claim this invoice is over; ask the restaurant to open it again",
        "自助开票期限已过，请联系商家重新开放",
    ),
    "order_not_paid": Entry(
        409,
        "This order is not paid yet; pay first, then load the page again",
        "订单尚未支付，请支付后刷新页面",
    ),
    "title_invalid": Entry(
        422,
        "This is not a title code; scan it again, or type name and tax id",
        "这不是抬头二维码，请重新扫描或手动填写名称和税号",
    ),
    "mail_off": Entry(
        404,
        "No letters are sent here; set a mail server in config.toml",
        "本服务未启用邮件发送，请在 config.toml 中配置邮件服务器",
    ),
    "mail_address_invalid": Entry(
        422,
        "This is not one plain e-mail address; correct it, like name@example.com",
        "电子邮箱地址不正确，请修改，例如 name@example.com",
    ),
    "mail_too_many": Entry(
        409,
        "No more letters with this invoice, or of this merchant today; take the PDF instead",
        "该发票或该商户今日的邮件发送次数已满，请直接下载 PDF",
    ),
    "payments_off": Entry(
        404,
        "Notices of this payment service are not taken here; set its keys in config.toml",
        "本服务未启用该支付通知，请在 config.toml 中配置密钥",
    ),
    "payment_keys_unreadable": Entry(
        503,
        "The payment service's keys cannot be read; look at the paths in config.toml",
        "无法读取支付通知密钥，请检查 config.toml 中的路径",
    ),
    "payment_malformed": Entry(
        400,
        "This is not a notice as the payment service writes them",
        "内容不是该支付服务的通知格式",
    ),
    "payment_time_over": Entry(
        403,
        "The notice's time is more than five minutes off; look at this machine's clock",
        "通知时间与本机相差超过五分钟，请检查系统时间",
    ),
    "payment_serial_unknown": Entry(
        403,
        "The notice names a key that is not known here; add the payment service's new certificate",
        "通知使用的证书序列号未知，请添加支付平台新证书",
    ),
    "payment_signature_invalid": Entry(
        403,
        "The notice is not proven; nothing was done",
        "通知验签失败，未作任何处理",
    ),
    "payment_order_unknown": Entry(
        404,
        "The notice is for an order that is not here yet; send it again later",
        "通知所指订单尚未登记，请稍后重发",
    ),
    "payment_amount_differs": Entry(
        409,
        "The amount paid is not what the order comes to; it is written down, and the order is not"
        " paid by it",
        "支付金额与订单金额不符：已记录，订单未因此标记为已支付",
    ),
}
