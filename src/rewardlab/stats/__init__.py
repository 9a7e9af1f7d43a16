"""Statistics on arrays: intervals, paired tests, multiplicity, power, agreement, calibration, aggregates.

What a results table needs is here: `share_interval`, `mean_interval`, `paired_difference`, `paired_test`, `paired_mde`
and `holm`. All take aligned arrays, and generators where they draw; what cannot be estimated is None with a reason,
never 0.
"""

from rewardlab.stats.estimates import Estimate, Interval, PairedTest
from rewardlab.stats.intervals import mean_interval, share_interval
from rewardlab.stats.multiplicity import holm
from rewardlab.stats.paired import paired_difference, paired_test
from rewardlab.stats.power import detectable_difference, paired_mde

__all__ = [
    "Estimate",
    "Interval",
    "PairedTest",
    "detectable_difference",
    "holm",
    "mean_interval",
    "paired_difference",
    "paired_mde",
    "paired_test",
    "share_interval",
]
