package redact

import "strings"

// appendEmails appends the e-mail addresses (RFC 5321, as they are written).
func appendEmails(out []span, text string) []span {
	for from := 0; ; {
		i := strings.IndexByte(text[from:], '@')
		if i < 0 {
			return out
		}
		i += from
		begin, end := i, i+1
		for begin > from && i-begin < 64 && charClass[text[begin-1]]&isLocal != 0 {
			begin--
		}
		for end < len(text) && end-i < 255 && charClass[text[end]]&isHost != 0 {
			end++
		}
		for begin < i && (text[begin] == '.' || text[begin] == '-') {
			begin++
		}
		host := strings.TrimRight(text[i+1:end], ".-")
		if begin < i && isMailHost(host) && !isRemote(text[begin:i], text[i+1+len(host):]) {
			out = append(out, span{begin, i + 1 + len(host), anEmail})
			end = i + 1 + len(host)
		}
		from = max(end, i+1)
	}
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
	return len(top) >= 2 && strings.Trim(strings.ToLower(top), "abcdefghijklmnopqrstuvwxyz") == "" && !fileEnds[strings.ToLower(top)]
}

var fileEnds = setOf("png jpg jpeg gif svg webp avif ico js mjs cjs ts jsx tsx css scss json map html htm md txt xml yml yaml tgz zip gz jar dll so exe pdf mp3 mp4 woff ttf")

// isRemote: git@host:path is no address of a person.
func isRemote(local, behind string) bool { return local == "git" && strings.HasPrefix(behind, ":") }
