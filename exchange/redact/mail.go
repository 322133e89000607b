package redact

import (
	"net"
	"strings"
)

// escapedAt is an @ that is escaped for a URL.
const escapedAt = "%40"

// nextAt is where the next @ of a text stands, and how long it is.
func nextAt(text string, from int) (i, size int) {
	for i = from; i < len(text); i++ {
		switch {
		case text[i] == '@':
			return i, 1
		case text[i] == '%' && strings.HasPrefix(text[i:], escapedAt):
			return i, len(escapedAt)
		}
	}
	return -1, 0
}

// appendEmails appends the e-mail addresses (RFC 5321 and 6531, as they are
// written).
func appendEmails(out []span, text string) []span {
	for from := 0; ; {
		i, size := nextAt(text, from)
		if i < 0 {
			return out
		}
		begin, end := localPart(text, from, i), i+size
		for end < len(text) && end-i < 255 && charClass[text[end]]&isHost != 0 {
			end++
		}
		host := strings.TrimRight(text[i+size:end], ".-")
		isHost := isMailHost(host)
		if n := literalHost(text[i+size:]); n > 0 {
			host, isHost = text[i+size:i+size+n], true
		}
		end = i + size + len(host)
		if begin < i && isHost && !isRemote(text[begin:i], text[end:]) && !isUserInformation(text[:begin]) {
			out = append(out, span{begin, end, anEmail})
		}
		from = max(end, i+size)
	}
}

// localPart is where the first part of an address begins that ends at a place,
// also one in quotes.
func localPart(text string, from, end int) int {
	if end > from && text[end-1] == '"' {
		if i := strings.LastIndexByte(text[max(from, end-66):end-1], '"'); i >= 0 {
			return max(from, end-66) + i
		}
	}
	begin := end
	for begin > from && end-begin < 64 && charClass[text[begin-1]]&isLocal != 0 {
		begin--
	}
	for begin < end && (text[begin] == '.' || text[begin] == '-') {
		begin++
	}
	return begin
}

// literalHost is how long the address in brackets is with which a text begins; 0
// if it begins with none.
func literalHost(text string) int {
	if text == "" || text[0] != '[' {
		return 0
	}
	end := strings.IndexByte(text[:min(len(text), 64)], ']')
	if end < 0 || net.ParseIP(strings.TrimPrefix(text[1:end], "IPv6:")) == nil {
		return 0
	}
	return end + 1
}

// isMailHost: labels, of which the last is letters; not the end of a file's name
// (icon@2x.png).
func isMailHost(host string) bool {
	dot := strings.LastIndexByte(host, '.')
	if dot <= 0 || strings.Contains(host, "..") || host[0] == '-' || host[0] == '.' {
		return false
	}
	top := host[dot+1:]
	if strings.HasPrefix(top, "xn--") {
		return true
	}
	for i := range len(top) {
		if !isLetter(top[i]) && top[i] < 0x80 {
			return false
		}
	}
	return len(top) >= 2 && !fileEnds[strings.ToLower(top)]
}

var fileEnds = setOf("png jpg jpeg gif svg webp avif ico js mjs cjs ts jsx tsx css scss json map html htm md txt xml yml yaml tgz zip gz jar dll so exe pdf mp3 mp4 woff ttf")

// isUserInformation says whether what stands before an @ belongs to a URL:
// postgres://ann:…@host.
func isUserInformation(before string) bool {
	before = before[max(0, len(before)-maxName):]
	i := strings.LastIndex(before, "://")
	return i >= 0 && !strings.ContainsAny(before[i+3:], "/?# \t\r\n\"'<>")
}

// isRemote: git@host:path is no address of a person.
func isRemote(local, behind string) bool { return local == "git" && strings.HasPrefix(behind, ":") }
