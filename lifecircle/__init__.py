"""lifecircle (生活圈): who can walk to which community service in time, and who cannot."""
