package native

import (
	"strings"
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
// what it does not understand is statementOther.
func parse(text string) (statement, error) {
	c := &cursor{text: text, tokens: lex(text, maxTokens)}
	for len(c.tokens) > 0 && c.tokens[len(c.tokens)-1].kind == ';' {
		c.tokens = c.tokens[:len(c.tokens)-1]
	}
	switch {
	case !c.more():
		return statement{}, exception(codeSyntaxError, "Empty query")
	case c.accept("INSERT"):
		return parseInsert(c)
	case len(c.tokens) >= maxTokens:
		return statement{text: text}, nil
	}
	for _, t := range c.tokens {
		if t.kind == ';' {
			return statement{}, exception(codeSyntaxError, "Multi-statements are not allowed: send one statement at a time")
		}
	}
	end := c.tokens[len(c.tokens)-1].end
	s := statement{text: text[:end]}
	switch {
	case c.is("SELECT", "WITH", "FROM"), c.kind() == '(':
		s.kind, s.text = statementSelect, withoutFormat(c)
	case c.is("SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK"):
		s.text = withoutFormat(c)
	case c.accept("SET"):
		parseSet(c, &s)
	case c.accept("USE"):
		c.accept("DATABASE")
		if name, ok := c.name(); ok && !c.more() {
			s.kind, s.database = statementUse, name
		}
	}
	return s, nil
}

// withoutFormat cuts out "FORMAT Name" near the statement's end. Over the
// native protocol ClickHouse leaves formats to the client.
func withoutFormat(c *cursor) string {
	end := c.tokens[len(c.tokens)-1].end
	for i := len(c.tokens) - 2; i > 0; i-- {
		tok, name := c.tokens[i], c.tokens[i+1]
		if tok.depth != 0 || tok.kind != tokenWord || !strings.EqualFold(c.text[tok.start:tok.end], "FORMAT") || name.kind != tokenWord {
			continue
		}
		if i+2 == len(c.tokens) {
			return c.text[:tok.start]
		}
		rest := c.tokens[i+2]
		if strings.EqualFold(c.text[rest.start:rest.end], "SETTINGS") {
			return c.text[:tok.start] + c.text[rest.start:end]
		}
	}
	return c.text[:end]
}

// parseSet reads "name = value, …". A SET of another kind (ROLE, TRANSACTION)
// stays as it is.
func parseSet(c *cursor, s *statement) {
	var settings []setting
	for {
		name, ok := c.name()
		if !ok || !c.acceptMark('=') {
			return
		}
		value, ok := parseValue(c)
		if !ok {
			return
		}
		settings = append(settings, setting{name: name, value: value, important: true})
		if !c.acceptMark(',') {
			break
		}
	}
	if !c.more() {
		s.kind, s.settings = statementSet, settings
	}
}

// parseValue reads the literal up to the next comma or the end.
func parseValue(c *cursor) (string, bool) {
	if c.kind() == tokenString {
		return c.name()
	}
	start := c.start()
	end := start
	for c.more() && c.kind() != ',' {
		end = c.tokens[c.at].end
		c.at++
	}
	value := c.text[start:end]
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
func parseInsert(c *cursor) (statement, error) {
	s := statement{text: c.text}
	c.accept("INTO")
	if c.accept("TABLE") && (!c.more() || c.kind() == '(' || c.kind() == '.' || c.is("VALUES", "FORMAT")) {
		c.at-- // a table that is called table
	}
	target := insertTarget{}
	function := c.accept("FUNCTION")
	tableStart := c.start()
	if !acceptPath(c) {
		return s, nil
	}
	if function {
		if _, ok := c.group(); !ok {
			return s, nil
		}
	}
	target.table = c.text[tableStart:c.tokens[c.at-1].end]
	if list, ok := c.group(); ok {
		if !target.readColumns(c.text, list) {
			return s, nil // INSERT INTO t (SELECT …)
		}
	} else {
		target.star = true
	}
	if c.accept("PARTITION") {
		for c.more() && !c.is("SETTINGS", "VALUES", "FORMAT", "SELECT", "WITH", "FROM") {
			c.at++
		}
	}
	target.head = c.text[:c.tokens[c.at-1].end]
	if start := c.start(); c.accept("SETTINGS") {
		for c.more() && !c.is("VALUES", "FORMAT", "SELECT", "WITH", "FROM") {
			c.at++
		}
		target.settings = c.text[start:c.tokens[c.at-1].end]
	}
	switch {
	case c.accept("VALUES"):
	case c.accept("FORMAT"):
		c.at++
	}
	if c.more() { // the rows are in the text, or come from a SELECT or a file
		return s, nil
	}
	s.kind, s.insert = statementInsert, target
	return s, nil
}

// acceptPath steps over name or name.name; a name may be a query parameter.
func acceptPath(c *cursor) bool {
	for {
		if c.acceptMark('{') {
			for c.more() && !c.acceptMark('}') {
				c.at++
			}
		} else if _, ok := c.name(); !ok {
			return false
		}
		if !c.acceptMark('.') {
			return true
		}
	}
}

// readColumns reads the list of columns: names, or * EXCEPT names.
func (target *insertTarget) readColumns(text string, list []token) bool {
	c := &cursor{text: text, tokens: list}
	if c.acceptMark('*') {
		target.star = true
		if !c.more() {
			return true
		}
		if !c.accept("EXCEPT") {
			return false
		}
		if inner, ok := c.group(); ok {
			c = &cursor{text: text, tokens: inner}
		}
	}
	for {
		start := c.at
		if !acceptPath(c) {
			return false
		}
		target.columns = append(target.columns, pathName(c, start))
		if !c.acceptMark(',') {
			return !c.more()
		}
	}
}

// pathName joins the names of the path that was stepped over since start.
func pathName(c *cursor, start int) string {
	part := &cursor{text: c.text, tokens: c.tokens[:c.at], at: start}
	var names []string
	for part.more() {
		if name, ok := part.name(); ok {
			names = append(names, name)
		}
		part.acceptMark('.')
	}
	return strings.Join(names, ".")
}
