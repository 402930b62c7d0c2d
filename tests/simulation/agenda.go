package simulation

import "time"

// agenda is what the simulation itself will do, in the order of time.
type agenda struct {
	items []item
	added uint64
}

type item struct {
	at    time.Duration
	order uint64
	do    func()
}

// add puts an item on the agenda.
func (a *agenda) add(at time.Duration, do func()) {
	a.added++
	a.items = append(a.items, item{at, a.added, do})
}

// take takes the first item off that is due.
func (a *agenda) take(now time.Duration) (func(), bool) {
	best := -1
	for i, x := range a.items {
		if x.at <= now && (best < 0 || x.at < a.items[best].at || x.at == a.items[best].at && x.order < a.items[best].order) {
			best = i
		}
	}
	if best < 0 {
		return nil, false
	}
	do, last := a.items[best].do, len(a.items)-1
	a.items[best] = a.items[last]
	a.items = a.items[:last]
	return do, true
}
