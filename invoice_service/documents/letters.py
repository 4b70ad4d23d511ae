"""The letter with which an invoice goes to its customer: words of ours alone, the PDF, the proof.

No word of the seller's or the buyer's is in it: what is sent from our address says what we say.
"""

from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from invoice_service.documents.paper.assemble import Paper, Printers
from invoice_service.documents.paper.face import day_of
from invoice_service.documents.paper.press import printed
from invoice_service.documents.paper.printing import job_of
from invoice_service.documents.paper.sealing import Make
from invoice_service.documents.slip import TITLE, yuan
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.numbering import format_issued_at
from invoice_service.domain.qrtext import scan_url
from invoice_service.services.checking.prove import ALL_GROUPS
from invoice_service.services.mailing.ports import Invoices, Letter
from invoice_service.services.records import checked_face, damaged

_SUBJECTS: Final = {"zh": "{title} {number}", "en": "Invoice {number} (深圳电子普通发票)"}
_TEXTS: Final = {
    "zh": """您好：

附件是您索取的发票（PDF，内附证明文件{proof}）。

发票代码 {code}
发票号码 {number}
开票日期 {date}
价税合计 {total}

查验（以查验结果为准）：
{link}
{pending}
本邮件按领取人或收银员的请求发出，只发这一次，请勿回复。如非您索取，请忽略。
您的邮箱地址在发送后即已删除，不另作他用。
""",
    "en": """Hello,

this is the invoice that was asked for: a PDF with its proof inside{proof}.

Invoice code {code}
Invoice number {number}
Date {date}
Total {total}

Check it here; what the check says counts:
{link}
{pending}
Whoever claimed the invoice, or the cashier, asked for this letter. It is sent once; please do not
answer it. If it is not for you, leave it. Your address was deleted when it had been sent, and is
used for nothing else.
""",
}
_PROOF: Final = {"zh": "，并另附一份", "en": ", and beside it"}
_PENDING: Final = {
    "zh": "\n本发票尚未写入公开账本，PDF 内暂无证明；可稍后重新下载。\n",
    "en": "\nIt is not in the public log yet, so there is no proof inside: load it again later.\n",
}


class Letters:
    """Writes them, from what is so now."""

    def __init__(
        self, invoices: Invoices, printers: Printers, sender: str, make: Make = printed
    ) -> None:
        self._invoices, self._printers = invoices, printers
        self._sender, self._make = sender, make

    def __call__(self, letter: Letter, *, late: bool) -> EmailMessage | None:
        """The letter; None while its invoice waits for the log, unless it is ``late``.

        Raises UnavailableError: paper_failed, record_damaged.
        """
        invoice = self._invoices.invoice_at(letter.invoice)
        if invoice is None:
            raise damaged(f"invoice {letter.invoice} is missing")
        checked_face(invoice)
        paper = self._printers.paper(invoice, ALL_GROUPS)
        if paper.proof is None and not late:
            return None
        return self._written(letter, invoice, paper)

    def _written(self, letter: Letter, invoice: StoredInvoice, paper: Paper) -> EmailMessage:
        message = EmailMessage(policy=policy.SMTP)
        host = self._sender.rpartition("@")[2]
        message["From"] = self._sender
        message["To"] = letter.address
        subject = _SUBJECTS[letter.language]
        message["Subject"] = subject.format(title=TITLE, number=invoice.number)
        message["Date"] = format_datetime(datetime.fromtimestamp(letter.at, UTC))
        # The same one each time it is tried: who gets it twice sees it once.
        message["Message-ID"] = f"<fapiao-{letter.id}-{invoice.code}-{invoice.number}@{host}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(self._text(letter.language, invoice, paper))
        pdf = self._make(job_of([invoice], [paper]))
        name = invoice.number
        message.add_attachment(pdf, maintype="application", subtype="pdf", filename=f"{name}.pdf")
        if paper.proof is not None:
            message.add_attachment(
                paper.proof.text.encode(),
                maintype="application",
                subtype="json",
                filename=paper.proof.name,
            )
        return message

    def _text(self, language: str, invoice: StoredInvoice, paper: Paper) -> str:
        waits = paper.proof is None
        url = self._printers.public_url
        return _TEXTS[language].format(
            proof="" if waits else _PROOF[language],
            pending=_PENDING[language] if waits else "",
            code=invoice.code,
            number=invoice.number,
            date=day_of(format_issued_at(invoice.issued_at)),
            total=yuan(invoice.total),
            link=scan_url(url, invoice.hash, invoice.number, invoice.total),
        )
