"""Lobby, the front desk of a WeChat Official Account."""
