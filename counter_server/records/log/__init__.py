"""The log: an append-only tree of hashes that makes every record provable to strangers."""
