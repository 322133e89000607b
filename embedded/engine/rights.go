package engine

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// rightsDir is the folder, within the data, of the engine's configuration.
const rightsDir = "rights"

// rights are all that statements may do. What is missing is what reaches beyond
// the data: sources (FILE, URL, S3 …) and so the table functions and engines
// that read or write them, BACKUP, CLUSTER, named collections, users, and the
// SYSTEM statements that end the process or write elsewhere.
const rights = "SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE DICTIONARY, CREATE FUNCTION, " +
	"CREATE TEMPORARY TABLE, CREATE WORKLOAD, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, SHOW, CHECK, KILL QUERY, KILL TRANSACTION, " +
	"dictGet, INTROSPECTION, SYSTEM MERGES, SYSTEM TTL MERGES, SYSTEM MOVES, SYSTEM FLUSH, SYSTEM DROP CACHE, " +
	"SYSTEM RELOAD DICTIONARY, SYSTEM VIEWS, SYSTEM SYNC TRANSACTION LOG, SYSTEM WAIT LOADING PARTS"

// sealed settings keep their value, because another one names a file or an
// address, or holds SQL, which the fence does not see.
var sealed = []string{
	"additional_result_filter", "additional_table_filters", "allow_experimental_ai_functions",
	"allow_experimental_eval_table_function", "cluster_for_parallel_replicas", "dialect", "dynamic_disk_allow_from_env",
	"dynamic_disk_allow_from_zk", "dynamic_disk_allow_include", "format_avro_schema_registry_url", "format_schema",
	"format_schema_source", "format_template_resultset", "format_template_row", "input_format_record_errors_file_path",
	"output_format_schema", "parallel_replicas_custom_key", "rename_files_after_processing", "url_base",
}

// valueExpressions makes the engine compute the values of INSERT … VALUES,
// which the fence does not see. Without Landlock they could call file().
const valueExpressions = "input_format_values_interpret_expressions"

// writeRights writes the configuration of the engine's one user.
func writeRights(dataDir string, confined bool) error {
	dir := filepath.Join(dataDir, rightsDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("folder of the engine's rights: %w", err)
	}
	users := filepath.Join(dir, "users.xml")
	var path, values, constraints strings.Builder
	if err := xml.EscapeText(&path, []byte(users)); err != nil {
		return fmt.Errorf("name of the engine's rights: %w", err)
	}
	names := slices.Clone(sealed)
	if !confined {
		names = append(names, valueExpressions)
		values.WriteString("<" + valueExpressions + ">0</" + valueExpressions + ">")
	}
	for _, name := range names {
		fmt.Fprintf(&constraints, "<%s><const/></%s>", name, name)
	}
	for file, text := range map[string]string{
		filepath.Join(dir, "config.xml"): "<clickhouse><users_config>" + path.String() + "</users_config></clickhouse>\n",
		users: "<clickhouse><users><default><password></password><profile>default</profile><quota>default</quota>" +
			"<networks><ip>::/0</ip></networks><grants><query>GRANT " + rights + " ON *.*</query>" +
			"<query>GRANT SET DEFINER ON *</query></grants></default></users>" +
			"<profiles><default>" + values.String() + "<constraints>" + constraints.String() + "</constraints></default></profiles>" +
			"<quotas><default></default></quotas></clickhouse>\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the engine's rights: %w", err)
		}
	}
	return nil
}
