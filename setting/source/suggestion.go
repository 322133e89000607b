package source

import "understudy.dev/setting"

// suggestion names the key that was probably meant.
func suggestion(key string, fields []Field) string {
	var keys []string
	for _, f := range fields {
		keys = append(keys, f.Key)
	}
	best := setting.Nearest(key, keys)
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}
