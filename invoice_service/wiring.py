"""The one place that picks concrete parts: makes an instance on disk, and opens it."""

import os
import pwd
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from Crypto.Random import get_random_bytes

from chain.durable import make_folder
from chain.errors import ConflictError, UnavailableError
from chain.log.database import SqliteLogStore
from chain.log.log import Log
from chain.signing.keys import LogKeys
from chain.signing.note import SignerKey, VerifierKey
from chain.signing.policy import NO_WITNESSES, Policy
from chain.signing.receipt import with_receipts
from chain.tree.tiles import TileFolder
from chain.witness.client import Limits, Witnesses
from chain.witness.cosigning import Cosigning
from invoice_service import inventory
from invoice_service.config import Config
from invoice_service.domain.acts import ActType, By, Outcome, Said, act_by
from invoice_service.domain.clock import Running
from invoice_service.domain.numbering import Scheme
from invoice_service.domain.tax import TaxRates
from invoice_service.keys.begin import (
    key_folder,
    make_keys,
    read_own_signer,
    read_promise_signer,
    write_as_kept,
)
from invoice_service.keys.folder import KeyFolder
from invoice_service.keys.people import PEOPLE_KEY, PeopleKey, have_people_key
from invoice_service.keys.rotation import Rotation
from invoice_service.keys.wallet import other_paths
from invoice_service.processes.issuer import SOCKET, DirectIssuer, IssuerClient
from invoice_service.processes.logs import plain_logs
from invoice_service.processes.uptime import running
from invoice_service.processes.wallet import WalletLine, wallet_line
from invoice_service.retention.keeping import Keeping
from invoice_service.services.anchoring.anchor import Anchoring
from invoice_service.services.checking.verify import Verifier
from invoice_service.services.issuing.issue import Issuer, IssuingDesk
from invoice_service.services.issuing.promise import Promised, Promiser
from invoice_service.services.issuing.reverse import ReversingDesk
from invoice_service.services.people.lookups import Lookups
from invoice_service.services.people.sessions import Lifetimes
from invoice_service.services.till.days import Days
from invoice_service.storage.admission import AdmissionStore
from invoice_service.storage.help import HelpStore, help_store
from invoice_service.storage.sqlite import SqliteStore, create_store, update_store
from invoice_service.storage.sqlite.clock import not_counted
from invoice_service.storage.sqlite.tries import TRIES, SharedCounts

if TYPE_CHECKING:
    from invoice_service.services.admission.office import Admission
    from invoice_service.services.claims.desk import Claims
    from invoice_service.services.figure_desk import FigureDesk
    from invoice_service.services.help.desk import ReportDesk
    from invoice_service.services.people.desk import PeopleDesk
    from invoice_service.services.prepaid.desk import PrepaidDesk
    from invoice_service.services.till.desk import TillDesk

Clock = Callable[[], datetime]


def now() -> datetime:
    """Read the machine's clock, in UTC."""
    return datetime.now(UTC)


def secret_keys(config: Config) -> list[Path]:
    """Where the secret keys are: the log's, two of them in an overlap, of promises, for wallets."""
    return [*key_folder(config).secret_paths(), *other_paths(config.keys_dir)]


