package scenario

import (
	"fmt"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

func clientCommands() map[string]command {
	return map[string]command{
		"elect": (*script).elect, "append": (*script).append, "truncate": (*script).truncate, "answer": (*script).answer,
		"catchup": (*script).catchup,
	}
}

// question is what a coordinator was asked.
type question struct {
	probe  *actortest.Probe
	before int // messages that the probe had
	values []log.Value
}

// elect: "elect 1 [nowait]" has a member's coordinator elected, once.
func (s *script) elect() string {
	return s.ask(s.one(), coordinator.Elect{}, nil)
}

// append: "append 1 X Y [nowait]" has a member's coordinator write entries.
func (s *script) append() string {
	var values []log.Value
	for _, word := range s.words() {
		if word != "nowait" {
			values = append(values, kit.Entry(word))
		}
	}
	return s.ask(s.one(), coordinator.Append{Values: values}, values)
}

// truncate: "truncate 1 to=5 [nowait]" has a member's coordinator truncate the log.
func (s *script) truncate() string {
	values := []log.Value{{Kind: log.Truncate, To: log.Position(s.number(s.text("to")))}}
	return s.ask(s.one(), coordinator.Append{Values: values}, values)
}

// answer: "answer 1" waits for the answer of what was asked with nowait.
func (s *script) answer() string { return s.wait(s.one()) }

func (s *script) ask(m *kit.Member, message any, values []log.Value) string {
	s.asked[m.ID] = question{m.Probe, len(m.Probe.Messages()), values}
	m.Probe.Request(m.PID(member.Coordinator), message)
	if s.line.HasArg("nowait") {
		return ""
	}
	return s.wait(m)
}

func (s *script) wait(m *kit.Member) string {
	q := s.asked[m.ID]
	passed, ok := s.until(patience, func() bool { return len(q.probe.Messages()) > q.before })
	if !ok {
		return "no answer" + passed
	}
	switch a := q.probe.Messages()[q.before].(type) {
	case coordinator.Elected:
		return fmt.Sprintf("elected %s, the log ends at %d", a.By, a.End) + passed
	case coordinator.Appended:
		for i, v := range q.values {
			s.chose(a.Range.First+log.Position(i), v, fmt.Sprint("the coordinator of ", m.ID))
		}
		return fmt.Sprintf("written %s", a.Range) + passed
	case coordinator.Failed:
		text := reasons()[a.Why]
		if a.Seen > 0 {
			text += fmt.Sprintf(", seen %s", a.Seen)
		}
		return text + passed
	default:
		return fmt.Sprintf("%T", a)
	}
}

func reasons() map[coordinator.Why]string {
	return map[coordinator.Why]string{
		coordinator.Fenced: "fenced", coordinator.NotElected: "not elected", coordinator.Unheard: "no quorum answered",
		coordinator.Indeterminate: "indeterminate", coordinator.Busy: "busy", coordinator.BadRange: "bad range",
	}
}

// catchup: "catchup 3" has a member learn everything that was acknowledged.
func (s *script) catchup() string {
	m := s.one()
	before := len(m.Probe.Messages())
	m.Probe.Request(m.PID(member.Gateway), &messages.CatchupRequest{Request: 1})
	passed, ok := s.until(patience, func() bool { return len(m.Probe.Messages()) > before })
	if !ok {
		return "no answer" + passed
	}
	r := m.Probe.Messages()[before].(*messages.CatchupResponse)
	if f := r.GetFailure(); f != nil {
		return fmt.Sprintf("%s: %s", f.GetCode(), f.GetDetail()) + passed
	}
	return fmt.Sprintf("learned up to %d", r.GetLearned()) + passed
}
