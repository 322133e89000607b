package evidence

import "math"

// Coin counts what pointed one way and what pointed the other. It is fair if
// nothing tells the two systems apart.
type Coin struct {
	Heads, Tails uint64
}

// component is a part of the mixture: the share of the stake that bets on the
// biases of a symmetric Beta distribution.
type component struct {
	logWeight, shape float64
}

// mixture is the bet against a fair coin. Its middle part looks for what a few
// hundred tosses can show (a bias of about 0.62), the flat one finds what is
// obvious within a dozen, the narrow one what takes many thousands. Each part
// costs no more than its share of the stake: log 6 at most, wherever the truth
// lies.
var mixture = []component{
	{math.Log(1. / 6), 1},
	{math.Log(4. / 6), 16},
	{math.Log(1. / 6), 400},
}

// LogE is the natural logarithm of the coin's e-value: of what a stake of 1 has
// become that was bet against fairness, whichever way the coin leans. Under
// fairness it exceeds log(1/α) ever, at any of unlimited looks, with a
// probability of at most α (Ville's inequality); 0 says that there is no
// evidence, as for a coin that was never tossed.
//
// It is the Bayes factor of a mixture of Beta distributions against one half: a
// nonnegative martingale that begins with 1 (Robbins, "Statistical methods
// related to the law of the iterated logarithm", 1970; Ramdas, Grünwald, Vovk and
// Shafer, "Game-theoretic statistics and safe anytime-valid inference", 2023).
func (c Coin) LogE() float64 {
	if c.Heads == 0 && c.Tails == 0 {
		return 0
	}
	heads, tails := float64(c.Heads), float64(c.Tails)
	fair := (heads + tails) * math.Ln2
	logs := make([]float64, len(mixture))
	for i, m := range mixture {
		logs[i] = m.logWeight + logBeta(m.shape+heads, m.shape+tails) - logBeta(m.shape, m.shape) + fair
	}
	return logSum(logs)
}

// LogMean merges e-values of one question, given as natural logarithms, into
// one: their mean, which is an e-value however they depend on each other (Vovk
// and Wang, "E-values: calibration, combination and applications", 2021). 0 for
// none. Which are merged may not depend on what they say.
func LogMean(logs ...float64) float64 {
	if len(logs) == 0 {
		return 0
	}
	return logSum(logs) - math.Log(float64(len(logs)))
}

// logSum is the logarithm of a sum whose summands are given as logarithms.
func logSum(logs []float64) float64 {
	top := math.Inf(-1)
	for _, l := range logs {
		top = max(top, l)
	}
	if math.IsInf(top, 0) {
		return top
	}
	sum := 0.
	for _, l := range logs {
		sum += math.Exp(l - top)
	}
	return top + math.Log(sum)
}

// logBeta is the logarithm of the Beta function.
func logBeta(a, b float64) float64 {
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	sum, _ := math.Lgamma(a + b)
	return la + lb - sum
}
