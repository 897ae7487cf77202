"""Many cities at once: storms of deaths, efficiency of workers, object stores."""
