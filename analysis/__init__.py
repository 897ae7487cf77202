"""lifecircle's numbers: from streets and residents to coverage, circles, gaps."""
