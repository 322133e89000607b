package media

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"understudy.dev/exchange/message"
)

// Descriptors know the messages of the methods of gRPC services. They are safe
// for concurrent use.
type Descriptors struct {
	files *protoregistry.Files
	types *dynamicpb.Types
}

// ParseDescriptors reads a FileDescriptorSet, as protoc --include_imports
// --descriptor_set_out and buf build write it.
func ParseDescriptors(set []byte) (*Descriptors, error) {
	var files descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(set, &files); err != nil {
		return nil, fmt.Errorf("descriptor set: %w", err)
	}
	registry, err := protodesc.NewFiles(&files)
	if err != nil {
		return nil, fmt.Errorf("descriptor set: %w", err)
	}
	return &Descriptors{registry, dynamicpb.NewTypes(registry)}, nil
}

// response is the message that a method answers with, nil if it is not known.
func (d *Descriptors) response(method string) protoreflect.MessageDescriptor {
	if d == nil {
		return nil
	}
	method, _, _ = strings.Cut(method, "?")
	name := strings.ReplaceAll(strings.TrimPrefix(method, "/"), "/", ".")
	found, err := d.files.FindDescriptorByName(protoreflect.FullName(name))
	if m, ok := found.(protoreflect.MethodDescriptor); err == nil && ok {
		return m.Output()
	}
	return nil
}

// The bits of the first byte of a frame.
const (
	frameCompressed = 1 << 0
	frameTrailers   = 1 << 7 // of gRPC-Web
)

// openGRPC opens the messages of a gRPC or gRPC-Web body (length-prefixed
// messages of PROTOCOL-HTTP2.md and PROTOCOL-WEB.md in grpc/grpc). One that no
// descriptor knows stands by its length and hash.
func openGRPC(s *source) (Document, error) {
	body := s.body
	if strings.HasPrefix(s.kind, "application/grpc-web-text") {
		var err error
		if body, err = base64Chunks(body); err != nil {
			return Document{}, s.syntax(GRPC, -1, "invalid base64")
		}
	}
	w := newWriter(s.options.Limits)
	var compressed strings.Builder
	left := int64(s.options.Bytes)
	w.open('[')
	for offset := 0; offset < len(body) && w.err == nil; {
		frame := body[offset:]
		if len(frame) < 5 || uint64(binary.BigEndian.Uint32(frame[1:])) > uint64(len(frame)-5) {
			return Document{}, s.syntax(GRPC, int64(offset), "a message is cut")
		}
		flags, content := frame[0], frame[5:5+binary.BigEndian.Uint32(frame[1:])]
		if flags&^(frameCompressed|frameTrailers) != 0 {
			return Document{}, s.syntax(GRPC, int64(offset), "unknown flags")
		}
		compressed.WriteByte('0' + flags&frameCompressed)
		if err := s.frame(w, flags, content, &left); err != nil {
			return Document{}, err
		}
		offset += 5 + len(content)
	}
	w.close(']')
	d, err := w.document(GRPC)
	if flags := compressed.String(); strings.Contains(flags, "1") {
		d.Aside = []Aside{{MessageCompression, bounded(s.options.Encoding+" "+flags, maxAside)}}
	}
	d.place = elements(counted("message"))
	return d, err
}

// frame writes what is in one frame; left bounds what all of them become.
func (s *source) frame(w *writer, flags byte, content []byte, left *int64) error {
	if flags&frameCompressed != 0 {
		plain, err := message.Decode(content, s.options.Encoding, *left)
		switch {
		case errors.Is(err, message.ErrTooLong):
			return fmt.Errorf("%w: %w", ErrLimit, err)
		case s.options.Encoding == "" || s.options.Encoding == "identity" || errors.Is(err, message.ErrUnknownCoding):
			w.text("compressed, " + Fingerprint(content))
			return nil
		case err != nil:
			return s.syntax(GRPC, -1, err.Error())
		}
		content = plain
	}
	*left -= int64(len(content))
	output := s.options.Descriptors.response(s.options.Method)
	switch {
	case flags&frameTrailers != 0:
		w.trailers(content)
	case output == nil:
		w.text(Fingerprint(content))
	default:
		w.message(s.options.Descriptors, output, content)
	}
	return nil
}

// trailers writes the trailers that gRPC-Web has in its body.
func (w *writer) trailers(block []byte) {
	w.open('{')
	w.key("trailers")
	w.open('{')
	for line := range strings.SplitSeq(string(block), "\r\n") {
		if name, value, found := strings.Cut(line, ":"); found {
			w.member(strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value))
		}
	}
	w.close('}')
	w.close('}')
}

// message writes a message as JSON. What its descriptor does not know is not
// lost: then, as for what is no such message, the bytes are compared.
func (w *writer) message(d *Descriptors, kind protoreflect.MessageDescriptor, b []byte) {
	m := dynamicpb.NewMessage(kind)
	err := proto.UnmarshalOptions{Resolver: d.types, RecursionLimit: maxMessageDepth}.Unmarshal(b, m)
	var out []byte
	if err == nil {
		out, err = protojson.MarshalOptions{UseProtoNames: true, Resolver: d.types}.Marshal(m)
	}
	var plain bytes.Buffer // protojson changes its blanks from build to build
	if err == nil {
		err = json.Compact(&plain, out)
	}
	if err != nil || plain.Len() < 2 {
		w.text(Fingerprint(b))
		return
	}
	if hasUnknown(m) {
		w.open('{')
		w.member("bytes", Fingerprint(b))
		w.key("known")
		w.raw(plain.Bytes())
		w.close('}')
		return
	}
	w.raw(plain.Bytes())
}

// maxMessageDepth is how deep messages may nest.
const maxMessageDepth = 200

// hasUnknown tells whether m, or a message inside it, has fields that the
// descriptors do not know.
func hasUnknown(m protoreflect.Message) bool {
	found := len(m.GetUnknown()) > 0
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
					found = found || hasUnknown(v.Message())
					return !found
				})
			}
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				found = found || hasUnknown(v.List().Get(i).Message())
			}
		default:
			found = found || hasUnknown(v.Message())
		}
		return !found
	})
	return found
}

// base64Chunks decodes base64 of which each chunk may be padded.
func base64Chunks(text []byte) ([]byte, error) {
	var out []byte
	for len(text) > 0 {
		n := len(text)
		if i := bytes.IndexByte(text, '='); i >= 0 {
			for n = i; n < len(text) && text[n] == '='; n++ {
			}
		}
		chunk, err := base64.StdEncoding.AppendDecode(nil, text[:n])
		if err != nil {
			return nil, err
		}
		out, text = append(out, chunk...), text[n:]
	}
	return out, nil
}
