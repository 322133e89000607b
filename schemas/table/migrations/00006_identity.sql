-- +goose NO TRANSACTION
-- +goose Up

-- A row of facts has an identity: the Kafka record that it is made of, and the
-- judgement. Sort key and partition are functions of it, so that a row that is
-- written again, by whomever and whenever, replaces itself. The tables
-- stored_… hold whatever was written; the views that had been tables show each
-- row once, under the current judgement of its run. See docs/adr/0012.

DROP VIEW IF EXISTS comparisons_by_minute_mv;
DROP VIEW IF EXISTS differences_by_minute_mv;

CREATE TABLE IF NOT EXISTS judgements
(
    judgement     String                       COMMENT 'Hash of the version of the judge and of its configuration',
    judge_version UInt32                       COMMENT 'Version of the judge: raised when verdicts may change though the configuration does not; 0 = unknown',
    config        String                       COMMENT 'The configuration (rules and all that decides a verdict), YAML',
    made_by       String                       COMMENT 'Process that used it last: host, process id, instance',
    time          DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When that was'
)
ENGINE = ReplacingMergeTree(time)
ORDER BY judgement;

CREATE TABLE IF NOT EXISTS judged_runs
(
    run       LowCardinality(String) COMMENT 'Run name',
    judgement LowCardinality(String) COMMENT 'Hash, see judgements',
    chosen    Bool                   COMMENT 'From then on the views show the run under it',
    made_by   String                 COMMENT 'Process that wrote this row',
    time      DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC') COMMENT 'When'
)
ENGINE = MergeTree
ORDER BY (run, judgement, time);

CREATE TABLE IF NOT EXISTS run_origins
(
    run    String COMMENT 'Run name',
    origin String COMMENT 'Id of the Kafka topic of runs that it is in; the first one that claims a name has it',
    time   DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC') COMMENT 'When it was claimed'
)
ENGINE = MergeTree
ORDER BY (run, time);

ALTER TABLE runs ADD COLUMN IF NOT EXISTS origin String COMMENT 'Id of the Kafka topic that it is from; empty = unknown';

CREATE OR REPLACE VIEW current_judgements AS
SELECT run, argMax(judged_runs.judgement, (chosen, time)) AS judgement FROM judged_runs GROUP BY run;

