package replica

import (
	"slices"
	"time"
)

// pace is how long the last syncs of the disk took.
type pace struct {
	began time.Time // of the sync that runs; zero where none does
	took  [64]time.Duration
	next  int // where the next one goes
	count int
}

// enough is how many syncs say something about a disk.
const enough = 8

func (p *pace) begin(now time.Time) { p.began = now }

func (p *pace) end(now time.Time) {
	p.took[p.next] = now.Sub(p.began)
	p.next = (p.next + 1) % len(p.took)
	p.count = min(p.count+1, len(p.took))
	p.began = time.Time{}
}

// most is what nineteen of twenty of the last syncs took at most, or the one that runs so far, if that is longer; 0 where
// there were too few.
func (p *pace) most(now time.Time) time.Duration {
	if p.count < enough {
		return 0
	}
	all := p.took // a copy: it stays in the order of the syncs
	sorted := all[:p.count]
	slices.Sort(sorted)
	most := max(sorted[(p.count*19-1)/20], 0) // a clock may be put back
	if !p.began.IsZero() {
		most = max(most, now.Sub(p.began))
	}
	return most
}
