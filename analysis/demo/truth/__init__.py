"""What must come out of springcity, worked out in plain ways of its own; for tests."""
