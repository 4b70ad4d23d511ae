"""The web application: three front doors over one instance, and what happens to errors at each."""

import os
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from chain.errors import Problem
from invoice_service.api import access, addresses, catalog, incidents, problems, rooms
from invoice_service.api.answers import ALWAYS
from invoice_service.api.checking.files import Files
from invoice_service.api.checking.page import PageLists
from invoice_service.api.checking.papers import Papers
from invoice_service.api.help.calls import SCANS
from invoice_service.api.help.counting import count_scans, help_gauges
from invoice_service.api.invoices.slips import SlipCalls
from invoice_service.api.operations import blueprint as operations_blueprint
from invoice_service.api.operations.gate import Gate
from invoice_service.api.operations.metrics import Meter
from invoice_service.api.operations.probes import ENDPOINTS
from invoice_service.api.peers import Peers, site_of
from invoice_service.api.rates import Rates, headers_of
from invoice_service.api.remedies import REMEDIES
from invoice_service.api.requests import AnyBut
from invoice_service.api.wallet.known import wallet_door
from invoice_service.config import Config, load
from invoice_service.documents.paper.printing import open_printing
from invoice_service.documents.sharing import Sharing
from invoice_service.domain.tax import TaxRates
from invoice_service.files.office import Office, Tools
from invoice_service.front.crowd import Why
from invoice_service.front.door import Shortcut
from invoice_service.keys.setup import open_setup
from invoice_service.openapi.document import Doors, describe_service
from invoice_service.openapi.operation import FIELDS
from invoice_service.pilot import clients
from invoice_service.pilot import contract as pilot
from invoice_service.processes.heartbeat import read_beat
from invoice_service.processes.issuer import IssuerClient
from invoice_service.processes.presence import RUN, Presence
from invoice_service.processes.shapes import prepare_shapes
from invoice_service.processes.shortcuts import open_shortcuts
from invoice_service.services.anchoring.acts import acts_waiting
from invoice_service.services.health import Health, HealthParts, WebProcesses, check_health
from invoice_service.services.issuing.issue import IssuingDesk
from invoice_service.services.issuing.promise import Promised
from invoice_service.services.issuing.standing import Standings
from invoice_service.services.mailing.desk import MailDesk
from invoice_service.services.people.refusals import Door
from invoice_service.services.people.uses import KeyUses
from invoice_service.web import apply, bureau, explorer, people, prepaid, till
from invoice_service.web import help as help_room
from invoice_service.web.claim import ClaimPages, OwnInvoice, Told, WalletDoor
from invoice_service.web.claim import contract as claim
from invoice_service.web.customers import (
    codes_page,
    docs_page,
    file_page,
    list_page,
    pages,
    paper_page,
    receipt_file_page,
    receipt_page,
)
from invoice_service.web.customers import contract as customers
from invoice_service.web.ground import again, language, showcase
from invoice_service.web.ground import contract as ground
from invoice_service.web.ground.prepare import prepare
from invoice_service.web.help import contract as help_pages
from invoice_service.web.setup import doors_blueprint, setup_blueprint
from invoice_service.web.till import pages as till_pages
from invoice_service.web.till import template
from invoice_service.web.till.files import FilePages
from invoice_service.web.till.share import share_blueprint
from invoice_service.wiring import Instance, open_instance

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_HERE: Final = Path(__file__).resolve().parent
# Beside the package in a checkout, inside it once installed (setup.py).
STATIC: Final = next(path for path in (_HERE / "static", _HERE.parent / "static") if path.is_dir())
STARTED: Final = "fapiao.started"
PROBLEM: Final = "fapiao.problem"
CROWD: Final = "fapiao.crowd"
"""Among the application's extensions: counts whom the server in front turned away."""
FEEDS: Final = "fapiao.feeds"
"""Among the application's extensions: notes how many answers stay open."""
USES: Final = "fapiao.uses"
"""Among the application's extensions: notes when keys are used."""
SHORTCUT: Final = "fapiao.shortcut"
"""Among the application's extensions: makes what answers before Flask, for a loop."""
FORM_BYTES: Final = 65_536
"""Of a page's fields without files: read, they take hundreds of times as much."""

PROGRAMS: Final = (
    *("/v1/", "/.well-known/", "/log/", "/static/"),
    *("/healthz", "/readyz", "/metrics", "/openapi.json"),
)
"""Where problems are answered as problem+json; elsewhere people read."""


