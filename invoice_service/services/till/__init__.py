"""What a person at a till does: bills, settling, taking back, shifts, the day's figures, events."""
