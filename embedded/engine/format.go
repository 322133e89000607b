package engine

import (
	"regexp"
	"strings"
)

var formatClause = regexp.MustCompile(`(?i)\bFORMAT\s+([A-Za-z0-9_]+)`)

// joinable formats have neither head nor tail: the engine formats every
// portion of a stream as a document of its own, and only of these formats is
// the concatenation the document of the whole.
var joinable = map[string]bool{
	"native": true, "tsv": true, "tabseparated": true, "tsvraw": true, "tabseparatedraw": true, "csv": true,
	"jsoneachrow": true, "jsonlines": true, "ndjson": true, "jsoncompacteachrow": true, "rowbinary": true,
	"lineasstring": true, "rawblob": true, "null": true,
}

// streams says whether the output may be fetched in portions. A FORMAT inside
// a text or comment can only make it say no, which costs memory, not truth.
func streams(sql, format string) bool {
	if m := formatClause.FindAllStringSubmatch(sql, -1); m != nil {
		for _, f := range m {
			if !joinable[strings.ToLower(f[1])] {
				return false
			}
		}
		return true
	}
	return joinable[strings.ToLower(format)]
}
