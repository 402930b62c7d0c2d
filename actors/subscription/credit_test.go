package subscription

import (
	"math/rand/v2"
	"testing"

	"github.com/quorumlog/quorumlog/log"
)

// What fits is compared with the sum of all that is on its way.
func TestWhatFitsIsWhatWasGrantedLessWhatIsOnItsWay(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var c credit
		var entries, bytes int // granted
		var way []delivery
		last := log.Position(0)
		for range 100 {
			switch r.IntN(4) {
			case 0:
				e, b := uint32(r.IntN(4)), uint64(r.IntN(20))
				c.grant(e, b)
				if e > 0 || b > 0 {
					entries, bytes = maxEntries, maxBytes
				}
				if e > 0 {
					entries = int(e)
				}
				if b > 0 {
					bytes = int(b)
				}
			case 1:
				upTo := log.Position(r.Uint64N(uint64(last) + 2))
				c.received(upTo)
				for len(way) > 0 && way[0].last <= upTo {
					way = way[1:]
				}
			default:
				size := r.IntN(8)
				sumEntries, sumBytes := 0, size
				for _, d := range way {
					sumEntries, sumBytes = sumEntries+d.entries, sumBytes+d.bytes
				}
				want := sumEntries < entries && (sumBytes <= bytes || len(way) == 0) && len(way) < maxDeliveries
				if got := c.fits(size, 0, 0); got != want {
					t.Fatalf("seed %d: %d bytes fit: %t, want %t: granted %d, %d bytes, on the way %v", seed, size, got, want, entries, bytes, way)
				}
				if want {
					last += log.Position(1 + r.IntN(3))
					d := delivery{last, 1, size}
					c.sent(d)
					way = append(way, d)
				}
			}
		}
	}
}

func TestNoGrantExceedsOurOwnLimits(t *testing.T) {
	var c credit
	c.grant(1<<32-1, 1<<63)
	if e, b := c.room(); e != maxEntries || b != maxBytes {
		t.Errorf("there is room for %d entries, %d bytes", e, b)
	}
	for i := range maxDeliveries {
		c.sent(delivery{log.Position(i + 1), 0, 0})
	}
	if c.fits(0, 0, 0) {
		t.Errorf("%d deliveries are on their way, and one more fits", maxDeliveries)
	}
}
