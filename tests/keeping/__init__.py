"""What the service keeps: scenarios and reviews."""
