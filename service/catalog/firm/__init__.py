"""How firm figures stand: bands beside them, sweeps and draws, proposals that stay best."""
