"""A stand-in for a language model's API: for practice without a key, and for tests that script its troubles."""
