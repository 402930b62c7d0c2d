package paxos

import "github.com/quorumlog/quorumlog/log"

// Canvass says whether an acceptor would mind an election by this proposal (hole L9: a member that comes back, or that a
// link is cut of, would fence a writer whom all others hear). Heard is the proposal of whoever writes or is about to, as
// far as the acceptor heard lately; 0 for nobody.
//
// It is an opinion, and no promise: nothing is to be stored for it, and no rule of the protocol rests on it. An election
// that nobody was asked about is as safe.
func Canvass(a Acceptor, heard, by log.Proposal) Answer {
	if refusal, far := a.tooFar(by, 0); far {
		return refusal
	}
	switch {
	case by <= a.Promised:
		return Rejected{By: a.Promised}
	case heard > 0 && heard.Replica() != by.Replica():
		return Rejected{By: heard}
	}
	return Willing{}
}
