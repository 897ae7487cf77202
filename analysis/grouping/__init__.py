"""What hangs together: nodes of a network, shapes near each other, areas that share edges."""
