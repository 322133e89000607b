package setting_test

import (
	"testing"

	"understudy.dev/setting"
)

func TestAddressesAreShownWithoutSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:80":             "http://127.0.0.1:80",
		"http://127.0.0.1:80/":            "http://127.0.0.1:80",
		"http://u:pw@h:1/":                "http://…@h:1",
		"http://u:p@w@h:1":                "http://…@h:1",
		"http://u:p/w?@h:1":               "http://…@h:1",
		"u:pw@h:9092":                     "…@h:9092",
		"http://h/hooks/T0/secret":        "http://h/…",
		"https://h?token=x":               "https://h?…",
		"http://h#x":                      "http://h#…",
		"kafka-1:9092":                    "kafka-1:9092",
		"sasl://u:pw@h:1?x=1":             "sasl://…@h:1?…",
		"":                                "",
		"clickhouse://h:9000/db?password": "clickhouse://h:9000/…",
	} {
		if got := setting.Address(in); got != want {
			t.Errorf("%q: %q, not %q", in, got, want)
		}
	}
	if got := setting.Field("Authorization: Bearer x") + setting.Field("X-A"); got != "Authorization…X-A" {
		t.Error(got)
	}
}