CREATE TABLE IF NOT EXISTS stored_comparisons
(
    run                   LowCardinality(String)          COMMENT 'Run name',
    exchange_id           String                          COMMENT 'Exchange that was replayed; empty for an orphan completion',
    ordinal               UInt64                          COMMENT 'Position in the schedule of the run, from 1',
    attempt               UInt32                          COMMENT 'Attempt within the run',
    session               String                          COMMENT 'Session key (a token)',
    route                 LowCardinality(String)          COMMENT 'Method and path template',
    method                LowCardinality(String)          COMMENT 'Request method',
    verdict               LowCardinality(String)          COMMENT 'The verdict: match, mismatch, rejected, lost, late, duplicate, contradictory, out_of_order, orphan, error, skipped, incomplete, presumed',
    findings              Array(LowCardinality(String))   COMMENT 'Every verdict that holds, in order of precedence',
    skipped               LowCardinality(String)          COMMENT 'Why it was not sent',
    error                 LowCardinality(String)          COMMENT 'Kind of transport error of the candidate',
    baseline_status       UInt16                          COMMENT 'Status of the recorded response; 0 = none',
    ack_status            UInt16                          COMMENT 'Status of the candidate''s direct answer; 0 = none',
    candidate_status      UInt16                          COMMENT 'Status that was compared: of the answer or of the completion',
    channel               LowCardinality(String)          COMMENT 'How the completion came: immediate, poll, callback, topic',
    completion_reason     LowCardinality(String)          COMMENT 'Why no completion came: timeout, location_refused, poll_failed',
    completions           UInt32                          COMMENT 'Completions seen',
    polls                 UInt32                          COMMENT 'Polls made',
    exchange_time         DateTime64(9, 'UTC')            COMMENT 'When the recorded request arrived',
    scheduled_time        DateTime64(9, 'UTC')            COMMENT 'Intended send time',
    sent_time             DateTime64(9, 'UTC')            COMMENT 'Actual send time',
    closed_time           DateTime64(9, 'UTC')            COMMENT 'When the observation was closed',
    lag_ns                Int64                           COMMENT 'Actual minus intended send time, nanoseconds',
    baseline_first_byte_ns UInt64                         COMMENT 'Baseline: time to first byte, nanoseconds; 0 = unknown',
    baseline_latency_ns   UInt64                          COMMENT 'Baseline: time to the whole response, nanoseconds; 0 = unknown',
    ack_latency_ns        UInt64                          COMMENT 'Candidate: from the intended send time to the whole acknowledgement',
    ack_service_ns        UInt64                          COMMENT 'Candidate: from the actual send time to the whole acknowledgement',
    completion_latency_ns UInt64                          COMMENT 'Candidate: from the intended send time to the first completion; an immediate answer is its own completion; 0 = none',
    completion_service_ns UInt64                          COMMENT 'Candidate: from the actual send time to the first completion; 0 = none',
    differences           UInt32                          COMMENT 'Differing places that count, kept or not',
    noise                 UInt32                          COMMENT 'Differing places classified as harmless, kept or not',
    differences_dropped   UInt32                          COMMENT 'Differing places found beyond the number kept',
    baseline_bytes        UInt64                          COMMENT 'Length of the recorded response body',
    candidate_bytes       UInt64                          COMMENT 'Length of the compared candidate body',
    recorder              LowCardinality(String)          COMMENT 'Recorder instance',
    sequence              UInt64                          COMMENT 'Position within the recorder instance',
    kafka_partition       Int32                           COMMENT 'Partition of the replay record',
    kafka_offset          Int64                           COMMENT 'Offset of the replay record',
    presumed              UInt32                          COMMENT 'Differing places that only their name or shape explains, kept or not',
    rejected_by           LowCardinality(String)          COMMENT 'The side that refused what the other accepted: baseline, candidate; empty = neither',
    incomplete            LowCardinality(String)          COMMENT 'What was not compared, and why; empty = nothing',
    topic_id              LowCardinality(String)          COMMENT 'Id of the Kafka topic of the replay record; empty = unknown',
    judgement             LowCardinality(String)          COMMENT 'Judgement that the row belongs to, see judgements; empty = unknown'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(closed_time)
ORDER BY (run, judgement, topic_id, kafka_partition, kafka_offset)
TTL toDateTime(closed_time) + INTERVAL 180 DAY;

CREATE TABLE IF NOT EXISTS stored_differences
(
    run             LowCardinality(String) COMMENT 'Run name',
    exchange_id     String                 COMMENT 'Exchange that was replayed',
    route           LowCardinality(String) COMMENT 'Method and path template',
    place           LowCardinality(String) COMMENT 'status, header, body, trailer, completion, transport',
    path            String                 COMMENT 'Where, with array positions folded: $.items[].price',
    location        String                 COMMENT 'Where exactly: $.items[3].price',
    kind            LowCardinality(String) COMMENT 'status, missing, extra, value, type, order, body, unparsable, truncated, outcome',
    baseline        String                 COMMENT 'Value of the baseline as text, numbers with their digits' TTL toDateTime(closed_time) + INTERVAL 30 DAY,
    candidate       String                 COMMENT 'Value of the candidate as text' TTL toDateTime(closed_time) + INTERVAL 30 DAY,
    noise_class     LowCardinality(String) COMMENT 'Class of a difference that does not count as one; presumed:… = nothing proves it harmless; empty = it counts',
    verdict         LowCardinality(String) COMMENT 'Verdict of the replay',
    closed_time     DateTime64(9, 'UTC')   COMMENT 'When the observation was closed',
    kafka_partition Int32                  COMMENT 'Partition of the replay record',
    kafka_offset    Int64                  COMMENT 'Offset of the replay record',
    topic_id        LowCardinality(String) COMMENT 'Id of the Kafka topic of the replay record; empty = unknown',
    judgement       LowCardinality(String) COMMENT 'Judgement that the row belongs to, see judgements; empty = unknown',
    number          UInt32                 COMMENT 'Which of the differing places of the replay'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(closed_time)
ORDER BY (run, judgement, topic_id, kafka_partition, kafka_offset, number)
TTL toDateTime(closed_time) + INTERVAL 180 DAY;

CREATE TABLE IF NOT EXISTS stored_substitutions
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
    kafka_offset    Int64                  COMMENT 'Offset of the replay record',
    topic_id        LowCardinality(String) COMMENT 'Id of the Kafka topic of the replay record; empty = unknown',
    number          UInt32                 COMMENT 'Which of the pairs of the replay'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(closed_time)
ORDER BY (run, topic_id, kafka_partition, kafka_offset, number)
TTL toDateTime(closed_time) + INTERVAL 180 DAY;

CREATE TABLE IF NOT EXISTS stored_exchanges
(
    id              String                 COMMENT 'Exchange id (UUIDv7)',
    recorder        LowCardinality(String) COMMENT 'Recorder instance',
    sequence        UInt64                 COMMENT 'Position within the recorder instance, from 1; a hole is an exchange that was dropped',
    session         String                 COMMENT 'Session key (a token)',
    route           LowCardinality(String) COMMENT 'Method and path template',
    method          LowCardinality(String) COMMENT 'Request method',
    target          String                 COMMENT 'Path and query as received, redacted' TTL toDateTime(stored_time) + INTERVAL 30 DAY,
    status          UInt16                 COMMENT 'Response status; 0 = there was none',
    error           LowCardinality(String) COMMENT 'Kind of transport error',
    start_time      DateTime64(9, 'UTC')   COMMENT 'When the request arrived',
    first_byte_ns   UInt64                 COMMENT 'Time to first byte, nanoseconds; 0 = unknown',
    latency_ns      UInt64                 COMMENT 'Time to the whole response, nanoseconds; 0 = unknown',
    request_bytes   UInt64                 COMMENT 'Length of the request body',
    response_bytes  UInt64                 COMMENT 'Length of the response body',
    truncated       Bool                   COMMENT 'A body is not whole',
    redactions      UInt32                 COMMENT 'Values replaced by tokens',
    served_by       LowCardinality(String) COMMENT 'baseline or candidate',
    source          LowCardinality(String) COMMENT 'proxy, import/combined, …',
    traceparent     String                 COMMENT 'W3C trace context',
    stored_time     DateTime64(3, 'UTC')   COMMENT 'When it was written to Kafka; an imported exchange may be years older',
    kafka_partition Int32                  COMMENT 'Partition of the exchange record',
    kafka_offset    Int64                  COMMENT 'Offset of the exchange record',
    topic_id        LowCardinality(String) COMMENT 'Id of the Kafka topic of the exchange record; empty = unknown'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(stored_time)
ORDER BY (route, start_time, id, topic_id, kafka_partition, kafka_offset)
TTL toDateTime(stored_time) + INTERVAL 180 DAY;

-- A roll-up has a row for each segment of 8,192 offsets of a Kafka partition: it
-- is made anew from the facts of the segment, as often as one of them is
-- written, and the one of the most facts stays.
CREATE TABLE IF NOT EXISTS stored_comparisons_by_minute
(
    run                LowCardinality(String) COMMENT 'Run name',
    judgement          LowCardinality(String) COMMENT 'Judgement that the row belongs to, see judgements; empty = unknown',
    topic_id           LowCardinality(String) COMMENT 'Id of the Kafka topic of the replay records',
    kafka_partition    Int32                  COMMENT 'Partition of the replay records',
    segment            Int64                  COMMENT 'Offset of the replay records, divided by 8,192',
    minute             DateTime('UTC')        COMMENT 'Minute in which the observation was closed',
    route              LowCardinality(String) COMMENT 'Method and path template',
    verdict            LowCardinality(String) COMMENT 'The verdict',
    rejected_by        LowCardinality(String) COMMENT 'The side that refused what the other accepted; empty = neither',
    incomplete         LowCardinality(String) COMMENT 'What was not compared, and why; empty = nothing',
    recorder           LowCardinality(String) COMMENT 'Recorder instance',
    replays            UInt64                 COMMENT 'Replays',
    differences        UInt64                 COMMENT 'Differing places that count',
    noise              UInt64                 COMMENT 'Differing places that are harmless',
    presumed           UInt64                 COMMENT 'Differing places that only their name or shape explains',
    baseline_latency   AggregateFunction(quantilesTDigestIf(0.5, 0.9, 0.99), UInt64, UInt8) COMMENT 'Baseline, to the whole response',
    ack_latency        AggregateFunction(quantilesTDigestIf(0.5, 0.9, 0.99), UInt64, UInt8) COMMENT 'Candidate, to the acknowledgement',
    completion_latency AggregateFunction(quantilesTDigestIf(0.5, 0.9, 0.99), UInt64, UInt8) COMMENT 'Candidate, to the completion'
)
ENGINE = ReplacingMergeTree(replays)
PARTITION BY toYYYYMM(minute)
ORDER BY (run, judgement, topic_id, kafka_partition, segment, minute, route, verdict, rejected_by, incomplete, recorder)
TTL minute + INTERVAL 400 DAY;

CREATE TABLE IF NOT EXISTS stored_differences_by_minute
(
    run             LowCardinality(String) COMMENT 'Run name',
    judgement       LowCardinality(String) COMMENT 'Judgement that the row belongs to, see judgements; empty = unknown',
    topic_id        LowCardinality(String) COMMENT 'Id of the Kafka topic of the replay records',
    kafka_partition Int32                  COMMENT 'Partition of the replay records',
    segment         Int64                  COMMENT 'Offset of the replay records, divided by 8,192',
    minute          DateTime('UTC')        COMMENT 'Minute in which the observation was closed',
    noise_class     LowCardinality(String) COMMENT 'Class of a difference that does not count as one; empty = it counts',
    route           LowCardinality(String) COMMENT 'Method and path template',
    path            LowCardinality(String) COMMENT 'Where, with array positions folded',
    kind            LowCardinality(String) COMMENT 'How it differs',
    reason          LowCardinality(String) COMMENT 'Why no completion came, for a difference that says so',
    places          UInt64                 COMMENT 'Differing places',
    replays         UInt64                 COMMENT 'Replays that have one',
    first_of_class  UInt64                 COMMENT 'Replays of which this is the first place of its class: their sum is the number of replays that have the class',
    example_offset  Int64                  COMMENT 'Offset of the replay record of an example',
    example_number  UInt32                 COMMENT 'Number of the example among the differences of that replay'
)
ENGINE = ReplacingMergeTree(places)
PARTITION BY toYYYYMM(minute)
ORDER BY (run, judgement, noise_class, topic_id, kafka_partition, segment, minute, route, path, kind, reason)
TTL minute + INTERVAL 400 DAY;

-- Totals of a run have a row for each 32 segments: they are made of the roll-ups
-- and answer what is asked of a whole run.
CREATE TABLE IF NOT EXISTS stored_comparison_totals
(
    run             LowCardinality(String) COMMENT 'Run name',
    judgement       LowCardinality(String) COMMENT 'Judgement that the row belongs to, see judgements; empty = unknown',
    topic_id        LowCardinality(String) COMMENT 'Id of the Kafka topic of the replay records',
    kafka_partition Int32                  COMMENT 'Partition of the replay records',
    block           Int64                  COMMENT 'Offset of the replay records, divided by 262,144',
    month           UInt32                 COMMENT 'Month in which the observation was closed: 202611',
    route           LowCardinality(String) COMMENT 'Method and path template',
    verdict         LowCardinality(String) COMMENT 'The verdict',
    rejected_by     LowCardinality(String) COMMENT 'The side that refused what the other accepted; empty = neither',
    incomplete      LowCardinality(String) COMMENT 'What was not compared, and why; empty = nothing',
    recorder        LowCardinality(String) COMMENT 'Recorder instance',
    replays         UInt64                 COMMENT 'Replays',
    differences     UInt64                 COMMENT 'Differing places that count',
    noise           UInt64                 COMMENT 'Differing places that are harmless',
    presumed        UInt64                 COMMENT 'Differing places that only their name or shape explains',
    last_minute     DateTime('UTC')        COMMENT 'Last minute of them'
)
ENGINE = ReplacingMergeTree(replays)
PARTITION BY month
ORDER BY (run, judgement, topic_id, kafka_partition, block, month, route, verdict, rejected_by, incomplete, recorder)
TTL last_minute + INTERVAL 400 DAY;

CREATE TABLE IF NOT EXISTS stored_difference_totals
(
    run             LowCardinality(String) COMMENT 'Run name',
    judgement       LowCardinality(String) COMMENT 'Judgement that the row belongs to, see judgements; empty = unknown',
    topic_id        LowCardinality(String) COMMENT 'Id of the Kafka topic of the replay records',
    kafka_partition Int32                  COMMENT 'Partition of the replay records',
    block           Int64                  COMMENT 'Offset of the replay records, divided by 262,144',
    month           UInt32                 COMMENT 'Month in which the observation was closed: 202611',
    noise_class     LowCardinality(String) COMMENT 'Class of a difference that does not count as one; empty = it counts',
    route           LowCardinality(String) COMMENT 'Method and path template',
    path            LowCardinality(String) COMMENT 'Where, with array positions folded',
    kind            LowCardinality(String) COMMENT 'How it differs',
    reason          LowCardinality(String) COMMENT 'Why no completion came, for a difference that says so',
    places          UInt64                 COMMENT 'Differing places',
    replays         UInt64                 COMMENT 'Replays that have one',
    first_of_class  UInt64                 COMMENT 'Replays of which this is the first place of its class: their sum is the number of replays that have the class',
    example_offset  Int64                  COMMENT 'Offset of the replay record of an example',
    example_number  UInt32                 COMMENT 'Number of the example among the differences of that replay',
    last_minute     DateTime('UTC')        COMMENT 'Last minute of them'
)
ENGINE = ReplacingMergeTree(places)
PARTITION BY month
ORDER BY (run, judgement, noise_class, topic_id, kafka_partition, block, month, route, path, kind, reason)
TTL last_minute + INTERVAL 400 DAY;

-- What an earlier version had written. A difference had no number: a hash of it
-- does, so that a migration that broke off can be repeated.
INSERT INTO stored_comparisons (run, exchange_id, ordinal, attempt, session, route, method, verdict, findings, skipped, error,
    baseline_status, ack_status, candidate_status, channel, completion_reason, completions, polls, exchange_time, scheduled_time, sent_time,
    closed_time, lag_ns, baseline_first_byte_ns, baseline_latency_ns, ack_latency_ns, ack_service_ns, completion_latency_ns,
    completion_service_ns, differences, noise, differences_dropped, baseline_bytes, candidate_bytes, recorder, sequence,
    kafka_partition, kafka_offset, presumed, rejected_by, incomplete)
SELECT run, exchange_id, ordinal, attempt, session, route, method, verdict, findings, skipped, error,
    baseline_status, ack_status, candidate_status, channel, completion_reason, completions, polls, exchange_time, scheduled_time, sent_time,
    closed_time, lag_ns, baseline_first_byte_ns, baseline_latency_ns, ack_latency_ns, ack_service_ns, completion_latency_ns,
    completion_service_ns, differences, noise, differences_dropped, baseline_bytes, candidate_bytes, recorder, sequence,
    kafka_partition, kafka_offset, presumed, rejected_by, incomplete
FROM comparisons;

INSERT INTO stored_differences (run, exchange_id, route, place, path, location, kind, baseline, candidate, noise_class, verdict, closed_time,
    kafka_partition, kafka_offset, number)
SELECT run, exchange_id, route, place, path, location, kind, baseline, candidate, noise_class, verdict, closed_time,
    kafka_partition, kafka_offset, toUInt32(cityHash64(place, location, kind, noise_class) % 0xFFFFFFFF)
FROM differences;

INSERT INTO stored_substitutions (run, exchange_id, ordinal, route, kind, recorded, candidate, proof, uses, learned_from, broken_by, closed_time,
    kafka_partition, kafka_offset, number)
SELECT run, exchange_id, ordinal, route, kind, recorded, candidate, proof, uses, learned_from, broken_by, closed_time,
    kafka_partition, kafka_offset, toUInt32(cityHash64(kind, recorded, candidate) % 0xFFFFFFFF)
FROM substitutions;

INSERT INTO stored_exchanges (id, recorder, sequence, session, route, method, target, status, error, start_time, first_byte_ns, latency_ns,
    request_bytes, response_bytes, truncated, redactions, served_by, source, traceparent, stored_time, kafka_partition, kafka_offset)
SELECT id, recorder, sequence, session, route, method, target, status, error, start_time, first_byte_ns, latency_ns,
    request_bytes, response_bytes, truncated, redactions, served_by, source, traceparent, stored_time, kafka_partition, kafka_offset
FROM exchanges;

INSERT INTO judged_runs (run, judgement, chosen, made_by, time)
SELECT DISTINCT run, '', false, 'migration', toDateTime64(0, 9, 'UTC') FROM stored_comparisons WHERE judgement = '';

-- The roll-ups are made from the facts; comparator/clickhouse has the same four
-- statements for what is written from now on.
INSERT INTO stored_comparisons_by_minute
SELECT run, judgement, topic_id, kafka_partition, intDiv(kafka_offset, 8192) AS segment, toStartOfMinute(toDateTime(closed_time, 'UTC')) AS minute,
    route, verdict, rejected_by, incomplete, recorder,
    count(), sum(c.differences), sum(c.noise), sum(c.presumed),
    quantilesTDigestIfState(0.5, 0.9, 0.99)(baseline_latency_ns, toUInt8(baseline_latency_ns > 0)),
    quantilesTDigestIfState(0.5, 0.9, 0.99)(ack_latency_ns, toUInt8(ack_latency_ns > 0)),
    quantilesTDigestIfState(0.5, 0.9, 0.99)(completion_latency_ns, toUInt8(completion_latency_ns > 0))
FROM stored_comparisons AS c FINAL
WHERE judgement = ''
GROUP BY run, judgement, topic_id, kafka_partition, segment, minute, route, verdict, rejected_by, incomplete, recorder
SETTINGS max_bytes_before_external_group_by = 500000000;

INSERT INTO stored_differences_by_minute
SELECT run, judgement, topic_id, kafka_partition, segment, minute, noise_class, route, place.1 AS path, place.2 AS kind, place.3 AS reason,
    count(), uniqExact(kafka_offset), countIf(place.4 = first), min((kafka_offset, place.4)).1, min((kafka_offset, place.4)).2
FROM
(
    SELECT run, judgement, topic_id, kafka_partition, kafka_offset, intDiv(kafka_offset, 8192) AS segment,
        toStartOfMinute(toDateTime(closed_time, 'UTC')) AS minute, noise_class, route, min(number) AS first,
        groupArray((path, kind, if(path = 'completion' AND location = '', splitByChar(':', candidate)[1], ''), number)) AS places
    FROM stored_differences FINAL
    WHERE judgement = ''
    GROUP BY run, judgement, topic_id, kafka_partition, kafka_offset, minute, noise_class, route
)
ARRAY JOIN places AS place
GROUP BY run, judgement, topic_id, kafka_partition, segment, minute, noise_class, route, path, kind, reason
SETTINGS max_bytes_before_external_group_by = 500000000;

INSERT INTO stored_comparison_totals
SELECT run, judgement, topic_id, kafka_partition, intDiv(segment, 32) AS block, toYYYYMM(minute) AS month, route, verdict, rejected_by, incomplete, recorder,
    sum(c.replays), sum(c.differences), sum(c.noise), sum(c.presumed), max(minute)
FROM stored_comparisons_by_minute AS c FINAL
WHERE judgement = ''
GROUP BY run, judgement, topic_id, kafka_partition, block, month, route, verdict, rejected_by, incomplete, recorder;

INSERT INTO stored_difference_totals
SELECT run, judgement, topic_id, kafka_partition, intDiv(segment, 32) AS block, toYYYYMM(minute) AS month, noise_class, route, path, kind, reason,
    sum(d.places), sum(d.replays), sum(d.first_of_class), min((d.example_offset, d.example_number)).1, min((d.example_offset, d.example_number)).2, max(minute)
FROM stored_differences_by_minute AS d FINAL
WHERE judgement = ''
GROUP BY run, judgement, topic_id, kafka_partition, block, month, noise_class, route, path, kind, reason;

-- From here on the old names are views.
DROP TABLE IF EXISTS comparisons SYNC SETTINGS max_table_size_to_drop = 0;
DROP TABLE IF EXISTS differences SYNC SETTINGS max_table_size_to_drop = 0;
DROP TABLE IF EXISTS substitutions SYNC SETTINGS max_table_size_to_drop = 0;
DROP TABLE IF EXISTS exchanges SYNC SETTINGS max_table_size_to_drop = 0;
DROP TABLE IF EXISTS comparisons_by_minute SYNC SETTINGS max_table_size_to_drop = 0;
DROP TABLE IF EXISTS differences_by_minute SYNC SETTINGS max_table_size_to_drop = 0;

CREATE OR REPLACE VIEW comparisons AS
SELECT * FROM stored_comparisons FINAL WHERE (run, judgement) IN (SELECT run, judgement FROM current_judgements)
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW all_comparisons AS
SELECT * FROM stored_comparisons FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW differences AS
SELECT * FROM stored_differences FINAL WHERE (run, judgement) IN (SELECT run, judgement FROM current_judgements)
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW all_differences AS
SELECT * FROM stored_differences FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW discrepancies AS SELECT * FROM differences WHERE noise_class = '';

CREATE OR REPLACE VIEW noise AS SELECT * FROM differences WHERE noise_class != '' AND NOT startsWith(noise_class, 'presumed:');

CREATE OR REPLACE VIEW presumed AS SELECT * FROM differences WHERE startsWith(noise_class, 'presumed:');

CREATE OR REPLACE VIEW substitutions AS
SELECT * FROM stored_substitutions FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW exchanges AS
SELECT * FROM stored_exchanges FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW comparisons_by_minute AS
SELECT run, route, verdict, minute, replays, differences, noise, baseline_latency, ack_latency, completion_latency, presumed,
    rejected_by, incomplete, recorder
FROM stored_comparisons_by_minute FINAL WHERE (run, judgement) IN (SELECT run, judgement FROM current_judgements)
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW differences_by_minute AS
SELECT run, route, path, kind, noise_class, minute, places, replays, reason
FROM stored_differences_by_minute FINAL WHERE (run, judgement) IN (SELECT run, judgement FROM current_judgements)
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW comparison_totals AS
SELECT run, route, verdict, rejected_by, incomplete, recorder, replays, differences, noise, presumed
FROM stored_comparison_totals FINAL WHERE (run, judgement) IN (SELECT run, judgement FROM current_judgements)
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW difference_totals AS
SELECT run, route, path, kind, noise_class, reason, places, replays, first_of_class, judgement, topic_id, kafka_partition, block, example_offset, example_number
FROM stored_difference_totals FINAL WHERE (run, judgement) IN (SELECT run, judgement FROM current_judgements)
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- A rate is of all that was selected: what was skipped did not match.
CREATE OR REPLACE VIEW all_scorecards AS
SELECT
    run, route,
    sum(c.replays) AS replays,
    sumIf(c.replays, verdict = 'match') AS match,
    sumIf(c.replays, verdict = 'mismatch') AS mismatch,
    sumIf(c.replays, verdict = 'rejected') AS rejected,
    sumIf(c.replays, verdict = 'lost') AS lost,
    sumIf(c.replays, verdict = 'late') AS late,
    sumIf(c.replays, verdict = 'duplicate') AS duplicate,
    sumIf(c.replays, verdict = 'contradictory') AS contradictory,
    sumIf(c.replays, verdict = 'out_of_order') AS out_of_order,
    sumIf(c.replays, verdict = 'orphan') AS orphan,
    sumIf(c.replays, verdict = 'error') AS error,
    sumIf(c.replays, verdict = 'skipped') AS skipped,
    sumIf(c.replays, verdict NOT IN ('skipped', 'orphan')) AS judged,
    if(selected = 0, 0, match / selected) AS match_rate,
    sumIf(c.replays, verdict = 'incomplete') AS incomplete,
    sumIf(c.replays, verdict = 'presumed') AS presumed,
    sumIf(c.replays, rejected_by = 'baseline') AS rejected_by_baseline,
    sumIf(c.replays, rejected_by = 'candidate') AS rejected_by_candidate,
    sumIf(c.replays, verdict != 'orphan') AS selected,
    judgement
FROM stored_comparison_totals AS c FINAL
GROUP BY run, judgement, route
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW scorecard AS
SELECT * FROM all_scorecards WHERE (run, judgement) IN (SELECT run, judgement FROM current_judgements);

-- The example is one place, the first of the last block: its values expire last.
CREATE OR REPLACE VIEW top_discrepancies AS
WITH top AS
(
    SELECT
        run, judgement, route, path, kind, sum(d.places) AS places, sum(d.replays) AS replays,
        argMin((topic_id, kafka_partition, example_offset, example_number), (-block, kafka_partition, example_offset)) AS at
    FROM difference_totals AS d
    WHERE noise_class = ''
    GROUP BY run, judgement, route, path, kind
)
SELECT
    t.run AS run, t.route AS route, t.path AS path, t.kind AS kind, t.places AS places, t.replays AS replays,
    e.baseline AS example_baseline, e.candidate AS example_candidate, e.exchange_id AS example_exchange
FROM top AS t
LEFT ANY JOIN
(
    SELECT run, judgement, (topic_id, kafka_partition, kafka_offset, number) AS at, baseline, candidate, exchange_id
    FROM stored_differences
    WHERE (run, judgement, topic_id, kafka_partition, kafka_offset, number) IN (SELECT run, judgement, at.1, at.2, at.3, at.4 FROM top)
) AS e ON e.run = t.run AND e.judgement = t.judgement AND e.at = t.at;

CREATE OR REPLACE VIEW run_balance AS
SELECT
    r.name AS run, r.state AS state,
    r.selected AS selected, r.replayed AS replayed, arraySum(mapValues(r.skipped)) AS skipped,
    r.written AS written, r.orphans AS orphans,
    c.judged AS judged, c.skipped AS judged_skipped, c.orphans AS judged_orphans,
    selected = replayed + skipped
        AND written = replayed + skipped + orphans
        AND judged = replayed AND judged_skipped = skipped AND judged_orphans = orphans AS balances
FROM (SELECT * FROM runs FINAL) AS r
LEFT JOIN
(
    SELECT run, sumIf(replays, verdict NOT IN ('skipped', 'orphan')) AS judged,
           sumIf(replays, verdict = 'skipped') AS skipped, sumIf(replays, verdict = 'orphan') AS orphans
    FROM comparison_totals GROUP BY run
) AS c ON c.run = r.name;

CREATE OR REPLACE VIEW recorder_balance AS
SELECT
    t.recorder AS recorder, t.final AS final, t.served AS served, t.recorded AS recorded,
    arraySum(mapValues(t.dropped)) AS dropped, t.dropped AS dropped_by_reason, t.pending AS pending,
    e.stored AS stored,
    served = recorded + dropped + pending AND (NOT final OR pending = 0 AND stored = recorded) AS balances
FROM (SELECT * FROM tallies FINAL) AS t
LEFT JOIN (SELECT recorder, uniqExact(sequence) AS stored FROM stored_exchanges GROUP BY recorder) AS e ON e.recorder = t.recorder;

-- +goose Down
DROP VIEW IF EXISTS top_discrepancies;
DROP VIEW IF EXISTS run_balance;
DROP VIEW IF EXISTS recorder_balance;
DROP VIEW IF EXISTS scorecard;
DROP VIEW IF EXISTS all_scorecards;
DROP VIEW IF EXISTS difference_totals;
DROP VIEW IF EXISTS comparison_totals;
DROP VIEW IF EXISTS comparisons_by_minute;
DROP VIEW IF EXISTS differences_by_minute;
DROP VIEW IF EXISTS discrepancies;
DROP VIEW IF EXISTS noise;
DROP VIEW IF EXISTS presumed;
DROP VIEW IF EXISTS exchanges;
DROP VIEW IF EXISTS substitutions;
DROP VIEW IF EXISTS all_differences;
DROP VIEW IF EXISTS differences;
DROP VIEW IF EXISTS all_comparisons;
DROP VIEW IF EXISTS comparisons;
DROP VIEW IF EXISTS current_judgements;
DROP TABLE IF EXISTS stored_difference_totals;
DROP TABLE IF EXISTS stored_comparison_totals;
DROP TABLE IF EXISTS stored_differences_by_minute;
DROP TABLE IF EXISTS stored_comparisons_by_minute;
DROP TABLE IF EXISTS stored_exchanges;
DROP TABLE IF EXISTS stored_substitutions;
DROP TABLE IF EXISTS stored_differences;
DROP TABLE IF EXISTS stored_comparisons;
DROP TABLE IF EXISTS run_origins;
DROP TABLE IF EXISTS judged_runs;
DROP TABLE IF EXISTS judgements;
