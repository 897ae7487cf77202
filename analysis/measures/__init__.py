"""What it means: coverage, circles, gaps."""
