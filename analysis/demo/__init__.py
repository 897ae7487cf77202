"""The ready-made areas: springcity, generated, and a piece of Helsinki."""
