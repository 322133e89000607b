package native

import (
	"strings"
)

// The revisions at which the protocol gained what this package sends or reads
// (ClickHouse's src/Core/ProtocolDefines.h).
const (
	revisionTimezone          = 54058
	revisionQuotaKeyInInfo    = 54060
	revisionDisplayName       = 54372
	revisionVersionPatch      = 54401
	revisionWriteInfo         = 54420
	revisionSettingsAsStrings = 54429
	revisionInterserverSecret = 54441
	revisionOpenTelemetry     = 54442
	revisionDistributedDepth  = 54448
	revisionQueryStartTime    = 54449
	revisionParallelReplicas  = 54453
	revisionEventsInInsert    = 54456
	revisionAddendum          = 54458
	revisionParameters        = 54459
	revisionElapsedInProgress = 54460

	// serverRevision is what the server says it speaks. It is the newest at
	// which every value has the bytes of revision 0, the engine's: from 54473
	// on JSON and Dynamic differ, and from 54470 on packets come in chunks.
	serverRevision = revisionElapsedInProgress
	// oldestRevision has settings as strings: ClickHouse 20.1 of 2020.
	oldestRevision = revisionSettingsAsStrings
)

// Packets from the client (ClickHouse's src/Core/Protocol.h).
const (
	clientHello        = 0
	clientQuery        = 1
	clientData         = 2
	clientCancel       = 3
	clientPing         = 4
	clientTablesStatus = 5
	clientKeepAlive    = 6
	clientScalar       = 7
)

const (
	maxHelloBytes   = 4 << 10
	maxQueryBytes   = 64 << 20
	maxSettings     = 4096
	maxSettingBytes = 8 << 20
)

// A greeting is the client's Hello.
type greeting struct {
	client   string
	revision uint64
	database string
	user     string
}

func readGreeting(t *tap) (greeting, error) {
	var g greeting
	r := reader{t: t}
	g.client = r.str("the client's name", maxHelloBytes)
	r.uvarint() // major version
	r.uvarint() // minor version
	g.revision = r.uvarint()
	g.database = r.str("the database", maxHelloBytes)
	g.user = r.str("the user", maxHelloBytes)
	r.str("the password", maxHelloBytes)
	return g, r.err
}

// A setting of a query; its value is text.
type setting struct {
	name      string
	value     string
	important bool
}

// A query is the client's Query packet, without what has no use here.
type query struct {
	id         string
	text       string
	settings   []setting
	parameters map[string]string
	compressed bool
	secret     bool // signed as a server of a cluster
}

const (
	settingImportant = 1
	settingCustom    = 2
	stageComplete    = 2
)

func readQuery(t *tap, revision uint64) (query, error) {
	var q query
	r := reader{t: t}
	q.id = r.str("the query's id", maxHelloBytes)
	readClientInfo(&r, revision)
	q.settings = readSettings(&r)
	if revision >= revisionInterserverSecret {
		q.secret = r.str("the interserver secret", maxHelloBytes) != ""
	}
	if stage := r.uvarint(); r.err == nil && stage != stageComplete {
		r.err = malformed("a query asks for processing stage %d: only complete (%d) is served, other stages belong to clusters", stage, stageComplete)
	}
	q.compressed = r.uvarint() != 0
	q.text = r.str("the query", maxQueryBytes)
	if revision >= revisionParameters {
		q.parameters = map[string]string{}
		for _, p := range readSettings(&r) {
			q.parameters[p.name] = p.value
		}
	}
	return q, r.err
}

func readSettings(r *reader) []setting {
	var settings []setting
	total := 0
	for r.err == nil {
		name := r.str("the name of a setting", maxHelloBytes)
		if name == "" {
			break
		}
		flags := r.uvarint()
		value := r.str("the value of a setting", maxSettingBytes)
		if flags&settingCustom != 0 {
			value = undump(value)
		}
		total += len(value)
		if r.err == nil && (len(settings) == maxSettings || total > maxSettingBytes) {
			r.err = malformed("a query has more than %d settings or %d bytes of them", maxSettings, maxSettingBytes)
		}
		settings = append(settings, setting{name, value, flags&settingImportant != 0})
	}
	return settings
}

// undump reads the text that Field::dump made of a string or a number.
func undump(text string) string {
	if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		return unescape(text[1 : len(text)-1])
	}
	for _, kind := range []string{"UInt64_", "Int64_", "Float64_", "Bool_"} {
		if value, ok := strings.CutPrefix(text, kind); ok {
			return value
		}
	}
	return text
}

var escapes = map[byte]byte{
	'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', '0': 0, 'a': '\a', 'v': '\v', 'e': 0x1b,
}

// unescape reads ClickHouse's backslash escapes and doubled quotes.
func unescape(text string) string {
	if !strings.ContainsAny(text, `\'`) {
		return text
	}
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text):
			i++
			c = text[i]
			if plain, ok := escapes[c]; ok {
				c = plain
			}
		case c == '\'' && i+1 < len(text) && text[i+1] == '\'':
			i++
		}
		b = append(b, c)
	}
	return string(b)
}

const interfaceTCP = 1

// readClientInfo passes over who asks: there is one user, and no quota.
func readClientInfo(r *reader, revision uint64) {
	if kind := r.uint8(); kind == 0 {
		return
	}
	for _, what := range []string{"the initial user", "the initial query id", "the initial address"} {
		r.str(what, maxHelloBytes)
	}
	if revision >= revisionQueryStartTime {
		r.skip(8)
	}
	if face := r.uint8(); r.err == nil && face != interfaceTCP {
		r.err = malformed("a query says that it came over interface %d: only TCP (%d) is understood", face, interfaceTCP)
	}
	for _, what := range []string{"the client's user", "the client's host", "the client's name"} {
		r.str(what, maxHelloBytes)
	}
	r.uvarint() // major version
	r.uvarint() // minor version
	r.uvarint() // revision
	if revision >= revisionQuotaKeyInInfo {
		r.str("the quota key", maxHelloBytes)
	}
	if revision >= revisionDistributedDepth {
		r.uvarint()
	}
	if revision >= revisionVersionPatch {
		r.uvarint()
	}
	if revision >= revisionOpenTelemetry && r.uint8() != 0 {
		r.skip(16 + 8) // trace and span
		r.str("the trace state", maxHelloBytes)
		r.skip(1)
	}
	if revision >= revisionParallelReplicas {
		for range 3 {
			r.uvarint()
		}
	}
}
