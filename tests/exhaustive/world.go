package exhaustive

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
)

type (
	answerID  uint32
	requestID uint16
)

// scope is how large a world is.
type scope struct {
	size      int    // replicas
	positions int    // of the log
	kinds     []kind // what each proposer is there for, in the order of their proposals
	wipes     int    // disks that are lost, one at a time
	notices   bool   // replicas hear what is chosen
	pipelined bool   // a writer writes the second entry without waiting for the first
	batches   bool   // a writer may write two entries at once
	restarts  bool   // a replica that recovers may crash, and begin again
	doubts    bool   // a life may also end with its disk kept, or begin on the disk that was lost first
	alike     bool   // all entries have the same bytes
	agreement bool   // look for two chosen values only, and not for what leads to them
}

// world knows the parts of which states are made, by short numbers, and what the rules say of them: a rule is asked once
// for each question, and not in each state.
type world struct {
	scope
	rule      rules
	replicas  table[replica, uint32]
	requests  table[request, requestID]
	answers   table[answer, answerID]
	proposers table[proposer, uint32]
	names     [][]log.ReplicaID
	hearing   map[hearing]heard
	won       map[ballot][]won
	decided   map[help][]decision
	room      []step // for steps
}

type hearing struct {
	replica uint32
	request requestID
	teller  uint8 // the proposer whose open question it is, from 1; 0 if it is a question of the past
}

type heard struct {
	replica uint32
	seen    uint8
	changed bool
}

func newWorld(s scope, r rules) *world {
	w := &world{
		scope: s, rule: r, hearing: map[hearing]heard{}, won: map[ballot][]won{}, decided: map[help][]decision{},
	}
	var names []log.ReplicaID
	for i := range s.size {
		names = append(names, log.ReplicaID(i+1))
	}
	w.names = [][]log.ReplicaID{names}
	if s.size <= 3 {
		w.names = orders(names)
	}
	w.requests.id(request{}) // 0 means none
	w.answers.id(answer{})
	return w
}

func orders(of []log.ReplicaID) [][]log.ReplicaID {
	if len(of) == 0 {
		return [][]log.ReplicaID{nil}
	}
	var all [][]log.ReplicaID
	for i, first := range of {
		for _, rest := range orders(slices.Delete(slices.Clone(of), i, i+1)) {
			all = append(all, append([]log.ReplicaID{first}, rest...))
		}
	}
	return all
}

// state is one state of the world.
type state struct {
	replicas  [maxReplicas]uint32 // sorted: replicas that change places are no difference
	proposers [maxProposals]uint32
	chosen    [maxPositions]value // by a quorum of votes that a proposer may count
	lowest    [maxPositions]uint8 // the proposal under which it was
	wipes     uint8
}

func (w *world) first() state {
	var s state
	for i := range w.size {
		s.replicas[i] = w.replicas.id(replica{status: status.Voting})
	}
	for i, what := range w.kinds {
		s.proposers[i] = w.proposers.id(w.start(uint8(i+1), what))
	}
	return s
}

// move is one step.
type move struct {
	what    string
	slot    int
	teller  int
	request requestID
}

// step is a move, where it leads, and what is wrong there.
type step struct {
	move
	to    state
	fault string
}

// steps returns everything that may happen next. The next call overwrites it.
func (w *world) steps(s state) []step {
	all := w.room[:0]
	for i := range w.kinds {
		p := w.proposers.of(s.proposers[i])
		for slot := range w.size {
			for _, id := range p.sent[:p.n] {
				if w.notices || w.requests.of(id).ask != notice {
					all = w.deliver(all, s, move{"hears", slot, i, id})
				}
			}
		}
		all = w.conclude(all, s, i)
	}
	for slot := range w.size {
		all = w.wipe(all, s, slot)
		all = w.recover(all, s, slot)
	}
	w.room = all
	return all
}

// deliver has a replica hear a request, once more perhaps.
func (w *world) deliver(all []step, s state, m move) []step {
	p := w.proposers.of(s.proposers[m.teller])
	h := hearing{s.replicas[m.slot], m.request, 0}
	if p.asks == m.request {
		h.teller = uint8(m.teller + 1)
	}
	got, known := w.hearing[h]
	if !known {
		got = w.hear(h)
		w.hearing[h] = got
	}
	if got.seen > 0 && !w.rule.resign && p.asks == m.request && w.requests.of(m.request).ask == writing {
		next := s
		w.forget(&next, m.teller)
		next.proposers[m.teller] = w.proposers.id(w.takeOver(p, got.seen))
		all = append(all, step{move{"rejects", m.slot, m.teller, m.request}, next, ""})
	}
	if !got.changed {
		return all
	}
	next := s
	next.replicas[m.slot] = got.replica
	fault := ""
	if p.asks == m.request && w.requests.of(m.request).ask == writing {
		fault = w.count(&next, m.teller)
	}
	return append(all, step{m, next, fault})
}

