-- +goose NO TRANSACTION
-- +goose Up

ALTER TABLE stored_exchanges ADD COLUMN IF NOT EXISTS headers Map(LowCardinality(String), String) COMMENT 'Request headers that record.index_headers names, as recorded: name in lower case → value, cut at 256 bytes with …; secrets are tokens' TTL toDateTime(stored_time) + INTERVAL 30 DAY;

CREATE OR REPLACE VIEW exchanges AS
SELECT * FROM stored_exchanges FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

-- +goose Down
DROP VIEW IF EXISTS exchanges;
ALTER TABLE stored_exchanges DROP COLUMN IF EXISTS headers;
CREATE OR REPLACE VIEW exchanges AS
SELECT * FROM stored_exchanges FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;
