"""Scenarios as documents: before and after, kept, and several side by side."""
