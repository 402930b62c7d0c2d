package simulation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
)

// path is a link between two members, one way.
type path struct{ from, to string }

// stallFor keeps what a member sends and gets for a while.
func (s *simulation) stallFor(h *host, d time.Duration) {
	address := h.Node.Address()
	if s.stalled[address] {
		return
	}
	s.tell("member %d: stalls for %v", h.ID, d)
	s.stalled[address] = true
	s.after(d, func() { s.resume(address) })
}

func (s *simulation) resume(address string) {
	s.stalled[address] = false
	s.cluster.World.Release(func(e actortest.Envelope) bool {
		return (e.From == address || e.To == address) && !s.stalled[e.From] && !s.stalled[e.To]
	})
}

// cut cuts links for a while.
func (s *simulation) cut(f fault, h *host) {
	d := about(s.random, s.away)
	switch f {
	case isolation:
		s.isolate(h, d)
	case turn:
		s.cluster.World.Net.HealAll()
		s.isolate(h, s.length)
	case swizzle:
		s.swizzle(d)
	case halfCut:
		s.halfCut(s.writing(h), d)
	default:
		other := s.hosts[s.random.IntN(len(s.hosts))] // may be h: then a bridge cuts nothing, and its line says so
		links := s.affected(f, h, other)
		s.tell("%s for %v: %s", f, d, s.between(links))
		s.cutFor(d, links)
	}
}

// halfCut cuts a member off from one other, or that one from it, or both.
func (s *simulation) halfCut(h *host, d time.Duration) {
	other := s.hosts[(int(h.ID)+s.random.IntN(len(s.hosts)-1))%len(s.hosts)]
	links := []path{{h.Node.Address(), other.Node.Address()}, {other.Node.Address(), h.Node.Address()}}
	switch s.random.IntN(3) {
	case 0:
		links = links[:1]
	case 1:
		links = links[1:]
	}
	s.tell("half cut off for %v: %s", d, s.between(links))
	s.cutFor(d, links)
}

// writing is the member that said last that it writes, under the highest proposal; or another one, where nobody does.
func (s *simulation) writing(or *host) *host {
	writer := or
	for _, h := range s.hosts {
		if h.up && h.writes > 0 && (writer == or || h.writes > writer.writes) {
			writer = h
		}
	}
	return writer
}

// between names the members of cut links: 1-2 where both ways are cut, 1>2 where only what 1 sends to 2 is.
func (s *simulation) between(links []path) string {
	var names []string
	for _, p := range links {
		from, to := s.host(p.from).ID, s.host(p.to).ID
		switch both := slices.Contains(links, path{p.to, p.from}); {
		case !both:
			names = append(names, fmt.Sprintf("%d>%d", from, to))
		case from < to:
			names = append(names, fmt.Sprintf("%d-%d", from, to))
		}
	}
	if len(names) == 0 {
		return "no link is cut"
	}
	return "cut between members " + strings.Join(names, " ")
}

// cutFor cuts links for so long.
func (s *simulation) cutFor(d time.Duration, links []path) {
	for _, p := range links {
		s.cluster.World.Net.Cut(p.from, p.to)
		s.after(d, func() { s.cluster.World.Net.Heal(p.from, p.to) })
	}
}

func (s *simulation) isolate(h *host, d time.Duration) {
	address := h.Node.Address()
	s.tell("member %d: isolated for %v", h.ID, d)
	s.cluster.World.Net.Isolate(address)
	s.after(d, func() { s.cluster.World.Net.Join(address) })
}

// affected are the links that a fault cuts.
func (s *simulation) affected(f fault, h, other *host) []path {
	side := make([]bool, len(s.hosts))
	for i := range side {
		side[i] = s.random.IntN(2) == 0
	}
	var cut []path
	for i, from := range s.hosts {
		for k, to := range s.hosts {
			cuts := f == split && side[i] != side[k] ||
				f == oneWay && from != to && s.random.IntN(3) == 0 ||
				f == bridge && (from == h && to == other || from == other && to == h)
			if cuts {
				cut = append(cut, path{from.Node.Address(), to.Node.Address()})
			}
		}
	}
	return cut
}

// swizzle cuts some links one after the other, and heals them in another order.
func (s *simulation) swizzle(d time.Duration) {
	all := s.affected(oneWay, nil, nil)
	s.tell("swizzle for %v, one after the other: %s", d, s.between(all))
	gap := d / time.Duration(len(all)+1)
	for i, k := range s.random.Perm(len(all)) {
		p := all[i]
		s.after(time.Duration(i)*gap, func() {
			if s.now() >= s.calmUntil {
				s.cluster.World.Net.Cut(p.from, p.to)
			}
		})
		s.after(2*d+time.Duration(k)*gap, func() { s.cluster.World.Net.Heal(p.from, p.to) })
	}
}
