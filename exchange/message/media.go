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

// IsOpaque reports media types whose bytes alone say something: pictures, sounds,
// archives.
func IsOpaque(mediaType string) bool {
	major, _, _ := strings.Cut(mediaType, "/")
	switch major {
	case "image", "audio", "video", "font":
		return !IsXML(mediaType)
	}
	return mediaType == "application/pdf" || mediaType == "application/zip" || mediaType == "application/gzip"
}
