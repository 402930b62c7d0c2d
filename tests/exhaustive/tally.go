package exhaustive

import (
	"math/bits"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
)

// ballot is all that decides what a proposer may conclude: its question, and what each replica has answered to it.
type ballot struct {
	question requestID
	lives    [maxReplicas]uint8
	told     [maxReplicas][maxLives]answerID
}

// outcomes returns how a round may be won by what was said so far: with any of the answers, in any order, and whatever
// the replicas' names are, since equals are told apart by them.
func (w *world) outcomes(b ballot) []won {
	if found, known := w.won[b]; known {
		return found
	}
	seen := map[won]bool{}
	var all []won
	for _, names := range w.names {
		w.play(b, w.votes(b, names), func(o paxos.Won) {
			got := won{end: uint8(o.End)}
			if w.pipelined && len(o.Actions) > 0 {
				got.reign = reignOf(o.Reign)
			}
			for _, a := range o.Actions {
				got.held[a.Position-1] = recordOf(a)
			}
			if !seen[got] {
				seen[got] = true
				all = append(all, got)
			}
		})
	}
	w.won[b] = all
	return all
}

// votes are the answers that were given, as a tally gets them.
func (w *world) votes(b ballot, names []log.ReplicaID) []paxos.Vote {
	q := w.requests.of(b.question)
	var votes []paxos.Vote
	for slot := range w.size {
		for _, id := range b.told[slot] {
			if id == 0 {
				continue
			}
			a := w.answers.of(id)
			votes = append(votes, paxos.Vote{
				From: names[slot], Incarnation: incarnation(a.life), Known: w.vector(a.knows, b.lives, names), Answer: w.reply(q, a),
			})
		}
	}
	return votes
}

func (w *world) reply(q request, a answer) paxos.Answer {
	within := log.Range{First: log.Position(q.first), Last: log.Position(q.last)}
	switch q.ask {
	case implicit:
		return paxos.Promised{End: log.Position(a.end), Reign: a.reign.ours()}
	case explicit:
		return paxos.Promised{Range: within, Actions: actions(a.held, q.first, q.last), Reign: a.reign.ours()}
	case reigning:
		return paxos.Promised{}
	case writing, notice:
	}
	return paxos.Accepted{Range: within}
}

// play gives the votes to a tally, in every order, up to the point at which it is won.
func (w *world) play(b ballot, votes []paxos.Vote, report func(paxos.Won)) {
	question := map[ask]paxos.Question{
		implicit: paxos.AskImplicit, explicit: paxos.AskRange, reigning: paxos.AskRange, writing: paxos.AskWrite,
	}[w.requests.of(b.question).ask]
	var order func(given, rest []paxos.Vote)
	order = func(given, rest []paxos.Vote) {
		t := paxos.NewTally(question, w.size)
		var outcome paxos.Outcome = paxos.Pending{}
		for _, v := range given {
			outcome = t.Add(v)
		}
		if o, won := outcome.(paxos.Won); won {
			report(o)
			return
		}
		for i := range rest {
			others := append(append([]paxos.Vote{}, rest[:i]...), rest[i+1:]...)
			order(append(given[:len(given):len(given)], rest[i]), others)
		}
	}
	order(nil, votes)
}

// vector is the crash vector of one who has heard of these wipes.
func (w *world) vector(knows uint8, lives [maxReplicas]uint8, names []log.ReplicaID) identity.Vector {
	var v identity.Vector
	if !w.rule.bury {
		return v
	}
	for slot := range w.size {
		if heard := lives[slot] & knows; heard != 0 {
			upTo := lives[slot] & (1<<bits.Len8(heard) - 1)
			v = v.With(names[slot], incarnation(uint8(bits.OnesCount8(upTo))))
		}
	}
	return v
}

// heard is vector the other way round.
func (w *world) heard(v identity.Vector, lives [maxReplicas]uint8, names []log.ReplicaID) uint8 {
	knows := uint8(0)
	for slot := range w.size {
		known, _ := v.Of(names[slot])
		rest := lives[slot]
		for n := uint64(1); n < known.Generation; n++ {
			knows |= rest & -rest
			rest &= rest - 1
		}
	}
	return knows
}

// decision is what a replica that recovers takes over: status.Decision.
type decision struct {
	next     status.Status
	end      uint8
	promised uint8
	reign    reign
	knows    uint8
}

// help is all that decides a recovery: who recovers, how it is, and what the others have answered.
type help struct {
	slot   int
	local  status.Status
	lives  [maxReplicas]uint8
	knows  uint8
	helped [maxReplicas]answerID
}

// decisions returns what a recovery may decide by what was answered so far, with any of the answers in any order.
func (w *world) decisions(h help) []decision {
	if found, known := w.decided[h]; known {
		return found
	}
	seen := map[decision]bool{}
	var all []decision
	for _, names := range w.names {
		local := status.Local{Replica: names[h.slot], Status: h.local}
		config := status.Config{Members: w.size, Quorum: paxos.Quorum(w.size)}
		var order func(given, rest []status.Answer)
		order = func(given, rest []status.Answer) {
			if d := w.rule.next(config, local, given); !d.Undecided {
				if got := w.decision(d, h, names); !seen[got] {
					seen[got] = true
					all = append(all, got)
				}
				return
			}
			for i := range rest {
				others := append(append([]status.Answer{}, rest[:i]...), rest[i+1:]...)
				order(append(given[:len(given):len(given)], rest[i]), others)
			}
		}
		order(nil, w.standings(h, names))
	}
	w.decided[h] = all
	return all
}

func (w *world) decision(d status.Decision, h help, names []log.ReplicaID) decision {
	got := decision{next: d.Next, end: uint8(d.End)}
	if w.rule.adopt {
		got.promised = uint8(d.Promised.Round())
	}
	if w.rule.reign {
		got.reign = reignOf(d.Reign)
	}
	if w.rule.merge {
		got.knows = w.heard(d.Known, h.lives, names)
	}
	return got
}

// standings are the answers to a recovery, the local replica's own among them.
func (w *world) standings(h help, names []log.ReplicaID) []status.Answer {
	own := uint8(bits.OnesCount8(h.lives[h.slot]))
	all := []status.Answer{{
		From: names[h.slot], Incarnation: incarnation(own), Known: w.vector(h.knows, h.lives, names), Status: h.local,
	}}
	for slot := range w.size {
		if h.helped[slot] == 0 {
			continue
		}
		a := w.answers.of(h.helped[slot])
		s := status.Answer{
			From: names[slot], Incarnation: incarnation(a.life), Known: w.vector(a.knows, h.lives, names), Status: a.status,
		}
		if a.status == status.Voting {
			s.Begin, s.End, s.Promised, s.Highest = 1, log.Position(a.end), proposal(a.promised), proposal(a.promised)
			s.Reign = a.reign.ours()
		}
		all = append(all, s)
	}
	return all
}
