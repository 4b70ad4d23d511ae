"""Somebody who has no mouse: goes by Tab, chooses by arrows, sends by Enter."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page

from invoice_service.services.people.person import Person
from invoice_service.web.ground.catalogs import translations
from tests.patience import PATIENCE, wait_until
from tests.web.people.visitors import PASSWORD

SIZES: Final = {"desk": (1280, 900), "tablet": (820, 1180)}

_CALLED: Final = """const called = (at) => {
    if (!at || at === document.body) return "";
    const label = at.labels?.length ? at.labels[0].innerText : at.innerText;
    return `${at.getAttribute("aria-label") ?? ""} ${label ?? ""}`.replace(/\\s+/g, " ").trim();
};"""
_NAME: Final = f"() => {{ {_CALLED} return called(document.activeElement); }}"
"""What the element with the focus is called."""

_AHEAD: Final = f"""(name) => {{
    {_CALLED}
    const at = document.activeElement;
    const after = (one) => !at || at === document.body ||
        at.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING;
    const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
        .filter((one) => one.tabIndex >= 0 && !one.disabled && one.type !== "radio"
            && one.checkVisibility({{visibilityProperty: true}}) && after(one));
    return all.findIndex((one) => called(one).startsWith(name));
}}"""
"""About how many elements with names of their own the focus passes before one of that name."""

_SEEN: Final = """() => {
    const at = document.activeElement, box = at.getBoundingClientRect();
    const style = getComputedStyle(at);
    return at.matches(":focus-visible") && box.bottom > 0 && box.top < innerHeight
        && (style.outlineStyle !== "none" || style.boxShadow !== "none");
}"""
"""Whether somebody sees where they are."""

_MOST: Final = 200
"""Elements that a page here may have before the one that is looked for."""


class Keys:
    """A person at a keyboard, to whom everything is named in English and is found in theirs."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.say = translations(language).gettext

    def to(self, *words: str) -> None:
        """Press Tab until the focus is on what is called so, or begins with that."""
        name = " ".join(map(self.say, words))
        self._hold(self.page.evaluate(_AHEAD, name) - 1)
        seen: list[str] = []
        for _ in range(_MOST):
            self.page.keyboard.press("Tab")
            found = self.page.evaluate(_NAME)
            if found.startswith(name):
                seen_there = f"somebody sees that {name} has the focus"  # pages scroll smoothly
                wait_until(lambda: self.page.evaluate(_SEEN), seen_there)
                return
            seen.append(found)
        raise AssertionError(f"{name} is nowhere on {self.page.url} among {seen}")

    def _hold(self, times: int) -> None:
        """Hold Tab down until it has come so often: nobody looks where the focus is meanwhile."""
        for _ in range(times):
            self.page.keyboard.down("Tab")
        self.page.keyboard.up("Tab")

    def enter(self, *words: str) -> None:
        """Go there and press Enter, which leads to another page."""
        self.to(*words)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def type(self, name: str, text: str) -> None:
        """Go to a field and type."""
        self.to(name)
        self.page.keyboard.type(text)

    def choose(self, name: str, option: str) -> None:
        """Go to a list of choices and press the arrow until it has that one."""
        self.to(name)
        chosen = "document.activeElement.selectedOptions[0].text.trim()"
        for key in ("ArrowDown", "ArrowUp"):
            for _ in range(_MOST):
                if self.page.evaluate(chosen) == self.say(option):
                    return
                before = self.page.evaluate(chosen)
                self.page.keyboard.press(key)
                if self.page.evaluate(chosen) == before:
                    break
        raise AssertionError(f"{option} is no choice of {name}")

    def text(self) -> str:
        """What stands on the page."""
        return self.page.inner_text("main")

    def take(self, name: str) -> Path:
        """Go to a file's link and press Enter: the file."""
        self.to(name)
        with self.page.expect_download() as taken:
            self.page.keyboard.press("Enter")
        return taken.value.path()

    def sign_in(self, url: str, person: Person, code: str) -> None:
        """With a password and a code."""
        self.page.goto(f"{url}/sign-in?to=/bureau/")
        self.type("Sign-in name", person.login)
        self.type("Password", PASSWORD)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.type("The six digits of your app, or a recovery code", code)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")


@contextmanager
def keyboard(browser: Browser, size: str, tag: str) -> Iterator[Keys]:
    """A browser of one's own, which complains of nothing."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale=tag, accept_downloads=True
    )
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield Keys(page, tag[:2])
    context.close()
    assert complaints == []
