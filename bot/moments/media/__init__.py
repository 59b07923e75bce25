"""Photos and videos of Moments: taken apart elsewhere, kept without a trace of where they were made.

This file and those that ``decoder`` imports stay free of the application: it starts once for each upload.
"""
