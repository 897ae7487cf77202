"""The only room that opens foreign formats or sockets."""
