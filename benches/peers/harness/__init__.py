"""The harness of the peers benchmark: builds the tools, runs them in turn, checks and compares."""
