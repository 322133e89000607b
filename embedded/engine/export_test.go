package engine

import (
	"slices"
	"strings"
)

// JudgedFunction tells whether fence.go knows a table function.
func JudgedFunction(name string) bool {
	name = strings.ToLower(name)
	return safeFunctions[name] || refusedFunctions[name]
}

// JudgedEngine tells whether fence.go knows an engine.
func JudgedEngine(name string) bool {
	name = strings.ToLower(name)
	return safeEngines[name] || refusedEngines[name]
}

// HigherOrder tells whether fence.go knows that a function takes a function.
func HigherOrder(name string) bool { return higherOrder[strings.ToLower(name)] }

// Admit says why the fence refuses a statement.
func Admit(sql string) error {
	_, err := admit(Request{SQL: sql})
	return err
}

// Granted tells whether the engine's user has a right.
func Granted(right string) bool { return slices.Contains(strings.Split(rights, ", "), right) }

// Sealed are the settings that keep their value.
func Sealed() []string { return sealed }

// Unconfined is the configuration of an engine without Landlock.
func Unconfined(c Config) Config { c.unconfined = true; return c }

// refusedEngines are those that keep what they hold elsewhere. The fence refuses
// whatever is not safe; the list says that each was looked at.
var refusedEngines = names(`ArrowStream AzureBlobStorage AzureQueue COSN DeltaLake DeltaLakeAzure DeltaLakeLocal DeltaLakeS3
	Distributed EmbeddedRocksDB Executable ExecutablePool File FileLog GCS HDFS Hudi Iceberg IcebergAzure IcebergHDFS IcebergLocal
	IcebergS3 JDBC Kafka KeeperMap MaterializedPostgreSQL MongoDB MySQL ODBC OSS Paimon PaimonAzure PaimonHDFS PaimonLocal PaimonS3
	PostgreSQL QueryRunner Redis Remote RemoteSecure ReplicatedAggregatingMergeTree ReplicatedCoalescingMergeTree
	ReplicatedCollapsingMergeTree ReplicatedGraphiteMergeTree ReplicatedMergeTree ReplicatedReplacingMergeTree
	ReplicatedSummingMergeTree ReplicatedVersionedCollapsingMergeTree S3 S3Queue SQLite URL YTsaurus
	Backup DataLakeCatalog Filesystem Replicated`)
