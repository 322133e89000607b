package engine

import (
	"strings"

	"understudy.dev/embedded/sql"
)

// joinable formats have neither head nor tail: the engine formats every
// portion of a stream as a document of its own, and only of these formats is
// the concatenation the document of the whole.
var joinable = map[string]bool{
	"native": true, "tsv": true, "tabseparated": true, "tsvraw": true, "tabseparatedraw": true, "csv": true,
	"jsoneachrow": true, "jsonlines": true, "ndjson": true, "jsoncompacteachrow": true, "rowbinary": true,
	"lineasstring": true, "rawblob": true, "null": true,
}

// streams reports whether the output may be fetched in portions.
func streams(statement, format string) bool {
	if named := sql.Formats(statement); len(named) > 0 {
		format = named[len(named)-1]
	}
	return joinable[strings.ToLower(format)]
}
