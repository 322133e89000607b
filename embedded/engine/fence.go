package engine

import (
	"strings"

	"understudy.dev/embedded/sql"
)

// The fence refuses statements that touch files, the network or other
// processes, by the names in them, before the engine sees them. Its answer says
// why. Behind it stand the rights of the engine's user (see rights) and, where
// it can, the kernel, which keeps the engine within its folders (see jail).
// Names in texts are not looked at; what the engine makes of a text (eval, a
// dictionary's QUERY) is refused with it.

// safeFunctions are the table functions that touch nothing outside; what is
// neither here nor refused by a name below fails a test.
var safeFunctions = names(`SQLStandardValues dictionary format fuzzJSON fuzzQuery generateRandom generateSeries
	generate_series input loop merge mergeTreeAnalyzeIndexes mergeTreeAnalyzeIndexesUUID mergeTreeIndex mergeTreeProjection
	mergeTreeTextIndex null numbers numbers_mt primes prometheusQuery prometheusQueryRange timeSeriesData timeSeriesMetrics
	timeSeriesSamples timeSeriesSelector timeSeriesTags values view viewExplain viewIfPermitted zeros zeros_mt`)

// refusedFunctions are those that do, and the ordinary functions of their kind.
var refusedFunctions = names(`arrowstream azureBlobStorage azureBlobStorageCluster cluster clusterAllReplicas cosn deltaLake
	deltaLakeAzure deltaLakeAzureCluster deltaLakeCluster deltaLakeLocal deltaLakeS3 deltaLakeS3Cluster eval executable file
	fileCluster filesystem gcs hdfs hdfsCluster hudi hudiCluster iceberg icebergAzure icebergAzureCluster icebergCluster
	icebergHDFS icebergHDFSCluster icebergLocal icebergLocalCluster icebergS3 icebergS3Cluster jdbc mongodb mysql odbc oss
	paimon paimonAzure paimonAzureCluster paimonCluster paimonHDFS paimonHDFSCluster paimonLocal paimonS3 paimonS3Cluster
	postgresql python redis remote remoteSecure s3 s3Cluster sqlite url urlCluster ytsaurus
	catboostEvaluate aiClassify aiEmbed aiExtract aiGenerate aiTranslate addressToLine addressToLineWithInlines addressToSymbol
	ssd_cache complex_key_ssd_cache disk`)

// Ordinary functions can also be called by being passed to these.
var (
	refusedPassed = names(`file catboostEvaluate aiClassify aiEmbed aiExtract aiGenerate aiTranslate`)
	higherOrder   = names(`arrayAll arrayAvg arrayBottomK arrayCompact arrayCount arrayCumSum arrayCumSumNonNegative arrayDifference
		arrayExists arrayFill arrayFilter arrayFirst arrayFirstIndex arrayFirstOrNull arrayFold arrayLast arrayLastIndex
		arrayLastOrNull arrayMap arrayMax arrayMin arrayPartialReverseSort arrayPartialSort arrayProduct arrayReverseFill
		arrayReverseSort arrayReverseSplit arraySort arraySplit arraySum arrayTopK mapAll mapApply mapExists mapFilter
		mapPartialReverseSort mapPartialSort mapReverseSort mapSort`)
)

// safeEngines are the engines of tables and databases that keep what they hold
// in the data folder or in memory.
var safeEngines = names(`AggregatingMergeTree Alias Buffer CoalescingMergeTree CollapsingMergeTree Dictionary FuzzJSON FuzzQuery
	GenerateRandom GraphiteMergeTree Join Log Loop MaterializedView Memory Merge MergeTree Null ReplacingMergeTree Set StripeLog
	SummingMergeTree TimeSeries TinyLog VersionedCollapsingMergeTree View WindowView
	Atomic Ordinary Lazy`)

// refusedSettings are those that are sealed anyway, refused here with a reason,
// and those of tables, whose values the engine's rights do not cover.
var refusedSettings = names(strings.Join(sealed, " ") + " disk table_disk storage_policy")

