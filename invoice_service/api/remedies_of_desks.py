"""What to do about codes of applications, requests for quota, and prepaid accounts."""

from typing import Final

from invoice_service.api.entry import Remedy

TABLE: Final[tuple[tuple[Remedy, str], ...]] = (
    # Whoever applies, or asks for more.
    (
        Remedy(
            "merchant",
            "Open your application with its receipt (/apply/status): it says how it stands, and"
            " what can be done now. Whoever has lost the receipt, or sees that others use their tax"
            " id, turns to the tax office.",
            "请用回执编号打开您的申请（/apply/status），查看进度和目前可办的事项。回执遗失或税号被他人"
            "使用的，请联系税务机关。",
        ),
        "application_unknown application_closed application_pending account_not_offered",
    ),
    (
        Remedy(
            "merchant",
            "Wait as long as the answer says, then send the same again; what waits already is not"
            " lost.",
            "请按提示等候后再提交，已提交的内容不会丢失。",
        ),
        "applications_limited applications_full request_pending",
    ),
    (
        Remedy(
            "merchant",
            "Add what is missing on the page (/apply, or /account/quota), and send it again.",
            "请在页面（/apply 或 /account/quota）补充缺少的内容后重新提交。",
        ),
        "papers_missing limits_missing",
    ),
    # Whoever decides.
    (
        Remedy(
            "official",
            "Load it again: it shows how it stands now, who competes with it, and which steps are"
            " open. Then decide about that version.",
            "请重新打开，查看其当前状态、同一税号的其他申请和可进行的步骤，再就该版本处理。",
        ),
        "application_changed application_step notice_running request_changed request_unknown"
        " merchant_changed",
    ),
    (
        Remedy(
            "official",
            "Ask the applicant for what is missing in a comment; examine again with what was"
            " found, or refuse with a reason.",
            "请留言要求申请人补交；根据查明的情况重新审核，或说明原因不予准入。",
        ),
        "application_risky paper_missing finding_missing",
    ),
    (
        Remedy(
            "official",
            "Say why you look: on the page that asks for it, or in the header X-Purpose.",
            "请说明查阅目的：在提示的页面填写，或在请求头 X-Purpose 中给出。",
        ),
        "purpose_missing",
    ),
    # Prepaid accounts.
    (
        Remedy(
            "merchant",
            "Look at the guest's account (its code, or /v1/prepaid): it says what is held and what"
            " it has paid. What it cannot pay is paid otherwise, on a bill of its own.",
            "请查看顾客的预付账户（出示其码，或查询 /v1/prepaid）：余额和已支付的发票都在其中。"
            "不能支付的部分请另开账单用其他方式付款。",
        ),
        "prepaid_unknown prepaid_ended prepaid_short prepaid_full prepaid_pays_all"
        " prepaid_goes_back prepaid_released prepaid_not_whole prepaid_not_released"
        " prepaid_given_back",
    ),
    (
        Remedy(
            "program",
            "Sign the call as docs/formats.md says (A wallet's call), with a request number of its"
            " own and the time of now; the same again is answered as before.",
            "请按 docs/formats.md 的说明签署请求，使用新的请求编号和当前时间；"
            "相同请求会得到相同的答复。",
        ),
        "prepaid_differs prepaid_term wallet_time_over wallet_signature_invalid",
    ),
    (
        Remedy(
            "operator",
            "Put the wallet's public key into the folder that [prepaid] in config.toml names, and"
            " see that the service may read it.",
            "请将钱包公钥放入 config.toml 中 [prepaid] 所列目录，并确认服务可以读取。",
        ),
        "prepaid_off wallet_unknown wallet_keys_unreadable",
    ),
)
"""Of each: the codes that share it."""
