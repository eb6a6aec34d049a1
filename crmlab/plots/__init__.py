"""Pictures that answer questions: a shared table in, a Plotly figure out, nothing shown or changed.

===================  ===================================================  ==============================
figure               question                                             numbers: `crmlab.analysis`
===================  ===================================================  ==============================
`win_rate`           which share of the closed deals is won, and by whom  `pipeline.win_rate`
`pipeline_snapshot`  where are the open deals now                         `pipeline.stage_snapshot`
`closed_by_month`    how many deals are won and lost per month            `pipeline.closed_by_month`
`activity_heatmap`   at what time of the week is the work done            `activity.heatmap`
`activity_volume`    how much of what is done                             `activity.volume`
`consent_trend`      what do people say about being contacted             `consent.trend`
`consent_banner`     what do visitors choose on the banner                `consent.banner`
===================  ===================================================  ==============================

Every figure is counted in Polars first, so it stays below 1 MB whatever the number of rows.
"""

from crmlab.plots.activity import activity_heatmap, activity_volume
from crmlab.plots.consent import consent_banner, consent_trend
from crmlab.plots.pipeline import closed_by_month, pipeline_snapshot, win_rate

__all__ = [
    "activity_heatmap",
    "activity_volume",
    "closed_by_month",
    "consent_banner",
    "consent_trend",
    "pipeline_snapshot",
    "win_rate",
]
