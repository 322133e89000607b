package comparator

import (
	"os"
	"path/filepath"
	"testing"
)

// TestJudgement: whatever may change a verdict gives another one, the name of a
// file does only with what is in it.
func TestJudgement(t *testing.T) {
	of := func(change func(*Config)) string {
		t.Helper()
		c := DefaultConfig()
		change(&c)
		j, err := c.Judgement()
		if err != nil || len(j.ID) != 16 || j.Version != JudgeVersion {
			t.Fatalf("%+v, %v", j, err)
		}
		return j.ID
	}
	file := filepath.Join(t.TempDir(), "set")
	write := func(text string) func(*Config) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return func(c *Config) { c.DescriptorSet = file }
	}
	same := of(func(*Config) {})
	if again := of(func(*Config) {}); again != same {
		t.Errorf("%s and then %s", same, again)
	}
	seen := map[string]bool{same: true}
	for i, id := range []string{
		of(func(c *Config) { c.Skew++ }),
		of(func(c *Config) { c.ExactStatus = true }),
		of(func(c *Config) { c.DefaultRulesOff = []string{"date"} }),
		of(func(c *Config) { c.Rules = []Rule{{Name: "a"}} }),
		of(write("one")), of(write("two")),
	} {
		if seen[id] {
			t.Errorf("change %d gives judgement %s again", i, id)
		}
		seen[id] = true
	}
	c := DefaultConfig()
	c.DescriptorSet = file + ".absent"
	if _, err := c.Judgement(); err == nil {
		t.Error("a descriptor set that is not there has no judgement")
	}
}
