"""Runs everything that Lobby needs as child processes: ``lobby up``."""
