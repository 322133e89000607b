package native

import (
	"strings"

	"understudy.dev/embedded/sql"
)

// What the protocol must do for a statement.
type statementKind int

const (
	// statementOther runs as it is; rows may come out of it or not.
	statementOther statementKind = iota
	// statementSelect runs as it is and always has columns.
	statementSelect
	// statementInsert takes its rows from the client's data packets.
	statementInsert
	// statementSet changes the settings of the connection.
	statementSet
	// statementUse changes the database of the connection.
	statementUse
)

// A statement is the text of a query, taken apart as far as the protocol needs.
type statement struct {
	kind     statementKind
	text     string // without FORMAT: the protocol has its own
	insert   insertTarget
	settings []setting // of SET
	database string    // of USE
}

// An insertTarget is where an INSERT's rows go.
type insertTarget struct {
	head     string // INSERT INTO target (columns)
	table    string // what DESCRIBE TABLE takes
	settings string // SETTINGS …, or nothing
	columns  []string
	star     bool // all columns but those in columns
}

// maxTokens bounds what is looked at: literals of an inline INSERT may be many.
// A statement with more of them keeps its FORMAT and is run as it is.
const maxTokens = 200_000

// parse takes a statement apart. It leaves judging the syntax to the engine:
// what it does not understand is statementOther, and a second statement is left
// to the fence to refuse.
func parse(text string) (statement, error) {
	c := sql.NewCursor(text, maxTokens)
	for len(c.Tokens) > 0 && c.Tokens[len(c.Tokens)-1].Kind == ';' {
		c.Tokens = c.Tokens[:len(c.Tokens)-1]
	}
	switch {
	case !c.More():
		return statement{}, exception(codeSyntaxError, "Empty query")
	case c.Accept("INSERT"):
		return parseInsert(c)
	case len(c.Tokens) >= maxTokens:
		return statement{text: text}, nil
	}
	end := c.Tokens[len(c.Tokens)-1].End
	s := statement{text: text[:end]}
	switch {
	case c.Token().Is("SELECT", "WITH", "FROM"), c.Token().Kind == '(':
		s.kind, s.text = statementSelect, withoutFormat(c)
	case c.Token().Is("SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK"):
		s.text = withoutFormat(c)
	case c.Accept("SET"):
		parseSet(c, &s)
	case c.Accept("USE"):
		c.Accept("DATABASE")
		if name, ok := c.Name(); ok && !c.More() {
			s.kind, s.database = statementUse, name
		}
	}
	return s, nil
}

// withoutFormat cuts out "FORMAT Name" near the statement's end. Over the
// native protocol ClickHouse leaves formats to the client.
func withoutFormat(c *sql.Cursor) string {
	end := c.Tokens[len(c.Tokens)-1].End
	for i := len(c.Tokens) - 2; i > 0; i-- {
		tok, name := c.Tokens[i], c.Tokens[i+1]
		if tok.Depth != 0 || !tok.Is("FORMAT") || name.Kind != sql.Word {
			continue
		}
		if i+2 == len(c.Tokens) {
			return c.Statement[:tok.Start]
		}
		rest := c.Tokens[i+2]
		if rest.Is("SETTINGS") {
			return c.Statement[:tok.Start] + c.Statement[rest.Start:end]
		}
	}
	return c.Statement[:end]
}

// parseSet reads "name = value, …". A SET of another kind (ROLE, TRANSACTION)
// stays as it is.
func parseSet(c *sql.Cursor, s *statement) {
	var settings []setting
	for {
		name, ok := c.Name()
		if !ok || !c.AcceptMark('=') {
			return
		}
		value, ok := parseValue(c)
		if !ok {
			return
		}
		settings = append(settings, setting{name: name, value: value, important: true})
		if !c.AcceptMark(',') {
			break
		}
	}
	if !c.More() {
		s.kind, s.settings = statementSet, settings
	}
}

// parseValue reads the literal up to the next comma, semicolon or the end.
func parseValue(c *sql.Cursor) (string, bool) {
	if c.Token().Kind == sql.Text {
		return c.Name()
	}
	start := c.Token().Start
	end := start
	for c.More() && c.Token().Kind != ',' && c.Token().Kind != ';' {
		end = c.Tokens[c.At].End
		c.At++
	}
	value := c.Statement[start:end]
	switch strings.ToLower(value) {
	case "true":
		value = "1"
	case "false":
		value = "0"
	}
	return value, end > start
}

// parseInsert follows ClickHouse's ParserInsertQuery.cpp. The cursor is behind
// the word INSERT.
func parseInsert(c *sql.Cursor) (statement, error) {
	s := statement{text: c.Statement}
	c.Accept("INTO")
	if c.Accept("TABLE") && (!c.More() || c.Token().Kind == '(' || c.Token().Kind == '.' || c.Token().Is("VALUES", "FORMAT")) {
		c.At-- // a table that is called table
	}
	target := insertTarget{}
	function := c.Accept("FUNCTION")
	tableStart := c.Token().Start
	if !acceptPath(c) {
		return s, nil
	}
	if function {
		if _, ok := c.Group(); !ok {
			return s, nil
		}
	}
	target.table = c.Statement[tableStart:c.Tokens[c.At-1].End]
	if list, ok := c.Group(); ok {
		if !target.readColumns(c.Over(list)) {
			return s, nil // INSERT INTO t (SELECT …)
		}
	} else {
		target.star = true
	}
	if c.Accept("PARTITION") {
		for c.More() && !c.Token().Is("SETTINGS", "VALUES", "FORMAT", "SELECT", "WITH", "FROM") {
			c.At++
		}
	}
	target.head = c.Statement[:c.Tokens[c.At-1].End]
	if start := c.Token().Start; c.Accept("SETTINGS") {
		for c.More() && !c.Token().Is("VALUES", "FORMAT", "SELECT", "WITH", "FROM") {
			c.At++
		}
		target.settings = c.Statement[start:c.Tokens[c.At-1].End]
	}
	switch {
	case c.Accept("VALUES"):
	case c.Accept("FORMAT"):
		c.At++
	}
	if c.More() { // the rows are in the text, or come from a SELECT or a file
		return s, nil
	}
	s.kind, s.insert = statementInsert, target
	return s, nil
}

// acceptPath steps over name or name.name; a name may be a query parameter.
func acceptPath(c *sql.Cursor) bool {
	for {
		if c.AcceptMark('{') {
			for c.More() && !c.AcceptMark('}') {
				c.At++
			}
		} else if _, ok := c.Name(); !ok {
			return false
		}
		if !c.AcceptMark('.') {
			return true
		}
	}
}

// readColumns reads the list of columns: names, or * EXCEPT names.
func (target *insertTarget) readColumns(c *sql.Cursor) bool {
	if c.AcceptMark('*') {
		target.star = true
		if !c.More() {
			return true
		}
		if !c.Accept("EXCEPT") {
			return false
		}
		if inner, ok := c.Group(); ok {
			c = c.Over(inner)
		}
	}
	for {
		start := c.At
		if !acceptPath(c) {
			return false
		}
		target.columns = append(target.columns, pathName(c, start))
		if !c.AcceptMark(',') {
			return !c.More()
		}
	}
}

// pathName joins the names of the path that was stepped over since start.
func pathName(c *sql.Cursor, start int) string {
	part := c.Over(c.Tokens[start:c.At])
	var names []string
	for part.More() {
		if name, ok := part.Name(); ok {
			names = append(names, name)
		}
		part.AcceptMark('.')
	}
	return strings.Join(names, ".")
}
