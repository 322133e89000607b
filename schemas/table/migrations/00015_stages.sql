-- +goose NO TRANSACTION
-- +goose Up

-- Which migration, stage and step served an exchange, so that a gate can ask about
-- one stage, and what every step of a migration rested on.
ALTER TABLE stored_comparisons ADD COLUMN IF NOT EXISTS migration LowCardinality(String) COMMENT 'Migration whose gateway served the exchange; empty = none';
ALTER TABLE stored_comparisons ADD COLUMN IF NOT EXISTS stage LowCardinality(String) COMMENT 'Its stage for this request: canary:10%; empty = no gateway chose';
ALTER TABLE stored_comparisons ADD COLUMN IF NOT EXISTS step UInt64 COMMENT 'Number of the step of the migration that held; 0 = none';
ALTER TABLE stored_comparisons ADD COLUMN IF NOT EXISTS decision LowCardinality(String) COMMENT 'Why the gateway chose who served: stage, bucket, rule, rolled_back, …';
ALTER TABLE stored_comparisons ADD COLUMN IF NOT EXISTS served_by LowCardinality(String) COMMENT 'Who served the exchange: baseline, candidate; empty = unknown';
ALTER TABLE stored_comparisons ADD INDEX IF NOT EXISTS by_migration migration TYPE set(16) GRANULARITY 1;

ALTER TABLE stored_exchanges ADD COLUMN IF NOT EXISTS migration LowCardinality(String) COMMENT 'Migration whose gateway served it; empty = none';
ALTER TABLE stored_exchanges ADD COLUMN IF NOT EXISTS stage LowCardinality(String) COMMENT 'Its stage for this request: canary:10%; empty = no gateway chose';
ALTER TABLE stored_exchanges ADD COLUMN IF NOT EXISTS step UInt64 COMMENT 'Number of the step of the migration that held; 0 = none';
ALTER TABLE stored_exchanges ADD COLUMN IF NOT EXISTS decision LowCardinality(String) COMMENT 'Why the gateway chose who served: stage, bucket, rule, rolled_back, …';
ALTER TABLE stored_exchanges ADD COLUMN IF NOT EXISTS attempts UInt32 COMMENT 'Sides that the gateway tried; 0 = no gateway chose';

CREATE OR REPLACE VIEW comparisons AS
SELECT * FROM stored_comparisons FINAL
WHERE run IN (SELECT run FROM current_judgements) AND judgement IN (SELECT judgement FROM current_judgements)
    AND judgement = transform(run, (SELECT groupArray(toString(run)) FROM current_judgements), (SELECT groupArray(toString(judgement)) FROM current_judgements), 'none')
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW all_comparisons AS
SELECT * FROM stored_comparisons FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW exchanges AS
SELECT * FROM stored_exchanges FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS stored_stages
(
    topic_id     LowCardinality(String) COMMENT 'Id of the Kafka topic of the stages',
    migration    LowCardinality(String) COMMENT 'Migration',
    step         UInt64                 COMMENT 'Number of the step, from 1',
    route        String                 COMMENT 'Route that it is about; empty = all that have no step of their own',
    stage        LowCardinality(String) COMMENT 'The stage it led to, as canary:10%; of a rollback the one it led away from',
    weight       UInt32                 COMMENT 'Share of the sessions in a canary, hundredths of a percent',
    rolled_back  Bool                   COMMENT 'Everybody is with the baseline until a resume',
    held         Bool                   COMMENT 'Nothing promotes it until a resume',
    action       LowCardinality(String) COMMENT 'create, promote, hold, rollback, resume',
    who          String                 COMMENT 'Who did it',
    reason       String                 COMMENT 'Why',
    time         DateTime64(9, 'UTC')   COMMENT 'When',
    id           String                 COMMENT 'Id of the step',
    run          String                 COMMENT 'Run whose verdicts the gate had seen; empty = no gate was asked',
    judgement    String                 COMMENT 'Judgement of these verdicts',
    since        UInt64                 COMMENT 'First step whose exchanges counted',
    decision     LowCardinality(String) COMMENT 'What the gate said: promote, hold, roll_back',
    requests     UInt64                 COMMENT 'Requests that it was about',
    plan         String                 COMMENT 'SHA-256 of the plan, hex',
    policy       String                 COMMENT 'SHA-256 of the policy of the gate, hex',
    evidence     String                 COMMENT 'The result of the gate, JSON, without the routes that stood in no way'
)
ENGINE = ReplacingMergeTree
ORDER BY (migration, topic_id, step);

CREATE OR REPLACE VIEW stages AS SELECT * FROM stored_stages FINAL;

-- +goose Down
DROP VIEW IF EXISTS stages;
DROP TABLE IF EXISTS stored_stages;
ALTER TABLE stored_comparisons DROP INDEX IF EXISTS by_migration;
DROP VIEW IF EXISTS comparisons;
DROP VIEW IF EXISTS all_comparisons;
DROP VIEW IF EXISTS exchanges;
ALTER TABLE stored_comparisons DROP COLUMN IF EXISTS migration, DROP COLUMN IF EXISTS stage, DROP COLUMN IF EXISTS step, DROP COLUMN IF EXISTS decision, DROP COLUMN IF EXISTS served_by;
ALTER TABLE stored_exchanges DROP COLUMN IF EXISTS migration, DROP COLUMN IF EXISTS stage, DROP COLUMN IF EXISTS step, DROP COLUMN IF EXISTS decision, DROP COLUMN IF EXISTS attempts;
CREATE OR REPLACE VIEW comparisons AS
SELECT * FROM stored_comparisons FINAL
WHERE run IN (SELECT run FROM current_judgements) AND judgement IN (SELECT judgement FROM current_judgements)
    AND judgement = transform(run, (SELECT groupArray(toString(run)) FROM current_judgements), (SELECT groupArray(toString(judgement)) FROM current_judgements), 'none')
SETTINGS do_not_merge_across_partitions_select_final = 1;
CREATE OR REPLACE VIEW all_comparisons AS
SELECT * FROM stored_comparisons FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;
CREATE OR REPLACE VIEW exchanges AS
SELECT * FROM stored_exchanges FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;
