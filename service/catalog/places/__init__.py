"""What is asked of one place: who serves it, how far one walks and by which streets, its name."""