@dataclass(frozen=True)
class Instance:
    """An open instance: what the front doors, the commands and the workers are given."""

    config: Config
    store: SqliteStore
    log: Log
    log_store: SqliteLogStore
    issuer: Issuer
    keys: KeyFolder
    promiser: Promiser
    policy: Policy = NO_WITNESSES
    clock: Clock = now
    randbytes: Callable[[int], bytes] = get_random_bytes

    @cached_property
    def verifier(self) -> Verifier:
        """Reaches verdicts; one for all who ask, since it remembers what it has checked."""
        return Verifier(self.store, self.log, self.keys.keys)

    @cached_property
    def people_key(self) -> PeopleKey:
        """What seals second factors; web processes read it, so it has no passphrase."""
        return PeopleKey(self.config.keys_dir / PEOPLE_KEY, self.randbytes)

    @cached_property
    def people(self) -> "PeopleDesk":
        """Signing in, and who may; one for all, since it counts tries."""
        # Passkeys bring libraries that take a third of a second to load: few commands need them.
        from invoice_service.services.people.desk import open_desk

        settings = self.config.people
        lifetimes = Lifetimes(
            *(settings.idle_seconds, settings.absolute_seconds),
            *(settings.official_idle_seconds, settings.official_absolute_seconds),
            settings.till_seconds,
        )
        return open_desk(
            self.store,
            self.people_key,
            self.config.service.public_url,
            lifetimes,
            settings.invitation_seconds,
            self._seconds,
            self.randbytes,
            SharedCounts(self.config.run_dir / TRIES),
            two=self.config.officials.two_person,
            proposal_seconds=self.config.officials.proposal_seconds,
            oidc=self.config.oidc,
        )

    @cached_property
    def lookups(self) -> Lookups:
        """Who of the bureau looked at what; one for all who ask, since it remembers an hour."""
        required = self.config.officials.purpose_required
        return Lookups(self.store, self._seconds, required=required)

    @cached_property
    def figures(self) -> "FigureDesk":
        """Figures made again from documents; one for all who ask, since it does one at a time."""
        from invoice_service.services.figure_desk import FigureDesk

        return FigureDesk(self.store, self.store.totals, self.log, self.keys.keys)

    @cached_property
    def till(self) -> "TillDesk":
        """What people at tills do; what they issue needs no promise in its answer."""
        from invoice_service.services.till.desk import open_till

        config, issuing = self.config, self._issuing_unsigned()
        return open_till(
            self.store,
            issuing,
            ReversingDesk(self.store, issuing.issuer, self.randbytes, config.limits.body_bytes),
            self.people.sessions,
            Days(config.till.day_begins),
            self.claims,
            self.log.taken,
        )

    def _seconds(self) -> int:
        return int(self.clock().timestamp())

    def _issuing_unsigned(self) -> IssuingDesk:
        """For who shows no promise in an answer."""
        config = self.config
        return IssuingDesk(
            merchants=self.store,
            issuer=Promised(self.issuer, config.anchor.max_delay, signed=False),
            rates=TaxRates(config.tax.rates),
            randbytes=self.randbytes,
            max_bytes=config.limits.body_bytes,
            max_lines=config.limits.lines,
        )

    @cached_property
    def claims(self) -> "Claims":
        """Orders that customers claim."""
        # With what splits and seals: few commands need it.
        from invoice_service.services.claims.desk import Claims, Clocks
        from invoice_service.services.claims.links import Links

        config = self.config
        return Claims(
            self.store,
            self._issuing_unsigned(),
            Links(self.people_key, self.randbytes, config.service.public_url),
            Clocks(self._seconds, Days(config.till.day_begins).of),
            config.claims.seconds,
        )

    @cached_property
    def keeping(self) -> Keeping:
        """What is kept, and for how long; erasing people."""
        return Keeping(self.config, self.store, self.clock, self.help_store.erase_named)

    @cached_property
    def help_store(self) -> HelpStore:
        """Reports of wrong slips, and how often scans did not fit; made when first used."""
        return help_store(self.config, lambda mark: self.keeping.list_mark(mark))

    @cached_property
    def reports(self) -> "ReportDesk":
        """Where reports of wrong slips are taken and judged."""
        from invoice_service.services.help.desk import ReportDesk

        counts = SharedCounts(self.config.run_dir / TRIES)
        return ReportDesk(self.help_store, self.store, counts, self._seconds, self.randbytes)

    @cached_property
    def admission_store(self) -> AdmissionStore:
        """Applications, their papers, requests for more quota."""
        parts = self.config, self.store, self._seconds, self.randbytes
        return AdmissionStore(*parts, lambda mark: self.keeping.list_mark(mark))

    @property
    def admission(self) -> "Admission":
        """Where merchants apply, and ask for more; where officials decide."""
        return self.admission_store.desks

    @cached_property
    def prepaid(self) -> "PrepaidDesk":
        """Accounts of money that was paid in advance."""
        from invoice_service.services.prepaid.desk import PrepaidDesk, prepaid_links

        links = prepaid_links(self.people_key, self.randbytes, self.config.service.public_url)
        return PrepaidDesk(self.store, self.store, links, self._seconds, self.randbytes)

    @property
    def log_keys(self) -> LogKeys:
        """All keys of the log, as its newest statement has them."""
        return self.keys.keys()

    @property
    def log_key(self) -> VerifierKey:
        """The oldest of the keys that sign now: the one that is shown to people."""
        return self.log_keys.signing[0]

    @property
    def promise_key(self) -> VerifierKey:
        """The key of the promises that are made now."""
        return self.log_keys.promise[-1]

    def log_signers(self) -> tuple[SignerKey, ...]:
        """Read the log's secret keys that sign now; only who anchors calls this (docs/trust.md)."""
        return self.keys.signers()

    def promise_signer(self) -> SignerKey:
        """Read the promise key; only who commits what is promised calls this (docs/trust.md).

        UnavailableError ``instance_mixed`` for one that no statement names.
        """
        return read_promise_signer(self.config, self.keys)

    def check_keys(self) -> None:
        """Read all secret keys, to say early what would fail later."""
        self.keys.check()
        self.promise_signer()
        self.people_key.check()

    def check_tiles(self) -> None:
        """Have every full tile of the log, before it is added to; see ``require_tiles``."""
        inventory.require_tiles(self.config, self.log)

    def operator(self) -> By:
        """Whoever works on this machine now, by the name of the user whose program this is."""
        return _operator(self.clock)

    def record(
        self,
        type_: ActType,
        subject: str,
        outcome: Outcome = "done",
        *,
        before: Said | None = None,
        after: Said | None = None,
        code: str = "",
        reason: str = "",
    ) -> None:
        """Write an act of the operator into the trail; on disk when this returns."""
        act = partial(act_by, self.operator(), type_, subject, outcome=outcome)
        self.store.record(act(before=before, after=after, code=code, reason=reason))

    def rotation(self) -> Rotation:
        """What rotating the log's key works with."""
        return Rotation(
            keys=self.keys,
            store=self.log_store,
            publisher=self.log.publisher,
            read=read_own_signer,
            write=partial(write_as_kept, self.keys, randbytes=self.randbytes),
            randbytes=self.randbytes,
        )

    @property
    def wallets(self) -> WalletLine:
        """Offers to wallets, and who signs for them: another process, which has the key."""
        parts = self.store, self.people_key, self.clock, self.randbytes
        return wallet_line(self.config.run_dir, *parts)

    def anchoring(self) -> Anchoring:
        """Everything that anchoring works with, the log's secret keys included."""
        self.log_signers()  # what cannot be read is said now
        self.check_tiles()
        return Anchoring(
            invoices=self.store,
            acts=self.store,
            totals=self.store.totals,
            log=self.log,
            signers=self.keys.signing,
            clock=self.clock,
            randbytes=self.randbytes,
            max_block=self.config.anchor.max_block,
            known=self.store.known_times,
            note=self.store.note_clock,
            bind=self.store.bind_trail,
            fold=self._tidy,
            max_forwards=self.config.clock.max_forwards,
            cosigners=self._cosigning() if self.policy.witnesses else None,
        )

    def _tidy(self) -> None:
        self.store.fold()
        now = self._seconds()
        self.store.tidy(now, self.config.till.buyer_hours * 3600)
        self.help_store.tidy(now)
        self.admission_store.tidy(now)

    def _cosigning(self) -> Cosigning:
        settings = self.config.witness
        limits = Limits(exchange=settings.timeout, grace=settings.grace)
        witnesses = Witnesses(self.policy, limits)
        return Cosigning(self.log_store, self.log, self.log.publisher, self.policy, witnesses)

    def close(self) -> None:
        """Close the database connections of this process."""
        self.store.close()
        self.log_store.close()
        self.help_store.close()


