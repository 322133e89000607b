package flag

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/diegoholiveira/jsonlogic/v3"
	"github.com/open-feature/go-sdk/openfeature"
	"github.com/twmb/murmur3"
)

// rules are one flag of a file.
type rules struct {
	enabled  bool
	variants map[string]string
	fallback string // a variant; "" is the default of whoever asks
	target   any    // nil: none
	metadata openfeature.FlagMetadata
}

// flagdFile is the part of the format (https://flagd.dev/schema/v0/flags.json)
// that one flag needs; other flags of the file are not looked at.
type flagdFile struct {
	Flags      map[string]json.RawMessage `json:"flags"`
	Evaluators map[string]any             `json:"$evaluators"`
	Metadata   map[string]any             `json:"metadata"`
}

type flagdFlag struct {
	State          string            `json:"state"`
	Variants       map[string]string `json:"variants"`
	DefaultVariant *string           `json:"defaultVariant"`
	Targeting      map[string]any    `json:"targeting"`
	Metadata       map[string]any    `json:"metadata"`
}

// parse reads a file. Its errors say where: file:line:column or the path of a
// value.
func parse(data []byte, path, key string) (*rules, error) {
	operators.Do(addOperators)
	var file flagdFile
	if err := decode(data, 0, data, path, &file); err != nil {
		return nil, err
	}
	raw, ok := file.Flags[key]
	if !ok {
		return nil, fmt.Errorf("%s: flags: there is no flag %q, the migration's name; there are %s", path, key,
			strings.Join(slices.Sorted(maps.Keys(file.Flags)), ", "))
	}
	var flag flagdFlag
	if err := decode(raw, max(bytes.Index(data, raw), 0), data, path, &flag); err != nil {
		return nil, err
	}
	r := &rules{enabled: flag.State == "ENABLED", variants: flag.Variants, metadata: openfeature.FlagMetadata{}}
	maps.Copy(r.metadata, file.Metadata)
	maps.Copy(r.metadata, flag.Metadata)
	at := func(format string, args ...any) error {
		return fmt.Errorf("%s: flags.%s."+format, append([]any{path, key}, args...)...)
	}
	if flag.State != "ENABLED" && flag.State != "DISABLED" {
		return nil, at("state: %q is not one of ENABLED, DISABLED", flag.State)
	}
	for _, name := range slices.Sorted(maps.Keys(flag.Variants)) {
		if v := flag.Variants[name]; v != baseline && v != candidate {
			return nil, at("variants.%s: %q is not one of %s, %s", name, v, baseline, candidate)
		}
	}
	if flag.DefaultVariant != nil {
		if r.fallback = *flag.DefaultVariant; r.variants[r.fallback] == "" {
			return nil, at("defaultVariant: %q is not one of the variants", r.fallback)
		}
	}
	if len(flag.Targeting) == 0 {
		return r, nil
	}
	target, err := resolve(flag.Targeting, file.Evaluators, 0)
	if err != nil {
		return nil, at("targeting: %w", err)
	}
	if r.target = target; !jsonlogic.ValidateJsonLogic(target) {
		return nil, at("targeting: it is not a rule of JsonLogic with the operators that are known here, which are its own, fractional, starts_with and ends_with")
	}
	return r, nil
}

// decode reads a part of data that begins at offset.
func decode(part []byte, offset int, data []byte, path string, into any) error {
	err := json.Unmarshal(part, into)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		offset += int(syntax.Offset)
	case errors.As(err, &kind):
		offset += int(kind.Offset)
	}
	before := data[:min(max(offset-1, 0), len(data))]
	line := bytes.Count(before, []byte{'\n'}) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("%s:%d:%d: %w", path, line, column, err)
}

// maxDepth bounds rules, and references within references.
const maxDepth = 64

