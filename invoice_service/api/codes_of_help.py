"""Why a report of a slip is not taken, or not found."""

from typing import Final

from invoice_service.api.entry import Entry

HELP: Final = {
    "report_empty": Entry(
        422,
        "The report is empty; say what is wrong, or show it",
        "内容为空，请说明情况或附上照片",
    ),
    "report_unknown": Entry(
        404,
        "There is no such report, or it is no longer kept; compare the number with your receipt",
        "没有这份反馈，或已超过保存期限；请核对回执编号",
    ),
    "reports_limited": Entry(
        429,
        "Many reports came from your network in a short time; wait as long as it says",
        "来自您网络的反馈过多，请按提示时间等候后再提交",
    ),
    "form_incomplete": Entry(
        422,
        "Something is missing that the page adds by itself; load it again, and send it from there",
        "表单内容不完整，请刷新页面后重新提交",
    ),
    "too_many_pictures": Entry(
        422, "There are too many pictures; send three at most", "照片过多，最多三张"
    ),
    "picture_kind": Entry(
        415,
        "This is no file that is read here; send a picture (JPEG, PNG, WebP), or a PDF where one is"
        " taken",
        "不支持该文件，请发送 JPEG、PNG 或 WebP 照片；可用 PDF 之处也可发送 PDF",
    ),
    "picture_too_large": Entry(
        413,
        "The picture is too large; send a smaller one, or cut out what matters",
        "照片过大，请压缩或裁剪后再发送",
    ),
    "picture_unreadable": Entry(
        422,
        "The picture is damaged or not whole; take it anew, or send another",
        "照片已损坏或不完整，请重新拍摄或更换",
    ),
    "picture_too_much": Entry(
        422,
        "The picture takes too much to read, which no photograph does; take it anew",
        "照片过于复杂，无法读取，请重新拍摄",
    ),
    "pictures_busy": Entry(
        503,
        "Other pictures are being read just now; try again in a moment",
        "照片处理繁忙，请稍后重试",
    ),
    "write_failed": Entry(
        503,
        "A file could not be written; try again, and operators have to look",
        "文件写入失败，请重试；需运维处理",
    ),
}
