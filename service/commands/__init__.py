"""The commands of ``lifecircle`` by topic; each module has ``register(app)``."""
