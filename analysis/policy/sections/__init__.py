"""The sections of a policy file, a module for each kind; none of them knows another."""
