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

-- A pair in a set is looked up for each row, which takes longer than reading it.
-- What depends on the run alone is found for each run once; the two sets choose
-- what is read at all.
CREATE OR REPLACE VIEW comparisons AS
SELECT * FROM stored_comparisons FINAL
WHERE run IN (SELECT run FROM current_judgements) AND judgement IN (SELECT judgement FROM current_judgements)
    AND judgement = transform(run, (SELECT groupArray(toString(run)) FROM current_judgements), (SELECT groupArray(toString(judgement)) FROM current_judgements), 'none')
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW differences AS
SELECT * FROM stored_differences FINAL
WHERE run IN (SELECT run FROM current_judgements) AND judgement IN (SELECT judgement FROM current_judgements)
    AND judgement = transform(run, (SELECT groupArray(toString(run)) FROM current_judgements), (SELECT groupArray(toString(judgement)) FROM current_judgements), 'none')
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- +goose Down
CREATE OR REPLACE VIEW comparisons AS
SELECT * FROM stored_comparisons FINAL WHERE (run, judgement) IN (SELECT run, judgement FROM current_judgements)
SETTINGS do_not_merge_across_partitions_select_final = 1;
CREATE OR REPLACE VIEW differences AS
SELECT * FROM stored_differences FINAL WHERE (run, judgement) IN (SELECT run, judgement FROM current_judgements)
SETTINGS do_not_merge_across_partitions_select_final = 1;
ALTER TABLE stored_comparisons DROP INDEX IF EXISTS by_ordinal, DROP INDEX IF EXISTS by_exchange, DROP INDEX IF EXISTS by_session;
ALTER TABLE stored_differences DROP INDEX IF EXISTS by_exchange;
ALTER TABLE stored_exchanges DROP INDEX IF EXISTS by_id;
