"""Receipts for wallets."""
