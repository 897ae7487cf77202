"""Work in processes of its own: dear answers, the jail for files of users, what a child is told."""
