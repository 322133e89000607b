package main

import (
	"errors"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"understudy.dev/comparator/report"
	"understudy.dev/setting"
	"understudy.dev/setting/source"
)

// variableOf is the environment variable of a flag.
func variableOf(flag string) string {
	return "UNDERSTUDY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// eachFlag visits the flags of a command and of all below it, each once.
func eachFlag(root *cobra.Command, visit func(*pflag.Flag)) {
	seen := map[*pflag.Flag]bool{}
	once := func(f *pflag.Flag) {
		if !seen[f] && f.Name != "help" && f.Name != "version" {
			seen[f] = true
			visit(f)
		}
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		c.PersistentFlags().VisitAll(once)
		c.Flags().VisitAll(once)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

// fromEnvironment sets every flag of the tree from UNDERSTUDY_<FLAG>.
func (a *app) fromEnvironment(root *cobra.Command) {
	paths := a.pathsOfFlags(root)
	said := map[string]bool{}
	eachFlag(root, func(f *pflag.Flag) {
		name := variableOf(f.Name)
		value, ok := os.LookupEnv(name)
		if !ok || f.Name == "config" {
			return
		}
		err := error(nil)
		if list, isList := f.Value.(pflag.SliceValue); isList {
			err = list.Replace(elements(f, value))
		} else {
			err = f.Value.Set(value)
		}
		from := source.Origin{Kind: source.Environment, Name: name}
		switch path := paths[f]; {
		case err != nil && !said[name]:
			said[name] = true
			a.mistakes = append(a.mistakes, source.Mistake{Problem: setting.Problem{Path: path, Value: value, Fault: flagFault(f, value, err)}, From: from})
		case err == nil && path != "":
			a.origins.Set(path, from)
		}
	})
}

// elements are the values that a variable holds for a list: none when it is
// empty, and one for a flag whose values may have commas in them.
func elements(f *pflag.Flag, value string) []string {
	switch {
	case value == "":
		return nil
	case f.Value.Type() == "stringArray":
		return []string{value}
	}
	return strings.Split(value, ",")
}

// noteFlags remembers which settings were given on the command line.
func (a *app) noteFlags(c *cobra.Command) {
	a.notePlaces(c)
	paths := a.pathsOfFlags(c.Root())
	c.Flags().Visit(func(f *pflag.Flag) {
		if path := paths[f]; path != "" {
			a.origins.Set(path, source.Origin{Kind: source.Flag, Name: "--" + f.Name})
		}
	})
}

// placeFlags say where everything is. A command that follows needs them as well.
var placeFlags = []string{"config", "kafka", "prefix", "clickhouse"}

// notePlaces remembers which of them stand on the command line. An address with
// a password is not repeated.
func (a *app) notePlaces(c *cobra.Command) {
	for _, name := range placeFlags {
		f := c.Flags().Lookup(name)
		if f == nil || !f.Changed {
			continue
		}
		value := f.Value.String()
		if list, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(list.GetSlice(), ",")
		}
		if strings.Contains(value, "@") {
			value = "ADDRESS"
		}
		a.places = append(a.places, "--"+name+" "+report.Shell(value))
	}
}

// where are the flags for a command that is to be copied, as " --prefix x". A
// replay knows no ClickHouse.
func (a *app) where(command string) string {
	out := ""
	for _, place := range a.places {
		if command != "replay" || !strings.HasPrefix(place, "--clickhouse ") {
			out += " " + place
		}
	}
	return out
}

var commandLine = regexp.MustCompile(`(?m)^understudy (compare|judge|replay)\b`)

// located puts them into the commands of diagnoses.
func (a *app) located(r *report.Report) {
	r.Balance.Flags = a.where("report")
	for i := range r.Diagnoses {
		d := &r.Diagnoses[i]
		d.Try = commandLine.ReplaceAllStringFunc(d.Try, func(s string) string {
			return s + a.where(strings.TrimPrefix(s, "understudy "))
		})
	}
}

// pathsOfFlags says which flag writes into which setting. Both are found by
// their address, so there is no list to maintain.
func (a *app) pathsOfFlags(root *cobra.Command) map[*pflag.Flag]string {
	byAddress := map[uintptr]string{}
	for _, s := range source.Settings(reflect.ValueOf(&a.cfg).Elem()) {
		byAddress[s.Value.Addr().Pointer()] = s.Path
	}
	paths := map[*pflag.Flag]string{}
	eachFlag(root, func(f *pflag.Flag) {
		if path, ok := byAddress[address(f.Value)]; ok {
			paths[f] = path
		}
	})
	return paths
}

// address is where a flag keeps its value: pflag's own values are pointers to
// it, or structs that hold one.
func address(v pflag.Value) uintptr {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer && r.Elem().Kind() != reflect.Struct {
		return r.Pointer()
	}
	r = reflect.Indirect(r)
	for i := range r.NumField() {
		if r.Field(i).Kind() == reflect.Pointer {
			return r.Field(i).Pointer()
		}
	}
	return 0
}

// flagFault says why a flag does not take a value.
func flagFault(f *pflag.Flag, value string, err error) string {
	_, notNumber := strconv.ParseFloat(value, 64)
	switch f.Value.Type() {
	case "duration":
		return source.Fault(reflect.TypeFor[time.Duration](), notNumber == nil)
	case "float64":
		return source.Fault(reflect.TypeFor[float64](), true)
	case "bool":
		return source.Fault(reflect.TypeFor[bool](), true)
	case "int", "int16", "int32":
		return source.Fault(reflect.TypeFor[int](), true)
	case "size":
		return wantSize
	}
	return err.Error()
}

// flagError is what is wrong with the flags of a command line.
func flagError(c *cobra.Command, err error) error {
	if bad := new(pflag.InvalidValueError); errors.As(err, &bad) {
		p := setting.Problem{Path: "--" + bad.GetFlag().Name, Value: bad.GetValue(), Fault: flagFault(bad.GetFlag(), bad.GetValue(), err)}
		return usagef("%w; see %s --help", p, c.CommandPath())
	}
	return usagef("%w; see %s --help", err, c.CommandPath())
}

// wrapUsage keeps the help within 80 columns.
func wrapUsage(root *cobra.Command) {
	template := root.UsageTemplate()
	for _, set := range []string{".LocalFlags", ".InheritedFlags"} {
		template = strings.ReplaceAll(template, set+".FlagUsages ", set+".FlagUsagesWrapped 80 ")
	}
	root.SetUsageTemplate(strings.ReplaceAll(template, "for more information about a command", "for more about a command"))
}
