"""Other servers that are asked, each only where the owner names it: accounts, ground tiles."""
