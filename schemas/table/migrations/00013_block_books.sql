-- +goose NO TRANSACTION
-- +goose Up

-- The balance at scale. Each part of a table keeps, in a projection, how many
-- rows it has of each block of offsets, and the sum of a hash of what tells the
-- facts apart; roll-ups and totals carry that sum from the facts, each once, that
-- they are made of. Where rows and sums of a block are the same in all three,
-- nothing is there twice, missing or put in by hand. Any other block is counted
-- row by row. What an earlier version wrote has no sums, and is counted so.
ALTER TABLE stored_comparisons_by_minute ADD COLUMN IF NOT EXISTS identities UInt64 COMMENT 'Sum of cityHash64(kafka_offset) of the replays; 0 = unknown';
ALTER TABLE stored_differences_by_minute ADD COLUMN IF NOT EXISTS identities UInt64 COMMENT 'Sum of cityHash64(kafka_offset, number) of the places; 0 = unknown';
ALTER TABLE stored_comparison_totals ADD COLUMN IF NOT EXISTS identities UInt64 COMMENT 'Sum of cityHash64(kafka_offset) of the replays; 0 = unknown';
ALTER TABLE stored_difference_totals ADD COLUMN IF NOT EXISTS identities UInt64 COMMENT 'Sum of cityHash64(kafka_offset, number) of the places; 0 = unknown';

ALTER TABLE stored_comparisons MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild', lightweight_mutation_projection_mode = 'rebuild';
ALTER TABLE stored_differences MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild', lightweight_mutation_projection_mode = 'rebuild';
ALTER TABLE stored_comparisons_by_minute MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild', lightweight_mutation_projection_mode = 'rebuild';
ALTER TABLE stored_differences_by_minute MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild', lightweight_mutation_projection_mode = 'rebuild';
ALTER TABLE stored_exchanges MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild', lightweight_mutation_projection_mode = 'rebuild';

ALTER TABLE stored_comparisons ADD PROJECTION IF NOT EXISTS by_block
(
    SELECT run, judgement, topic_id, kafka_partition, intDiv(kafka_offset, 262144), count(), sum(cityHash64(kafka_offset)),
        sum(toUInt64(toInt64(differences) + noise + presumed - differences_dropped))
    GROUP BY run, judgement, topic_id, kafka_partition, intDiv(kafka_offset, 262144)
);
ALTER TABLE stored_differences ADD PROJECTION IF NOT EXISTS by_block
(
    SELECT run, judgement, topic_id, kafka_partition, intDiv(kafka_offset, 262144), count(), sum(cityHash64(kafka_offset, number))
    GROUP BY run, judgement, topic_id, kafka_partition, intDiv(kafka_offset, 262144)
);
ALTER TABLE stored_comparisons_by_minute ADD PROJECTION IF NOT EXISTS by_block
(
    SELECT run, judgement, topic_id, kafka_partition, intDiv(segment, 32), sum(replays), sum(identities)
    GROUP BY run, judgement, topic_id, kafka_partition, intDiv(segment, 32)
);
ALTER TABLE stored_differences_by_minute ADD PROJECTION IF NOT EXISTS by_block
(
    SELECT run, judgement, topic_id, kafka_partition, intDiv(segment, 32), sum(places), sum(identities)
    GROUP BY run, judgement, topic_id, kafka_partition, intDiv(segment, 32)
);

-- The numbers of a recorder, and the records that they came in, are sets.
ALTER TABLE stored_exchanges ADD PROJECTION IF NOT EXISTS by_life
(
    SELECT recorder, recorder_start, groupBitmap(sequence), max(sequence), max(stored_time) GROUP BY recorder, recorder_start
);
ALTER TABLE stored_exchanges ADD PROJECTION IF NOT EXISTS by_record
(
    SELECT recorder, recorder_start, topic_id, kafka_partition, groupBitmap(toUInt64(kafka_offset)) GROUP BY recorder, recorder_start, topic_id, kafka_partition
);

