package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"understudy.dev/setting/source"
)

func (a *app) configShowCommand() *cobra.Command {
	output := "yaml"
	c := &cobra.Command{
		Use: "show", Short: "Print the effective configuration and where each value comes from", Args: exactly(),
		Long: `Prints what holds after defaults, file, environment and flags, each value with
where it comes from. It takes every flag that sets a value of the
configuration. Secrets are shown as ***.`,
		RunE: func(*cobra.Command, []string) error {
			switch output {
			case "yaml":
				return a.showYAML(a.out)
			case "table":
				return a.showTable(a.out)
			case "json":
				return a.showJSON(a.out)
			}
			return usagef("-o %q is not one of yaml, table, json", output)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", output, "yaml, table or json")
	enumerate(c, "output", "yaml", "table", "json")
	return c
}

// borrowFlags gives config show the flags of all commands that set a value of
// the configuration.
func (a *app) borrowFlags(root *cobra.Command) {
	show, _, err := root.Find([]string{"config", "show"})
	if err != nil {
		return
	}
	paths := a.pathsOfFlags(root)
	eachFlag(root, func(f *pflag.Flag) {
		if paths[f] != "" && show.Flags().Lookup(f.Name) == nil && root.PersistentFlags().Lookup(f.Name) == nil {
			show.Flags().AddFlag(f)
		}
	})
}

// shown are the settings of the file, in its order.
func (a *app) shown() []source.Setting {
	var out []source.Setting
	for _, s := range source.Settings(reflect.ValueOf(&a.cfg).Elem()) {
		if !s.Field.Hidden {
			out = append(out, s)
		}
	}
	return out
}

// showYAML prints the configuration as a file that could be used, if it were
// not for the secrets.
func (a *app) showYAML(w io.Writer) error {
	var open []string
	for _, s := range a.shown() {
		keys := strings.Split(s.Path, ".")
		sections := keys[:len(keys)-1]
		same := 0
		for same < min(len(open), len(sections)) && open[same] == sections[same] {
			same++
		}
		for i := same; i < len(sections); i++ {
			fmt.Fprintf(w, "%s%s:\n", strings.Repeat("  ", i), sections[i])
		}
		open = sections
		text, err := masked(s)
		if err != nil {
			return err
		}
		line := strings.Repeat("  ", len(sections)) + s.Field.Key + ": " + text
		fmt.Fprintf(w, "%-50s # %s\n", line, a.origins[s.Path])
	}
	return nil
}

func (a *app) showTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KEY\tVALUE\tFROM")
	for _, s := range a.shown() {
		text, err := masked(s)
		if err != nil {
			return err
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", s.Path, text, a.origins[s.Path])
	}
	return t.Flush()
}

func (a *app) showJSON(w io.Writer) error {
	type row struct {
		Key   string `json:"key"`
		Value any    `json:"value"`
		From  string `json:"from"`
	}
	rows := []row{}
	for _, s := range a.shown() {
		text, err := masked(s)
		if err != nil {
			return err
		}
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			return err
		}
		rows = append(rows, row{s.Path, value, a.origins[s.Path].String()})
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
}

const mask = "***"

// secrets are the settings that are never shown; of a map, its values are not.
var secrets = map[string]bool{"record.key": true, "replay.headers": true, "replay.control.headers": true, "gateway.face.headers": true}

// password finds credentials in an address.
var password = regexp.MustCompile(`^((?:[a-z]+://)?[^:/@\s]*):\S*@|([?&]password=)[^&\s]*`)

func maskAddress(s string) string {
	return password.ReplaceAllStringFunc(s, func(found string) string {
		if name, _, ok := strings.Cut(found, "="); ok && strings.HasPrefix(strings.TrimLeft(name, "?&"), "password") {
			return name + "=" + mask
		}
		return password.FindStringSubmatch(found)[1] + ":" + mask + "@"
	})
}

// masked is a value as one line of YAML, without secrets.
func masked(s source.Setting) (string, error) {
	v := s.Value
	switch {
	case secrets[s.Path] && v.Kind() == reflect.Map:
		hidden := map[string]string{}
		for _, key := range v.MapKeys() {
			hidden[key.String()] = mask
		}
		v = reflect.ValueOf(hidden)
	case secrets[s.Path] && v.String() != "":
		v = reflect.ValueOf(mask)
	}
	return flow(v)
}

// flow writes a value in YAML's flow style. Of a section in a list only what
// was given is written: the rest is inherited.
func flow(v reflect.Value) (string, error) {
	if text, ok := v.Interface().(fmt.Stringer); ok {
		return text.String(), nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "", nil
		}
		return flow(v.Elem())
	case reflect.String:
		return scalar(maskAddress(v.String()))
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			text, err := flow(v.Index(i))
			if err != nil {
				return "", err
			}
			parts = append(parts, text)
		}
		return "[" + strings.Join(parts, ", ") + "]", nil
	case reflect.Map:
		var parts []string
		for _, key := range sortedKeys(v) {
			name, err := scalar(key.String())
			if err != nil {
				return "", err
			}
			text, err := flow(v.MapIndex(key))
			if err != nil {
				return "", err
			}
			parts = append(parts, name+": "+text)
		}
		return "{" + strings.Join(parts, ", ") + "}", nil
	case reflect.Struct:
		var parts []string
		for _, f := range source.Fields(v.Type()) {
			if f.Hidden || f.Of(v).IsZero() {
				continue
			}
			text, err := flow(f.Of(v))
			if err != nil {
				return "", err
			}
			parts = append(parts, f.Key+": "+text)
		}
		return "{" + strings.Join(parts, ", ") + "}", nil
	default:
		return fmt.Sprint(v.Interface()), nil
	}
}

// scalar quotes text where it would mean something else in YAML.
func scalar(s string) (string, error) {
	out, err := yaml.Marshal(s)
	text := strings.TrimSpace(string(out))
	if err != nil || strings.ContainsAny(text, "\n,[]{}#") && text[0] != '"' {
		return strconv.Quote(s), err
	}
	return text, nil
}

func sortedKeys(v reflect.Value) []reflect.Value {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
	return keys
}