class Service(Flask):
    """Flask that knows when a request came, from whom, below which path; and what answers have."""

    url_rule_class = addresses.Route
    peers = Peers(())
    public_path = ""

    def wsgi_app(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Note the time first of all, and where outsiders see us: a proxy keeps or strips it."""

        def start(
            status: str, headers: list[tuple[str, str]], error: "OptExcInfo | None" = None, /
        ) -> Callable[[bytes], object]:
            return start_response(status, headers + ALWAYS + headers_of(environ), error)

        environ[STARTED] = perf_counter_ns()
        self.peers.place(environ)
        if self.public_path:
            path = environ["PATH_INFO"]
            if path == self.public_path or path.startswith(f"{self.public_path}/"):
                environ["PATH_INFO"] = path[len(self.public_path) :] or "/"
            environ["SCRIPT_NAME"] = self.public_path
        return super().wsgi_app(environ, start)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Nothing of ours is a coroutine: Flask need not find that out at every call."""
        return func


def create_app(instance: Instance | None = None) -> Flask:
    """The application; without an instance, the one that ``FAPIAO_CONFIG`` and its like name."""
    if instance is None:
        named = os.environ.get("FAPIAO_CONFIG")
        instance = open_instance(load(Path(named) if named else None, os.environ))
    app = Service(
        __name__,
        static_folder=None,
        template_folder="web/templates",
    )
    app.config["MAX_CONTENT_LENGTH"] = instance.config.limits.body_bytes  # where Flask reads it
    app.before_request(_bound_form)
    app.peers = Peers(instance.config.web.trusted_proxies)
    app.url_map.converters["any_but"] = AnyBut
    app.url_map.merge_slashes = False  # `//` is another address, not a detour to ours
    uses = KeyUses(instance.store, lambda: instance.clock().timestamp())
    app.extensions[USES] = uses
    rates = Rates(instance.config.rate, access.Access(instance.store, instance.clock), uses.note)
    app.before_request(rates.enter)
    app.extensions[SCANS] = count_scans(instance)
    _refuse_what_is_not_whole(app)
    prepare(app, STATIC, instance.config.bureau)
    app.before_request(partial(addresses.options_of_all, app))
    app.before_request(addresses.check_spelling)
    gate = _gate_of_people(instance)
    again.look_again(app, _title, gate.is_own)
    meter = _open_doors(app, instance, gate)
    _answer_errors(app, instance)
    app.extensions[SHORTCUT] = partial(open_shortcuts, instance, rates, meter)
    app.public_path = instance.config.public_path
    prepare_shapes()
    return app


def large_bodies(config: Config) -> dict[str, int]:
    """The addresses that take lists, and how many bytes of them."""
    lists = [call.path for call in doors(config).operations if call.large]
    lists += [page.path for page in people.PAGES if page.large]
    prefixes = ("", config.public_path)
    return {f"{prefix}{path}": config.limits.batch_bytes for prefix in prefixes for path in lists}


def crowd_counter(app: "WSGIApplication") -> Callable[[Why], None] | None:
    """What counts those whom the server in front turned away."""
    return app.extensions[CROWD] if isinstance(app, Service) else None


def feed_counter(app: "WSGIApplication") -> Callable[[int], None] | None:
    """What is told how many answers of this process stay open."""
    return app.extensions[FEEDS] if isinstance(app, Service) else None


def shortcut_of(app: "WSGIApplication", loop: AbstractEventLoop) -> Shortcut | None:
    """What answers some requests of this process on its loop, before the application is asked."""
    make: Callable[[AbstractEventLoop], Shortcut] | None = None
    if isinstance(app, Service):
        make = app.extensions.get(SHORTCUT)
    return None if make is None else make(loop)


def _refuse_what_is_not_whole(app: Flask) -> None:
    """First of all, what the server in front found wrong: then nothing else is looked at."""

    @app.before_request
    def refuse() -> None:
        problem: Problem | None = request.environ.get(PROBLEM)
        if problem is not None:
            raise problem


def _bound_form() -> None:
    """A form is read in whole, whatever it takes: it has to be small."""
    if request.mimetype == FIELDS:
        request.max_content_length = FORM_BYTES


def finish(app: "WSGIApplication") -> None:
    """The process ends: write down what it has counted and not written yet."""
    if isinstance(app, Service):
        app.extensions[access.DOOR].close()
        app.extensions[USES].flush()
        app.extensions[SCANS].flush()


def _open_doors(app: Flask, instance: Instance, gate: people.Gate) -> Meter:
    config = instance.config
    log_key = partial(_key_text, instance)
    check = instance.verifier.verify
    files = FilePages(gate, _office(app, instance), config.limits.batch_bytes)
    printing = open_printing(instance.store, instance.log, config)
    mail = MailDesk(
        instance.store,
        config.mail,
        instance.people_key,
        lambda: int(instance.clock().timestamp()),
    )
    witnesses = [key.text() for key in instance.policy.witnesses]
    sharing = Sharing(printing)
    site_url, to_wallet = config.service.public_url, WalletDoor(*wallet_door(instance))
    for blueprint in (
        *rooms.blueprints(instance),
        pages.pages_blueprint(
            check, log_key, instance.keys.notes, witnesses, instance.clock, _site(config)
        ),
        codes_page.codes_blueprint(catalog.SUBJECTS, REMEDIES),
        list_page.list_blueprint(PageLists(instance), _title, config.limits.batch_bytes),
        language.language_blueprint(secure=config.service.public_url.startswith("https:")),
        paper_page.paper_blueprint(Papers(instance).check),
        receipt_file_page.receipt_file_blueprint(Files(instance).check),
        file_page.file_blueprint(log_key, instance.keys.notes, witnesses),
        receipt_page.receipt_blueprint(SlipCalls(instance).look),
        docs_page.docs_blueprint(),
        ClaimPages(
            instance.claims,
            instance.store,
            printing,
            mail,
            site_url,
            instance.log.taken,
            _told(),
            to_wallet,
        ).blueprint(),
        OwnInvoice(instance.claims, instance.store, sharing, instance.keeping).blueprint(),
        prepaid.blueprint(instance.prepaid, instance.store, config.service.public_url, _title),
        explorer.blueprint(instance),
        showcase.showcase_blueprint(),
        *help_room.blueprints(instance, gate, _told()),
        apply.blueprint(instance.admission, gate, _told(), site_url),
        *people.blueprints(
            gate,
            files.blueprint(),
            till_pages.pages_blueprint(
                gate, instance.till, instance.keeping, instance.help_store, printing, mail
            ),
            share_blueprint(gate, instance.till, sharing),
            help_room.officials(instance, gate),
            *bureau.blueprints(gate, instance),
            *apply.signed_in(
                gate, instance.admission, instance.store, instance.lookups, instance.log
            ),
        ),
        till.data_blueprint(gate, instance.till, mail, config.limits.body_bytes),
        template.template_blueprint(),
        setup_blueprint(instance, open_setup(instance), gate),
        doors_blueprint(instance, gate),
        clients.pilot_blueprint(check, problems.title_zh),
    ):
        app.register_blueprint(blueprint)
    description = partial(_description, config.service.public_url)
    meter = Meter(config.run_dir / "counts", sorted({*app.view_functions, *ENDPOINTS}))
    app.register_blueprint(
        operations_blueprint(
            _health(instance, meter), meter, description, _gate(config), help_gauges(instance)
        )
    )
    app.extensions[CROWD] = lambda why: meter.turned_away(why, int(instance.clock().timestamp()))
    app.extensions[FEEDS] = meter.feeds_open
    _count_answers(app, meter)
    return meter


def _office(app: Flask, instance: Instance) -> Office:
    """Where files of orders are worked on; what is new there is promised like a call's."""
    config, store = instance.config, instance.store

    def may(person_id: int, merchant_id: int) -> bool:
        person = store.person(person_id)
        return person is not None and (person.state, person.merchant_id) == ("active", merchant_id)

    def public(error: Exception) -> Problem:
        problem = error if isinstance(error, Problem) else incidents.crash(error)
        return incidents.public(problem, "files of orders", app.extensions[incidents.INCIDENTS])

    return Office(
        Tools(
            folder=config.files_dir,
            desk=IssuingDesk(
                merchants=store,
                issuer=Promised(instance.issuer, config.anchor.max_delay, signed=False),
                rates=TaxRates(config.tax.rates),
                randbytes=instance.randbytes,
                max_bytes=config.limits.body_bytes,
                max_lines=config.limits.lines,
            ),
            foreseer=store,
            standings=Standings(store, instance.log.taken),
            acts=store,
            may=may,
            public=public,
            clock=lambda: int(instance.clock().timestamp()),
        )
    )


def _told() -> Told:
    """How the claim's page speaks of problems."""

    def public(problem: Problem) -> Problem:
        return incidents.public(problem, f"{request.method} {request.url_rule}")

    return Told(problems.status_of, _title, public)


def _gate_of_people(instance: Instance) -> people.Gate:
    """Whom pages let in, and what they are told of the rest."""

    def refused(problem: Problem) -> None:
        if problems.status_of(problem) in access.REFUSED:
            door: Door = current_app.extensions[access.DOOR]
            access.refused(problem, door, int(instance.clock().timestamp()))

    return people.Gate(
        people.Door(
            desk=instance.people,
            public_url=instance.config.service.public_url,
            sample=instance.config.bureau.is_sample,
            randbytes=instance.randbytes,
            is_merchant=lambda merchant_id: instance.store.account(merchant_id) is not None,
            site_of=site_of,
            status=problems.status_of,
            title=_title,
            refused=refused,
        )
    )


def _gate(config: Config) -> Gate:
    """Whom the state concerns; "" is no token."""
    settings = config.operations
    return Gate(settings.token if settings.access == "token" else "")


def doors(config: Config) -> Doors:
    """What the doors say of their calls."""
    return _doors(config.service.public_url)


def _doors(public_url: str) -> Doors:
    return Doors(
        operations=(
            *rooms.OPERATIONS,
            *pilot.OPERATIONS,
            *customers.OPERATIONS,
            *claim.OPERATIONS,
            *help_pages.OPERATIONS,
            *apply.OPERATIONS,
            *prepaid.OPERATIONS,
            *explorer.OPERATIONS,
            *ground.OPERATIONS,
            *template.OPERATIONS,
        ),
        words={
            **rooms.WORDS,
            **customers.WORDS,
            **claim.WORDS,
            **ground.WORDS,
            **help_pages.WORDS,
            **apply.WORDS,
            **prepaid.WORDS,
            **explorer.WORDS,
        },
        problem=problems.ProblemBody,
        refusals=problems.refusals(public_url),
    )


@cache
def _description(public_url: str) -> dict[str, Any]:
    """The same as a document: made once in a process, for it takes as long as ten issues."""
    return describe_service(public_url, _doors(public_url))


def _site(config: Config) -> str:
    """Our address, as people compare it with what is printed."""
    return config.service.public_url.partition("://")[2]


def _title(problem: Problem) -> str:
    """What a problem is, in the reader's language."""
    return language.either(problems.title(problem), problems.title_zh(problem))


def _key_text(instance: Instance) -> str:
    return instance.log_key.text()


def _health(instance: Instance, meter: Meter) -> Callable[[], Health]:
    config, issuer, run = instance.config, instance.issuer, os.environ.get(RUN, "")
    log_key = instance.log_key
    web = Presence(config.run_dir / "web", run)
    if run:
        web.join()
    parts = HealthParts(
        invoices=instance.store,
        log=instance.log,
        folder=config.data_dir,
        max_delay=config.anchor.max_delay,
        issuer_alive=issuer.alive if isinstance(issuer, IssuerClient) else lambda: False,
        witnesses=instance.policy.witnesses,
        max_backwards=config.clock.max_backwards,
        max_forwards=config.clock.max_forwards,
        instance="+".join(filter(None, (log_key.name, log_key.key_id.hex(), run))),
        beat=partial(read_beat, config.run_dir) if run else None,
        web=(lambda: WebProcesses(*web.count(), config.web.workers)) if run else None,
        crowd=meter.last_turned_away,
        acts=partial(acts_waiting, instance.store, instance.log),
    )
    return lambda: check_health(parts, int(instance.clock().timestamp()))


def _count_answers(app: Flask, meter: Meter) -> None:
    """Count every answer; kept short, since every issue passes here."""

    @app.after_request
    def count(answer: Response) -> Response:
        taken = perf_counter_ns() - request.environ[STARTED]
        meter.observe(request.endpoint, answer.status_code, taken)
        return answer


def _answer_errors(app: Flask, instance: Instance) -> None:
    """Everything that goes wrong leaves through here, in the words of the door it came in by."""
    base = instance.config.service.public_url
    door = app.extensions[access.DOOR] = Door(instance.store)
    app.extensions[incidents.INCIDENTS] = incidents.Incidents()

    @app.errorhandler(Problem)
    def refuse(problem: Problem) -> Response:
        status = problems.status_of(problem)
        if status in access.REFUSED:
            access.refused(problem, door, int(instance.clock().timestamp()))
        if problem is not request.environ.get(PROBLEM):  # of which the server in front has told
            problem = incidents.public(problem, f"{request.method} {request.url_rule}")
        if request.method == "POST" and request.path == clients.PATH:
            return clients.refuse(problem, problems.title_zh(problem))
        of_programs = (
            request.path.startswith(PROGRAMS)
            or request.blueprint == till.DATA
            or explorer.for_program(request)
        )
        if of_programs and not request.path.endswith(receipt_page.ENDING):
            return problems.respond(problem, base)
        answer = pages.problem_page(problem, status, _title(problem))
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            answer.headers["Retry-After"] = problems.RETRY_AFTER
        return answer

    @app.errorhandler(HTTPException)
    def not_ours(error: HTTPException) -> Response:
        answer = refuse(problems.from_http(error))
        if isinstance(error, MethodNotAllowed):
            answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return answer

    @app.errorhandler(Exception)
    def crashed(error: Exception) -> Response:
        return refuse(incidents.crash(error))
