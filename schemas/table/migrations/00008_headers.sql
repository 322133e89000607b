-- +goose NO TRANSACTION
-- +goose Up

ALTER TABLE exchanges ADD COLUMN IF NOT EXISTS headers Map(LowCardinality(String), String) COMMENT 'Request headers that record.index_headers names, as recorded: name in lower case → value, cut at 256 bytes with …; secrets are tokens' TTL toDateTime(stored_time) + INTERVAL 30 DAY;

-- +goose Down
ALTER TABLE exchanges DROP COLUMN IF EXISTS headers;
