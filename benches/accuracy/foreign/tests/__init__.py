"""Tests of the harness: no server, no backend."""
