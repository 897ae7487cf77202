"""ASGI layers before the router: who may ask, what is written down, what was asked before."""
