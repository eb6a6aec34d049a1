"""Questions answered with frames: shared tables in, one tidy frame out, nothing changed or shown.

=====================================  ==================================================
`pipeline.win_rate`                    won, lost and win rate, by number and by amount
`pipeline.stage_snapshot`              open deals and their amount in each stage, now
`pipeline.closed_by_month`             deals won and lost per month of closing
`activity.heatmap`                     activities by weekday and hour of a named time zone
`activity.volume`                      activities per period and kind
`consent.trend`                        consent events per period and kind
`consent.banner`                       visitors exposed, opt-ins and opt-outs per day
=====================================  ==================================================

Three rules hold everywhere: amounts of several currencies are never added, a rate comes with the
numbers it was made of, and a rate of nothing is null, not 0. "Now" is never read: where a moment
matters it is an argument.
"""

from crmlab.analysis import activity, consent, period, pipeline

__all__ = ["activity", "consent", "period", "pipeline"]
