"""Why a file of orders, or an order in it, is not taken."""

from typing import Final

from invoice_service.api.entry import Entry

FILES: Final = {
    "xls_file": Entry(
        415,
        "This is a workbook of an older kind (.xls, .xlsb); save it anew as .xlsx",
        "这是旧格式的 Excel 工作簿（.xls、.xlsb），请另存为 .xlsx",
    ),
    "ods_file": Entry(
        415,
        "This is an OpenDocument file (.ods); save it as .xlsx, or as CSV UTF-8",
        "这是 OpenDocument 表格（.ods），请另存为 .xlsx 或 CSV UTF-8",
    ),
    "workbook_encrypted": Entry(
        415,
        "The workbook has a password; take it off, and save it anew",
        "工作簿设有密码，请取消密码后重新保存",
    ),
    "workbook_macros": Entry(
        415,
        "The workbook has macros (.xlsm); save it anew as .xlsx",
        "工作簿含有宏（.xlsm），请另存为不含宏的 .xlsx",
    ),
    "workbook_dates_1904": Entry(
        422,
        "The workbook counts its days from 1904; turn that off in its options, and look whether its"
        " dates are right",
        "工作簿使用 1904 日期系统，请在选项中关闭，并核对日期",
    ),
    "not_a_table": Entry(
        415,
        "This file is no table; send .xlsx, CSV, or NDJSON",
        "该文件不是表格，请上传 .xlsx、CSV 或 NDJSON",
    ),
    "csv_malformed": Entry(
        400,
        "The table cannot be read at the line that it names; save it anew, as .xlsx if you can",
        "所指的行无法读取，请重新保存文件，最好另存为 .xlsx",
    ),
    "csv_header_unknown": Entry(
        422,
        "Columns are missing or doubled in the first row; the template shows how they are called",
        "首行缺少必要的列名或列名重复，请参照模板",
    ),
    "csv_row_malformed": Entry(
        422,
        "A line has another number of cells than the first row",
        "有一行的单元格数与首行不一致",
    ),
    "csv_order_missing": Entry(
        422,
        "A line has no order's number; write it there, the same for all lines of one order",
        "有一行没有订单号，请填写；同一订单的各行须填写相同的订单号",
    ),
    "csv_order_scattered": Entry(
        422,
        "The lines of one order are apart; put them together, and give another sale a number of its"
        " own",
        "同一订单号的各行不相邻：同一订单请排在一起，不同订单请使用不同的订单号",
    ),
    "csv_order_two_days": Entry(
        422,
        "One number stands on two days, and may be one sale or two; give each a number of its own,"
        " or fill in the business day",
        "同一订单号跨两日，无法判断是一笔还是两笔：请使用不同的订单号，或填写营业日",
    ),
    "csv_order_differs": Entry(
        422,
        "The lines of one order say different things of the whole order; say it once",
        "同一订单各行填写的整单内容不一致，请只填写一次",
    ),
    "csv_cell_merged": Entry(
        422,
        "A price or quantity stands in a merged cell; write it in each line that it belongs to",
        "单价、数量或金额位于合并单元格中，请取消合并并逐行填写",
    ),
    "csv_cell_destroyed": Entry(
        422,
        "A cell shows #### or an error; widen the column or mend the formula, and save anew",
        "单元格显示为 #### 或错误值，请调整列宽或修正公式后重新保存",
    ),
    "csv_number_destroyed": Entry(
        422,
        "A spreadsheet has turned a number into something else, and digits are lost; export that"
        " column as text",
        "表格软件已改写编号（科学计数法或日期），原数字已丢失，请将该列按文本导出",
    ),
    "csv_discount_unclear": Entry(
        422,
        "A discount may be an amount or a rate; call its column discount, and write yuan",
        "“折扣”可能是金额，也可能是折扣率：请将列名改为“优惠金额”，并填写金额（元）",
    ),
    "file_unknown": Entry(
        404, "There is no such file; look at the list of files", "没有这个文件，请查看文件列表"
    ),
    "file_needed": Entry(400, "Choose a file first", "请先选择文件"),
    "file_name_invalid": Entry(
        422, "A file's name has 1 to 120 characters", "文件名须为 1 至 120 个字符"
    ),
    "file_too_many_orders": Entry(
        413,
        "The file has too many orders; send it in parts, a day in each",
        "文件中的订单过多，请分成几个文件上传，例如每天一个",
    ),
    "file_not_ready": Entry(
        409, "The file is still being read; wait for its preview", "文件仍在读取，请等待预览完成"
    ),
    "file_busy": Entry(
        409,
        "Another file of yours is being issued; wait until it is done, or cancel it",
        "您的另一个文件正在开票，请等待完成或先取消",
    ),
    "file_results_full": Entry(
        409,
        "Very many orders were issued under this file name; give the file another name",
        "该文件名下的订单已过多，请更换文件名",
    ),
    "files_full": Entry(
        409,
        "Your result files take very much room; keep them elsewhere, and ask operators to clear"
        " them here",
        "您的结果文件占用空间过大，请下载保存，并联系运维清理",
    ),
}
