-- +goose NO TRANSACTION
-- +goose Up

-- The books of the tables: every fact, told apart by its identity, stands in
-- roll-ups and totals, and a comparison has as many rows of differences as it
-- says. Each is counted where it stands; of the facts only sort keys and numbers
-- are read. What an earlier version had written without a judgement says nothing
-- of its differences.
CREATE OR REPLACE VIEW fact_balance AS
SELECT
    run, judgement,
    sum(b.facts) AS comparisons, sum(b.minutes) AS comparisons_by_minute, sum(b.totals) AS comparisons_in_totals,
    sum(b.told) AS places, sum(b.listed) AS differences, sum(b.place_minutes) AS differences_by_minute, sum(b.place_totals) AS differences_in_totals,
    comparisons = comparisons_in_totals AND comparisons_by_minute = comparisons_in_totals
        AND (judgement = '' OR differences = places AND differences_by_minute = places AND differences_in_totals = places) AS balances
FROM
(
    SELECT run, judgement, count() AS facts, 0 AS minutes, 0 AS totals,
        sum(toUInt64(toInt64(c.differences) + c.noise + c.presumed - c.differences_dropped)) AS told, 0 AS listed, 0 AS place_minutes, 0 AS place_totals
    FROM stored_comparisons AS c FINAL GROUP BY run, judgement
    UNION ALL
    SELECT run, judgement, 0, sum(m.replays), 0, 0, 0, 0, 0 FROM stored_comparisons_by_minute AS m FINAL GROUP BY run, judgement
    UNION ALL
    SELECT run, judgement, 0, 0, sum(t.replays), 0, 0, 0, 0 FROM stored_comparison_totals AS t FINAL GROUP BY run, judgement
    UNION ALL
    SELECT run, judgement, 0, 0, 0, 0, count(), 0, 0 FROM stored_differences FINAL GROUP BY run, judgement
    UNION ALL
    SELECT run, judgement, 0, 0, 0, 0, 0, sum(m.places), 0 FROM stored_differences_by_minute AS m FINAL GROUP BY run, judgement
    UNION ALL
    SELECT run, judgement, 0, 0, 0, 0, 0, 0, sum(t.places) FROM stored_difference_totals AS t FINAL GROUP BY run, judgement
) AS b
GROUP BY run, judgement
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- Facts expire after 180 days, roll-ups and totals later: of a run that is older
-- the tables are not asked to agree. There is no join, so that a question about
-- one run reads the rows of that run.
CREATE OR REPLACE VIEW run_balance AS
SELECT
    run, max(b.run_state) AS state,
    sum(b.n_selected) AS selected, sum(b.n_replayed) AS replayed, sum(b.n_skipped) AS skipped,
    sum(b.n_written) AS written, sum(b.n_orphans) AS orphans,
    sum(b.t_judged) AS judged, sum(b.t_skipped) AS judged_skipped, sum(b.t_orphans) AS judged_orphans,
    selected = replayed + skipped
        AND written = replayed + skipped + orphans
        AND judged = replayed AND judged_skipped = skipped AND judged_orphans = orphans
        AND (expired OR max(b.disagree) = 0) AS balances,
    max(b.f_judgement) AS judgement,
    sum(b.f1) AS comparisons, sum(b.f2) AS comparisons_by_minute, sum(b.f3) AS comparisons_in_totals,
    sum(b.f4) AS places, sum(b.f5) AS differences, sum(b.f6) AS differences_by_minute, sum(b.f7) AS differences_in_totals,
    max(b.old) AS expired
FROM
(
    SELECT
        toString(name) AS run, 1 AS known, toString(state) AS run_state, start_time < now() - INTERVAL 180 DAY AS old,
        selected AS n_selected, replayed AS n_replayed, arraySum(mapValues(runs.skipped)) AS n_skipped, written AS n_written, orphans AS n_orphans,
        0 AS t_judged, 0 AS t_skipped, 0 AS t_orphans,
        '' AS f_judgement, 0 AS f1, 0 AS f2, 0 AS f3, 0 AS f4, 0 AS f5, 0 AS f6, 0 AS f7, 0 AS disagree
    FROM runs FINAL
    UNION ALL
    SELECT
        toString(run), 0, '', 0, 0, 0, 0, 0, 0,
        sumIf(replays, verdict NOT IN ('skipped', 'orphan')), sumIf(replays, verdict = 'skipped'), sumIf(replays, verdict = 'orphan'),
        '', 0, 0, 0, 0, 0, 0, 0, 0
    FROM comparison_totals GROUP BY run
    UNION ALL
    SELECT
        toString(run), 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0,
        toString(judgement), comparisons, comparisons_by_minute, comparisons_in_totals, places, differences, differences_by_minute, differences_in_totals, NOT balances
    FROM fact_balance WHERE (run, judgement) IN (SELECT run, judgement FROM current_judgements)
) AS b
GROUP BY run HAVING max(b.known) = 1;

