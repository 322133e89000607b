-- +goose NO TRANSACTION
-- +goose Up

-- One replay, one exchange and one session are found without reading the run.
-- Offsets of a partition and ordinals rise together, so granules hold short
-- ranges of ordinals. What is there gets its index in the background.
ALTER TABLE stored_comparisons
    ADD INDEX IF NOT EXISTS by_ordinal ordinal TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS by_exchange exchange_id TYPE bloom_filter(0.01) GRANULARITY 1,
    ADD INDEX IF NOT EXISTS by_session session TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE stored_comparisons MATERIALIZE INDEX by_ordinal SETTINGS mutations_sync = 0;
ALTER TABLE stored_comparisons MATERIALIZE INDEX by_exchange SETTINGS mutations_sync = 0;
ALTER TABLE stored_comparisons MATERIALIZE INDEX by_session SETTINGS mutations_sync = 0;

ALTER TABLE stored_differences ADD INDEX IF NOT EXISTS by_exchange exchange_id TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE stored_differences MATERIALIZE INDEX by_exchange SETTINGS mutations_sync = 0;

ALTER TABLE stored_exchanges ADD INDEX IF NOT EXISTS by_id id TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE stored_exchanges MATERIALIZE INDEX by_id SETTINGS mutations_sync = 0;

-- +goose Down
ALTER TABLE stored_comparisons DROP INDEX IF EXISTS by_ordinal, DROP INDEX IF EXISTS by_exchange, DROP INDEX IF EXISTS by_session;
ALTER TABLE stored_differences DROP INDEX IF EXISTS by_exchange;
ALTER TABLE stored_exchanges DROP INDEX IF EXISTS by_id;
