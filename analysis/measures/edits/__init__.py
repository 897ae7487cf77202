"""Changes drawn on a city, and the study of the city so changed."""
