"""Invoices by e-mail: asked for once, sent by the worker, and the address forgotten."""
