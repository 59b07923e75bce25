"""A stand-in for WeChat's server: its API, its pushes, and phones that write to our webhook."""
