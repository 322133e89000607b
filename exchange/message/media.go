package message

import (
	"mime"
	"strings"
)

// MediaType is the media type of a Content-Type, in lower case and without
// parameters; "" if there is none. Parameters that are not well formed do not
// hide it.
func MediaType(contentType string) string {
	if kind, _, _ := mime.ParseMediaType(contentType); kind != "" {
		return kind
	}
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.Trim(kind, " \t"))
	major, minor, _ := strings.Cut(kind, "/")
	if !IsToken(major) || !IsToken(minor) {
		return ""
	}
	return kind
}

// IsJSON reports whether documents of a media type are JSON. Like its siblings
// it takes what MediaType returns.
func IsJSON(mediaType string) bool {
	return mediaType == "application/json" || mediaType == "text/json" || strings.HasSuffix(mediaType, "+json")
}

// IsXML reports whether documents of a media type are XML.
func IsXML(mediaType string) bool {
	return mediaType == "application/xml" || mediaType == "text/xml" || strings.HasSuffix(mediaType, "+xml")
}

// IsForm reports whether a media type is that of forms encoded like a query.
func IsForm(mediaType string) bool { return mediaType == "application/x-www-form-urlencoded" }

// IsGRPC reports whether a media type is one of gRPC: application/grpc, alone
// or with a suffix such as +proto ("PROTOCOL-HTTP2.md" of gRPC, Content-Type).
// gRPC-Web, application/grpc-web, is another protocol, which runs over HTTP/1.1
// too.
func IsGRPC(mediaType string) bool {
	return mediaType == "application/grpc" || strings.HasPrefix(mediaType, "application/grpc+")
}

// ContentType normalizes a Content-Type, so that equal ones are equal texts: in
// lower case, without a multipart boundary, which is different each time, and
// without the charset that JSON has anyway (RFC 8259, 8.1). One that is not
// well formed stays as it is.
func ContentType(value string) string {
	kind, params, err := mime.ParseMediaType(value)
	if err != nil {
		return value
	}
	if c, ok := params["charset"]; ok {
		params["charset"] = strings.ToLower(c)
		if params["charset"] == "utf-8" && IsJSON(kind) {
			delete(params, "charset")
		}
	}
	delete(params, "boundary")
	if text := mime.FormatMediaType(kind, params); text != "" {
		return text
	}
	return value
}
