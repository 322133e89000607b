// Package diff finds where two JSON documents differ, without building values:
// both are parsed into flat tapes over their own bytes and walked side by
// side. Numbers are compared exactly as decimals, never through floating
// point; the order of object members is irrelevant.
//
// Grammar: RFC 8259. Members of one name are paired in the order of their
// occurrence, so a repeated name that only one side has is a difference.
package diff
