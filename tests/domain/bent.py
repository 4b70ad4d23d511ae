"""What becomes of a code's address on its way to whoever checks it: one table for every entry."""

from typing import Final
from urllib.parse import parse_qsl, quote

EXAMPLE: Final = (
    f"https://bcfp.example/verify/scan?hash=01{'0123456789abcdef' * 4}"
    "&bill_num=00000001&total_amount=49810"
)
WRAPPED: Final = "https://support.weixin.qq.com/cgi-bin/readtemplate?t=w&lang=zh_CN&target={}&x=1"


def bent(url: str) -> dict[str, str]:
    """The address as programs and people pass it on: nothing else than the code can be meant."""
    page, _, query = url.partition("?")
    said = dict(parse_qsl(query))
    hash_, total = said["hash"], said["total_amount"]
    encoded, bare = quote(url, safe=""), url.partition("://")[2]
    return {
        "WeChat": url + "&from=singlemessage&isappinstalled=0",
        "WeChat's fragment": url + "#wechat_redirect",
        "WeChat's second question mark": url + "?from=groupmessage",
        "WeChat's page around it": WRAPPED.format(encoded),
        "the same, not encoded": "https://a.cn/?url=" + url,
        "the same, encoded twice": WRAPPED.format(quote(encoded, safe="")),
        "trackers": url + "&utm_source=wx&fbclid=IwAR0",
        "another page's text in a parameter": url + "&title=发票&u=%B7%A2",
        "parameters before ours": url.replace("?", "?from=timeline&"),
        "another order": f"{page}?{'&'.join(reversed(query.split('&')))}",
        "ampersands of HTML": url.replace("&", "&amp;"),
        "signs of a Chinese keyboard": url.translate(str.maketrans("?&=", "？＆＝")),
        "ampersands of a Chinese keyboard": url.replace("&", "＆"),
        "percent-encoded": encoded,
        "its query percent-encoded": f"{page}?{quote(query)}",
        "a sentence around it": f"“{url}”。",
        "words before it": f"发票查验：{url}",
        "words before it, on a line of their own": f"您的发票\r\n{url}\r\n",
        "words and a colon": f"Invoice:{url}",
        "words and no scheme": f"发票查验：{bare}",
        "Markdown": f"[发票]({url})",
        "Markdown in a sentence": f"请看 [我的发票]({url})，谢谢。",
        "a bracket in a sentence": f"请看 <{url}> 谢谢",
        "a full stop": url + ".",
        "brackets": f"<{url}>",
        "Markdown's bold": f"**{url}**",
        "Markdown's bold in a sentence": f"see **{url}** please",
        "a table's cell": f"|{url}|",
        "pictures around it": f"🧾{url}🧾",
        "words behind it": f"{url}电话12345",
        "words behind it and a blank": f"{url} 谢谢",
        "a sentence behind it": f"{url}，谢谢。",
        "English words behind it": f"{url} please check",
        "an English sentence behind it": f"{url}, please check it. Thanks!",
        "English words in brackets": f"({url}) is the one",
        "a line of English words behind it": f"{url}\r\n\r\nBest regards, Zhang",
        "what a telephone writes below a mail": f"{url}\n--\nSent from my iPhone",
        "a full stop that was escaped": url + "%E3%80%82",
        "no scheme": bare,
        "http": url.replace("https", "http"),
        "a slash behind the path": url.replace("/scan", "/scan/"),
        "a path before it": url.replace("/verify", "/tax/fapiao/verify"),
        "capitals": url.upper(),
        "capitals in the hash": url.replace(hash_, hash_.upper()),
        "capitals in the names": url.replace("bill_num", "BILL_NUM"),
        "percent signs": url.replace(hash_, "%30" + hash_[1:]).replace(
            f"={total}", f"=%3{total[0]}{total[1:]}"
        ),
        "line ends inside": url.replace("&bill", "\r\n&bill"),
        "line ends in the path": url.replace("/scan", "/\nscan"),
        "a byte order mark": "\ufeff" + url,
        "characters that cannot be seen": url.replace("&bill", "\u200b&bill\u00ad"),
        "blanks around it": f" \t{url} \u3000\r\n",
        "the page's own address with it": f"{page}?text={encoded}",
    }


def several(one: str, other: str) -> dict[str, str]:
    """Texts with the codes of two invoices, of which neither may be chosen."""
    hash_ = dict(parse_qsl(other.partition("?")[2]))["hash"]
    return {
        "line by line": f"{one}\n{other}",
        "side by side": f"{one} {other}",
        "glued": one + other,
        "a sentence": f"发票一：{one}，发票二：{other}",
        "the second without its scheme": f"{one} {other.partition('://')[2]}",
        "Markdown": f"[{one}]({other})",
        "in a parameter": f"{one}&url={quote(other, safe='')}",
        "in a parameter, not encoded": f"{one}&url={other}",
        "in the pasted text": f"{one}&text={quote(other, safe='')}",
        "both in one parameter": WRAPPED.format(quote(f"{one} {other}", safe="")),
        "a second question mark": f"{one}?{other.partition('?')[2]}",
        "the other's hash in a parameter": f"{one}&x={hash_}",
        "the same, encoded": f"{one}&x=%2530{hash_[1:]}",
        "two pages around them": f"{WRAPPED.format(quote(one))} {WRAPPED.format(quote(other))}",
    }
