"""What to do about each error code, and who is to do it: the catalog says what has happened.

Many codes share a remedy; one that the table does not name has that of its subject.
"""

from typing import Final

from invoice_service.api.catalog import SUBJECTS
from invoice_service.api.entry import Remedy
from invoice_service.api.remedies_of_desks import TABLE as OF_DESKS

_TABLE: Final[tuple[tuple[Remedy, str], ...]] = (
    (
        Remedy(
            "customer",
            "Load the page with the invoice again, and scan its new code with the wallet; the PDF"
            " and the proof file are there as well.",
            "请刷新发票页面并用钱包扫描新的二维码，也可下载 PDF 或证明文件。",
        ),
        "receipt_missing wallet_off wallet_unavailable grant_invalid wallet_token credential"
        " receipt receipt_missing_file status_list_unknown",
    ),
    (
        Remedy(
            "program",
            "Fetch the list anew from the `uri` in the credential's `status`, and check the two"
            " together, within the time that the list names.",
            "请按凭证 `status` 中的 `uri` 重新下载列表，并在其有效期内与凭证一并核验。",
        ),
        "status_list status_expired status_other",
    ),
    (
        Remedy(
            "program",
            "Follow OpenID4VCI 1.0, from the metadata of the credential issuer on; ask for a nonce"
            " and sign it just before the credential is asked for.",
            "请按 OpenID4VCI 1.0 从签发方元数据开始，并在请求凭证前重新获取并签署随机数。",
        ),
        "grant_unsupported credential_request proof_invalid nonce_invalid",
    ),
    (
        Remedy(
            "operator",
            "Set service.public_url to an https:// address without a path; put keys/wallet.key"
            " back, or make a new one with fapiao keys rotate-wallet.",
            "请将 service.public_url 设为不带路径的 https:// 地址；放回 keys/wallet.key，"
            "或执行 fapiao keys rotate-wallet。",
        ),
        "wallet_needs_https wallet_key_missing",
    ),
    # Whoever holds a slip.
    (
        Remedy(
            "customer",
            "Scan the code on the slip again, whole and in good light; or paste its text without"
            " anything beside it.",
            "请在光线充足处完整地重新扫描小票上的二维码，或只粘贴二维码内容。",
        ),
        "password_area bill_num_invalid amount_invalid qr_invalid claims_differ"
        " receipt_hash_missing",
    ),
    (
        Remedy(
            "customer",
            "Check it at the tax administration's own platform for VAT invoices.",
            "请到国家税务总局增值税发票查验平台查验。",
        ),
        "qr_ordinary_vat",
    ),
    (
        Remedy(
            "customer",
            "Send the PDF that you were given, unchanged and alone; or scan the code on it.",
            "请原样单独发送收到的 PDF，或扫描其中的二维码。",
        ),
        "pdf_unreadable pdf_too_much pdf_too_long pdf_active pdf_several pdf_no_invoice"
        " pdf_missing",
    ),
    (
        Remedy(
            "customer",
            "Scan the code on the slip again. If it stays so, ask the restaurant: it sees the"
            " order, and can open or cancel it.",
            "请重新扫描小票上的二维码；如仍无法开票，请联系商家查看该订单。",
        ),
        "claim_unknown claim_secret_invalid order_claimed order_part_taken order_cancelled"
        " order_expired order_not_paid title_invalid",
    ),
    (
        Remedy(
            "customer",
            "Do it in the browser that has claimed the invoice: read what the page says, correct"
            " what it names, then press again.",
            "请在领取发票的浏览器中操作：按页面提示改正后再提交。",
        ),
        "claim_not_yours not_confirmed mail_address_invalid mail_too_many",
    ),
    (
        Remedy(
            "customer",
            "Compare the number with your receipt: twenty letters and digits, without I, L, O and"
            " U. A report is kept for as long as the settings say.",
            "请核对回执编号：共二十位字母和数字，不含 I、L、O、U。反馈仅在规定期限内保存。",
        ),
        "report_unknown",
    ),
    (
        Remedy(
            "customer",
            "Load the page again, fill in what is missing, and send it from there.",
            "请刷新页面，补全内容后重新提交。",
        ),
        "report_empty form_incomplete form_stale seal_invalid",
    ),
    (
        Remedy(
            "customer",
            "Take a new photograph with the telephone, or save the picture smaller as JPEG; three"
            " of 8 MiB are taken.",
            "请用手机重新拍摄，或将照片压缩为 JPEG；最多三张，每张不超过 8 MiB。",
        ),
        "too_many_pictures picture_kind picture_too_large picture_unreadable picture_too_much",
    ),
    (
        Remedy(
            "customer",
            "Wait for as long as it says; then do the same again.",
            "请按提示的时间等候，再原样重试。",
        ),
        "reports_limited rate_limited sign_in_limited pictures_busy paper_busy not_in_log"
        " not_published",
    ),
    (
        Remedy(
            "customer",
            "Choose one list: a file, or pasted codes. A table has a first row with the columns'"
            " names; Excel is saved as .xlsx.",
            "请只提交一份清单（一个文件或粘贴的内容）。表格首行须为列名，Excel 请另存为 .xlsx。",
        ),
        "not_csv not_xlsx several_lists empty_body too_many_records",
    ),
    # Whoever sells.
    (
        Remedy(
            "merchant",
            "Look at the amounts and lines of the order, put right what the message names, and"
            " send it again. Money is in fen.",
            "请核对订单金额与明细，按提示改正后重新发送；金额单位为分。",
        ),
        "amount_not_fen amount_out_of_range no_lines too_many_lines quantity_invalid"
        " quantity_not_positive unit_price_not_positive unit_price_yuan_invalid price_twice"
        " line_total_negative discount_negative discount_too_large total_zero totals_mismatch"
        " price_invalid body_too_large",
    ),
    (
        Remedy(
            "merchant",
            "Ask your accountant which rate the goods have; the service's settings say which are in"
            " force.",
            "请向财务确认商品税率；现行税率见服务设置。",
        ),
        "tax_rate_unknown tax_kind_with_rate",
    ),
    (
        Remedy(
            "merchant",
            "Compare name and tax id with the buyer's own title code, letter by letter.",
            "请与购买方的开票信息逐字核对名称和税号。",
        ),
        "tax_id_invalid buyer_incomplete tax_id_doubtful",
    ),
    (
        Remedy(
            "merchant",
            "Write the text anew, as it is printed on paper: no line ends, no invisible signs, not"
            " longer than named.",
            "请按纸面内容重新填写：不含换行和不可见字符，长度不超过限制。",
        ),
        "text_empty text_too_long control_character text_damaged identifier_ambiguous",
    ),
    (
        Remedy(
            "merchant",
            "Look at what was issued for the order, then say what is to come back: lines and"
            " quantities, an amount with its rate, or all that is left.",
            "请查看该订单已开具的发票，再说明红冲内容：明细及数量、金额及税率，或全部剩余。",
        ),
        "return_unclear line_unknown line_twice rate_needed rate_not_on_invoice"
        " amount_not_positive not_reversible already_reversed return_too_large return_repeated",
    ),
    (
        Remedy(
            "merchant",
            "Look the order up by its number, till and business day before you send it again: the"
            " same sale is sent the same, another one has a number of its own.",
            "重发前请按订单号、收银台和营业日查询：同一笔交易请原样重发，另一笔请使用新的订单号。",
        ),
        "order_id_conflict order_id_reused order_parts_conflict replaces_not_first"
        " order_total_exceeded order_differs order_unknown parts_invalid business_day_invalid"
        " business_day_ahead idempotency_key_conflict",
    ),
    (
        Remedy(
            "merchant",
            "Look for the invoice by its number or order; the hash may have been copied in part.",
            "请按号码或订单查找发票；密码区可能复制不完整。",
        ),
        "invoice_unknown slip_too_long",
    ),
    (
        Remedy(
            "merchant",
            "Only who told a name as a person can be erased. If it was just done, load the page"
            " again.",
            "只有填写过姓名等信息的个人可以删除；如刚刚删除，请刷新页面。",
        ),
        "buyer_not_erasable buyer_erased",
    ),
    (
        Remedy(
            "merchant",
            "Open the file in the program it is from, save it as .xlsx or CSV (UTF-8), and look at"
            " the line that is named; the template shows each column.",
            "请在原软件中打开文件，另存为 .xlsx 或 CSV（UTF-8），并核对所指的行；列名见模板。",
        ),
        "xls_file ods_file workbook_encrypted workbook_macros workbook_dates_1904 not_a_table"
        " csv_malformed csv_header_unknown csv_row_malformed csv_order_missing"
        " csv_order_scattered csv_order_two_days csv_order_differs csv_cell_merged"
        " csv_cell_destroyed csv_number_destroyed csv_discount_unclear menu_header_unknown"
        " menu_too_long",
    ),
    (
        Remedy(
            "merchant",
            "Look at the list of your files: wait for the one that is being read or issued, or"
            " choose another name, or fewer orders.",
            "请查看文件列表：等待正在读取或开票的文件，或更换文件名、减少订单数。",
        ),
        "file_unknown file_needed file_name_invalid file_too_many_orders file_not_ready file_busy"
        " file_results_full files_full",
    ),
    (
        Remedy(
            "merchant",
            "Load the till's page again: it shows how bills, shifts and lists stand now. Then do"
            " what is still to be done.",
            "请刷新收银页面，查看账单、班次和列表的最新状态，再完成剩余操作。",
        ),
        "till_needed till_unknown till_taken too_many_tills till_id_invalid till_id_taken"
        " list_changed list_twice bill_unknown bill_changed bill_settling bill_settled"
        " too_many_bills parts_incomplete part_unclear payments_differ shift_unknown shift_closed"
        " till_open bills_open too_many_feeds till_handed_over"
        " day_empty day_too_long",
    ),
    (
        Remedy(
            "merchant",
            "Ask for more quota (POST /v1/quota-requests, or your account's page): the tax office"
            " sees what you need it for. A month's quota is whole again on the first of the next.",
            "请在账户页面或通过 POST /v1/quota-requests 申请增加额度并说明用途；"
            "月度额度于次月一日恢复。",
        ),
        "quota_money_spent invoice_over_limit",
    ),
    (
        Remedy(
            "merchant",
            "Ask your tax office: it sets who may issue, and how much.",
            "请联系主管税务机关：开票资格和限额由其设置。",
        ),
        "merchant_suspended quota_exhausted merchant_left",
    ),
    (
        Remedy(
            "merchant",
            "Sign in again on the page for it. Who has forgotten something asks an owner or"
            " administrator for a new invitation.",
            "请重新登录；忘记密码等请联系店主或管理员重新发送邀请。",
        ),
        "sign_in_needed sign_in_refused second_factor_refused second_factor_needed"
        " passkey_refused passkey_unknown pin_refused pin_invalid password_weak"
        " invitation_unknown person_unknown person_removed session_unknown login_invalid"
        " login_taken role_of_another last_administrator",
    ),
    # Whoever programs.
    (
        Remedy(
            "program",
            "Correct the request by the description of this call (/docs): address, method, headers"
            " and type of the body.",
            "请按接口说明（/docs）改正请求：地址、方法、请求头和内容类型。",
        ),
        "bad_request host_invalid head_too_large no_such_address method_not_allowed"
        " not_acceptable address_too_long unsupported_media_type unsupported_encoding"
        " query_malformed unknown_parameter duplicate_parameter missing_parameter"
        " parameter_malformed idempotency_key_invalid module_size",
    ),
    (
        Remedy(
            "program",
            "Correct the JSON: UTF-8, each field once, names and types as the description (/docs)"
            " has them; the pointer names the place.",
            "请改正 JSON：UTF-8 编码，字段不重复，名称和类型以接口说明（/docs）为准。",
        ),
        "not_json not_utf8 lone_surrogate duplicate_key too_deep not_canonical unknown_field"
        " missing_field wrong_type value_unknown",
    ),
    (
        Remedy(
            "program",
            "Send the same again, with its Idempotency-Key or business day: what was done already"
            " is answered as it was, and nothing twice.",
            "请连同原 Idempotency-Key 或营业日原样重发：已完成的会返回原结果，不会重复。",
        ),
        "request_incomplete request_timeout database_busy database_refused too_busy"
        " too_many_connections log_behind internal_error",
    ),
    (
        Remedy(
            "program",
            "Look at the key: how it is written, whose it is, what it is for, whether it has ended."
            " A new one comes from the tax office or the shop's owner.",
            "请检查密钥：写法、归属、权限和有效期。新密钥由税务机关或店主发放。",
        ),
        "key_missing authorization_scheme key_malformed key_unknown key_revoked key_expired"
        " key_suspended role_required scope_required api_key_unknown",
    ),
    (
        Remedy(
            "program",
            "Take the commitment from GET /v1/acts, with a key of whom the act concerns.",
            "请使用相关商户的密钥，从 GET /v1/acts 获取承诺值。",
        ),
        "act_unknown",
    ),
    (
        Remedy(
            "program",
            "Look at the log's checkpoint first: blocks, tiles and statements beyond it are not"
            " there yet.",
            "请先读取账本检查点：超出其范围的区块、数据块和声明尚不存在。",
        ),
        "block_unknown no_block no_closing no_entry no_checkpoint no_statement no_tile tile_path",
    ),
    (
        Remedy(
            "program",
            "Hold the notice against the payment service's own description; it sends it again by"
            " itself until it is taken.",
            "请对照支付平台的通知格式检查；未成功接收的通知会由平台自动重发。",
        ),
        "payment_malformed payment_signature_invalid payment_order_unknown payment_amount_differs",
    ),
    # The tax office.
    (
        Remedy(
            "official",
            "Correct days, times or the breakdown; for the newest block, or while another figure"
            " is checked, wait a moment.",
            "请改正日期、时间或汇总项；最新区块或正在核对其他数字时请稍候。",
        ),
        "by_unknown time_invalid day_invalid range_invalid totals_behind report_too_large"
        " check_too_large check_busy view_unnamed too_many_views",
    ),
    (
        Remedy(
            "official",
            "Speak with another administrator of the bureau: what is gravest takes two, each with"
            " their own sign-in or key. Where there is no other, whoever runs the machine helps.",
            "请与税务机关另一名管理员联系：重大操作须两人，各用本人的登录或密钥。"
            "没有其他管理员的，请联系运维人员。",
        ),
        "two_needed proposal_unknown proposal_open proposal_over role_same same_person"
        " holder_unknown merchant_revoked provider_off provider_unreachable provider_stale"
        " provider_refused provider_weak provider_domain provider_no_role",
    ),
    (
        Remedy(
            "official",
            "Look the merchant up in the register; industry and district are codes of GB/T 4754"
            " and of Shenzhen's districts.",
            "请在商户登记中查询；行业和区划须使用 GB/T 4754 及深圳市区划代码。",
        ),
        "tax_id_taken merchant_unknown industry_unknown district_unknown",
    ),
    # Whoever runs the service.
    (
        Remedy(
            "operator",
            "Look at /readyz and the logs, then at docs/operations.md for what is named there.",
            "请查看 /readyz 和日志，并按 docs/operations.md 中的相应说明处理。",
        ),
        "store_damaged log_unreadable database_unavailable database_damaged record_damaged"
        " record_unreadable disk_full write_failed font_missing paper_failed key_unreadable"
        " not_initialised init_unfinished instance_incomplete instance_mixed keys_behind"
        " invoices_missing data_unreadable number_range_exhausted numbering_changed"
        " operations_only erased_list_unusable",
    ),
    (
        Remedy(
            "operator",
            "Set the machine's clock right; if it is right, confirm it: fapiao clock confirm.",
            "请校准系统时钟；如时间无误，请运行 fapiao clock confirm 确认。",
        ),
        "clock_behind clock_ahead payment_time_over",
    ),
    (
        Remedy(
            "operator",
            "Look at config.toml: the files of keys and certificates that it names, whether the"
            " service may read them, and whether what is asked for is turned on there.",
            "请检查 config.toml：所列密钥和证书文件及其读取权限，以及该功能是否已启用。",
        ),
        "payments_off payment_keys_unreadable payment_serial_unknown mail_off paper_unsigned",
    ),
    (
        Remedy(
            "operator",
            "On the machine itself run fapiao setup --link; open what it prints within an hour.",
            "请在服务器上运行 fapiao setup --link，并在一小时内打开所显示的链接。",
        ),
        "setup_code_refused setup_over setup_elsewhere address_invalid address_fixed"
        " address_by_hand",
    ),
)

_BY_CODE: Final = {code: remedy for remedy, codes in (*_TABLE, *OF_DESKS) for code in codes.split()}

_OF_SUBJECT: Final = {
    "request": "bad_request",
    "slip": "qr_invalid",
    "invoice": "totals_mismatch",
    "file": "csv_malformed",
    "till": "bill_changed",
    "claim": "claim_unknown",
    "help": "report_empty",
    "wallet": "grant_invalid",
    "key": "key_unknown",
    "people": "sign_in_needed",
    "log": "no_tile",
    "report": "range_invalid",
    "server": "internal_error",
}
"""A code whose remedy is that of all codes of its subject for which the table has no other."""

REMEDIES: Final[dict[str, Remedy]] = {
    code: _BY_CODE.get(code) or _BY_CODE[_OF_SUBJECT.get(subject.name, "bad_request")]
    for subject in SUBJECTS
    for code in subject.codes
}
"""Of every code of the catalog."""
