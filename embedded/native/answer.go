package native

import (
	"encoding/binary"

	"understudy.dev/embedded/blocks"
	"understudy.dev/embedded/engine"
)

// Packets from the server.
const (
	serverHello       = 0
	serverData        = 1
	serverException   = 2
	serverProgress    = 3
	serverPong        = 4
	serverEndOfStream = 5
	serverProfileInfo = 6
	serverEvents      = 14
)

// appendServerHello appends the answer to a greeting.
func appendServerHello(b []byte, s serverIdentity, revision uint64) []byte {
	b = binary.AppendUvarint(b, serverHello)
	b = blocks.AppendString(b, "ClickHouse")
	b = binary.AppendUvarint(b, s.major)
	b = binary.AppendUvarint(b, s.minor)
	b = binary.AppendUvarint(b, serverRevision)
	if revision >= revisionTimezone {
		b = blocks.AppendString(b, s.timezone)
	}
	if revision >= revisionDisplayName {
		b = blocks.AppendString(b, s.display)
	}
	if revision >= revisionVersionPatch {
		b = binary.AppendUvarint(b, s.patch)
	}
	return b
}

// appendException appends an exception without a nested one.
func appendException(b []byte, e *engine.Exception) []byte {
	b = binary.AppendUvarint(b, serverException)
	b = binary.LittleEndian.AppendUint32(b, uint32(e.Code))
	b = blocks.AppendString(b, exceptionClass)
	b = blocks.AppendString(b, exceptionClass+": "+e.Message)
	b = blocks.AppendString(b, "") // stack trace
	return append(b, 0)            // nothing nested
}

// exceptionClass is what ClickHouse calls all of its own exceptions.
const exceptionClass = "DB::Exception"

// Progress counts what a query has done so far or since the last count.
type progress struct {
	readRows, readBytes, wroteRows, wroteBytes uint64
	elapsed                                    uint64 // nanoseconds
}

func appendProgress(b []byte, p progress, revision uint64) []byte {
	b = binary.AppendUvarint(b, serverProgress)
	b = binary.AppendUvarint(b, p.readRows)
	b = binary.AppendUvarint(b, p.readBytes)
	b = binary.AppendUvarint(b, 0) // total rows to read: not known
	if revision >= revisionWriteInfo {
		b = binary.AppendUvarint(b, p.wroteRows)
		b = binary.AppendUvarint(b, p.wroteBytes)
	}
	if revision >= revisionElapsedInProgress {
		b = binary.AppendUvarint(b, p.elapsed)
	}
	return b
}

// appendProfileInfo appends the sums of a result.
func appendProfileInfo(b []byte, rows, blocks, bytes uint64) []byte {
	b = binary.AppendUvarint(b, serverProfileInfo)
	b = binary.AppendUvarint(b, rows)
	b = binary.AppendUvarint(b, blocks)
	b = binary.AppendUvarint(b, bytes)
	b = append(b, 0)               // no limit applied, as far as is known
	b = binary.AppendUvarint(b, 0) // rows before the limit
	return append(b, 0)            // which were not counted
}

// eventFields are the columns of ProfileEvents (ClickHouse's
// src/Interpreters/ProfileEventsExt.cpp).
var eventFields = []blocks.Field{
	{Name: "host_name", Kind: "String"},
	{Name: "current_time", Kind: "DateTime"},
	{Name: "thread_id", Kind: "UInt64"},
	{Name: "type", Kind: "Enum8('increment' = 1, 'gauge' = 2)"},
	{Name: "name", Kind: "String"},
	{Name: "value", Kind: "Int64"},
}

// appendNoEvents appends a ProfileEvents packet without events. From revision
// 54456 on clients wait for one after each block of an INSERT. Its block is
// never compressed.
func appendNoEvents(b []byte, revision uint64) []byte {
	if revision < revisionEventsInInsert {
		return b
	}
	b = binary.AppendUvarint(b, serverEvents)
	b = blocks.AppendString(b, "")
	return blocks.AppendHeader(b, eventFields, blocks.LayoutOf(revision))
}
