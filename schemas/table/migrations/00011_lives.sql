-- +goose NO TRANSACTION
-- +goose Up

-- A recorder's name and its start are one life of it. A name that is used again
-- begins another, whose numbers begin at 1.
ALTER TABLE stored_exchanges ADD COLUMN IF NOT EXISTS recorder_start DateTime64(9, 'UTC') COMMENT 'Start of the recorder, which with its name is one life of it; 1970 for imports and what earlier versions wrote';

CREATE OR REPLACE VIEW exchanges AS
SELECT * FROM stored_exchanges FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS stored_tallies
(
    recorder    LowCardinality(String)              COMMENT 'Recorder',
    start_time  DateTime64(9, 'UTC')                COMMENT 'Start of this life of it; 1970 for imports and what earlier versions wrote',
    number      UInt64                              COMMENT 'Position among the tallies of the life',
    time        DateTime64(9, 'UTC')                COMMENT 'When it counted',
    served      UInt64                              COMMENT 'Requests that consumed a sequence number',
    recorded    UInt64                              COMMENT 'Exchanges acknowledged by Kafka',
    pending     UInt64                              COMMENT 'Under way, queued or handed to Kafka',
    spooled     UInt64                              COMMENT 'On the recorder''s disk, to be recorded later',
    dropped     Map(LowCardinality(String), UInt64) COMMENT 'Not recorded, by reason',
    final       Bool                                COMMENT 'The last word of a life that shut down in order',
    closed      Bool                                COMMENT 'Written by a successor, because the life ended without its last word',
    exact       Bool                                COMMENT 'The numbers are exact to the end of a life that was killed',
    interval_ns UInt64                              COMMENT 'Time between two tallies, nanoseconds; 0 = unknown'
)
ENGINE = ReplacingMergeTree(number)
ORDER BY (recorder, start_time)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS tallies
(
    recorder LowCardinality(String), number UInt64, start_time DateTime64(9, 'UTC'), time DateTime64(9, 'UTC'),
    served UInt64, recorded UInt64, pending UInt64, dropped Map(LowCardinality(String), UInt64), final Bool
)
ENGINE = ReplacingMergeTree(number) ORDER BY recorder;

INSERT INTO stored_tallies (recorder, number, time, served, recorded, pending, dropped, final)
SELECT recorder, number, time, served, recorded, pending, dropped, final FROM tallies;

-- From here on the old name is a view.
DROP VIEW IF EXISTS recorder_balance;
DROP TABLE IF EXISTS tallies SYNC SETTINGS max_table_size_to_drop = 0;

CREATE OR REPLACE VIEW tallies AS SELECT * FROM stored_tallies FINAL;

-- ended: it shut down in order. killed: a successor has closed its books, which
-- are exact. unheard: it ended without a word, or is silent for more than three
-- intervals and half a minute; what it served since is unknown, so its books do
-- not hold. Imports and what earlier versions wrote may come twice.
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

-- +goose Down
DROP VIEW IF EXISTS recorder_balance;
DROP VIEW IF EXISTS tallies;
DROP TABLE IF EXISTS stored_tallies;
DROP VIEW IF EXISTS exchanges;
ALTER TABLE stored_exchanges DROP COLUMN IF EXISTS recorder_start;
CREATE OR REPLACE VIEW exchanges AS
SELECT * FROM stored_exchanges FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;
CREATE TABLE IF NOT EXISTS tallies
(
    recorder LowCardinality(String), number UInt64, start_time DateTime64(9, 'UTC'), time DateTime64(9, 'UTC'),
    served UInt64, recorded UInt64, pending UInt64, dropped Map(LowCardinality(String), UInt64), final Bool
)
ENGINE = ReplacingMergeTree(number) ORDER BY recorder;
CREATE OR REPLACE VIEW recorder_balance AS
SELECT
    t.recorder AS recorder, t.final AS final, t.served AS served, t.recorded AS recorded,
    arraySum(mapValues(t.dropped)) AS dropped, t.dropped AS dropped_by_reason, t.pending AS pending,
    e.stored AS stored,
    served = recorded + dropped + pending AND (NOT final OR pending = 0 AND stored = recorded) AS balances
FROM (SELECT * FROM tallies FINAL) AS t
LEFT JOIN (SELECT recorder, uniqExact(sequence) AS stored FROM stored_exchanges GROUP BY recorder) AS e ON e.recorder = t.recorder;
