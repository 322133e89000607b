-- +goose NO TRANSACTION
-- +goose Up

CREATE TABLE IF NOT EXISTS comparisons_by_minute
(
    run                LowCardinality(String)                      COMMENT 'Run name',
    route              LowCardinality(String)                      COMMENT 'Method and path template',
    verdict            LowCardinality(String)                      COMMENT 'The judgement',
    minute             DateTime('UTC')                             COMMENT 'Minute in which the observation was closed',
    replays            SimpleAggregateFunction(sum, UInt64)        COMMENT 'Replays',
    differences        SimpleAggregateFunction(sum, UInt64)        COMMENT 'Differing places that count',
    noise              SimpleAggregateFunction(sum, UInt64)        COMMENT 'Differing places that are harmless',
    baseline_latency   AggregateFunction(quantilesTDigestIf(0.5, 0.9, 0.99), UInt64, UInt8) COMMENT 'Baseline, to the whole response',
    ack_latency        AggregateFunction(quantilesTDigestIf(0.5, 0.9, 0.99), UInt64, UInt8) COMMENT 'Candidate, to the acknowledgement',
    completion_latency AggregateFunction(quantilesTDigestIf(0.5, 0.9, 0.99), UInt64, UInt8) COMMENT 'Candidate, to the completion'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (run, route, verdict, minute)
TTL minute + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS comparisons_by_minute_mv TO comparisons_by_minute AS
SELECT
    run, route, verdict, toStartOfMinute(toDateTime(closed_time, 'UTC')) AS minute,
    count() AS replays,
    sum(comparisons.differences) AS differences,
    sum(comparisons.noise) AS noise,
    quantilesTDigestIfState(0.5, 0.9, 0.99)(baseline_latency_ns, toUInt8(baseline_latency_ns > 0)) AS baseline_latency,
    quantilesTDigestIfState(0.5, 0.9, 0.99)(ack_latency_ns, toUInt8(ack_latency_ns > 0)) AS ack_latency,
    quantilesTDigestIfState(0.5, 0.9, 0.99)(completion_latency_ns, toUInt8(completion_latency_ns > 0)) AS completion_latency
FROM comparisons
GROUP BY run, route, verdict, minute;

CREATE TABLE IF NOT EXISTS differences_by_minute
(
    run         LowCardinality(String)               COMMENT 'Run name',
    route       LowCardinality(String)               COMMENT 'Method and path template',
    path        String                               COMMENT 'Where, with array positions folded',
    kind        LowCardinality(String)               COMMENT 'How it differs',
    noise_class LowCardinality(String)               COMMENT 'Class of a harmless difference; empty = it counts',
    minute      DateTime('UTC')                      COMMENT 'Minute in which the observation was closed',
    places      SimpleAggregateFunction(sum, UInt64) COMMENT 'Differing places'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (run, noise_class, route, path, kind, minute)
TTL minute + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS differences_by_minute_mv TO differences_by_minute AS
SELECT run, route, path, kind, noise_class, toStartOfMinute(toDateTime(closed_time, 'UTC')) AS minute, count() AS places
FROM differences
GROUP BY run, route, path, kind, noise_class, minute;

-- +goose Down
DROP VIEW IF EXISTS differences_by_minute_mv;
DROP TABLE IF EXISTS differences_by_minute;
DROP VIEW IF EXISTS comparisons_by_minute_mv;
DROP TABLE IF EXISTS comparisons_by_minute;
