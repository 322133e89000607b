-- +goose NO TRANSACTION
-- +goose Up

-- What controlled replays say of the places where control or candidate differs
-- from the recording. A row's identity is its record, its judgement and its
-- number within the replay, so what is written again replaces itself.
CREATE TABLE IF NOT EXISTS stored_controls
(
    run             LowCardinality(String) COMMENT 'Run name',
    exchange_id     String                 COMMENT 'Exchange that was replayed',
    route           LowCardinality(String) COMMENT 'Method and path template',
    path            String                 COMMENT 'Where, with array positions folded: $.items[].price; empty for the row of the replay itself',
    statistic       LowCardinality(String) COMMENT 'What is compared: differs, presence, number, share; replay = this replay has a control',
    word            String                 COMMENT 'Value whose share it is' TTL toDateTime(closed_time) + INTERVAL 30 DAY,
    word_hash       UInt64                 COMMENT 'Hash of the word, which outlives it; 0 = none',
    heads           UInt8                  COMMENT 'It fell to the candidate: it alone differs, has the member, says the word, or its number is the greater',
    tails           UInt8                  COMMENT 'It fell to the control',
    control         UInt8                  COMMENT 'Of differs: the control differs from the recording',
    candidate       UInt8                  COMMENT 'Of differs: the candidate differs from the recording',
    closed_time     DateTime64(9, 'UTC')   COMMENT 'When the observation was closed',
    kafka_partition Int32                  COMMENT 'Partition of the replay record',
    kafka_offset    Int64                  COMMENT 'Offset of the replay record',
    topic_id        LowCardinality(String) COMMENT 'Id of the Kafka topic of the replay record; empty = unknown',
    judgement       LowCardinality(String) COMMENT 'Judgement that the row belongs to, see judgements; empty = unknown',
    number          UInt32                 COMMENT 'Which of the rows of the replay'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(closed_time)
ORDER BY (run, judgement, topic_id, kafka_partition, kafka_offset, number)
TTL toDateTime(closed_time) + INTERVAL 180 DAY;

CREATE OR REPLACE VIEW controls AS
SELECT * FROM stored_controls FINAL WHERE (run, judgement) IN (SELECT run, judgement FROM current_judgements)
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW coins AS
SELECT run, route, path, statistic, max(c.word) AS word, sum(c.heads) AS heads, sum(c.tails) AS tails, judgement
FROM controls AS c
WHERE statistic != 'replay'
GROUP BY run, judgement, route, path, statistic, word_hash;

-- A place is volatile when the baseline differs from itself there.
CREATE OR REPLACE VIEW volatile AS
SELECT p.run AS run, p.route AS route, p.path AS path, r.controlled AS controlled, p.control AS control, p.candidate AS candidate, p.both AS both, p.judgement AS judgement
FROM
(
    SELECT run, judgement, route, path, sum(c.control) AS control, sum(c.candidate) AS candidate, countIf(c.control = 1 AND c.candidate = 1) AS both
    FROM controls AS c WHERE statistic = 'differs' GROUP BY run, judgement, route, path HAVING control > 0
) AS p
INNER JOIN
(
    SELECT run, judgement, route, count() AS controlled FROM controls WHERE statistic = 'replay' GROUP BY run, judgement, route
) AS r ON r.run = p.run AND r.judgement = p.judgement AND r.route = p.route;

-- +goose Down
DROP VIEW IF EXISTS volatile;
DROP VIEW IF EXISTS coins;
DROP VIEW IF EXISTS controls;
DROP TABLE IF EXISTS stored_controls;
