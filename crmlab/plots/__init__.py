"""Pictures that answer questions: a shared table in, a Plotly figure out, nothing shown or changed.

============================== ================================================= ======================================
figure                         question                                          numbers: `crmlab.analysis`
============================== ================================================= ======================================
`win_rate`                     which share of the closed deals is won, by whom   `pipeline.win_rate`
`pipeline_snapshot`            where are the open deals now                      `pipeline.stage_snapshot`
`closed_by_month`              how many deals are won and lost per month         `pipeline.closed_by_month`
`weighted_pipeline`            what are the open deals worth, and when           `forecast.weighted_pipeline`
`coverage`                     do the open deals cover the quota                 `forecast.coverage`
`funnel`                       how many deals reach each stage                   `stages.funnel`
`stage_durations`              how long do deals stay in each stage              `stages.stage_durations`
`cycle_length`                 how long does winning take                        `cycle.cycle_length`
`sales_velocity`               what does the pipeline bring per day              `cycle.sales_velocity`
`win_cohorts`                  which share of each month's deals is won, when    `cycle.win_cohorts`
`ageing`                       how old are the open deals, which are stuck       `ageing.ageing`
`created_against_closed`       does more come in than goes out                   `flow.created_against_closed`
`waterfall`                    why did the open amount change                    `flow.waterfall`
`loss_reasons`                 why are deals lost                                `flow.loss_reasons`
`activity_heatmap`             at what time of the week is the work done         `activity.heatmap`
`activity_volume`              how much of what is done                          `activity.volume`
`activity_volume_by_owner`     who does how much of what                         `activity.volume_by_owner`
`open_actions`                 what is open, and how long overdue                `actions.open_actions`
`completion_rate`              which share is done on time, by whom              `actions.completion_rate`
`response_time`                how soon do contacts have an answer               `response.response_time`
`activities_per_deal`          how much work do won and lost deals take          `attention.activities_per_deal`
`days_since_last_touch`        what has nobody touched for long                  `attention.days_since_last_touch`
`email_engagement`             which campaigns are opened and clicked            `engagement.email_engagement`
`email_engagement_over_time`   are mailings opened more or less over time        `engagement.email_engagement_over_time`
`consent_trend`                what do people say about being contacted          `consent.trend`
`consent_rate`                 which share of those who decided is opted in      `consent_state.consent_rate`
`consent_stock`                how many consents are in force, who came and left `consent_stock.consent_stock`
`consent_survival`             how long do consents last                         `consent_survival.consent_survival`
`expiring_consents`            which consents become too old soon                `consent_expiry.expiring_consents`
`confirmation_rate`            which share of requests is confirmed              `confirmation.confirmation_rate`
`time_to_confirm`              how long does confirming take                     `confirmation.time_to_confirm`
`documentation_coverage`       which consents can be proven                      `confirmation.documentation_coverage`
`consent_journeys`             what follows what                                 `journey.consent_journeys`
`consent_banner`               what do visitors choose on the banner             `consent.banner`
`banner_rates`                 the same in every vendor's rates                  `banner.banner_rates`
`banner_items`                 which categories and vendors are accepted         `banner.banner_items`
`people_overlap`               how many people do the services share             `people.overlap`
`open_pipeline_by_consent`     what did the people of the open deals say         `joined.open_pipeline_by_consent`
`consent_coverage_of_pipeline` whose deals are with people who decided           `joined.consent_coverage_of_pipeline`
`consent_and_win_rate`         do deals with consent go otherwise                `joined.consent_and_win_rate`
`activities_after_opt_out`     what was done after someone said no               `objection.activities_after_opt_out`
`mailed_but_objected`          who is mailed here but objected there             `objection.mailed_but_objected`
============================== ================================================= ======================================

Every figure is counted in Polars first, so it stays below 1 MB whatever the number of rows.
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
