-- +goose NO TRANSACTION
-- +goose Up

CREATE OR REPLACE VIEW discrepancies AS
SELECT * FROM differences WHERE noise_class = '';

CREATE OR REPLACE VIEW noise AS
SELECT * FROM differences WHERE noise_class != '';

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
    if(judged = 0, 0, match / judged) AS match_rate
FROM comparisons
GROUP BY run, route;

-- Milliseconds; 0 = unknown.
CREATE OR REPLACE VIEW latency AS
SELECT
    run, route,
    count() AS replays,
    ifNotFinite(round(quantileIf(0.5)(baseline_latency_ns, baseline_latency_ns > 0) / 1e6, 3), 0) AS baseline_p50_ms,
    ifNotFinite(round(quantileIf(0.99)(baseline_latency_ns, baseline_latency_ns > 0) / 1e6, 3), 0) AS baseline_p99_ms,
    ifNotFinite(round(quantileIf(0.5)(ack_latency_ns, ack_latency_ns > 0) / 1e6, 3), 0) AS ack_p50_ms,
    ifNotFinite(round(quantileIf(0.99)(ack_latency_ns, ack_latency_ns > 0) / 1e6, 3), 0) AS ack_p99_ms,
    ifNotFinite(round(quantileIf(0.5)(completion_latency_ns, completion_latency_ns > 0) / 1e6, 3), 0) AS completion_p50_ms,
    ifNotFinite(round(quantileIf(0.99)(completion_latency_ns, completion_latency_ns > 0) / 1e6, 3), 0) AS completion_p99_ms,
    countIf(channel NOT IN ('immediate', '')) AS asynchronous
FROM comparisons
WHERE verdict NOT IN ('skipped', 'orphan')
GROUP BY run, route;

-- The example is one row: its first in Kafka whose values have not expired.
CREATE OR REPLACE VIEW top_discrepancies AS
SELECT
    run, route, path, kind, places, replays,
    tupleElement(example, 1) AS example_baseline,
    tupleElement(example, 2) AS example_candidate,
    tupleElement(example, 3) AS example_exchange
FROM
(
    SELECT
        run, route, path, kind,
        count() AS places,
        uniqExact(exchange_id) AS replays,
        argMin((baseline, candidate, exchange_id), (baseline = '' AND candidate = '', kafka_partition, kafka_offset, location)) AS example
    FROM differences
    WHERE noise_class = ''
    GROUP BY run, route, path, kind
);

CREATE OR REPLACE VIEW run_balance AS
SELECT
    r.name AS run, r.state AS state,
    r.selected AS selected, r.replayed AS replayed, arraySum(mapValues(r.skipped)) AS skipped,
    r.written AS written, r.orphans AS orphans,
    c.judged AS judged, c.skipped AS judged_skipped, c.orphans AS judged_orphans,
    selected = replayed + skipped
        AND written = replayed + skipped + orphans
        AND judged = replayed AND judged_skipped = skipped AND judged_orphans = orphans AS balances
FROM (SELECT * FROM runs FINAL) AS r
LEFT JOIN
(
    SELECT run, countIf(verdict NOT IN ('skipped', 'orphan')) AS judged,
           countIf(verdict = 'skipped') AS skipped, countIf(verdict = 'orphan') AS orphans
    FROM comparisons GROUP BY run
) AS c ON c.run = r.name;

CREATE OR REPLACE VIEW recorder_balance AS
SELECT
    t.recorder AS recorder, t.final AS final, t.served AS served, t.recorded AS recorded,
    arraySum(mapValues(t.dropped)) AS dropped, t.dropped AS dropped_by_reason, t.pending AS pending,
    e.stored AS stored,
    served = recorded + dropped + pending AND (NOT final OR pending = 0 AND stored = recorded) AS balances
FROM (SELECT * FROM tallies FINAL) AS t
LEFT JOIN (SELECT recorder, uniqExact(sequence) AS stored FROM exchanges GROUP BY recorder) AS e ON e.recorder = t.recorder;

-- +goose Down
DROP VIEW IF EXISTS recorder_balance;
DROP VIEW IF EXISTS run_balance;
DROP VIEW IF EXISTS top_discrepancies;
DROP VIEW IF EXISTS latency;
DROP VIEW IF EXISTS scorecard;
DROP VIEW IF EXISTS noise;
DROP VIEW IF EXISTS discrepancies;
