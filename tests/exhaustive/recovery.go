package exhaustive

import "github.com/quorumlog/quorumlog/log/status"

// recover is what may happen to a replica because of recoveries: others ask it, or it recovers itself.
func (w *world) recover(all []step, s state, slot int) []step {
	for wipe := range int(s.wipes) {
		all = w.help(all, s, slot, wipe)
	}
	switch r := w.replicas.of(s.replicas[slot]); r.status {
	case status.Empty:
		all = w.decide(all, s, slot)
	case status.Recovering:
		all = w.catchUp(all, s, slot)
		if w.restarts && r.target != restarted {
			next := s
			w.dismiss(&next, latestWipe(r.lives))
			r.target = restarted
			next.replicas[slot] = w.replicas.id(r)
			all = append(all, step{move{what: "crashes while it recovers", slot: slot}, next, ""})
		}
		if r.target == restarted {
			all = w.decide(all, s, slot)
		}
	case status.Voting, status.Starting:
	}
	return all
}

// restarted is the target of a replica that crashed, and asks again.
const restarted = 255

// help has a replica answer the RecoverRequest of the life that began with a wipe. The request stays, as all messages do:
// it registers that life also when nobody waits for the answer any more.
func (w *world) help(all []step, s state, slot, wipe int) []step {
	owner := w.owner(s, wipe)
	if owner == slot {
		return all
	}
	r := w.replicas.of(s.replicas[slot])
	after := r
	after.knows |= 1 << wipe
	asking := w.replicas.of(s.replicas[owner])
	if asking.status != status.Voting && latestWipe(asking.lives) == wipe && (asking.status == status.Empty || asking.target == restarted) {
		a := answer{life: after.life(), knows: after.knows, status: after.status}
		if after.status == status.Voting {
			a.end, a.promised, a.reign = after.end(), after.promised, after.reign
		}
		if before := w.answers.of(after.helped[wipe]); after.helped[wipe] == 0 || fresh(before, a) {
			after.helped[wipe] = w.answers.id(a)
		}
	}
	if after == r {
		return all
	}
	next := s
	next.replicas[slot] = w.replicas.id(after)
	return append(all, step{move{"helps", slot, wipe, 0}, next, ""})
}

// decide has a replica that recovers go on, if the rule says so.
func (w *world) decide(all []step, s state, slot int) []step {
	r := w.replicas.of(s.replicas[slot])
	wipe := latestWipe(r.lives)
	h := help{slot: slot, local: r.status, knows: r.knows}
	for other := range w.size {
		o := w.replicas.of(s.replicas[other])
		h.lives[other], h.helped[other] = o.lives, o.helped[wipe]
	}
	for _, d := range w.decisions(h) {
		after := r
		after.status, after.target = status.Recovering, d.end
		after.promised, after.knows = max(after.promised, d.promised), after.knows|d.knows
		after.reign = reignOf(after.reign.ours().Later(d.reign.ours()))
		next := s
		next.replicas[slot] = w.replicas.id(after)
		w.dismiss(&next, wipe)
		all = append(all, step{move{what: "is RECOVERING", slot: slot}, next, ""})
	}
	return all
}

// dismiss drops the answers that a recovery does not wait for any more.
func (w *world) dismiss(s *state, wipe int) {
	for slot := range w.size {
		r := w.replicas.of(s.replicas[slot])
		if r.helped[wipe] != 0 {
			r.helped[wipe] = 0
			s.replicas[slot] = w.replicas.id(r)
		}
	}
}

// catchUp has a replica learn everything up to the end that it was told, and vote. It is one step: nobody but itself sees
// what is between. Where a position is not chosen yet, it waits for one of the proposers to have it chosen.
func (w *world) catchUp(all []step, s state, slot int) []step {
	r := w.replicas.of(s.replicas[slot])
	if r.target == restarted {
		return all
	}
	if w.rule.catchUp {
		for at := range int(r.target) {
			copied, found := w.source(s, at)
			if !found {
				return all
			}
			if !r.held[at].learned {
				r.held[at] = copied
			}
		}
	}
	r.status, r.target = status.Voting, 0
	next := s
	next.replicas[slot] = w.replicas.id(r)
	return append(all, step{move{what: "has caught up, and votes", slot: slot}, next, ""})
}

// source is a record of the value that somebody knows as chosen.
func (w *world) source(s state, at int) (record, bool) {
	for slot := range w.size {
		if r := w.replicas.of(s.replicas[slot]).held[at]; r.learned {
			return r, true
		}
	}
	for i := range w.kinds {
		p := w.proposers.of(s.proposers[i])
		for n, id := range p.sent[:p.n] {
			if q := w.requests.of(id); q.ask == notice && q.first <= uint8(at+1) && uint8(at+1) <= q.last {
				return record{promised: q.by, performed: q.by, value: w.requests.of(p.sent[n-1]).values[at], learned: true}, true
			}
		}
	}
	return record{}, false
}
