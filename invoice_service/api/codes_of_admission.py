"""Why an application, or a request for more quota, is not taken, not found or not decided."""

from typing import Final

from invoice_service.api.entry import Entry

ADMISSION: Final = {
    "application_unknown": Entry(
        404,
        "There is no such application, or its notice is over; look at your receipt",
        "没有这份申请，或公示已结束；请核对回执编号",
    ),
    "application_pending": Entry(
        409,
        "Several applications with this tax id wait already; follow yours with its receipt, or ask"
        " the tax office if they are not yours",
        "该税号已有多份申请在办理；请用回执查询您的申请，如非本人提交请联系税务机关",
    ),
    "application_closed": Entry(
        409,
        "This application is decided or withdrawn, and takes nothing more; apply anew if need be",
        "该申请已办结或撤回，不能再补充；如有需要请重新申请",
    ),
    "account_not_offered": Entry(
        409,
        "No account is offered here, or not any more; sign in if it is yours, or ask the tax office"
        " to offer it anew",
        "此处没有可开通的账户或已过期；已开通请直接登录，否则请联系税务机关重新提供",
    ),
    "application_changed": Entry(
        409,
        "Somebody has changed the application meanwhile; look at it again, then decide",
        "申请内容已有变化，请重新查看后再处理",
    ),
    "application_step": Entry(
        409,
        "The application does not stand where this step begins; look at its state",
        "申请当前状态不能进行此步骤，请查看其状态",
    ),
    "application_risky": Entry(
        409,
        "With a high risk or a red warning nobody is admitted; examine it again, or refuse it",
        "风险等级为高或红色预警，不能准入；请重新审核或不予准入",
    ),
    "notice_running": Entry(
        409,
        "The public notice still runs; examine the application when it is over",
        "公示期未满，请在公示结束后审核",
    ),
    "paper_missing": Entry(
        409,
        "The register's paper is missing; ask the applicant for it",
        "缺少营业执照，请通知申请人补交",
    ),
    "papers_missing": Entry(
        422,
        "Add the register's paper: a picture of it, or its PDF",
        "请附上营业执照的照片或 PDF",
    ),
    "applications_limited": Entry(
        429,
        "Much came from your network in a short time; wait as long as it says",
        "来自您网络的提交过多，请按提示时间等候后再提交",
    ),
    "applications_full": Entry(
        503,
        "More waits here than can be kept; try again tomorrow, or ask the tax office",
        "待办理的内容已满，请明日再试或联系税务机关",
    ),
    "finding_missing": Entry(
        422,
        "Say what you found: the risk and the credit class",
        "请填写审核结论：风险等级和信用等级",
    ),
    "limits_missing": Entry(
        422,
        "Name at least one limit: invoices in all, money in a month, or on one invoice",
        "请至少填写一项额度：发票总数、月度金额或单张限额",
    ),
    "request_unknown": Entry(
        404, "There is no such request; check its number", "没有这项申请，请核对编号"
    ),
    "request_pending": Entry(
        409,
        "Your last request is not answered yet; wait for the answer",
        "上一项申请尚未答复，请等待",
    ),
    "merchant_changed": Entry(
        409,
        "Somebody has changed this merchant meanwhile; look at how it stands now, then decide",
        "该商户的状态或额度已有变化，请查看现状后再处理",
    ),
    "request_changed": Entry(
        409,
        "The request was answered or taken back meanwhile; look at how it stands",
        "该申请已被答复或已撤回，请查看现状",
    ),
}
