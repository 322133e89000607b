package operation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/itchyny/gojq"
)

// Edit is a jq program that makes one JSON document of another.
type Edit struct {
	text string
	code *gojq.Code
}

// NewEdit compiles a program; the error is the end of a sentence.
func NewEdit(text string) (*Edit, error) {
	f, err := compile(text)
	if err != nil {
		return nil, err
	}
	return &Edit{text, f.values}, nil
}

// Apply gives the first output of the program for a body of at most 1 MiB, in at
// most a second, and the paths at which it differs, array positions folded, at most
// limit. What it leaves as it was keeps every byte; numbers that it does not touch
// keep their text. The error holds nothing of the body.
func (e *Edit) Apply(body []byte, limit int) (out []byte, changed []string, err error) {
	before, err := parse(body)
	if err != nil {
		return nil, nil, err
	}
	input, err := parse(body) // a program must not change what its output is compared with
	if err != nil {
		return nil, nil, err
	}
	after, ok, err := first(e.code, input)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("jq %q fails: %s", e.text, withoutValues(err))
	case !ok:
		return nil, nil, fmt.Errorf("jq %q gives nothing", e.text)
	}
	was, err := gojq.Marshal(before)
	if err == nil {
		out, err = gojq.Marshal(after)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("jq %q gives what is no JSON", e.text)
	}
	if bytes.Equal(was, out) {
		return body, nil, nil
	}
	if len(out) > maxFiltered {
		return nil, nil, fmt.Errorf("jq %q gives %d bytes, more than %d", e.text, len(out), maxFiltered)
	}
	differing("$", before, after, limit, &changed)
	return out, changed, nil
}

// parse reads one whole document.
func parse(body []byte) (tree any, err error) {
	if len(body) > maxFiltered {
		return nil, fmt.Errorf("the body has %d bytes, and jq reads at most %d", len(body), maxFiltered)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return nil, errors.New("the body is not JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the body is not one JSON document")
	}
	return tree, nil
}

// differing adds the paths of what differs, the outermost that say it.
func differing(path string, a, b any, limit int, out *[]string) {
	if len(*out) >= limit {
		return
	}
	x, isObject := a.(map[string]any)
	y, areObjects := b.(map[string]any)
	if isObject && areObjects {
		for _, name := range keysOf(x, y) {
			was, had := x[name]
			is, has := y[name]
			if had && has {
				differing(path+step(name), was, is, limit, out)
			} else {
				addPath(path+step(name), limit, out)
			}
		}
		return
	}
	p, isList := a.([]any)
	q, areLists := b.([]any)
	if isList && areLists && len(p) == len(q) {
		for i := range p {
			differing(path+"[]", p[i], q[i], limit, out)
		}
		return
	}
	was, _ := gojq.Marshal(a)
	if is, _ := gojq.Marshal(b); !bytes.Equal(was, is) {
		addPath(path, limit, out)
	}
}

func addPath(path string, limit int, out *[]string) {
	if len(*out) < limit && !slices.Contains(*out, path) {
		*out = append(*out, path)
	}
}

func keysOf(x, y map[string]any) (out []string) {
	for name := range x {
		out = append(out, name)
	}
	for name := range y {
		if _, is := x[name]; !is {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// maxMember bounds what is shown of a member's name, in bytes.
const maxMember = 64

// step is a step of a path.
func step(name string) string {
	name = name[:min(len(name), maxMember)]
	if name != "" && strings.IndexFunc(name, func(c rune) bool {
		return c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
	}) < 0 {
		return "." + name
	}
	return fmt.Sprintf("[%q]", name)
}
