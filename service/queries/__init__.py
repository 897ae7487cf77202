"""What is asked over HTTP, as models that FastAPI reads and documents."""
