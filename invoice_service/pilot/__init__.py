"""The Shenzhen pilot's front door, for clients that were written for it."""
