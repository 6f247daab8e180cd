"""Tickets and places."""