-- A life of which there is no tally at all, though there are exchanges of it, is
-- like one whose last tally was its latest exchange: its interval is taken to be
-- the default, 10 s.
CREATE OR REPLACE VIEW recorder_balance AS
SELECT
    if(untallied, e.recorder, t.recorder) AS recorder, t.final AS final, t.served AS served, t.recorded AS recorded,
    arraySum(mapValues(t.dropped)) AS dropped, t.dropped AS dropped_by_reason, t.pending AS pending,
    e.stored AS stored,
    (untallied OR served = recorded + dropped + spooled + pending)
        AND (records <= stored OR start_time = toDateTime64(0, 9, 'UTC'))
        AND multiIf(
            state = 'ended', pending = 0 AND stored = recorded AND highest <= served,
            state = 'killed', pending = 0 AND stored BETWEEN recorded AND recorded + dropped_by_reason['killed'] AND highest <= served,
            state = 'running') AS balances,
    if(untallied, e.recorder_start, t.start_time) AS start_time, t.spooled AS spooled, e.records AS records, e.highest AS highest,
    multiIf(
        untallied, if(now64(9) > e.latest + toIntervalSecond(60), 'unheard', 'running'),
        t.final, 'ended',
        t.closed AND t.exact, 'killed',
        t.closed OR now64(9) > t.time + toIntervalNanosecond(3 * t.interval_ns) + toIntervalSecond(30), 'unheard',
        'running') AS state,
    t.there = 0 AS untallied
FROM (SELECT *, 1 AS there FROM stored_tallies FINAL) AS t
FULL JOIN
(
    SELECT recorder, recorder_start, uniqExact(cityHash64(topic_id, kafka_partition, kafka_offset)) AS records, uniqExact(sequence) AS stored,
        max(sequence) AS highest, max(stored_time) AS latest
    FROM stored_exchanges GROUP BY recorder, recorder_start
) AS e ON e.recorder = t.recorder AND e.recorder_start = t.start_time;

-- +goose Down
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
    SELECT run, sumIf(replays, verdict NOT IN ('skipped', 'orphan')) AS judged,
           sumIf(replays, verdict = 'skipped') AS skipped, sumIf(replays, verdict = 'orphan') AS orphans
    FROM comparison_totals GROUP BY run
) AS c ON c.run = r.name;
DROP VIEW IF EXISTS fact_balance;
CREATE OR REPLACE VIEW recorder_balance AS
SELECT
    t.recorder AS recorder, t.final AS final, t.served AS served, t.recorded AS recorded,
    arraySum(mapValues(t.dropped)) AS dropped, t.dropped AS dropped_by_reason, t.pending AS pending,
    e.stored AS stored,
    served = recorded + dropped + spooled + pending
        AND (records <= stored OR t.start_time = toDateTime64(0, 9, 'UTC'))
        AND multiIf(
            state = 'ended', pending = 0 AND stored = recorded AND highest <= served,
            state = 'killed', pending = 0 AND stored BETWEEN recorded AND recorded + dropped_by_reason['killed'] AND highest <= served,
            state = 'running') AS balances,
    t.start_time AS start_time, t.spooled AS spooled, e.records AS records, e.highest AS highest,
    multiIf(
        t.final, 'ended',
        t.closed AND t.exact, 'killed',
        t.closed OR now64(9) > t.time + toIntervalNanosecond(3 * t.interval_ns) + toIntervalSecond(30), 'unheard',
        'running') AS state
FROM (SELECT * FROM stored_tallies FINAL) AS t
LEFT JOIN
(
    SELECT recorder, recorder_start, uniqExact(cityHash64(topic_id, kafka_partition, kafka_offset)) AS records, uniqExact(sequence) AS stored,
        max(sequence) AS highest
    FROM stored_exchanges GROUP BY recorder, recorder_start
) AS e ON e.recorder = t.recorder AND e.recorder_start = t.start_time;
