-- +goose NO TRANSACTION
-- +goose Up

ALTER TABLE runs ADD COLUMN IF NOT EXISTS controlled UInt64 COMMENT 'Replays for which the control was asked and has answered';
ALTER TABLE runs ADD COLUMN IF NOT EXISTS uncontrolled Map(LowCardinality(String), UInt64) COMMENT 'Replays of the control sample without an answer of the control, by reason';

ALTER TABLE stored_controls ADD COLUMN IF NOT EXISTS verdict LowCardinality(String) COMMENT 'Of replay: its verdict; empty = unknown';

CREATE OR REPLACE VIEW controls AS
SELECT * FROM stored_controls FINAL WHERE (run, judgement) IN (SELECT run, judgement FROM current_judgements)
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- The books of the control sample. A run from before these columns has nothing
-- in them, which is no statement.
CREATE OR REPLACE VIEW control_balance AS
SELECT
    r.name AS run, r.controlled + arraySum(mapValues(r.uncontrolled)) AS sampled, r.controlled AS answered,
    r.uncontrolled AS unanswered, c.judged AS judged, sampled = 0 OR answered = judged AS balances
FROM (SELECT name, controlled, uncontrolled FROM runs FINAL) AS r
LEFT JOIN (SELECT run, count() AS judged FROM controls WHERE statistic = 'replay' GROUP BY run) AS c ON c.run = r.name;

-- +goose Down
DROP VIEW IF EXISTS control_balance;
ALTER TABLE stored_controls DROP COLUMN IF EXISTS verdict;
CREATE OR REPLACE VIEW controls AS
SELECT * FROM stored_controls FINAL WHERE (run, judgement) IN (SELECT run, judgement FROM current_judgements)
SETTINGS do_not_merge_across_partitions_select_final = 1;
ALTER TABLE runs DROP COLUMN IF EXISTS uncontrolled;
ALTER TABLE runs DROP COLUMN IF EXISTS controlled;
