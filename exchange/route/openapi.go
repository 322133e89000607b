package route

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
)

// Bounds of a description of an API.
const (
	maxDescription = 16 << 20 // bytes of the file
	maxDescribed   = 20000    // paths, under each base path
	maxDescribable = 1024     // bytes of a path
	maxBases       = 16       // base paths of a path
)

// Described are the paths that a description of an API names (OpenAPI 3, Swagger
// 2.0). Its zero value has none.
type Described struct{ root node }

// ReadOpenAPI reads a description in YAML or JSON from a file, of at most 16 MiB.
// Nothing of it counts but paths and the base paths of servers. An error says in
// which line and column what is wrong.
func ReadOpenAPI(file string) (*Described, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxDescription+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxDescription {
		return nil, fmt.Errorf("%s: is larger than %d bytes", file, maxDescription)
	}
	d, err := ParseOpenAPI(content)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", file, err)
	}
	return d, nil
}

// place is where something stands in a description, from 1.
type place struct{ line, column int }

func (p place) errorf(format string, args ...any) error {
	return fmt.Errorf("%d:%d: %s", p.line, p.column, fmt.Sprintf(format, args...))
}

// description is what of a document counts.
type description struct {
	basePath string
	servers  []server
	paths    []describedPath
	hasPaths bool
}

type describedPath struct {
	path    string
	servers []server // in the place of the document's; nil if it has none
	at      place
}

type server struct {
	URL       string              `json:"url"`
	Variables map[string]variable `json:"variables"`
}

// variable is a part of a server's address.
type variable struct {
	Default string   `json:"default"`
	Enum    []string `json:"enum"`
}

// ParseOpenAPI is ReadOpenAPI of a content.
func ParseOpenAPI(content []byte) (*Described, error) {
	read := describedInYAML
	if begin := bytes.TrimLeft(content, "\ufeff \t\r\n"); len(begin) > 0 && begin[0] == '{' {
		read = describedInJSON
	}
	doc, err := read(content)
	if err != nil {
		return nil, err
	}
	if !doc.hasPaths {
		return nil, place{1, 1}.errorf("has no paths; want a description of an API (OpenAPI)")
	}
	out := new(Described)
	n := 0
	for _, p := range doc.paths {
		if strings.HasPrefix(p.path, "x-") {
			continue // an extension
		}
		if err := checkPath(p.path); err != nil {
			return nil, p.at.errorf("the path %.100q %v", p.path, err)
		}
		servers := p.servers
		if len(servers) == 0 {
			servers = doc.servers
		}
		for _, base := range bases(doc.basePath, servers) {
			if n++; n > maxDescribed {
				return nil, p.at.errorf("there are more than %d paths", maxDescribed)
			}
			out.root.add(base + p.path)
		}
	}
	return out, nil
}

func checkPath(path string) error {
	switch {
	case !strings.HasPrefix(path, "/"):
		return errors.New("does not begin with /")
	case len(path) > maxDescribable:
		return fmt.Errorf("is longer than %d bytes", maxDescribable)
	}
	for segment := range strings.SplitSeq(path, "/") {
		if _, ok := parts(segment); !ok {
			return errors.New("has braces that do not belong together within a segment")
		}
	}
	return nil
}

// bases are the base paths of servers, each once; an empty one if there is none.
func bases(swagger string, servers []server) (out []string) {
	add := func(path string) {
		path = strings.TrimRight(path, "/")
		if path != "" && checkPath(path) != nil {
			return // of a server that is not reached through here
		}
		if !slices.Contains(out, path) && len(out) < maxBases {
			out = append(out, path)
		}
	}
	if swagger != "" {
		add(swagger)
	}
	for _, s := range servers {
		for _, address := range s.addresses() {
			add(pathOfServer(address))
		}
	}
	if len(out) == 0 {
		out = []string{""}
	}
	return out
}

// addresses are those that the values of a server's variables make.
func (s server) addresses() []string {
	out := []string{s.URL}
	for _, name := range slices.Sorted(maps.Keys(s.Variables)) {
		v := s.Variables[name]
		values := v.Enum
		if len(values) == 0 {
			values = []string{cmp.Or(v.Default, "{"+name+"}")}
		}
		var next []string
		for _, a := range out {
			if !strings.Contains(a, "{"+name+"}") {
				next = append(next, a)
				continue
			}
			for _, value := range values[:min(len(values), maxBases)] {
				next = append(next, strings.ReplaceAll(a, "{"+name+"}", value))
			}
		}
		out = next[:min(len(next), maxBases)]
	}
	return out
}

func pathOfServer(address string) string {
	if i := strings.Index(address, "//"); i >= 0 {
		_, path, ok := strings.Cut(address[i+2:], "/")
		if !ok {
			return ""
		}
		address = "/" + path
	}
	if i := strings.IndexAny(address, "?#"); i >= 0 {
		address = address[:i]
	}
	if plain, err := url.PathUnescape(address); err == nil {
		address = plain
	}
	return address
}

// describedInJSON reads a description in JSON.
func describedInJSON(content []byte) (out description, err error) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	var doc struct {
		BasePath string                     `json:"basePath"`
		Servers  []server                   `json:"servers"`
		Paths    map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(content, &doc); err != nil {
		return out, inJSON(content, err)
	}
	out.basePath, out.servers, out.hasPaths = doc.BasePath, doc.Servers, doc.Paths != nil
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		var item struct {
			Servers []server `json:"servers"`
		}
		quoted, _ := json.Marshal(path)
		at := placeOf(content, max(bytes.Index(content, quoted), 0))
		if err := json.Unmarshal(doc.Paths[path], &item); err != nil && !strings.HasPrefix(path, "x-") {
			return out, at.errorf("the path %.100q is not described by an object, or its servers are no list of objects", path)
		}
		out.paths = append(out.paths, describedPath{path, item.Servers, at})
	}
	return out, nil
}

// inJSON says where JSON is wrong.
func inJSON(content []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return placeOf(content, int(syntax.Offset)-1).errorf("%v", syntax)
	case errors.As(err, &kind):
		return placeOf(content, int(kind.Offset)-1).errorf("%s is a %s", kind.Field, kind.Value)
	}
	return place{1, 1}.errorf("%v", err)
}

func placeOf(content []byte, at int) place {
	before := content[:max(0, min(at, len(content)))]
	return place{1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n')}
}
