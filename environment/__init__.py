"""What __main__.py puts an environment together from, beside components: the ledger's word and the servers."""
