package shop

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Cents is an amount of money in hundredths; it is exact, as money must be.
// In JSON requests it is a decimal number with at most two places.
type Cents int64

// maxCents bounds one amount, so that sums over an order cannot overflow.
const maxCents = 1_000_000_00

var errAmount = errors.New("want a decimal number from 0 to 1000000 with at most two places")

// UnmarshalJSON reads a JSON number without passing through a float.
func (c *Cents) UnmarshalJSON(text []byte) error {
	v, err := ParseCents(string(text))
	if err != nil {
		return err
	}
	*c = v
	return nil
}

// ParseCents reads "12", "12.5" or "12.50"; anything else is an error.
func ParseCents(text string) (Cents, error) {
	whole, fraction, dotted := strings.Cut(text, ".")
	if len(fraction) > 2 || dotted && fraction == "" {
		return 0, fmt.Errorf("amount: %w", errAmount)
	}
	fraction += "00"[len(fraction):]
	units, err := strconv.ParseUint(whole, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("amount: %w", errAmount)
	}
	rest, err := strconv.ParseUint(fraction, 10, 8)
	if err != nil {
		return 0, fmt.Errorf("amount: %w", errAmount)
	}
	if v := Cents(units)*100 + Cents(rest); v <= maxCents {
		return v, nil
	}
	return 0, fmt.Errorf("amount: %w", errAmount)
}

// String gives two decimal places, "129.90".
func (c Cents) String() string { return fmt.Sprintf("%d.%02d", c/100, c%100) }

// percent is p hundredths of c, rounded half up.
func (c Cents) percent(p int64) Cents { return Cents((int64(c)*p + 50) / 100) }
