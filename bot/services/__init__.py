"""What we do: plain functions, one module a noun, each built on those before it."""
