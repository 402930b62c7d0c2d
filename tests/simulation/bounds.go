package simulation

import (
	"fmt"
	"time"
)

// peaks is the most that one member ever had.
type peaks struct{ Actors, Timers, Unlearned int }

// String is for people.
func (p peaks) String() string {
	return fmt.Sprintf("%d actors, %d timers, %d positions not learned", p.Actors, p.Timers, p.Unlearned)
}

func (p peaks) higher(o peaks) peaks {
	return peaks{max(p.Actors, o.Actors), max(p.Timers, o.Timers), max(p.Unlearned, o.Unlearned)}
}

// ofMoments are the rules of what a member has at any time. The bounds are several times what was ever seen; what leaks
// exceeds any.
var ofMoments = []rule[peaks]{
	{22, "a member has few actors", func(p peaks) string {
		const most = 100
		return complain(p.Actors > most, "%d actors, at most %d", p.Actors, most)
	}},
	{22, "a member has few timers", func(p peaks) string {
		const most = 200
		return complain(p.Timers > most, "%d timers, at most %d", p.Timers, most)
	}},
	{22, "a replica has few records that are not learned", func(p peaks) string {
		const most = 2000
		return complain(p.Unlearned > most, "%d records, at most %d", p.Unlearned, most)
	}},
}

// measure looks at what every member has, now and then.
func (s *simulation) measure() {
	if s.now()-s.measured < time.Second {
		return
	}
	s.measured = s.now()
	for _, h := range s.hosts {
		if h.up {
			p := peaks{len(h.Node.Actors()), h.Node.Timers(), h.disk.unlearned()}
			s.peaks = s.peaks.higher(p)
			check(ofMoments, p, s.accuse)
		}
	}
}
