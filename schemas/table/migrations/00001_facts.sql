-- +goose NO TRANSACTION
-- +goose Up

-- non_replicated_deduplication_window is what makes a repeated batch (same
-- insert_deduplication_token) leave no second trace; ReplicatedMergeTree has
-- such a window by default. Payload texts expire before facts.

CREATE TABLE IF NOT EXISTS comparisons
(
    run                   LowCardinality(String)          COMMENT 'Run name',
    exchange_id           String                          COMMENT 'Exchange that was replayed; empty for an orphan completion',
    ordinal               UInt64                          COMMENT 'Position in the schedule of the run, from 1',
    attempt               UInt32                          COMMENT 'Attempt within the run',
    session               String                          COMMENT 'Session key (a token)',
    route                 LowCardinality(String)          COMMENT 'Method and path template',
    method                LowCardinality(String)          COMMENT 'Request method',
    verdict               LowCardinality(String)          COMMENT 'The judgement: match, mismatch, rejected, lost, late, duplicate, contradictory, out_of_order, orphan, error, skipped',
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
    differences           UInt32                          COMMENT 'Differing places that count',
    noise                 UInt32                          COMMENT 'Differing places classified as harmless',
    differences_dropped   UInt32                          COMMENT 'Differing places found beyond the number kept',
    baseline_bytes        UInt64                          COMMENT 'Length of the recorded response body',
    candidate_bytes       UInt64                          COMMENT 'Length of the compared candidate body',
    recorder              LowCardinality(String)          COMMENT 'Recorder instance',
    sequence              UInt64                          COMMENT 'Position within the recorder instance',
    kafka_partition       Int32                           COMMENT 'Partition of the replay record',
    kafka_offset          Int64                           COMMENT 'Offset of the replay record'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(closed_time)
ORDER BY (run, route, verdict, exchange_time, exchange_id)
TTL toDateTime(closed_time) + INTERVAL 180 DAY
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS differences
(
    run             LowCardinality(String) COMMENT 'Run name',
    exchange_id     String                 COMMENT 'Exchange that was replayed',
    route           LowCardinality(String) COMMENT 'Method and path template',
    place           LowCardinality(String) COMMENT 'status, header, body, completion, transport',
    path            String                 COMMENT 'Where, with array positions folded: $.items[].price',
    location        String                 COMMENT 'Where exactly: $.items[3].price',
    kind            LowCardinality(String) COMMENT 'status, missing, extra, value, type, order, body, unparsable, truncated, outcome',
    baseline        String                 COMMENT 'Value of the baseline as text, numbers with their digits' TTL toDateTime(closed_time) + INTERVAL 30 DAY,
    candidate       String                 COMMENT 'Value of the candidate as text' TTL toDateTime(closed_time) + INTERVAL 30 DAY,
    noise_class     LowCardinality(String) COMMENT 'Class of a harmless difference; empty = it counts',
    verdict         LowCardinality(String) COMMENT 'Verdict of the replay',
    closed_time     DateTime64(9, 'UTC')   COMMENT 'When the observation was closed',
    kafka_partition Int32                  COMMENT 'Partition of the replay record',
    kafka_offset    Int64                  COMMENT 'Offset of the replay record'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(closed_time)
ORDER BY (run, noise_class, route, path, kind, exchange_id)
TTL toDateTime(closed_time) + INTERVAL 180 DAY
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS exchanges
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
    kafka_offset    Int64                  COMMENT 'Offset of the exchange record'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(stored_time)
ORDER BY (route, start_time, id)
TTL toDateTime(stored_time) + INTERVAL 180 DAY
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS tallies
(
    recorder   LowCardinality(String)              COMMENT 'Recorder instance',
    number     UInt64                              COMMENT 'Position among the tallies of the instance',
    start_time DateTime64(9, 'UTC')                COMMENT 'Start of the instance',
    time       DateTime64(9, 'UTC')                COMMENT 'When it counted',
    served     UInt64                              COMMENT 'Requests that consumed a sequence number',
    recorded   UInt64                              COMMENT 'Exchanges acknowledged by Kafka',
    pending    UInt64                              COMMENT 'Neither acknowledged nor dropped yet',
    dropped    Map(LowCardinality(String), UInt64) COMMENT 'Not recorded, by reason',
    final      Bool                                COMMENT 'The last word of an instance that shut down in order'
)
ENGINE = ReplacingMergeTree(number)
ORDER BY recorder
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS runs
(
    name              String                              COMMENT 'Run name',
    version           UInt64                              COMMENT 'Version of this record within the run',
    state             LowCardinality(String)              COMMENT 'running, completed, canceled, failed',
    detail            String                              COMMENT 'Why it failed',
    candidate         String                              COMMENT 'Target of the replay',
    speed             Float64                             COMMENT 'Scale of the recorded rate',
    follow            Bool                                COMMENT 'Shadow mode',
    completion        LowCardinality(String)              COMMENT 'Completion mode',
    start_time        DateTime64(9, 'UTC')                COMMENT 'Start of the run',
    end_time          DateTime64(9, 'UTC')                COMMENT 'End of the run; 1970 while it runs',
    selected          UInt64                              COMMENT 'Exchanges in the window',
    replayed          UInt64                              COMMENT 'Sent',
    skipped           Map(LowCardinality(String), UInt64) COMMENT 'Not sent, by reason',
    unselected        Map(LowCardinality(String), UInt64) COMMENT 'Read and not in the window, by reason',
    written           UInt64                              COMMENT 'Replay records acknowledged by Kafka',
    orphans           UInt64                              COMMENT 'Completions nobody asked for',
    planned_rate      Float64                             COMMENT 'Sends per second, planned',
    achieved_rate     Float64                             COMMENT 'Sends per second, achieved',
    lag_p50_ns        Int64                               COMMENT 'Actual minus intended send time, median',
    lag_p99_ns        Int64                               COMMENT 'The same, 99th percentile',
    lag_max_ns        Int64                               COMMENT 'The same, maximum',
    completed         Map(LowCardinality(String), UInt64) COMMENT 'Completions by channel',
    locations_refused UInt64                              COMMENT 'Locations Understudy would not go to'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY name
SETTINGS non_replicated_deduplication_window = 10000;

-- +goose Down
DROP TABLE IF EXISTS runs;
DROP TABLE IF EXISTS tallies;
DROP TABLE IF EXISTS exchanges;
DROP TABLE IF EXISTS differences;
DROP TABLE IF EXISTS comparisons;
