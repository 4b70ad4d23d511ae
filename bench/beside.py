"""How long a till waits while another merchant sends large batches."""

import http.client
import multiprocessing
import time
from itertools import count
from urllib.parse import urlsplit

import msgspec

from bench.issuing import CountError, send_batches
from bench.service import BODY, MERCHANT, Site
from bench.timing import Rate, summary
from invoice_service.services.people.admit import admit, create_key
from invoice_service.wiring import open_instance

BATCHES = 8
PAUSE = 0.02  # seconds between two sales
PATIENCE = 600
OTHER = msgspec.structs.replace(MERCHANT, tax_id="91330100799655058B")


def till_beside_batches(site: Site, records: int) -> Rate:
    """Sell one by one until all batches of ``records`` are done, sent by a process of their own."""
    key = other_key(site)
    batches = multiprocessing.Process(target=send_batches, args=(site, BATCHES, "beside", records))
    batches.start()
    durations: list[float] = []
    began = time.perf_counter()
    for number in count():
        durations.append(_sell(site, key, number))
        if not batches.is_alive():
            break
        time.sleep(PAUSE)
    batches.join(PATIENCE)
    if batches.exitcode != 0:
        raise CountError(f"{BATCHES} batches of {records} were not issued")
    return summary(durations, time.perf_counter() - began)


def _sell(site: Site, key: str, number: int) -> float:
    """Seconds from asking, over a connection of its own, to the whole answer."""
    address = urlsplit(site.url)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    body = BODY.replace("ORDER", f"till-{number}").encode()
    before = time.perf_counter()
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=PATIENCE)
    connection.request("POST", "/v1/invoices", body, headers)
    answer = connection.getresponse()
    said = answer.read()
    taken = time.perf_counter() - before
    connection.close()
    if answer.status != 201:
        raise CountError(f"a sale was answered {answer.status}: {said[:300]!r}")
    return taken


def other_key(site: Site) -> str:
    instance = open_instance(site.config)
    by = instance.operator()
    merchant = admit(instance.store, OTHER, by).merchant
    _, key = create_key(
        instance.store, "merchant", merchant.id, "till", by=by, randbytes=instance.randbytes
    )
    instance.close()
    return key
