"""What is kept: runs, layers, exports."""
