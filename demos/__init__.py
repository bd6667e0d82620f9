"""Lessons, each run by `python -m demos.NAME`; `python -m demos` lists them."""
