"""Small test suites as people write them; each says in FINDINGS what the plugin must find in it, and where."""
