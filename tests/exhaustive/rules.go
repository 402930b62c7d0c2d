package exhaustive

import (
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
)

// rules are the decisions that the search leaves to the product, and those of the actors that have no function of their
// own. The switches take one of them away, as the original does.
type rules struct {
	promise func(a paxos.Acceptor, by log.Proposal) paxos.Verdict
	explore func(a paxos.Acceptor, held []log.Action, by log.Proposal, r log.Range) paxos.Verdict
	begin   func(a paxos.Acceptor, held []log.Action, r log.Reign) paxos.Verdict
	write   func(a paxos.Acceptor, held []log.Action, by log.Proposal, first log.Position, values []log.Value) paxos.Verdict
	propose func(w paxos.Won, by log.Proposal, below log.Kind) []log.Action
	linked  func(by log.Proposal, first, settled log.Position, before log.Action) bool
	next    func(c status.Config, local status.Local, answers []status.Answer) status.Decision

	bury      bool // answers carry a crash vector (S3)
	merge     bool // a recovery takes over the crash vectors of its quorum
	adopt     bool // a recovery takes over the promise of its quorum (S2)
	reign     bool // a recovery takes over the reign of its quorum
	reborn    bool // a life in doubt recovers before it votes
	catchUp   bool // a recovery learns up to the end of its quorum before it votes
	resign    bool // a writer that was rejected is idle (S4)
	secondly  bool // an election has a second round
	syncFirst bool // what an answer says is durable before it leaves
}

// ours are the rules of the product.
func ours() rules {
	return rules{
		promise: paxos.Promise, explore: paxos.PromiseRange, begin: paxos.BeginReign, write: paxos.Write,
		propose: paxos.Propose, linked: paxos.Linked, next: status.Next,
		bury: true, merge: true, adopt: true, reign: true, reborn: true, catchUp: true, resign: true, secondly: true, syncFirst: true,
	}
}

// acceptsLikeTheOriginal has the acceptor of the original. What accepts a proposal does not promise it, so that a delayed
// promise of a lower one is granted afterwards, and its write lowers what was accepted (S1). Where there is a record, its
// promise is what counts, and not the implicit one (S18). And a proposal may write twice.
func (r rules) acceptsLikeTheOriginal() rules {
	r.explore = exploreLikeTheOriginal
	r.write = writeLikeTheOriginal
	return r
}

func exploreLikeTheOriginal(a paxos.Acceptor, held []log.Action, by log.Proposal, r log.Range) paxos.Verdict {
	v := paxos.Verdict{}
	answer := paxos.Promised{Range: r, Reign: a.Reign}
	for p := r.First; p <= r.Last; p++ {
		known, found := find(held, p)
		promised := known.Promised
		if !found {
			promised = a.Promised
		}
		if by <= promised {
			return paxos.Verdict{Answer: paxos.Rejected{By: promised}}
		}
		if known.Value.Kind != log.None {
			answer.Actions = append(answer.Actions, known)
		}
		known.Position, known.Promised = p, by
		v.Store = append(v.Store, known)
	}
	v.Answer = answer
	return v
}

func writeLikeTheOriginal(a paxos.Acceptor, held []log.Action, by log.Proposal, first log.Position, values []log.Value) paxos.Verdict {
	v := paxos.Verdict{Answer: paxos.Accepted{Range: log.Span(first, len(values))}}
	for i, value := range values {
		known, found := find(held, first+log.Position(i))
		promised := known.Promised
		if !found {
			promised = a.Promised
		}
		switch {
		case by < promised:
			return paxos.Verdict{Answer: paxos.Rejected{By: promised}}
		case known.Learned:
			return paxos.Verdict{Answer: paxos.Learned{Actions: []log.Action{known}}}
		}
		v.Store = append(v.Store, log.Action{Position: first + log.Position(i), Promised: promised, Performed: by, Value: value})
	}
	return v
}

func find(held []log.Action, at log.Position) (log.Action, bool) {
	for _, a := range held {
		if a.Position == at {
			return a, true
		}
	}
	return log.Action{}, false
}

// overwritesWhatIsLearned has a late write change what is chosen.
func (r rules) overwritesWhatIsLearned() rules {
	write := r.write
	r.write = func(a paxos.Acceptor, held []log.Action, by log.Proposal, first log.Position, values []log.Value) paxos.Verdict {
		v := write(a, held, by, first, values)
		if _, chosen := v.Answer.(paxos.Learned); !chosen {
			return v
		}
		v = paxos.Verdict{Answer: paxos.Accepted{Range: log.Span(first, len(values))}}
		for i, value := range values {
			v.Store = append(v.Store, log.Action{Position: first + log.Position(i), Promised: by, Performed: by, Value: value})
		}
		return v
	}
	return r
}

// fillsWithNothing proposes a NOP whatever the quorum has found.
func (r rules) fillsWithNothing() rules {
	r.propose = func(w paxos.Won, by log.Proposal, below log.Kind) []log.Action {
		w.Actions = nil
		return paxos.Propose(w, by, below)
	}
	return r
}

// acceptsWithAGap accepts what a writer wrote without what it wrote before.
func (r rules) acceptsWithAGap() rules {
	r.linked = func(log.Proposal, log.Position, log.Position, log.Action) bool { return true }
	return r
}

// proposesUnlinked proposes what was accepted also where a NOP is chosen below it.
func (r rules) proposesUnlinked() rules {
	r.propose = func(w paxos.Won, by log.Proposal, _ log.Kind) []log.Action {
		var all []log.Action
		for at := w.Range.First; at <= w.Range.Last; at++ { // each by itself
			one := paxos.Won{Range: log.Range{First: at, Last: at}, Reign: w.Reign}
			if known, found := find(w.Actions, at); found {
				one.Actions = []log.Action{known}
			}
			all = append(all, paxos.Propose(one, by, log.None)...)
		}
		return all
	}
	return r
}

// recoversFromOne asks one other replica where a quorum is needed.
func (r rules) recoversFromOne() rules {
	r.next = func(c status.Config, local status.Local, answers []status.Answer) status.Decision {
		for _, a := range answers {
			if a.Status == status.Voting {
				c.Members, c.Quorum = 1, 1
				return status.Next(c, local, []status.Answer{a})
			}
		}
		return status.Next(c, local, answers)
	}
	return r
}

// countsItself has a replica that crashed while it recovered count its own answer when it asks again.
func (r rules) countsItself() rules {
	from := r.recoversFromOne()
	r.next = func(c status.Config, local status.Local, answers []status.Answer) status.Decision {
		if local.Status == status.Recovering {
			return from.next(c, local, answers)
		}
		return status.Next(c, local, answers)
	}
	return r
}

// acknowledgesEqualBytes takes the same bytes for the same entry, whoever wrote it.
func (r rules) acknowledgesEqualBytes() rules {
	write := r.write
	r.write = func(a paxos.Acceptor, held []log.Action, by log.Proposal, first log.Position, values []log.Value) paxos.Verdict {
		for i, value := range values {
			if known, found := find(held, first+log.Position(i)); !found || !known.Learned || !known.Value.Equal(value) {
				return write(a, held, by, first, values)
			}
		}
		return paxos.Verdict{Answer: paxos.Accepted{Range: log.Span(first, len(values))}}
	}
	return r
}
