"""What a till keeps of an invoice beside it: who sold it in which shift, and how it was paid."""

import sqlite3

from invoice_service.services.till.ports import Sale


def keep_sale(connection: sqlite3.Connection, sale: Sale) -> None:
    """Append it within a transaction; the same again is nothing new."""
    there = connection.execute(
        "SELECT 1 FROM till_sales WHERE invoice = ?", (sale.invoice,)
    ).fetchone()
    if there is not None:
        return
    place = sale.place
    connection.execute(
        "INSERT INTO till_sales (invoice, merchant_id, kind, request, till, business_day, shift,"
        " person, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            sale.invoice,
            place.merchant_id,
            sale.kind,
            sale.request,
            place.till,
            place.day,
            sale.shift,
            sale.person,
            sale.at,
        ),
    )
    connection.executemany(
        "INSERT INTO till_payments (invoice, kind, amount) VALUES (?, ?, ?)",
        [(sale.invoice, kind, amount) for kind, amount in sale.paid.items() if amount],
    )