def init_instance(
    config: Config,
    *,
    clock: Clock = now,
    randbytes: Callable[[int], bytes] = get_random_bytes,
) -> Instance:
    """Make folders, keys, databases and the checkpoint of the empty log.

    Raises ConflictError ``already_initialised`` where an instance is, and as ``open_instance``
    where a part of one is. An interrupted call can be repeated: see ``inventory.beginning``.
    """
    made = False
    if inventory.is_untouched(config) or inventory.is_unfinished(config):
        inventory.policy_of(config)  # before anything is made that would have to be unmade
        with inventory.beginning(config) as made:
            if made:
                _make_parts(config, clock, randbytes)
    instance = open_instance(config, clock=clock, randbytes=randbytes)
    if not made:
        instance.close()
        raise ConflictError("already_initialised", f"{config.data_dir} holds an instance already")
    return instance


def open_instance(
    config: Config,
    *,
    clock: Clock = now,
    randbytes: Callable[[int], bytes] = get_random_bytes,
    doubted: bool = False,
) -> Instance:
    """Open what ``init_instance`` made, once sure that it is whole.

    UnavailableError and the like as ``inventory.require_whole``, ``require_one`` and
    ``require_current``; the last is left out for who looks at what may be an old copy
    (``doubted``). ConflictError ``origin_differs``, with what to do.
    """
    plain_logs()
    keys = key_folder(config)
    inventory.require_whole(config, keys)
    make_folder(config.run_dir)
    policy = inventory.policy_of(config)
    update_store(config.invoices_db)
    with ExitStack() as opened:
        log_store = opened.enter_context(closing(SqliteLogStore(config.log_db)))
        inventory.require_name(config, log_store)
        log = _open_log(config, log_store, policy)
        store = opened.enter_context(closing(_open_store(config, log, log_store, clock)))
        inventory.require_one(config, keys, log, log_store, store)
        if not doubted:
            inventory.require_current(config, log, store, store.totals.last_height)
        with closing(help_store(config)) as reports:
            Keeping(config, store, clock, reports.erase_named).hold()
        opened.pop_all()

    def seconds() -> int:
        return int(clock().timestamp())

    promiser = Promiser(
        # Read when it is needed: a web process needs it only where no issuing process answers.
        partial(read_promise_signer, config, keys),
        config.anchor.max_delay,
        seconds,
        log.taken,
        randbytes,
    )
    have_people_key(PeopleKey(config.keys_dir / PEOPLE_KEY, get_random_bytes), store)
    direct = DirectIssuer(store, seconds, promiser)
    return Instance(
        config=config,
        store=store,
        log=log,
        log_store=log_store,
        issuer=IssuerClient(config.run_dir / SOCKET, direct),
        keys=keys,
        promiser=promiser,
        policy=policy,
        clock=clock,
        randbytes=randbytes,
    )


