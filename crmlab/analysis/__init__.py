"""Questions answered with frames: shared tables in, one tidy frame out, nothing changed or shown.

=========================================  ==================================================
`pipeline.win_rate`                        won, lost and win rate, by number and by amount
`pipeline.stage_snapshot`                  open deals and their amount in each stage, now
`pipeline.closed_by_month`                 deals won and lost per month of closing
`forecast.weighted_pipeline`               open deals by expected month: raw and weighted amount
`forecast.coverage`                        open amount per what is missing of a quota
`history.stage_history`                    each deal's stays in stages, from repeated fetches
`history.slippage`                         how often and how far expected closes were moved
`stages.funnel`                            deals that reached each stage, and how their stays ended
`stages.stage_durations`                   days in each stage, open stays counted (Kaplan-Meier)
`stages.stage_win_rates`                   share won of the deals that passed each stage
`cycle.cycle_length`                       days from creating to winning: mean, median, p90
`cycle.sales_velocity`                     what the pipeline brings per day
`cycle.win_cohorts`                        cumulative share won by month of creating
`ageing.ageing`                            open deals by age, and which are stuck
`flow.created_against_closed`              created, won, lost per month
`flow.waterfall`                           how the open amount changed between two fetches
`flow.loss_reasons`                        why deals are lost
`activity.heatmap`                         activities by weekday and hour of a named time zone
`activity.volume`                          activities per period and kind
`activity.volume_by_owner`                 activities of each owner and kind
`actions.open_actions`                     open actions of each owner: overdue for how long, upcoming
`actions.completion_rate`                  actions done on time / due
`response.response_time`                   wait for the first call or meeting, still waiting counted
`attention.activities_per_deal`            activities until close, won deals against lost
`attention.days_since_last_touch`          open deals or contacts: recent, stale, never touched
`engagement.email_engagement`              sent, opened, clicked and their rates, by campaign
`engagement.email_engagement_over_time`    the same by period of sending
`owners.with_owner`                        a column with the owner's name, to group by
`consent.trend`                            consent events per period and kind
`vocabulary.kinds`                         how each kind of consent event is read, and which are unknown
`consent_state.current_state`              what each person last said about each channel
`consent_state.consent_rate`               opted in / who decided, and who decided / all contacts
`consent_stock.consent_stock`              consents in force, who came and left per period
`consent_survival.consent_survival`        how long consents last
`consent_expiry.expiring_consents`         which consents become too old in the next days
`confirmation.confirmation_rate`           share of requests confirmed within some days
`confirmation.time_to_confirm`             how long confirming takes
`confirmation.documentation_coverage`      which consents in force can be proven
`journey.consent_journeys`                 what follows what
`consent.banner`                           visitors exposed, opt-ins and opt-outs per day
`banner.banner_rates`                      what visitors chose, in every vendor's rates
`banner.banner_items`                      which categories and vendors visitors accept
`people.people`                            who is the same person across services
`people.same_name`                         who may be, by name: suggestions only
`people.overlap`                           how many people which services share
`evidence.links`                           which address or number links two contacts
`joined.open_pipeline_by_consent`          the open amount by what its people said
`joined.consent_coverage_of_pipeline`      for each owner, whose people have decided
`joined.consent_and_win_rate`              win rate of people with and without consent
`objection.activities_after_opt_out`       what was done after someone said no, with evidence
`objection.mailed_but_objected`            who is mailed here but objected there
`survival.kaplan_meier`                    the share that still waits, or still lasts
=========================================  ==================================================

Three rules hold everywhere: amounts of several currencies are never added, a rate comes with the
numbers it was made of, and a rate of nothing is null, not 0. "Now" is never read: where a moment
matters it is an argument.
"""

from crmlab.analysis import (
    actions,
    activity,
    ageing,
    attention,
    banner,
    confirmation,
    consent,
    consent_expiry,
    consent_state,
    consent_stock,
    consent_survival,
    cycle,
    engagement,
    evidence,
    flow,
    forecast,
    history,
    joined,
    journey,
    objection,
    owners,
    people,
    period,
    pipeline,
    response,
    stages,
    survival,
    vocabulary,
)

__all__ = [
    "actions",
    "activity",
    "ageing",
    "attention",
    "banner",
    "confirmation",
    "consent",
    "consent_expiry",
    "consent_state",
    "consent_stock",
    "consent_survival",
    "cycle",
    "engagement",
    "evidence",
    "flow",
    "forecast",
    "history",
    "joined",
    "journey",
    "objection",
    "owners",
    "people",
    "period",
    "pipeline",
    "response",
    "stages",
    "survival",
    "vocabulary",
]
