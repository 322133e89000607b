-- +goose NO TRANSACTION
-- +goose Up

-- A place where the baseline, asked again, gives another name or token each time is
-- volatile too. It tosses no coin.
ALTER TABLE stored_controls COMMENT COLUMN statistic 'What is compared: differs, presence, number, share; presumed = control or candidate differs in what is presumed harmless, and nothing is compared; replay = this replay has a control';
ALTER TABLE stored_controls COMMENT COLUMN control 'Of differs and presumed: the control differs from the recording';
ALTER TABLE stored_controls COMMENT COLUMN candidate 'Of differs and presumed: the candidate differs from the recording';

CREATE OR REPLACE VIEW coins AS
SELECT run, route, path, statistic, max(c.word) AS word, sum(c.heads) AS heads, sum(c.tails) AS tails, judgement
FROM controls AS c
WHERE statistic NOT IN ('replay', 'presumed')
GROUP BY run, judgement, route, path, statistic, word_hash;

CREATE OR REPLACE VIEW volatile AS
SELECT p.run AS run, p.route AS route, p.path AS path, r.controlled AS controlled, p.control AS control, p.candidate AS candidate, p.both AS both, p.presumed AS presumed, p.judgement AS judgement
FROM
(
    SELECT run, judgement, route, path, sum(c.control) AS control, sum(c.candidate) AS candidate, countIf(c.control = 1 AND c.candidate = 1) AS both,
        countIf(c.control = 1 AND c.candidate = 1 AND statistic = 'presumed') AS presumed
    FROM controls AS c WHERE statistic IN ('differs', 'presumed') GROUP BY run, judgement, route, path HAVING control > 0
) AS p
INNER JOIN
(
    SELECT run, judgement, route, count() AS controlled FROM controls WHERE statistic = 'replay' GROUP BY run, judgement, route
) AS r ON r.run = p.run AND r.judgement = p.judgement AND r.route = p.route;

-- +goose Down
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
CREATE OR REPLACE VIEW coins AS
SELECT run, route, path, statistic, max(c.word) AS word, sum(c.heads) AS heads, sum(c.tails) AS tails, judgement
FROM controls AS c
WHERE statistic != 'replay'
GROUP BY run, judgement, route, path, statistic, word_hash;
ALTER TABLE stored_controls COMMENT COLUMN statistic 'What is compared: differs, presence, number, share; replay = this replay has a control';
ALTER TABLE stored_controls COMMENT COLUMN control 'Of differs: the control differs from the recording';
ALTER TABLE stored_controls COMMENT COLUMN candidate 'Of differs: the candidate differs from the recording';
