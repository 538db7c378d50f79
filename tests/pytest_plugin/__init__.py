"""The pytest plugin, run on small test suites as people write them."""
