package simulation

import (
	"errors"
	"fmt"
	"time"

	spec "github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/actortest/history/linear"
	"github.com/quorumlog/quorumlog/log"
)

// checkAll compares the whole history with the logs of all members, by the log's sequential specification.
func (s *simulation) checkAll() {
	logs := s.still()
	s.truth.linked()
	s.truth.ordered()
	if !s.ok() {
		return
	}
	whole := s.history.recorder.History()
	if broken := whole.Check(logs...); len(broken) > 0 {
		s.violate("%v", spec.Join(broken))
	}
	s.secondOpinion(whole, logs)
}

// still returns the members' logs of a moment after which nothing was chosen: an election that some client asked for long
// ago may fill a hole while they are read.
func (s *simulation) still() []spec.Log {
	const tries = 20
	for range tries {
		last := s.truth.last
		held := s.logs()
		switch {
		case !s.ok():
			return nil
		case s.truth.last == last:
			return s.compared(held)
		}
		s.demand(4, untilEqual, "all members have learned the same, again", s.allEqual)
	}
	s.accuse(21, progress, fmt.Sprintf("the log was read %d times, and each time something was chosen meanwhile", tries))
	return nil
}

// logs reads what every member holds.
func (s *simulation) logs() [][]log.Action {
	var all [][]log.Action
	for _, h := range s.showing() {
		actions := s.dump(h)
		if !s.ok() {
			return nil
		}
		all = append(all, actions)
	}
	return all
}

func (s *simulation) compared(held [][]log.Action) []spec.Log {
	var logs []spec.Log
	for i, h := range s.showing()[:len(held)] {
		if len(held[i]) == 0 {
			s.violate("member %d shows an empty log, and %d positions are chosen", h.ID, s.truth.positions)
			return nil
		}
		logs = append(logs, s.log(h, held[i]))
	}
	return logs
}

// log is what a member holds. It begins where the truncations say, and ends with what was chosen last.
func (s *simulation) log(h *host, actions []log.Action) spec.Log {
	r := log.Range{First: actions[0].Position, Last: actions[len(actions)-1].Position}
	if r.First != max(s.truth.begin, 1) || r.Last != s.truth.last {
		s.violate("the log of member %d is %s, and the truth is [%d, %d]", h.ID, r, s.truth.begin, s.truth.last)
	}
	l := spec.Log{Member: h.ID, View: view(r, actions)}
	l.View.Begin = r.First
	return l
}

// life names the life of a member's process. What one life says that it has learned never gets less.
func (s *simulation) life(id log.ReplicaID) uint64 {
	return uint64(id)<<32 | uint64(s.hosts[id-1].life)
}

// secondOpinion asks Porcupine about some of the histories: it takes longer than the rest of a run.
func (s *simulation) secondOpinion(h *spec.History, logs []spec.Log) {
	const (
		every  = 16 // seeds
		window = 500
		limit  = 5 * time.Second // it is slow where a history is bad, and the rules have found that then
	)
	if s.Seed%every != 0 {
		return
	}
	if err := linear.Check(h, logs, window, limit); errors.Is(err, linear.ErrIllegal) {
		s.violate("the rules find nothing, and Porcupine does: %v", err)
	}
}
