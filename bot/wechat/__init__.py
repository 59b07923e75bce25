"""The outside: envelopes, messages, limits and the client.  Only this package imports wechatpy."""
