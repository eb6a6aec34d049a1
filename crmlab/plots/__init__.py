"""Pictures that answer questions: a shared table in, a Plotly figure out, nothing shown or changed.

============================== ====================================================================
figure                         question
============================== ====================================================================
`win_rate`                     Which share of the closed deals do we win, and who wins it?
`pipeline_snapshot`            Where are the open deals now?
`closed_by_month`              How many deals do we win and lose per month?
`weighted_pipeline`            What are the open deals worth, and when are they expected to close?
`coverage`                     Do the open deals cover what is missing of this year's quota?
`funnel`                       How many deals reach each stage?
`stage_durations`              How long do deals stay in each stage?
`cycle_length`                 How long does it take to win a deal?
`sales_velocity`               What does the pipeline bring per day?
`win_cohorts`                  Which share of each month's new deals is won, and after how long?
`ageing`                       How old are the open deals, and which are stuck?
`created_against_closed`       Do more deals come in than go out?
`waterfall`                    Why did the open amount change since the earlier fetch?
`loss_reasons`                 Why are deals lost?
`activity_heatmap`             At what time of the week is the work done?
`activity_volume`              How much is done, and what?
`activity_volume_by_owner`     Who does what, and how much of it?
`open_actions`                 What is still to be done, by whom, and how long is it overdue?
`completion_rate`              Which share of the actions is done on time, and by whom?
`response_time`                How soon after coming in does a contact hear from us?
`activities_per_deal`          How much work do won and lost deals take?
`days_since_last_touch`        Which open deals has nobody touched for long?
`email_engagement`             Which mailings are opened and clicked?
`email_engagement_over_time`   Are mailings opened more or less than they used to be?
`consent_trend`                What do people say about being contacted, and when?
`consent_rate`                 Which share of those who decided is opted in?
`consent_stock`                How many consents are in force, and who came and left?
`consent_survival`             How long do consents last?
`expiring_consents`            Which consents become too old soon?
`confirmation_rate`            Which share of the requests is confirmed?
`time_to_confirm`              How long does confirming take?
`documentation_coverage`       Which consents can be proven?
`consent_journeys`             What do people say first, and what next?
`consent_banner`               What do visitors choose on the banner, and does it change?
`banner_rates`                 How many visitors accept, refuse or choose nothing, on which device?
`banner_items`                 Which categories do visitors accept?
`people_overlap`               How many people do the services share?
`open_pipeline_by_consent`     What did the people of the open deals say about being contacted?
`consent_coverage_of_pipeline` Whose open deals are with people who decided about being contacted?
`consent_and_win_rate`         Are deals with people who opted in won more often?
`activities_after_opt_out`     What was done after someone said no?
`mailed_but_objected`          Who is mailed here but objected there?
============================== ====================================================================

Every figure is counted in Polars first, so it stays below 1 MB whatever the number of rows. Its docstring
names the function of `crmlab.analysis` that counts, `crmlab.catalogue` has the code of both.
"""

from crmlab.plots.actions import completion_rate, open_actions
from crmlab.plots.activity import activity_heatmap, activity_volume, activity_volume_by_owner
from crmlab.plots.attention import activities_per_deal, days_since_last_touch
from crmlab.plots.banner import banner_items, banner_rates
from crmlab.plots.confirmation import confirmation_rate, documentation_coverage, time_to_confirm
from crmlab.plots.consent import consent_banner, consent_trend
from crmlab.plots.consent_state import consent_rate, expiring_consents
from crmlab.plots.consent_stock import consent_stock
from crmlab.plots.consent_survival import consent_survival
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
