-- +goose NO TRANSACTION
-- +goose Up

ALTER TABLE runs ADD COLUMN IF NOT EXISTS load String COMMENT 'What was sent that is not simply what was recorded, when it was: rate, laps, clones and mode, in words';

-- +goose Down
ALTER TABLE runs DROP COLUMN IF EXISTS load;
