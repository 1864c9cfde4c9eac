"""Tests of the harness: ``python3 -m unittest discover -s benches/peers -t benches/peers``."""