ALTER TABLE stored_comparisons MATERIALIZE PROJECTION by_block SETTINGS mutations_sync = 0;
ALTER TABLE stored_differences MATERIALIZE PROJECTION by_block SETTINGS mutations_sync = 0;
ALTER TABLE stored_comparisons_by_minute MATERIALIZE PROJECTION by_block SETTINGS mutations_sync = 0;
ALTER TABLE stored_differences_by_minute MATERIALIZE PROJECTION by_block SETTINGS mutations_sync = 0;
ALTER TABLE stored_exchanges MATERIALIZE PROJECTION by_life SETTINGS mutations_sync = 0;
ALTER TABLE stored_exchanges MATERIALIZE PROJECTION by_record SETTINGS mutations_sync = 0;

-- agree says that the cheap count is the exact one. The totals are small, and are
-- read with FINAL.
CREATE OR REPLACE VIEW comparison_blocks AS
SELECT
    run, judgement, topic_id, kafka_partition, b.block AS block,
    sum(b.total) AS replays, sum(b.told) AS places, count() = 3 AND uniqExact((b.n, b.ids)) = 1 AS agree
FROM
(
    SELECT run, judgement, topic_id, kafka_partition, intDiv(kafka_offset, 262144) AS block,
        count() AS n, sum(cityHash64(kafka_offset)) AS ids, 0 AS total, sum(toUInt64(toInt64(differences) + noise + presumed - differences_dropped)) AS told
    FROM stored_comparisons GROUP BY run, judgement, topic_id, kafka_partition, block
    UNION ALL
    SELECT run, judgement, topic_id, kafka_partition, intDiv(segment, 32) AS block, sum(replays), sum(identities), 0, 0
    FROM stored_comparisons_by_minute GROUP BY run, judgement, topic_id, kafka_partition, block
    UNION ALL
    SELECT run, judgement, topic_id, kafka_partition, block, sum(replays) AS s, sum(identities), s, 0
    FROM stored_comparison_totals FINAL GROUP BY run, judgement, topic_id, kafka_partition, block
) AS b
GROUP BY run, judgement, topic_id, kafka_partition, block
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW difference_blocks AS
SELECT
    run, judgement, topic_id, kafka_partition, b.block AS block,
    sum(b.total) AS places, count() = 3 AND uniqExact((b.n, b.ids)) = 1 AS agree
FROM
(
    SELECT run, judgement, topic_id, kafka_partition, intDiv(kafka_offset, 262144) AS block,
        count() AS n, sum(cityHash64(kafka_offset, number)) AS ids, 0 AS total
    FROM stored_differences GROUP BY run, judgement, topic_id, kafka_partition, block
    UNION ALL
    SELECT run, judgement, topic_id, kafka_partition, intDiv(segment, 32) AS block, sum(places), sum(identities), 0
    FROM stored_differences_by_minute GROUP BY run, judgement, topic_id, kafka_partition, block
    UNION ALL
    SELECT run, judgement, topic_id, kafka_partition, block, sum(places) AS s, sum(identities), s
    FROM stored_difference_totals FINAL GROUP BY run, judgement, topic_id, kafka_partition, block
) AS b
GROUP BY run, judgement, topic_id, kafka_partition, block
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW fact_balance AS
SELECT
    run, judgement,
    sum(b.facts) AS comparisons, sum(b.minutes) AS comparisons_by_minute, sum(b.totals) AS comparisons_in_totals,
    sum(b.told) AS places, sum(b.listed) AS differences, sum(b.place_minutes) AS differences_by_minute, sum(b.place_totals) AS differences_in_totals,
    comparisons = comparisons_in_totals AND comparisons_by_minute = comparisons_in_totals
        AND (judgement = '' OR differences = places AND differences_by_minute = places AND differences_in_totals = places) AS balances
