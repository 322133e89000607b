"""Uses the native protocol through clickhouse-driver as its users do.

Usage: clickhouse_driver_tour.py PORT COMPRESSION
Ends with "ok", or with the traceback of the first difference.
"""

import datetime
import sys
import uuid

from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

port, compression = int(sys.argv[1]), sys.argv[2]
client = Client(
    "127.0.0.1",
    port=port,
    compression=False if compression == "none" else compression,
    settings={"max_block_size": 1000, "not_a_setting": 1},
)


def same(got, want):
    assert got == want, f"got {got!r}, want {want!r}"


def fails(code, *args):
    try:
        client.execute(*args)
    except ServerException as e:
        same(e.code, code)
    else:
        raise AssertionError(f"{args} did not fail with {code}")
    same(client.execute("SELECT 1"), [(1,)])  # the connection is still of use


same(client.execute("SELECT 1 AS a, 'x' AS b", with_column_types=True), ([(1, "x")], [("a", "UInt8"), ("b", "String")]))
same(client.execute("SELECT 1 AS a WHERE 0", with_column_types=True), ([], [("a", "UInt8")]))

client.execute("DROP TABLE IF EXISTS driver_tour")
client.execute(
    """CREATE TABLE driver_tour (id UInt64, s String, l LowCardinality(Nullable(String)), m Map(String, Array(UInt8)),
    d DateTime64(3, 'UTC'), u UUID, n Nullable(Float64), t Tuple(Int8, String), made UInt8 MATERIALIZED 1)
    ENGINE = MergeTree ORDER BY id"""
)
now = datetime.datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=datetime.timezone.utc)
rows = [
    (i, "x" * i, None if i % 2 else "l", {"k": [i % 256]}, now, uuid.UUID(int=i), i / 2 if i % 3 else None, (i % 100, "t"))
    for i in range(2500)
]
same(client.execute("INSERT INTO driver_tour VALUES", rows, settings={"insert_block_size": 1000}), len(rows))
same(client.execute("SELECT * FROM driver_tour ORDER BY id"), rows)
same(client.execute("INSERT INTO driver_tour (id) VALUES", []), 0)

same(sum(row[0] for row in client.execute_iter("SELECT number FROM numbers(100000)")), 4999950000)
same(client.execute("SELECT %(x)s", {"x": "it's\\"}), [("it's\\",)])

fails(60, "SELECT * FROM not_a_table")
fails(62, "SELEKT 1")
fails(16, "INSERT INTO driver_tour (not_a_column) VALUES", [(1,)])
fails(48, "SELECT sumState(number) FROM numbers(3)")

typed = Client("127.0.0.1", port=port, settings={"server_side_params": True})
same(typed.execute("SELECT {n:UInt64}, {s:String}, {a:Array(String)}", {"n": 5, "s": "it's\t\\", "a": ["p", "q"]}), [(5, "it's\t\\", ["p", "q"])])

progress = client.execute_with_progress("SELECT count() FROM driver_tour")
for _ in progress:
    pass
same(progress.get_result(), [(2500,)])
print("ok")
