"""Who makes the request under way: the session of its cookie, what its role allows, its forms.

A form of ours carries a token that is made from the cookie's text, so nobody who has not the cookie
can make one. Before anybody has signed in, a cookie of no other use stands for the session's.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from secrets import compare_digest
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from flask import Response, redirect, request
from werkzeug import Response as AnyResponse

from chain.errors import ConflictError, MalformedError, NotFoundError, Problem, RefusedError
from chain.hashing import sha256
from invoice_service.domain.acts import By
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.openapi.operation import FIELDS
from invoice_service.openapi.operation import FORM as FILES
from invoice_service.services.people.desk import PeopleDesk
from invoice_service.services.people.entrance import MARK_SECONDS, SignedIn
from invoice_service.services.people.roles import OFFICIALS, Power, with_power
from invoice_service.services.people.sessions import Visit, Visitor, form_token, new_token
from invoice_service.web.ground.language import detail_of
from invoice_service.web.ground.page import asked_once
from invoice_service.web.ground.page import page as shown_page

SESSION: Final = "session"
FORM: Final = "form"
KNOWN: Final = "known"
PURPOSE: Final = "purpose"
PURPOSE_SECONDS: Final = 4 * 3600
TOKEN: Final = "form"  # noqa: S105 # the field's name
_VISITOR: Final = "fapiao.visitor"
_TILL: Final = "/till/"
_SEE_OTHER: Final = 303
_OF_ADDRESS: Final = 8  # hexadecimal digits of its digest, in the names of cookies


class Door(NamedTuple):
    """What pages are told by the application that they are part of."""

    desk: PeopleDesk
    public_url: str
    sample: bool  # the service is no tax office's
    randbytes: Callable[[int], bytes]
    is_merchant: Callable[[int], bool]
    site_of: Callable[[str], str]
    status: Callable[[Problem], int]
    title: Callable[[Problem], str]
    refused: Callable[[Problem], None]


class SignInNeededError(RefusedError):
    """Nobody is signed in who could do this."""

    def __init__(self) -> None:
        super().__init__("sign_in_needed", "sign in first")


class Gate:
    """Cookies in, cookies out."""

    FAULTS: Final = (MalformedError, RefusedError, NotFoundError, ConflictError)
    """What is somebody's fault; the rest is told as everywhere."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self._secure = door.public_url.startswith("https://")
        self._session, self._form, self._known = (
            cookie_name(door.public_url, name) for name in (SESSION, FORM, KNOWN)
        )

    def token(self) -> str:
        """The session's text as the browser sent it; "" without one."""
        return request.cookies.get(self._session, "")

    def mark(self) -> str:
        """The browser's mark of having been somebody's."""
        return request.cookies.get(self._known, "")

    def visit(self) -> Visit:
        """Where the request comes from."""
        return Visit(request.remote_addr or "", request.headers.get("User-Agent", ""))

    def site(self) -> str:
        """The network that it comes from, as tries are counted."""
        return self.door.site_of(request.remote_addr or "")

    def visitor(self) -> Visitor | None:
        """Who makes the request; None for nobody. Half a session counts as such."""
        if _VISITOR not in request.environ:
            request.environ[_VISITOR] = self.door.desk.sessions.visitor(self.token())
        found: Visitor | None = request.environ[_VISITOR]
        return found

    def is_somebody(self) -> bool:
        """Whether it looks so, for what a page offers: nobody is looked up for that.

        Where somebody was, a session that is over is none.
        """
        if _VISITOR in request.environ:
            found = self.visitor()
            return found is not None and found.whole
        return bool(self.token())

    def person(self, *roles: str) -> Visitor:
        """Somebody signed in, with one of these roles, or any; so has whoever works here now.

        RefusedError ``sign_in_needed``, ``role_required``; ``second_factor_needed`` for an
        official without one, but where anybody is let in: there it is set up.
        """
        found = self.visitor()
        if found is None or not found.whole or self._is_too_old(found, roles):
            raise SignInNeededError
        if roles and not found.may(*roles):
            raise RefusedError("role_required", f"this is for {', '.join(roles)}")
        if roles and found.person.role in OFFICIALS and found.session.level != "strong":
            raise RefusedError("second_factor_needed", "set up a second factor in your account")
        return found

    def _is_too_old(self, visitor: Visitor, roles: tuple[str, ...]) -> bool:
        """Whether one has to sign in anew, but for what a cashier does at a till, too."""
        at_till = "cashier" in roles and request.path.startswith(_TILL)
        return not at_till and self.door.desk.sessions.sells_only(visitor)

    def official(self, power: Power) -> Visitor:
        """An official who has signed in, with that power; as ``person``."""
        return self.person(*with_power(power))

    def themselves(self, *roles: str) -> Visitor:
        """As ``person``, and nobody else works here: a person's own things are not the till's.

        RefusedError ``till_handed_over``.
        """
        found = self.person(*roles)
        if found.working.id != found.person.id:
            raise RefusedError("till_handed_over", "somebody else works here now")
        return found

    def by(self, visitor: Visitor) -> By:
        """Who acts, as the trail has it."""
        return self.visit().by(visitor.person.id, self.door.desk.clock())

    def asked(self, name: str) -> str:
        """A parameter of the address, "" without it; MalformedError ``duplicate_parameter``."""
        return asked_once(name) or ""

    def after(self) -> int:
        """Behind which row a page of a list begins; 0 for the first, and for what is no number."""
        text = self.asked("after")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0

    def fields(self, upload: int = 0) -> dict[str, str]:
        """The fields of a form of ours, each at most once; with ``upload``, of one that brings
        files of so many bytes.

        RefusedError ``form_stale`` for one of another site, or of another session;
        MalformedError ``unsupported_media_type``, ``duplicate_parameter``.
        """
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise _stale()
        wanted = FILES if upload else FIELDS
        if request.mimetype != wanted:
            raise MalformedError("unsupported_media_type", f"send {wanted}")
        if upload:
            request.max_content_length = upload
        found = request.form.to_dict()
        if len(found) != sum(len(request.form.getlist(name)) for name in request.form):
            raise MalformedError("duplicate_parameter", "a field stands twice in the form")
        if not self.is_own(found.pop(TOKEN, "")):
            raise _stale()
        return found

    def is_own(self, token: str) -> bool:
        """Whether a form's token is one of this browser's."""
        sent = token.encode("utf-8", "replace")
        ours = [text for text in (self.token(), request.cookies.get(self._form, "")) if text]
        return any(compare_digest(form_token(text).encode(), sent) for text in ours)

    def page(self, template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 # whatever a template shows
        """A page with forms: it says what to send back, and knows who is signed in."""
        text = self.token() or request.cookies.get(self._form, "")
        fresh = "" if text else new_token(self.door.randbytes)
        answer = shown_page(
            template, status, form_token=form_token(text or fresh), visitor=self.visitor(), **values
        )
        if fresh:
            self._set(answer, self._form, fresh)
        return answer

    def again(self, template: str, problem: Problem, **values: Any) -> Response:  # noqa: ANN401 # whatever a template shows
        """The same page with what was wrong; a refusal is counted."""
        self.door.refused(problem)
        wrong = {
            "code": problem.code,
            "title": self.door.title(problem),
            "pointer": problem.pointer.rpartition("/")[2],
        }
        # What is written for people is there in both languages; else a title, which is, has to do.
        if "detail_zh" in problem.extra or isinstance(problem, MalformedError):
            wrong["detail"] = detail_of(problem)
        answer = self.page(template, self.door.status(problem), problem=wrong, **values)
        if "retry_after" in problem.extra:
            answer.headers["Retry-After"] = str(problem.extra["retry_after"])
        return answer

    def problem(self, problem: Problem) -> Response:
        """A page that says what was wrong, and nothing else."""
        return self.again("people/problem.html", problem)

    def sign_in_first(self, problem: Problem) -> AnyResponse:
        """Have somebody sign in, and come back here; what was sent is not kept."""
        if request.method == "POST":
            return self.problem(problem)
        return self.go(f"/sign-in?to={quote(request.path)}")

    def clock(self, seconds: int) -> str:
        """A time in unix seconds as clocks in Shenzhen show it."""
        return datetime.fromtimestamp(seconds, SHANGHAI).strftime("%Y-%m-%d %H:%M")

    def go(self, path: str) -> AnyResponse:
        """See another page of ours."""
        answer = redirect(request.root_path + path, _SEE_OTHER)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def enter(self, signed: SignedIn, to: str | AnyResponse) -> AnyResponse:
        """Go on as whoever has signed in; with all that it takes, the browser is known since.

        ``to`` is the page of ours to see next, or the answer that shows it.
        """
        answer = self.go(to) if isinstance(to, str) else to
        self._set(answer, self._session, signed.token)
        if signed.level != "half":
            mark = self.door.desk.entrance.mark(signed.person)
            self._set(answer, self._known, mark, max_age=MARK_SECONDS)
        return answer

    def renewed(self, answer: AnyResponse, token: str) -> AnyResponse:
        """The same answer, with another text of the session."""
        self._set(answer, self._session, token)
        return answer

    def kept(self, name: str) -> str:
        """What ``keep`` has put into this browser; "" for nothing."""
        return request.cookies.get(cookie_name(self.door.public_url, name), "")

    def purpose(self, visitor: Visitor) -> str:
        """Why an official looks, as they said in this browser some hours ago at most; "" unsaid."""
        whose, _, kept = self.kept(PURPOSE).partition(".")
        try:
            return bytes.fromhex(kept).decode() if whose == str(visitor.person.id) else ""
        except (ValueError, UnicodeDecodeError):
            return ""

    def keep_purpose(self, answer: AnyResponse, visitor: Visitor, purpose: str) -> AnyResponse:
        """The same answer; what was said is kept in the browser for four hours, for them alone."""
        said = f"{visitor.person.id}.{purpose.encode().hex()}"
        return self.keep(answer, PURPOSE, said, max_age=PURPOSE_SECONDS)

    def keep(self, answer: AnyResponse, name: str, text: str, *, max_age: int) -> AnyResponse:
        """The same answer, with a cookie of the same kind as the session's."""
        self._set(answer, cookie_name(self.door.public_url, name), text, max_age=max_age)
        return answer

    def leave(self, path: str) -> AnyResponse:
        """Go on as nobody; the browser forgets what it has of ours but for the mark."""
        answer = self.go(path)
        for name in (self._session, self._form):
            answer.delete_cookie(name, path="/", secure=self._secure, httponly=True)
        return answer

    def _set(
        self, answer: AnyResponse, name: str, text: str, *, max_age: int | None = None
    ) -> None:
        answer.set_cookie(
            name,
            text,
            max_age=max_age,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )


@cache
def cookie_name(public_url: str, name: str) -> str:
    """What a cookie of this instance is called.

    Browsers share cookies among all ports of a host, and ours are for all paths: without a part of
    its address in the name, two instances of one host would sign each other's people out.
    """
    secure = public_url.startswith("https://")
    # With this prefix a browser takes the cookie from this very host only, over https.
    ours = sha256(public_url.encode()).hex()[:_OF_ADDRESS]
    return f"{'__Host-' if secure else ''}fapiao-{ours}-{name}"


def _stale() -> RefusedError:
    return RefusedError("form_stale", "load the page again, and send the form from there")
