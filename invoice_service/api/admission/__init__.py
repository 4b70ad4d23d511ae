"""Applications of merchants, and what merchants ask for later."""

from flask import Blueprint

from invoice_service.api.admission.applicants import ApplicantCalls
from invoice_service.api.admission.contract import OPERATIONS, WORDS
from invoice_service.api.admission.officials import ApplicationCalls
from invoice_service.api.admission.quotas import QuotaCalls
from invoice_service.api.parts import Parts

__all__ = ["OPERATIONS", "WORDS", "blueprints"]


def blueprints(parts: Parts) -> tuple[Blueprint, ...]:
    """The routes."""
    return (
        ApplicantCalls(parts).blueprint(),
        ApplicationCalls(parts).blueprint(),
        QuotaCalls(parts).blueprint(),
    )
