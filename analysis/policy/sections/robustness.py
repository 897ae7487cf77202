"""How far assumptions are moved: packaged numbers, the same under every policy."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from lifecircle.analysis.policy.fields import Record
from lifecircle.analysis.policy.packaged import PackagedNumber, read_packaged

ROBUSTNESS: Final = "robustness"  # beside the policies, and none itself


@dataclass(frozen=True, slots=True)
class Ranges(Record):
    """What is tried of each assumption, and what a band is.

    Shares 0-1 of the policy's speed, of a setting's amount, of the places on a list; metres;
    minutes; standard deviations of logarithms of residents.
    """

    speed_low: PackagedNumber
    speed_high: PackagedNumber
    minutes_from: PackagedNumber
    minutes_to: PackagedNumber
    leg_short_m: PackagedNumber
    leg_long_m: PackagedNumber
    noise_counted: PackagedNumber
    noise_modelled: PackagedNumber
    noise_tries: PackagedNumber
    missed_most: PackagedNumber
    missed_ceiling: PackagedNumber
    wrong_most: PackagedNumber
    share_step: PackagedNumber
    share_last: PackagedNumber
    amount_low: PackagedNumber
    amount_high: PackagedNumber
    other_weight: PackagedNumber
    band_low: PackagedNumber
    band_high: PackagedNumber
    draws: PackagedNumber
    kept_least: PackagedNumber


@cache
def ranges() -> Ranges:
    """The packaged numbers."""
    return read_packaged(ROBUSTNESS, Ranges)
