package media

import "bytes"

// withPlainBlanks writes ends of lines and tabs in the values of attributes as
// blanks, which is what they mean (XML 1.0, 3.3.3) unless they are written as
// references. Package xml leaves them as they are.
func withPlainBlanks(document []byte) []byte {
	var out []byte
	done := 0
	for at := 0; at < len(document); {
		open := bytes.IndexByte(document[at:], '<')
		if open < 0 {
			break
		}
		at += open
		if end := aside(document[at:]); end > 0 {
			at += end
			continue
		}
		for quote := byte(0); at < len(document) && (quote != 0 || document[at] != '>'); at++ {
			switch c := document[at]; {
			case c == quote:
				quote = 0
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
			case quote != 0 && (c == '\n' || c == '\t' || c == '\r'):
				out = append(append(out, document[done:at]...), ' ')
				if c == '\r' && at+1 < len(document) && document[at+1] == '\n' {
					at++ // one end of a line
				}
				done = at + 1
			}
		}
	}
	if done == 0 {
		return document
	}
	return append(out, document[done:]...)
}

// aside is the length of what begins here and is no start or end of an element: a
// comment, CDATA, an instruction, a document type. 0 if it is one.
func aside(markup []byte) int {
	for _, m := range [...]struct{ begin, end string }{{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}} {
		if !bytes.HasPrefix(markup, []byte(m.begin)) {
			continue
		}
		if i := bytes.Index(markup[len(m.begin):], []byte(m.end)); i >= 0 {
			return len(m.begin) + i + len(m.end)
		}
		return len(markup)
	}
	if !bytes.HasPrefix(markup, []byte("<!")) {
		return 0
	}
	end := bytes.IndexByte(markup, '>')
	if subset := bytes.IndexByte(markup, '['); subset >= 0 && subset < end {
		end = bytes.Index(markup, []byte("]>"))
	}
	if end < 0 {
		return len(markup)
	}
	return end + 1
}
