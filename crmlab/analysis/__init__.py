"""Questions answered with frames: shared tables in, one tidy frame out, nothing changed or shown.

Every function is here, `crmlab.plots` draws most of them under the same name, and `crmlab.catalogue` says which
question each answers.

Each takes what `crmlab.fetch` returns in the place of its frames: ``analysis.win_rate(data)``. It then knows of which
period the tables are, and what needs everything (open deals, consents in force, objections, people) refuses a fetch
with `since` or `until`, which lacks what nobody touched. A frame by itself (``data.deals``) cannot know, and counts as
whole.

Every answer about consent goes by the same evidence: events, subscriptions and `do_not_contact`, as far as a fetch has
them or they are given by name. `current_consent` says what a decision is, for all of them.

A lazy frame stays one until it is read, and of it the columns are read that the answer needs. A question may read it
several times; what is dear to make is collected before. Tables of several million rows are read a part of the contacts,
people or deals at a time where the answer goes by them: memory is then that of a part.

Four rules hold everywhere: amounts of several currencies are never added, an amount that is NaN or infinite counts as
none, a rate comes with the numbers it was made of, and a rate of nothing is null, not 0. "Now" is never read: where a
moment matters it is an argument.
"""

from crmlab.analysis.actions import completion_rate, open_actions
from crmlab.analysis.activity import activity_heatmap, activity_volume, activity_volume_by_owner
from crmlab.analysis.after_opt_out import activities_after_opt_out
from crmlab.analysis.age import ageing
from crmlab.analysis.attention import activities_per_deal, days_since_last_touch
from crmlab.analysis.banner import banner_items, banner_rates
from crmlab.analysis.confirmation import confirmation_rate, documentation_coverage, time_to_confirm
from crmlab.analysis.consent import consent_banner, consent_kinds, consent_trend
from crmlab.analysis.consent_duration import consent_survival
from crmlab.analysis.consent_expiry import expiring_consents
from crmlab.analysis.consent_growth import consent_stock
from crmlab.analysis.consent_rates import consent_rate
from crmlab.analysis.consent_state import current_consent
from crmlab.analysis.cycle import cycle_length, sales_velocity, win_cohorts
from crmlab.analysis.engagement import email_engagement, email_engagement_over_time
from crmlab.analysis.flow import created_against_closed, loss_reasons, waterfall
from crmlab.analysis.forecast import coverage, weighted_pipeline
from crmlab.analysis.history import slippage, stage_history
from crmlab.analysis.identity import people, people_overlap, same_name
from crmlab.analysis.joined import (
    consent_and_win_rate,
    consent_coverage_of_pipeline,
    open_pipeline_by_consent,
)
from crmlab.analysis.journey import consent_journeys
from crmlab.analysis.matching import evidence, evidence_left_out, evidence_links
from crmlab.analysis.objection import mailed_but_objected
from crmlab.analysis.owners import with_owner
from crmlab.analysis.pipeline import closed_by_month, pipeline_snapshot, win_rate
from crmlab.analysis.response import response_time
from crmlab.analysis.stages import funnel, stage_durations, stage_win_rates
from crmlab.analysis.survival import kaplan_meier, with_band

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
    "consent_kinds",
    "consent_rate",
    "consent_stock",
    "consent_survival",
    "consent_trend",
    "coverage",
    "created_against_closed",
    "current_consent",
    "cycle_length",
    "days_since_last_touch",
    "documentation_coverage",
    "email_engagement",
    "email_engagement_over_time",
    "evidence",
    "evidence_left_out",
    "evidence_links",
    "expiring_consents",
    "funnel",
    "kaplan_meier",
    "loss_reasons",
    "mailed_but_objected",
    "open_actions",
    "open_pipeline_by_consent",
    "people",
    "people_overlap",
    "pipeline_snapshot",
    "response_time",
    "sales_velocity",
    "same_name",
    "slippage",
    "stage_durations",
    "stage_history",
    "stage_win_rates",
    "time_to_confirm",
    "waterfall",
    "weighted_pipeline",
    "win_cohorts",
    "win_rate",
    "with_band",
    "with_owner",
]
