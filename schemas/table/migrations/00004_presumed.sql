-- +goose NO TRANSACTION
-- +goose Up

ALTER TABLE comparisons ADD COLUMN IF NOT EXISTS presumed UInt32 COMMENT 'Differing places that only their name or shape explains';
ALTER TABLE comparisons ADD COLUMN IF NOT EXISTS rejected_by LowCardinality(String) COMMENT 'The side that refused what the other accepted: baseline, candidate; empty = neither';
ALTER TABLE comparisons ADD COLUMN IF NOT EXISTS incomplete LowCardinality(String) COMMENT 'What was not compared, and why; empty = nothing';
ALTER TABLE comparisons COMMENT COLUMN verdict 'The judgement: match, mismatch, rejected, lost, late, duplicate, contradictory, out_of_order, orphan, error, skipped, incomplete, presumed';
ALTER TABLE comparisons COMMENT COLUMN differences 'Differing places that count, kept or not';
ALTER TABLE comparisons COMMENT COLUMN noise 'Differing places classified as harmless, kept or not';
ALTER TABLE differences COMMENT COLUMN place 'status, header, body, trailer, completion, transport';
ALTER TABLE differences COMMENT COLUMN noise_class 'Class of a difference that does not count as one; presumed:… = nothing proves it harmless; empty = it counts';

ALTER TABLE comparisons_by_minute ADD COLUMN IF NOT EXISTS presumed SimpleAggregateFunction(sum, UInt64) COMMENT 'Differing places that only their name or shape explains';
ALTER TABLE comparisons_by_minute_mv MODIFY QUERY
SELECT
    run, route, verdict, toStartOfMinute(toDateTime(closed_time, 'UTC')) AS minute,
    count() AS replays,
    sum(comparisons.differences) AS differences,
    sum(comparisons.noise) AS noise,
    quantilesTDigestIfState(0.5, 0.9, 0.99)(baseline_latency_ns, toUInt8(baseline_latency_ns > 0)) AS baseline_latency,
    quantilesTDigestIfState(0.5, 0.9, 0.99)(ack_latency_ns, toUInt8(ack_latency_ns > 0)) AS ack_latency,
    quantilesTDigestIfState(0.5, 0.9, 0.99)(completion_latency_ns, toUInt8(completion_latency_ns > 0)) AS completion_latency,
    sum(comparisons.presumed) AS presumed
FROM comparisons
GROUP BY run, route, verdict, minute;

CREATE OR REPLACE VIEW noise AS
SELECT * FROM differences WHERE noise_class != '' AND NOT startsWith(noise_class, 'presumed:');

CREATE OR REPLACE VIEW presumed AS
SELECT * FROM differences WHERE startsWith(noise_class, 'presumed:');

-- A rate is of all that was selected: what was skipped did not match.
CREATE OR REPLACE VIEW scorecard AS
SELECT
    run, route,
    count() AS replays,
    countIf(verdict = 'match') AS match,
    countIf(verdict = 'mismatch') AS mismatch,
    countIf(verdict = 'rejected') AS rejected,
    countIf(verdict = 'lost') AS lost,
    countIf(verdict = 'late') AS late,
    countIf(verdict = 'duplicate') AS duplicate,
    countIf(verdict = 'contradictory') AS contradictory,
    countIf(verdict = 'out_of_order') AS out_of_order,
    countIf(verdict = 'orphan') AS orphan,
    countIf(verdict = 'error') AS error,
    countIf(verdict = 'skipped') AS skipped,
    countIf(verdict NOT IN ('skipped', 'orphan')) AS judged,
    if(selected = 0, 0, match / selected) AS match_rate,
    countIf(verdict = 'incomplete') AS incomplete,
    countIf(verdict = 'presumed') AS presumed,
    countIf(rejected_by = 'baseline') AS rejected_by_baseline,
    countIf(rejected_by = 'candidate') AS rejected_by_candidate,
    countIf(verdict != 'orphan') AS selected
FROM comparisons
GROUP BY run, route;

-- Milliseconds; 0 = unknown, inf = longer than the wait. What never came
-- counts as longer than all that came, so that quantiles are of all requests
-- and not of those that survived. They are exact and take no mean of two
-- values, of which one may be without end.
CREATE OR REPLACE VIEW latency AS
WITH 18446744073709551615 AS never
SELECT
    run, route, replays,
    if(baseline_all = 0, 0, if(baseline_q[1] = never, inf, round(baseline_q[1] / 1e6, 3))) AS baseline_p50_ms,
    if(baseline_all = 0, 0, if(baseline_q[2] = never, inf, round(baseline_q[2] / 1e6, 3))) AS baseline_p99_ms,
    if(ack_all = 0, 0, if(ack_q[1] = never, inf, round(ack_q[1] / 1e6, 3))) AS ack_p50_ms,
    if(ack_all = 0, 0, if(ack_q[2] = never, inf, round(ack_q[2] / 1e6, 3))) AS ack_p99_ms,
    if(completion_all = 0, 0, if(completion_q[1] = never, inf, round(completion_q[1] / 1e6, 3))) AS completion_p50_ms,
    if(completion_all = 0, 0, if(completion_q[2] = never, inf, round(completion_q[2] / 1e6, 3))) AS completion_p99_ms,
    asynchronous,
    lost
FROM
(
    SELECT
        run, route, count() AS replays,
        countIf(baseline > 0) AS baseline_all, countIf(ack > 0) AS ack_all, countIf(completion > 0) AS completion_all,
        quantilesExactIf(0.5, 0.99)(baseline, baseline > 0) AS baseline_q,
        quantilesExactIf(0.5, 0.99)(ack, ack > 0) AS ack_q,
        quantilesExactIf(0.5, 0.99)(completion, completion > 0) AS completion_q,
        countIf(later) AS asynchronous,
        countIf(completion = never) AS lost
    FROM
    (
        SELECT
            run, route, channel NOT IN ('immediate', '') AS later,
            if(verdict = 'error' AND baseline_status = 0, never, baseline_latency_ns) AS baseline,
            if(verdict = 'error' AND ack_latency_ns = 0, never, ack_latency_ns) AS ack,
            if(verdict IN ('lost', 'error') AND completion_latency_ns = 0, never, completion_latency_ns) AS completion
        FROM comparisons
        WHERE verdict NOT IN ('skipped', 'orphan')
    )
    GROUP BY run, route
);

-- +goose Down
DROP VIEW IF EXISTS presumed;
