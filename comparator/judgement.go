package comparator

import (
	"crypto/sha256"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
)

// JudgeVersion is raised with every change of this room that may give a replay
// another verdict or other differences under the same configuration. A judge of
// another version makes another judgement, so that its rows never stand among
// those of an older one.
const JudgeVersion = 2

// Judgement is all that decides verdicts. Two processes of the same judgement
// write the same rows.
type Judgement struct {
	// ID is a hash of the rest, 16 hexadecimal digits.
	ID      string
	Version uint32
	// Config is the configuration as YAML.
	Config string
}

// Judgement that a judge of this configuration makes. The error says that the
// descriptor set cannot be read.
func (c Config) Judgement() (Judgement, error) {
	text, err := yaml.Marshal(c)
	if err != nil {
		return Judgement{}, fmt.Errorf("judgement: %w", err)
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "judge %d\n%s", JudgeVersion, text)
	if c.DescriptorSet != "" {
		set, err := os.ReadFile(c.DescriptorSet)
		if err != nil {
			return Judgement{}, fmt.Errorf("descriptor_set: %w", err)
		}
		fmt.Fprintf(hash, "\ndescriptors %x", sha256.Sum256(set))
	}
	return Judgement{ID: fmt.Sprintf("%x", hash.Sum(nil)[:8]), Version: JudgeVersion, Config: string(text)}, nil
}
