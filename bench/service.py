"""A service of its own to measure: a fresh instance in a temporary folder, its real processes."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.timing import wait_until
from bench.web import answers, free_port, get
from invoice_service.config import Config, load
from invoice_service.domain.merchant import MerchantRequest
from invoice_service.processes.supervise import Tree, output_dir
from invoice_service.services.people.admit import admit, create_key
from invoice_service.wiring import init_instance

MERCHANT = MerchantRequest(
    tax_id="91440300708461136T",
    name="深圳旋转餐厅有限公司",
    industry="621",
    district="440303",
    address_phone="深圳市罗湖区人民南路2002号 0755-22300000",
    bank_account="深圳银行罗湖支行 6222000000000000001",
    drawer="王芳",
    payee="李雷",
    reviewer="韩梅",
)

# A bill of the sample restaurant: two dishes, one rate, a company that asks for its title.
BODY = json.dumps(
    {
        "order_id": "ORDER",
        "buyer": {
            "kind": "company",
            "name": "深圳市某某科技有限公司",
            "tax_id": "91440300708461136T",
        },
        "lines": [
            {"name": "*餐饮服务*餐费", "quantity": "1", "unit_price": 11300, "tax_rate": "0.06"},
            {"name": "*餐饮服务*茶位", "quantity": "4", "unit_price": 800, "tax_rate": "0.06"},
        ],
    },
    ensure_ascii=False,
    separators=(",", ":"),
)


# One caller asks as fast as it can: its tokens are counted, and never run out.
RATES = ("PEER_PER_SECOND", "PEER_BURST", "KEY_PER_SECOND", "KEY_BURST")
NO_LIMIT = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Site:
    """An initialised instance: its settings, one merchant with a key, one official's key."""

    config: Config
    environ: dict[str, str]
    url: str
    merchant_id: int
    merchant_key: str
    official_key: str


def make_site(folder: Path, **settings: str) -> Site:
    """Initialise an instance below ``folder``; ``settings`` are FAPIAO_ variables in lower case."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environ = {
        "FAPIAO_SERVICE_DATA_DIR": str(folder / "main"),
        "FAPIAO_SERVICE_PUBLIC_URL": url,
        "FAPIAO_WEB_PORT": str(port),
        **{f"FAPIAO_RATE_{name}": str(NO_LIMIT) for name in RATES},
        **{f"FAPIAO_{name.upper()}": value for name, value in settings.items()},
    }
    config = load(None, environ)
    instance = init_instance(config)
    by = instance.operator()
    merchant = admit(instance.store, MERCHANT, by).merchant
    _, key = create_key(
        instance.store,
        "merchant",
        merchant.id,
        "bench",
        by=by,
        randbytes=instance.randbytes,
    )
    _, official = create_key(
        instance.store, "official", None, "bench", by=by, randbytes=instance.randbytes
    )
    instance.close()
    return Site(config, environ, url, merchant.id, key, official)


def logs(site: Site) -> Path:
    """Where the programs of the site's process tree write what they have to say."""
    return output_dir(site.config)


@contextmanager
def served(site: Site) -> Iterator[None]:
    """Run the site's process tree (issuing process, web, worker, beat) until the block ends."""
    with Tree(site.config, {**os.environ, **site.environ}) as tree:
        tree.start()
        wait_until(lambda: answers(f"{site.url}/readyz"), 60, "the service")
        yield


def settled(site: Site) -> bool:
    """Return whether everything issued is published."""
    pending: int = json.loads(get(f"{site.url}/readyz"))["pending"]
    return pending == 0


def issued_count(site: Site) -> int:
    """Return how many invoices the service says it has stored."""
    count: int = json.loads(get(f"{site.url}/readyz"))["issued"]
    return count