def _open_store(config: Config, log: Log, log_store: SqliteLogStore, clock: Clock) -> SqliteStore:
    """The invoices; what may be issued depends on where the log stands."""
    return SqliteStore(
        config.invoices_db,
        _scheme(config),
        taken=log.taken,
        sealed=log_store.last_sealed,
        running=_counted(clock),
    )


def _counted(clock: Clock) -> Callable[[], Running | None]:
    """What counts beside the clock; a simulated one is held against nothing of the machine's."""
    return running if clock is now else not_counted


def _begin_trail(store: SqliteStore, config: Config, clock: Clock) -> None:
    """Write the trail's first act, unless an interrupted call has."""
    if not store.last_act().seq:
        store.record(act_by(_operator(clock), "init", "instance", after={"log": config.log_origin}))


def _operator(clock: Clock) -> By:
    try:
        user = pwd.getpwuid(os.getuid()).pw_name  # the environment says what anybody likes
    except KeyError:  # a user without a name, as in many containers
        user = str(os.getuid())
    return By(f"machine:{user}", int(clock().timestamp()))


def _make_parts(config: Config, clock: Clock, randbytes: Callable[[int], bytes]) -> None:
    """Make what is not there yet, in an order that can be begun again anywhere."""
    for folder in (config.keys_dir, config.log_dir, config.broker_dir):
        make_folder(folder)
    inventory.shut_folders(config)
    create_store(config.invoices_db)
    with (
        closing(SqliteLogStore(config.log_db)) as log_store,
        closing(SqliteStore(config.invoices_db, running=_counted(clock))) as store,
    ):
        if log_store.origin() is not None:
            inventory.require_name(config, log_store)
        log = _open_log(config, log_store, NO_WITNESSES)
        if store.last_seq() or log.head().size:
            raise UnavailableError(
                "instance_mixed",
                f"{config.data_dir} holds invoices or a log beside the mark of an interrupted"
                f" `fapiao init`: put keys/ back, then remove {inventory.UNFINISHED}",
            )
        signer = make_keys(config, randbytes)
        mark = key_folder(config).mark()
        log_store.bind_instance(mark)
        store.bind_instance(mark)
        _begin_trail(store, config, clock)
        store.note_clock(int(clock().timestamp()))
        log.publish(*with_receipts([signer]), signed_at=clock())


def _open_log(config: Config, store: SqliteLogStore, policy: Policy) -> Log:
    return Log(config.log_origin, store, TileFolder(config.log_dir), config.log_dir, policy)


def _scheme(config: Config) -> Scheme:
    return Scheme(
        **msgspec.structs.asdict(config.numbering),
        max_backwards=config.clock.max_backwards,
        max_forwards=config.clock.max_forwards,
    )
