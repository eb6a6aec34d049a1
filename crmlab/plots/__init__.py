"""Figures that answer questions: shared tables in, a Plotly figure out, nothing shown or changed.

Every figure is here, and `crmlab.analysis` has the function of the same name that counts what it shows.
`crmlab.catalogue` has the question of each, and the code of both. Every figure is counted in Polars first, so it
stays below 1 MB whatever the number of rows.

Each takes what `crmlab.fetch` returns in the place of its frames, ``plots.win_rate(data)``. It then refuses a fetch of
a period where everything is needed, and else says the period in its subtitle; a frame by itself counts as whole.
"""

from crmlab.plots._exported import (
    figure_html as figure_html,
)  # no figure, but how an exported notebook shows one
from crmlab.plots._exported import plotly_js as plotly_js
from crmlab.plots.actions import completion_rate, open_actions
from crmlab.plots.activity import activity_heatmap, activity_volume, activity_volume_by_owner
from crmlab.plots.attention import activities_per_deal, days_since_last_touch
from crmlab.plots.banner import banner_items, banner_rates
from crmlab.plots.confirmation import confirmation_rate, documentation_coverage, time_to_confirm
from crmlab.plots.consent import consent_banner, consent_trend
from crmlab.plots.consent_duration import consent_survival
from crmlab.plots.consent_growth import consent_stock
from crmlab.plots.consent_state import consent_rate, expiring_consents
from crmlab.plots.cycle import ageing, cycle_length, sales_velocity, win_cohorts
from crmlab.plots.engagement import email_engagement, email_engagement_over_time
from crmlab.plots.flow import created_against_closed, loss_reasons, waterfall
from crmlab.plots.forecast import coverage, weighted_pipeline
from crmlab.plots.joined import (
    consent_and_win_rate,
    consent_coverage_of_pipeline,
    open_pipeline_by_consent,
    people_overlap,
)
from crmlab.plots.journey import consent_journeys
from crmlab.plots.notes import with_note as with_note  # no figures: they say something more in one
from crmlab.plots.notes import with_notes as with_notes
from crmlab.plots.objection import activities_after_opt_out, mailed_but_objected
from crmlab.plots.pipeline import closed_by_month, pipeline_snapshot, win_rate
from crmlab.plots.response import response_time
from crmlab.plots.stages import funnel, stage_durations

__all__ = [
    "activities_after_opt_out",
    "activities_per_deal",
    "activity_heatmap",
    "activity_volume",
    "activity_volume_by_owner",
    "ageing",
    "banner_items",
    "banner_rates",
    "closed_by_month",
    "completion_rate",
    "confirmation_rate",
    "consent_and_win_rate",
    "consent_banner",
    "consent_coverage_of_pipeline",
    "consent_journeys",
    "consent_rate",
    "consent_stock",
    "consent_survival",
    "consent_trend",
    "coverage",
    "created_against_closed",
    "cycle_length",
    "days_since_last_touch",
    "documentation_coverage",
    "email_engagement",
    "email_engagement_over_time",
    "expiring_consents",
    "funnel",
    "loss_reasons",
    "mailed_but_objected",
    "open_actions",
    "open_pipeline_by_consent",
    "people_overlap",
    "pipeline_snapshot",
    "response_time",
    "sales_velocity",
    "stage_durations",
    "time_to_confirm",
    "waterfall",
    "weighted_pipeline",
    "win_cohorts",
    "win_rate",
]