FROM
(
    SELECT run, judgement, sumIf(c.replays, agree) AS facts, facts AS minutes, sum(c.replays) AS totals, sumIf(c.places, agree) AS told,
        0 AS listed, 0 AS place_minutes, 0 AS place_totals
    FROM comparison_blocks AS c GROUP BY run, judgement
    UNION ALL
    SELECT run, judgement, sum(e.facts), sum(e.minutes), 0, sum(e.told), 0, 0, 0
    FROM
    (
        SELECT run, judgement, topic_id, kafka_partition, intDiv(kafka_offset, 262144) AS block,
            count() AS facts, 0 AS minutes, sum(toUInt64(toInt64(c.differences) + c.noise + c.presumed - c.differences_dropped)) AS told
        FROM stored_comparisons AS c FINAL GROUP BY run, judgement, topic_id, kafka_partition, block
        UNION ALL
        SELECT run, judgement, topic_id, kafka_partition, intDiv(segment, 32) AS block, 0, sum(replays), 0
        FROM stored_comparisons_by_minute FINAL GROUP BY run, judgement, topic_id, kafka_partition, block
    ) AS e
    WHERE (run, judgement, topic_id, kafka_partition, e.block) IN (SELECT run, judgement, topic_id, kafka_partition, block FROM comparison_blocks WHERE NOT agree)
    GROUP BY run, judgement
    UNION ALL
    SELECT run, judgement, 0, 0, 0, 0, sumIf(d.places, agree) AS listed, listed, sum(d.places)
    FROM difference_blocks AS d GROUP BY run, judgement
    UNION ALL
    SELECT run, judgement, 0, 0, 0, 0, sum(e.facts), sum(e.minutes), 0
    FROM
    (
        SELECT run, judgement, topic_id, kafka_partition, intDiv(kafka_offset, 262144) AS block, count() AS facts, 0 AS minutes
        FROM stored_differences FINAL GROUP BY run, judgement, topic_id, kafka_partition, block
        UNION ALL
        SELECT run, judgement, topic_id, kafka_partition, intDiv(segment, 32) AS block, 0, sum(places)
        FROM stored_differences_by_minute FINAL GROUP BY run, judgement, topic_id, kafka_partition, block
    ) AS e
    WHERE (run, judgement, topic_id, kafka_partition, e.block) IN (SELECT run, judgement, topic_id, kafka_partition, block FROM difference_blocks WHERE NOT agree)
    GROUP BY run, judgement
) AS b
GROUP BY run, judgement
SETTINGS do_not_merge_across_partitions_select_final = 1;

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
    SELECT recorder, recorder_start, sum(l.n_records) AS records, sum(l.n_stored) AS stored, max(l.last) AS highest, max(l.last_time) AS latest
    FROM
    (
        SELECT recorder, recorder_start, 0 AS n_records, groupBitmap(sequence) AS n_stored, max(sequence) AS last, max(stored_time) AS last_time
        FROM stored_exchanges GROUP BY recorder, recorder_start
        UNION ALL
        SELECT recorder, recorder_start, groupBitmap(toUInt64(kafka_offset)), 0, 0, toDateTime64(0, 3, 'UTC')
        FROM stored_exchanges GROUP BY recorder, recorder_start, topic_id, kafka_partition
    ) AS l
    GROUP BY recorder, recorder_start
) AS e ON e.recorder = t.recorder AND e.recorder_start = t.start_time;

-- +goose Down
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
DROP VIEW IF EXISTS comparison_blocks;
DROP VIEW IF EXISTS difference_blocks;
ALTER TABLE stored_exchanges DROP PROJECTION IF EXISTS by_record, DROP PROJECTION IF EXISTS by_life;
ALTER TABLE stored_differences_by_minute DROP PROJECTION IF EXISTS by_block;
ALTER TABLE stored_comparisons_by_minute DROP PROJECTION IF EXISTS by_block;
ALTER TABLE stored_differences DROP PROJECTION IF EXISTS by_block;
ALTER TABLE stored_comparisons DROP PROJECTION IF EXISTS by_block;
ALTER TABLE stored_difference_totals DROP COLUMN IF EXISTS identities;
ALTER TABLE stored_comparison_totals DROP COLUMN IF EXISTS identities;
ALTER TABLE stored_differences_by_minute DROP COLUMN IF EXISTS identities;
ALTER TABLE stored_comparisons_by_minute DROP COLUMN IF EXISTS identities;
