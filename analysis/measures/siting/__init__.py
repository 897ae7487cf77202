"""Where the next places go, with a proven bound."""
