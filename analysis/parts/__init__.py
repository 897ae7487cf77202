"""A large area in parts: cut by its units, each part worked on anywhere, laid together as one."""