// safeSystem are the words that may follow SYSTEM: those of the statements that
// the engine's user has a right to (see rights). RELOAD is for dictionaries.
var safeSystem = names(`CANCEL CLEAR DROP FLUSH PAUSE PREWARM REFRESH RELOAD START STOP SYNC UNLOAD WAIT`)

// sources of dictionaries, and what one from this engine's own tables may not
// say: another host, or SQL as text.
var (
	safeSources     = names(`null clickhouse`)
	refusedInSource = names(`host port secure query invalidate_query where`)
)

func names(list string) map[string]bool {
	out := map[string]bool{}
	for _, name := range strings.Fields(list) {
		out[strings.ToLower(name)] = true
	}
	return out
}

// refusal is the exception for what the fence does not let through.
func refusal(what string) error {
	return &Exception{Code: 497, Name: "ACCESS_DENIED",
		Message: "the embedded platform does not let statements touch files, the network or other processes: " + what + " is refused; use a ClickHouse server for that"}
}

// admit passes a request or returns why not. The rows that an INSERT has in its
// text are taken out of it: the engine looks behind them for a further
// statement, and would find one where the fence has seen rows.
func admit(r Request) (Request, error) {
	for name := range r.Settings {
		if refusedSettings[strings.ToLower(name)] {
			return r, refusal("the setting " + name)
		}
	}
	f := fence{infile: r.Infile, rows: r.Input == nil}
	for t := range sql.Tokens(r.SQL) {
		if f.rowsFollow(t) {
			r.InputFormat, r.Input = t.Text, strings.NewReader(afterFormat(r.SQL[t.End:]))
			r.SQL = r.SQL[:f.past[0].Start]
			break
		}
		if err := f.step(t); err != nil {
			return r, err
		}
	}
	return r, f.step(sql.Token{}) // the last token is judged too
}

// afterFormat is the rows behind FORMAT Name: white space in the line and one
// line end are not part of them.
func afterFormat(rest string) string {
	rest = strings.TrimPrefix(strings.TrimLeft(rest, " \t\r"), ";")
	return strings.TrimPrefix(rest, "\n")
}

// A fence looks at the tokens of a statement one by one, each in the light of
// those before it.
type fence struct {
	infile bool         // INFILE is of our own making
	first  string       // the statement's first word
	seen   int          // tokens so far
	past   [3]sql.Token // the last ones, the newest first

	settings   bool // behind SET or SETTINGS
	dictionary bool // behind DICTIONARY in what makes one
	source     bool // behind its SOURCE
	rows       bool // this may still be an INSERT with rows behind FORMAT
	depth      int
	opener     sql.Token // before the parentheses that were just opened
	ended      bool      // behind a semicolon
}

func (f *fence) step(t sql.Token) error {
	if f.ended && t.Kind != 0 && t.Kind != ';' {
		return &Exception{Code: 62, Name: "SYNTAX_ERROR", Message: "Multi-statements are not allowed: send one statement at a time"}
	}
	if f.seen == 0 {
		f.first = strings.ToLower(t.Text)
	}
	if err := f.words(t); err != nil {
		return err
	}
	if err := f.name(t); err != nil {
		return err
	}
	f.settings = f.settings || t.Is("SET", "SETTINGS")
	f.dictionary = f.dictionary || t.Is("DICTIONARY") && f.makes()
	f.source = f.source || t.Is("SOURCE") && f.dictionary
	f.nest(t)
	f.ended = f.ended || t.Kind == ';'
	f.past[2], f.past[1], f.past[0] = f.past[1], f.past[0], t
	f.seen++
	return nil
}

// nest follows parentheses, and what makes an INSERT one without rows.
func (f *fence) nest(t sql.Token) {
	switch {
	case t.Kind == '(' || t.Kind == '[' || t.Kind == '{':
		if f.past[0].Kind != '(' {
			f.opener = f.past[0]
		}
		f.depth++
	case t.Kind == ')' || t.Kind == ']' || t.Kind == '}':
		f.depth--
	case t.Is("SELECT", "WITH", "FROM", "VALUES") && (f.depth == 0 || f.past[0].Kind == '('):
		f.rows = f.rows && f.past[0].Is("INTO", "TABLE")
	}
}