// resolve puts shared evaluators where {"$ref": name} stands.
func resolve(v any, shared map[string]any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it is more than %d levels deep, or refers to itself", maxDepth)
	}
	switch v := v.(type) {
	case map[string]any:
		if name, ok := v["$ref"].(string); ok && len(v) == 1 {
			rule, ok := shared[name]
			if !ok {
				return nil, fmt.Errorf("$ref: there is no evaluator %q in $evaluators", name)
			}
			return resolve(rule, shared, depth+1)
		}
		out := make(map[string]any, len(v))
		for key, inner := range v {
			r, err := resolve(inner, shared, depth+1)
			if err != nil {
				return nil, err
			}
			out[key] = r
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			r, err := resolve(inner, shared, depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
		return out, nil
	}
	return v, nil
}

// properties is where flagd puts what it says itself into the context.
const properties = "$flagd"

// evaluate does as flagd: a disabled flag is the default of whoever asks; a rule
// names a variant, or none, which is the default variant.
func (r *rules) evaluate(flag, value string, about openfeature.FlattenedContext, now time.Time) openfeature.StringResolutionDetail {
	d := openfeature.ProviderResolutionDetail{FlagMetadata: r.metadata}
	if !r.enabled {
		d.Reason = openfeature.DisabledReason
		return openfeature.StringResolutionDetail{Value: value, ProviderResolutionDetail: d}
	}
	d.Reason = openfeature.StaticReason
	d.Variant = r.fallback
	if r.target != nil {
		context := maps.Clone(map[string]any(about))
		context[properties] = map[string]any{"flagKey": flag, "timestamp": float64(now.Unix())}
		result, err := apply(r.target, context)
		if err != nil {
			d.ResolutionError, d.Reason = openfeature.NewParseErrorResolutionError("targeting: "+err.Error()), openfeature.ErrorReason
			return openfeature.StringResolutionDetail{Value: value, ProviderResolutionDetail: d}
		}
		d.Reason = openfeature.DefaultReason
		if result != nil {
			d.Reason, d.Variant = openfeature.TargetingMatchReason, fmt.Sprint(result)
		}
	}
	if d.Variant == "" {
		return openfeature.StringResolutionDetail{Value: value, ProviderResolutionDetail: d}
	}
	v, ok := r.variants[d.Variant]
	if !ok {
		d.ResolutionError, d.Reason = openfeature.NewGeneralResolutionError("targeting names a variant that there is not"), openfeature.ErrorReason
		v = value
	}
	return openfeature.StringResolutionDetail{Value: v, ProviderResolutionDetail: d}
}

// apply is the library's, whose faults are panics.
func apply(rule, data any) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return jsonlogic.ApplyInterface(rule, data) //nolint:staticcheck // the other one wants text for each request
}

// operators are added to the library's, which has one list for all, before it is
// first used.
var operators sync.Once

func addOperators() {
	jsonlogic.AddOperator("fractional", fractional)
	jsonlogic.AddOperator("starts_with", func(values, _ any) any { return affix(values, strings.HasPrefix) })
	jsonlogic.AddOperator("ends_with", func(values, _ any) any { return affix(values, strings.HasSuffix) })
}

func affix(values any, is func(s, part string) bool) any {
	if pair, ok := values.([]any); ok && len(pair) == 2 {
		s, isText := pair[0].(string)
		part, areTexts := pair[1].(string)
		if isText && areTexts {
			return is(s, part)
		}
	}
	return nil
}

// fractional is flagd's operator (core/pkg/evaluator/fractional.go of
// github.com/open-feature/flagd): what to bucket by, else the flag's key and the
// targeting key, is hashed by murmur3_32 and has its place among the weights, in
// the order of the variants.
func fractional(values, data any) any {
	list, ok := values.([]any)
	about, isMap := data.(map[string]any)
	if !ok || !isMap || len(list) == 0 {
		return nil
	}
	by, given := list[0].(string)
	if given {
		list = list[1:]
	} else {
		if list[0] == nil {
			list = list[1:]
		}
		own, _ := about[properties].(map[string]any)
		flag, _ := own["flagKey"].(string)
		session, _ := about[openfeature.TargetingKey].(string)
		if session == "" {
			return nil
		}
		by = flag + session
	}
	variants, weights, sum := make([]any, 0, len(list)), make([]uint64, 0, len(list)), uint64(0)
	for _, v := range list {
		pair, ok := v.([]any)
		if !ok || len(pair) == 0 {
			return nil
		}
		weight := 1.0
		if len(pair) > 1 {
			if weight, ok = pair[1].(float64); !ok && pair[1] != nil || weight != math.Trunc(weight) || weight > math.MaxInt32 {
				return nil
			} else if !ok {
				weight = 1
			}
		}
		w := uint64(max(weight, 0))
		variants, weights, sum = append(variants, pair[0]), append(weights, w), sum+w
	}
	if sum == 0 || sum > math.MaxInt32 {
		return nil
	}
	bucket, end := uint64(murmur3.StringSum32(by))*sum>>32, uint64(0)
	for i, w := range weights {
		if end += w; bucket < end {
			return variants[i]
		}
	}
	return nil
}
