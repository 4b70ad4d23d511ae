"""Celery as a trigger: beat asks every second whether there is something to anchor, every five
whether claims wait that nobody finishes.

The broker carries no data, only the wish that somebody look. What is pending, anchored and
published is in the databases, so a lost, late or doubled message changes nothing but time.
"""