// rowsFollow reports whether a token names the format of the rows behind it.
// VALUES are expressions, so they stay in the text.
func (f *fence) rowsFollow(t sql.Token) bool {
	return f.rows && f.first == "insert" && f.depth == 0 && t.Kind == sql.Word && f.past[0].Is("FORMAT") &&
		!f.past[1].Is("INTO", "TABLE") && !t.Is("VALUES")
}

// passed reports whether a name is passed to be called: APPLY(name), or
// arrayMap(name, …).
func (f *fence) passed() bool {
	return f.past[0].Is("APPLY") || f.past[0].Kind == '(' &&
		(f.opener.Is("APPLY") || f.opener.IsName() && higherOrder[strings.ToLower(f.opener.Text)])
}

// makes reports whether the statement makes or changes a table or a database.
func (f *fence) makes() bool {
	return f.first == "create" || f.first == "attach" || f.first == "replace" || f.first == "alter"
}

// words judges keywords: the token and the one before it.
func (f *fence) words(t sql.Token) error {
	last := f.past[0]
	switch {
	case f.seen == 0 && t.Is("BACKUP", "RESTORE"):
		return refusal(strings.ToUpper(t.Text))
	case f.seen == 1 && last.Is("SYSTEM") && !safeSystem[strings.ToLower(t.Text)]:
		return refusal("SYSTEM " + t.Text)
	case f.seen == 2 && f.first == "system" && last.Is("RELOAD") && !t.Is("DICTIONARY", "DICTIONARIES"):
		return refusal(strings.TrimSpace("SYSTEM RELOAD " + t.Text))
	case last.Is("INTO") && t.Is("OUTFILE"):
		return refusal("INTO OUTFILE")
	case last.Is("FROM") && t.Is("INFILE") && !f.infile:
		return refusal("FROM INFILE")
	case f.first == "attach" && last.Is("FROM") && t.Kind == sql.Text:
		return refusal("ATTACH … FROM a path")
	case f.passed() && (t.IsName() && refusedPassed[strings.ToLower(t.Text)] || t.Kind == '{'):
		return refusal("a function that is passed by name, " + t.Text + ",")
	case f.first == "create" && t.Is("LANGUAGE"):
		return refusal("a function in another language")
	}
	return nil
}

// name judges the name before the token, which says what the name is.
func (f *fence) name(t sql.Token) error {
	last, before, earlier := f.past[0], f.past[1], f.past[2]
	if !last.IsName() {
		return nil
	}
	name := strings.ToLower(last.Text)
	engine := before.Is("ENGINE") || before.Kind == '=' && earlier.Is("ENGINE")
	switch {
	case t.Kind == '(' && refusedFunctions[name] && !f.declared(before):
		return refusal(last.Text + "(…)")
	case engine && f.makes() && !safeEngines[name]:
		return refusal("the engine " + last.Text)
	case f.settings && t.Kind == '=' && refusedSettings[name]:
		return refusal("the setting " + last.Text)
	case before.Kind == '(' && earlier.Is("SOURCE") && f.dictionary && !safeSources[name]:
		return refusal("a dictionary's source " + last.Text)
	case f.source && refusedInSource[name]:
		return refusal(strings.ToUpper(name) + " in a dictionary's source")
	case name == "default" && before.Is("DATABASE", "EXISTS") && (f.first == "drop" || f.first == "detach"):
		// Every connection begins in it: without it the engine accepts none.
		return refusal(strings.ToUpper(f.first) + " DATABASE default")
	}
	return nil
}

// declared reports whether a name before a parenthesis is a table's, followed
// by its columns, going by the token before it.
func (f *fence) declared(before sql.Token) bool {
	return before.Kind == '.' || before.Is("INTO") || f.first == "create" && before.Is("TABLE", "EXISTS", "VIEW")
}
