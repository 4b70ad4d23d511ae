"""The web server: whole requests within their time, and only those reach a thread.

Why our own, and what it promises: docs/adr/0013-front-door.md.
"""
