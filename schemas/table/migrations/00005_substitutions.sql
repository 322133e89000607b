-- +goose NO TRANSACTION
-- +goose Up

CREATE TABLE IF NOT EXISTS substitutions
(
    run             LowCardinality(String) COMMENT 'Run name',
    exchange_id     String                 COMMENT 'Exchange that was replayed',
    ordinal         UInt64                 COMMENT 'Position in the schedule of the run, from 1',
    route           LowCardinality(String) COMMENT 'Method and path template',
    kind            LowCardinality(String) COMMENT 'What the names name: order; empty = unknown',
    recorded        String                 COMMENT 'What the baseline calls it' TTL toDateTime(closed_time) + INTERVAL 30 DAY,
    candidate       String                 COMMENT 'What the candidate calls it' TTL toDateTime(closed_time) + INTERVAL 30 DAY,
    proof           LowCardinality(String) COMMENT 'What shows that they name one thing: created, aligned',
    uses            UInt32                 COMMENT 'How often it was put into the request',
    learned_from    String                 COMMENT 'Exchange that taught the pair',
    broken_by       String                 COMMENT 'Exchange whose answers contradicted it; empty = it holds',
    closed_time     DateTime64(9, 'UTC')   COMMENT 'When the observation was closed',
    kafka_partition Int32                  COMMENT 'Partition of the replay record',
    kafka_offset    Int64                  COMMENT 'Offset of the replay record'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(closed_time)
ORDER BY (run, kind, exchange_id)
TTL toDateTime(closed_time) + INTERVAL 180 DAY
SETTINGS non_replicated_deduplication_window = 10000;

-- +goose Down
DROP TABLE IF EXISTS substitutions;
