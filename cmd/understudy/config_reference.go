package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/spf13/cobra"

	"understudy.dev/setting"
	"understudy.dev/setting/source"
)

// meanings are the comments of the fields that make up the configuration, by
// key; make generate collects them.
//
//go:embed meanings.json
var meanings []byte

// reference is one key.
type reference struct {
	Key     string `json:"key"`
	Type    string `json:"type"`
	Default string `json:"default"`
	Flag    string `json:"flag,omitempty"`
	Meaning string `json:"meaning"`
}

func (a *app) configReferenceCommand() *cobra.Command {
	output := "text"
	c := &cobra.Command{
		Use: "reference", Short: "Print every key with type, default and meaning", Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			refs, err := references(c.Root())
			if err != nil {
				return err
			}
			switch output {
			case "text":
				referenceText(a.out, refs)
			case "markdown":
				referenceMarkdown(a.out, refs)
			case "json":
				encoder := json.NewEncoder(a.out)
				encoder.SetEscapeHTML(false)
				encoder.SetIndent("", "  ")
				return encoder.Encode(refs)
			default:
				return usagef("-o %q is not one of text, markdown, json", output)
			}
			return nil
		},
	}
	c.Flags().StringVarP(&output, "output", "o", output, "text, markdown or json")
	enumerate(c, "output", "text", "markdown", "json")
	return c
}

// references lists all keys, those of the sections in lists included.
func references(root *cobra.Command) ([]reference, error) {
	about := map[string]string{}
	if err := json.Unmarshal(meanings, &about); err != nil {
		return nil, err
	}
	// A fresh tree: its defaults and flags know no file and no environment.
	plain := newApp(strings.NewReader(""), io.Discard, io.Discard)
	tree := &cobra.Command{Use: root.Use}
	tree.AddCommand(plain.commands()...)
	plain.persistentFlags(tree, "")
	flags := map[string]string{}
	for f, path := range plain.pathsOfFlags(tree) {
		flags[path] = "--" + f.Name
	}
	var refs []reference
	eachKey(reflect.ValueOf(defaultConfig()), "", func(path string, f source.Field, value reflect.Value) {
		text := ""
		if value.IsValid() {
			text, _ = flow(value)
		}
		refs = append(refs, reference{path, source.TypeName(f.Type), portable(text), flags[path], about[path]})
	})
	return refs, nil
}

// eachKey visits every setting, and in lists of sections each key of such a
// section as "rules[].name", without a value.
func eachKey(v reflect.Value, path string, visit func(string, source.Field, reflect.Value)) {
	for _, f := range source.Fields(v.Type()) {
		if f.Hidden {
			continue
		}
		at, value := setting.Join(path, f.Key), f.Of(v)
		if source.IsSection(f.Type) {
			eachKey(value, at, visit)
			continue
		}
		if strings.Contains(path, "[]") {
			value = reflect.Value{}
		}
		visit(at, f, value)
		if f.Type.Kind() == reflect.Slice && source.IsSection(f.Type.Elem()) {
			eachKey(reflect.New(f.Type.Elem()).Elem(), at+"[]", visit)
		}
	}
}

// portable writes the user's home folder as ~.
func portable(text string) string {
	if home, err := os.UserHomeDir(); err == nil && home != "" && home != "/" {
		return strings.ReplaceAll(text, home, "~")
	}
	return text
}

func referenceText(w io.Writer, refs []reference) {
	for _, r := range refs {
		head := r.Key + "  (" + r.Type
		if r.Default != "" {
			head += ", default " + r.Default
		}
		if r.Flag != "" {
			head += ", " + r.Flag
		}
		fmt.Fprintf(w, "%s)\n    %s\n", head, r.Meaning)
	}
}

func referenceMarkdown(w io.Writer, refs []reference) {
	fmt.Fprint(w, "# Configuration\n\n<!-- Made from the comments in the code by make generate; do not edit. -->\n\n"+
		"One YAML file holds the settings of all commands (`--config FILE`, or `UNDERSTUDY_CONFIG`). Defaults come first, then the file, then the environment, then flags; "+
		"the variable of `--log-level` is `UNDERSTUDY_LOG_LEVEL`, and so on. An unknown key is an error.\n\n"+
		"`understudy config validate FILE` names every mistake with line and column, `understudy config show` prints what holds and where it comes from, "+
		"and `understudy config reference` prints this page. Sizes in the file are bytes; durations are written as `250ms`, `5s` or `1h30m`.\n")
	section := "-"
	for _, r := range refs {
		s, _, nested := strings.Cut(r.Key, ".")
		if !nested {
			s = ""
		}
		if s != section {
			section = s
			if s == "" {
				s = r.Key
			}
			fmt.Fprintf(w, "\n## %s\n\n| key | type | default | flag | meaning |\n|---|---|---|---|---|\n", s)
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | %s | %s |\n", r.Key, r.Type, code(r.Default), code(r.Flag), cell(r.Meaning))
	}
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + cell(s) + "`"
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
