package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/recovery"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/tests/kit"
)

func lookCommands() map[string]command {
	return map[string]command{
		"status": (*script).status, "entries": (*script).entries, "records": (*script).records, "events": (*script).events,
		"chosen": (*script).chosen,
	}
}

// status: "status [1 2]" prints how members are; strangers, too, where none is named.
func (s *script) status() string {
	var all []string
	for _, m := range s.members() {
		all = append(all, fmt.Sprintf("%d: %s", m.ID, standing(m)))
	}
	if len(s.line.CmdArgs) == 0 {
		for _, x := range s.strangers {
			all = append(all, fmt.Sprintf("%d: %s", x.id, x.store.Metadata().Status))
		}
	}
	return lines(all)
}

func standing(m *kit.Member) string {
	if !m.Node.Up() || len(m.Events) == 0 {
		return "down"
	}
	i := m.Inspect()
	text := i.Status.String()
	if g := i.Identity.Incarnation.Generation; g > 1 {
		text += fmt.Sprintf(", generation %d", g)
	}
	if i.Status == status.Voting {
		text += fmt.Sprintf(", log [%d, %d] learned up to %d", i.Begin, i.End, i.Learned)
	}
	if i.Promised > 0 {
		text += fmt.Sprintf(", promised %s", i.Promised)
	}
	if i.Writer > 0 {
		text += fmt.Sprintf(", elected %s", i.Writer)
	}
	return text
}

// entries: "entries 2" prints what a client reads at members: one line for each, "position=value".
func (s *script) entries() string {
	var all []string
	for _, m := range s.members() {
		var words []string
		for _, a := range m.Read() {
			words = append(words, fmt.Sprintf("%d=%s", a.Position, value(a.Value)))
		}
		all = append(all, strings.TrimSpace(fmt.Sprintf("%d: %s", m.ID, strings.Join(words, " "))))
	}
	return lines(all)
}

// records: "records 2 [at=6]" prints what is on members' disks: promises and values, learned or not.
func (s *script) records() string {
	within := s.positions("at")
	if within.Empty() {
		within = log.Range{First: 1, Last: log.MaxPosition}
	}
	var all []string
	for _, m := range s.members() {
		err := m.Store.Scan(within, func(a log.Action) bool {
			all = append(all, fmt.Sprintf("%d: %s", m.ID, record(a)))
			return true
		})
		if err != nil {
			s.Fatal(err)
		}
	}
	return lines(all)
}

func record(a log.Action) string {
	text := fmt.Sprintf("%d promised %s", a.Position, a.Promised)
	if a.Performed > 0 {
		text += fmt.Sprintf(", accepted %s by %s", value(a.Value), a.Performed)
	}
	if a.Learned {
		text += ", learned"
	}
	return text
}

func value(v log.Value) string {
	switch v.Kind {
	case log.Append:
		return string(v.Data)
	case log.Truncate:
		return fmt.Sprintf("TRUNCATE(%d)", v.To)
	case log.NOP, log.None, log.Config:
	}
	return v.Kind.String()
}

// events: "events [3]" prints what members, or strangers, told their owner since they started.
func (s *script) events() string {
	var all []string
	for _, m := range s.members() {
		for _, e := range m.Events {
			all = appendEvent(all, m.ID, e)
		}
	}
	if len(s.line.CmdArgs) == 0 {
		for _, x := range s.strangers {
			for _, e := range x.events {
				all = appendEvent(all, x.id, e)
			}
		}
	}
	return lines(all)
}

func appendEvent(all []string, id log.ReplicaID, e any) []string {
	var text string
	switch e := e.(type) {
	case recovery.Advice:
		text = "advice: " + e.Text
	case replica.StatusChanged:
		text = fmt.Sprintf("%s -> %s", e.From, e.To)
	case member.Recovered:
		text = "serves clients"
	case member.Failed:
		text = "failed: " + sentinel(e.Err).Error()
	default:
		return all
	}
	line := fmt.Sprintf("%d: %s", id, text)
	if _, failed := e.(member.Failed); failed && slices.Contains(all, line) {
		return all // who is refused is so with every greeting
	}
	return append(all, line)
}

// sentinel is what kind of error it is; who of the others it names depends on the seed.
func sentinel(err error) error {
	for _, kind := range []error{member.ErrConfiguration, member.ErrFenced, storage.ErrCorrupt, storage.ErrFailed} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return err
}

// win is a value that a writer knows as chosen, as a quorum accepted it.
type win struct {
	at    log.Position
	value string
	by    string
}

func (s *script) chose(at log.Position, v log.Value, by string) {
	w := win{at, value(v), by}
	for _, o := range s.wins {
		if o == w {
			return
		}
	}
	s.wins = append(s.wins, w)
}

// chosen: "chosen [at=6]" prints what writers know as chosen, and whether two of them contradict each other.
func (s *script) chosen() string {
	within := s.positions("at")
	if within.Empty() {
		within = log.Range{First: 1, Last: log.MaxPosition}
	}
	var all []string
	values := map[log.Position]string{}
	for _, w := range s.wins {
		if !within.Contains(w.at) {
			continue
		}
		all = append(all, fmt.Sprintf("%d=%s, says %s", w.at, w.value, w.by))
		if other, found := values[w.at]; found && other != w.value {
			all = append(all, fmt.Sprintf("TWO VALUES ARE CHOSEN AT %d", w.at))
		}
		values[w.at] = w.value
	}
	return lines(all)
}