func (w *world) hear(h hearing) heard {
	r := w.replicas.of(h.replica)
	q := w.requests.of(h.request)
	after, a := r.hear(q, w.rule)
	got := heard{seen: a.seen}
	if h.teller > 0 && a.granted > 0 {
		told := &after.told[h.teller-1][a.life]
		if before := w.answers.of(*told); *told == 0 || a.granted != writing && fresh(before, a) {
			*told = w.answers.id(a)
		}
	}
	got.changed = after != r
	got.replica = w.replicas.id(after)
	return got
}

// fresh says whether an answer says anything else than the one before. That its replica has heard of a wipe since then
// only makes it count for less.
func fresh(before, now answer) bool {
	now.knows = before.knows
	return before != now
}

// forget drops the answers to a question that is not open any more.
func (w *world) forget(s *state, teller int) {
	for slot := range w.size {
		r := w.replicas.of(s.replicas[slot])
		if r.told[teller] == [maxLives]answerID{} {
			continue
		}
		r.told[teller] = [maxLives]answerID{}
		s.replicas[slot] = w.replicas.id(r)
	}
}

func (w *world) ballot(s state, i int) ballot {
	b := ballot{question: w.proposers.of(s.proposers[i]).asks}
	for slot := range w.size {
		r := w.replicas.of(s.replicas[slot])
		b.lives[slot], b.told[slot] = r.lives, r.told[i]
	}
	return b
}

// conclude has a proposer count what it was told, if that wins its round.
func (w *world) conclude(all []step, s state, i int) []step {
	p := w.proposers.of(s.proposers[i])
	if p.asks == 0 {
		return all
	}
	outcomes := w.outcomes(w.ballot(s, i))
	if len(outcomes) == 0 {
		return all
	}
	known := w.known(s)
	for _, o := range outcomes {
		for _, after := range w.goOn(uint8(i+1), p, o, known) {
			next := s
			w.forget(&next, i)
			next.proposers[i] = w.proposers.id(after)
			all = append(all, step{move{"wins", 0, i, p.asks}, next, w.judge(next, i)})
		}
	}
	return all
}

// known is what somebody has learned, or knows that it is chosen.
func (w *world) known(s state) [maxPositions]value {
	var known [maxPositions]value
	for slot := range w.size {
		for at, r := range w.replicas.of(s.replicas[slot]).held {
			if r.learned {
				known[at] = r.value
			}
		}
	}
	for i := range w.kinds {
		p := w.proposers.of(s.proposers[i])
		for n, id := range p.sent[:p.n] {
			if q := w.requests.of(id); q.ask == notice {
				written := w.requests.of(p.sent[n-1]) // a notice follows what it is about
				for at := q.first; at <= q.last; at++ {
					known[at-1] = written.values[at-1]
				}
			}
		}
	}
	return known
}

// wipe loses a disk, or has a life end for another reason. Fewer than a quorum are ever lost at one time.
func (w *world) wipe(all []step, s state, slot int) []step {
	if int(s.wipes) == w.wipes {
		return all
	}
	lost := 1
	for other := range w.size {
		if other != slot && w.replicas.of(s.replicas[other]).status != status.Voting {
			lost++
		}
	}
	if lost > w.size-paxos.Quorum(w.size) {
		return all
	}
	r := w.replicas.of(s.replicas[slot])
	mine := uint8(1) << s.wipes
	reborn := replica{status: status.Empty, lives: r.lives | mine, knows: mine, told: r.told}
	if !w.doubts {
		return w.bear(all, s, slot, "loses its disk", reborn)
	}
	reborn.former = r.former
	if r.former == (memory{}) {
		reborn.former = r.memory()
	}
	all = w.bear(all, s, slot, "loses its disk", reborn)
	reborn.knows |= r.knows
	all = w.bear(all, s, slot, "is in doubt", reborn.remembering(r.memory()))
	if r.former != (memory{}) {
		reborn.knows = mine
		all = w.bear(all, s, slot, "gets a former disk back", reborn.remembering(r.former))
	}
	return all
}

// bear begins a new life of a replica.
func (w *world) bear(all []step, s state, slot int, how string, r replica) []step {
	if how != "loses its disk" && !w.rule.reborn {
		r.status = status.Voting
	}
	next := s
	next.replicas[slot] = w.replicas.id(r)
	next.wipes++
	return append(all, step{move{what: how, slot: slot}, next, ""})
}

// owner is the replica that lost its disk in a wipe.
func (w *world) owner(s state, wipe int) int {
	for slot := range w.size {
		if w.replicas.of(s.replicas[slot]).lives&(1<<wipe) != 0 {
			return slot
		}
	}
	panic(fmt.Sprintf("nobody lost a disk in wipe %d", wipe))
}

// latestWipe is the wipe in which a replica's present life began.
func latestWipe(lives uint8) int { return bits.Len8(lives) - 1 }
