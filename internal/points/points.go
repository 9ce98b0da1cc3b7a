// Package points has the rules of points: what they are worth, how many an order may use, and how many it earns. It does no input or output.
package points

const (
	// Value is what a point is worth, in minor units of any currency.
	Value = 10

	// Most is how many points an order may use.
	Most = 10_000

	// Method is the payment method of an order that points pay wholly.
	Method = "points"
)

// Limit returns how many points an order may use whose total without them is known: it never costs less than nothing.
func Limit(totalMinor int64) int64 { return min(Most, max(totalMinor, 0)/Value) }

// Wrong returns what is wrong with using points for an order whose total without them is known, or "".
func Wrong(points, totalMinor int64) string {
	switch {
	case points < 0:
		return "must not be below 0"
	case points > Limit(totalMinor):
		return "is more than this order may use"
	}
	return ""
}

// Earned returns the points that an order earns for the minor units paid, one for each full per. It is 0 for a per of 0.
func Earned(paidMinor, per int64) int64 {
	if per <= 0 {
		return 0
	}
	return max(paidMinor, 0) / per
}

// Reclaimed returns how many of the points that an order earned are taken back by a refund of amount, after which refunded is all that went
// back of what was paid. The refunds of an order reclaim exactly what it earned once all is refunded, in whichever order they are handled.
func Reclaimed(earned, paid, refunded, amount int64) int64 {
	if paid <= 0 {
		return 0
	}
	return earned*min(refunded, paid)/paid - earned*max(refunded-amount, 0)/paid
}
