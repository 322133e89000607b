package native

import (
	"strings"

	"understudy.dev/embedded/blocks"
	"understudy.dev/embedded/sql"
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

	// serverRevision is what the server says it speaks. From 54470 on packets
	// come in chunks.
	serverRevision = blocks.NewestRevision
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

func readGreeting(t *blocks.Scanner) (greeting, error) {
	var g greeting
	r := blocks.Reader{In: t}
	g.client = r.Str("the client's name", maxHelloBytes)
	r.Uvarint() // major version
	r.Uvarint() // minor version
	g.revision = r.Uvarint()
	g.database = r.Str("the database", maxHelloBytes)
	g.user = r.Str("the user", maxHelloBytes)
	r.Str("the password", maxHelloBytes)
	return g, r.Err
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

func readQuery(t *blocks.Scanner, revision uint64) (query, error) {
	var q query
	r := blocks.Reader{In: t}
	q.id = r.Str("the query's id", maxHelloBytes)
	readClientInfo(&r, revision)
	q.settings = readSettings(&r)
	if revision >= revisionInterserverSecret {
		q.secret = r.Str("the interserver secret", maxHelloBytes) != ""
	}
	if stage := r.Uvarint(); r.Err == nil && stage != stageComplete {
		r.Err = blocks.Malformed("a query asks for processing stage %d: only complete (%d) is served, other stages belong to clusters", stage, stageComplete)
	}
	q.compressed = r.Uvarint() != 0
	q.text = r.Str("the query", maxQueryBytes)
	if revision >= revisionParameters {
		q.parameters = map[string]string{}
		for _, p := range readSettings(&r) {
			q.parameters[p.name] = p.value
		}
	}
	return q, r.Err
}

func readSettings(r *blocks.Reader) []setting {
	var settings []setting
	total := 0
	for r.Err == nil {
		name := r.Str("the name of a setting", maxHelloBytes)
		if name == "" {
			break
		}
		flags := r.Uvarint()
		value := r.Str("the value of a setting", maxSettingBytes)
		if flags&settingCustom != 0 {
			value = undump(value)
		}
		total += len(value)
		if r.Err == nil && (len(settings) == maxSettings || total > maxSettingBytes) {
			r.Err = blocks.Malformed("a query has more than %d settings or %d bytes of them", maxSettings, maxSettingBytes)
		}
		settings = append(settings, setting{name, value, flags&settingImportant != 0})
	}
	return settings
}

// undump reads the text that Field::dump made of a string or a number.
func undump(text string) string {
	if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		return sql.Unquote(text[1:len(text)-1], '\'')
	}
	for _, kind := range []string{"UInt64_", "Int64_", "Float64_", "Bool_"} {
		if value, ok := strings.CutPrefix(text, kind); ok {
			return value
		}
	}
	return text
}

const interfaceTCP = 1

// readClientInfo passes over who asks: there is one user, and no quota.
func readClientInfo(r *blocks.Reader, revision uint64) {
	if kind := r.Uint8(); kind == 0 {
		return
	}
	for _, what := range []string{"the initial user", "the initial query id", "the initial address"} {
		r.Str(what, maxHelloBytes)
	}
	if revision >= revisionQueryStartTime {
		r.Skip(8)
	}
	if face := r.Uint8(); r.Err == nil && face != interfaceTCP {
		r.Err = blocks.Malformed("a query says that it came over interface %d: only TCP (%d) is understood", face, interfaceTCP)
	}
	for _, what := range []string{"the client's user", "the client's host", "the client's name"} {
		r.Str(what, maxHelloBytes)
	}
	r.Uvarint() // major version
	r.Uvarint() // minor version
	r.Uvarint() // revision
	if revision >= revisionQuotaKeyInInfo {
		r.Str("the quota key", maxHelloBytes)
	}
	if revision >= revisionDistributedDepth {
		r.Uvarint()
	}
	if revision >= revisionVersionPatch {
		r.Uvarint()
	}
	if revision >= revisionOpenTelemetry && r.Uint8() != 0 {
		r.Skip(16 + 8) // trace and span
		r.Str("the trace state", maxHelloBytes)
		r.Skip(1)
	}
	if revision >= revisionParallelReplicas {
		for range 3 {
			r.Uvarint()
		}
	}
}
