"""How fast this harness is, as ratios: each figure is measured against its reference on one machine in one run."""
