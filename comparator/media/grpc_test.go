package media_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"understudy.dev/comparator/media"
	"understudy.dev/exchange/message/messagetest"
)

// descriptors describe shop.Orders/Get, which answers shop.Order{id = 1, items
// = 2 (repeated), total = 3 (a shop.Money{cents = 1}), by_sku = 4 (a map)}.
func descriptors(t *testing.T) *media.Descriptors {
	t.Helper()
	field := func(name string, number int32, label descriptorpb.FieldDescriptorProto_Label, kind descriptorpb.FieldDescriptorProto_Type, of string) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Label: &label, Type: &kind}
		if of != "" {
			f.TypeName = &of
		}
		return f
	}
	const (
		one    = descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL
		many   = descriptorpb.FieldDescriptorProto_LABEL_REPEATED
		text   = descriptorpb.FieldDescriptorProto_TYPE_STRING
		number = descriptorpb.FieldDescriptorProto_TYPE_INT64
		inside = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	)
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{{
		Name: proto.String("shop.proto"), Package: proto.String("shop"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{
			{Name: proto.String("Money"), Field: []*descriptorpb.FieldDescriptorProto{field("cents", 1, one, number, "")}},
			{
				Name: proto.String("Order"),
				Field: []*descriptorpb.FieldDescriptorProto{
					field("id", 1, one, text, ""), field("items", 2, many, text, ""), field("total", 3, one, inside, ".shop.Money"),
					field("by_sku", 4, many, inside, ".shop.Order.BySkuEntry"),
				},
				NestedType: []*descriptorpb.DescriptorProto{{
					Name: proto.String("BySkuEntry"), Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)},
					Field: []*descriptorpb.FieldDescriptorProto{field("key", 1, one, text, ""), field("value", 2, one, inside, ".shop.Money")},
				}},
			},
		},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Orders"), Method: []*descriptorpb.MethodDescriptorProto{
			{Name: proto.String("Get"), InputType: proto.String(".shop.Money"), OutputType: proto.String(".shop.Order")},
		}}},
	}}}
	b, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	d, err := media.ParseDescriptors(b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestMessagesByDescriptor(t *testing.T) {
	known := descriptors(t)
	f := func(method, a, b string, want ...string) {
		t.Helper()
		open := func(text string) media.Document {
			d, err := media.Open("application/grpc", []byte(text), media.Options{Method: method, Encoding: "gzip", Descriptors: known})
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		x, y := open(a), open(b)
		if diff := cmp.Diff(append([]string{}, want...), differences(t, x, y)); diff != "" {
			t.Errorf("(-want +got)\n%s\n%s\n%s", diff, x.JSON, y.JSON)
		}
	}
	const get = "/shop.Orders/Get"
	order := "\x0a\x02o1\x12\x01a\x12\x01b\x1a\x02\x08\x05" // o1, a b, 5 cents
	// Fields in another order and a varint with needless bytes are the same.
	f(get, frame(0, order), frame(0, "\x1a\x03\x08\x85\x00\x0a\x02o1\x12\x01a\x12\x01b"))
	f(get, frame(0, order), frame(1, string(messagetest.Encode(t, []byte(order), "gzip"))))
	f(get, frame(0, order), frame(0, "\x0a\x02o1\x12\x01a\x12\x01b\x1a\x02\x08\x06"), "value $[].total.cents at message 1: $.total.cents")
	f(get, frame(0, order)+frame(0, order), frame(0, order), "missing $[] at message 2")
	// What the descriptor does not know is not lost, however deep it is.
	f(get, frame(0, order+"\x7a\x01x"), frame(0, order+"\x7a\x01y"), "value $[].bytes at message 1: $.bytes")
	f(get, frame(0, "\x1a\x05\x08\x05\x7a\x01x"), frame(0, "\x1a\x05\x08\x05\x7a\x01y"), "value $[].bytes at message 1: $.bytes")
	f(get, frame(0, "\x22\x0a\x0a\x01k\x12\x05\x08\x05\x7a\x01x"), frame(0, "\x22\x0a\x0a\x01k\x12\x05\x08\x05\x7a\x01y"), "value $[].bytes at message 1: $.bytes")
	// No such method, or no such message: by length and hash.
	f("/shop.Orders/Put", frame(0, order), frame(0, order+"x"), "value $[] at message 1")
	f(get, frame(0, "\xff"), frame(0, "\xfe"), "value $[] at message 1")

	if _, err := media.ParseDescriptors([]byte("x")); err == nil {
		t.Error("x is a descriptor set")
	}
	bomb := messagetest.Encode(t, make([]byte, 1<<20), "gzip")
	if len(bomb) > 0xffff {
		t.Fatal("not a bomb")
	}
	text := string([]byte{1, 0, 0, byte(len(bomb) >> 8), byte(len(bomb))}) + string(bomb)
	if _, err := media.Open("application/grpc", []byte(text), media.Options{Encoding: "gzip", Limits: media.Limits{Bytes: 1 << 16}}); !errors.Is(err, media.ErrLimit) {
		t.Errorf("a bomb: %v", err)
	}
}
