package coordinator

import (
	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/log"
)

// noteWon keeps that an election is won, for whoever looks on.
func (c *coordinator) noteWon() {
	c.Measures.Elections.Add(int(measure.Won), 1)
	c.Measures.Events.Note(measure.Event{At: c.Clock.Now(), Kind: measure.Elected, To: c.by.String()})
}

// noteEnd keeps that an election is lost, or a reign at its end.
func (c *coordinator) noteEnd(why Why, seen log.Proposal) {
	e := measure.Event{At: c.Clock.Now()}
	if seen > 0 {
		e.To, e.Peer = seen.String(), seen.Replica()
	}
	switch c.state.(type) {
	case reserving, promising, filling, settling, beginning:
		c.noteLost(why, e)
		return
	}
	e.Kind, e.From = measure.Resigned, c.by.String()
	if seen > c.by {
		e.Kind = measure.Fenced
	}
	c.Measures.Events.Note(e)
}

func (c *coordinator) noteLost(why Why, e measure.Event) {
	how := measure.Lost
	e.Kind, e.Detail = measure.ElectionLost, "another proposal stands in the way"
	if why == Unheard {
		how, e.Detail = measure.Unheard, "no quorum of the members answered in time"
	}
	c.Measures.Elections.Add(int(how), 1)
	c.Measures.Events.Note(e)
}
