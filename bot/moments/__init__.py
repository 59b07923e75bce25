"""Moments: the personal side.  A neighbour of the account side, which it knows nothing of (docs/moments.md)."""
