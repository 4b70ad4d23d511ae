"""Prepaid accounts: what wallets say of them, what meals release, what customers ask back."""
