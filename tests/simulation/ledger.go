package simulation

import (
	"errors"
	"fmt"
	"time"

	spec "github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/actortest/history/journals"
	"github.com/quorumlog/quorumlog/actors/persistence"
)

// ledger is what all accounts did and were told.
type ledger struct {
	now         func() time.Duration
	accuse      accuser
	activations []journals.Activation
	writes      []*journals.Write
	events      int             // that were made
	closed      bool            // nobody writes any more
	looked      map[string]bool // who was activated in the end
	counts      journalCounts
}

// journalCounts are what became of what accounts asked.
type journalCounts struct{ Activated, Written, Fenced, Gaps, Unknown, Truncated, Crashes int }

func (c *journalCounts) add(o journalCounts) {
	c.Activated, c.Written, c.Fenced, c.Gaps = c.Activated+o.Activated, c.Written+o.Written, c.Fenced+o.Fenced, c.Gaps+o.Gaps
	c.Unknown, c.Truncated, c.Crashes = c.Unknown+o.Unknown, c.Truncated+o.Truncated, c.Crashes+o.Crashes
}

// String is for people.
func (c journalCounts) String() string {
	return fmt.Sprintf("%d activations, %d writes acknowledged, %d fenced, %d behind a gap, %d of unknown outcome, %d truncations, %d crashes of their processes",
		c.Activated, c.Written, c.Fenced, c.Gaps, c.Unknown, c.Truncated, c.Crashes)
}

// missing names what never happened.
func (c journalCounts) missing() []string {
	var missing []string
	for _, m := range []struct {
		name string
		n    int
	}{
		{"actor that was fenced", c.Fenced}, {"event behind a gap", c.Gaps}, {"event of unknown outcome", c.Unknown},
		{"truncation by the keeper of actors", c.Truncated}, {"crash of a process with actors", c.Crashes},
	} {
		if m.n == 0 {
			missing = append(missing, m.name)
		}
	}
	return missing
}

// activated records what an activation replays.
func (l *ledger) activated(a *account) {
	l.counts.Activated++
	if a.looks {
		l.looked[a.owner] = true
	}
	l.activations = append(l.activations, journals.Activation{
		Owner: a.owner, At: a.number, Call: a.called, Return: l.now(), Replay: append([]string{}, a.state...),
	})
}

// refused counts, and notes who was refused without a reason.
func (l *ledger) refused(a *account, why error) {
	var fenced *persistence.FencedError
	switch {
	case errors.Is(why, persistence.ErrFenced):
		l.counts.Fenced++
		if errors.As(why, &fenced); fenced.Newer <= a.number && a.grudge == 0 {
			l.violate("%s, which is activation %d, was told that %d fences it", a.by, a.number, fenced.Newer)
		}
	case errors.Is(why, persistence.ErrOrder):
		l.counts.Gaps++
		if a.grudge == 0 {
			l.violate("%s, which wrote in order, was told: %v", a.by, why)
		}
	default:
		l.counts.Unknown++
	}
}

func (l *ledger) violate(format string, args ...any) {
	l.accuse(25, journalsKept, fmt.Sprintf(format, args...))
}

// check holds all of it against what is promised.
func (l *ledger) check() {
	h := journals.History{Activations: l.activations}
	for _, w := range l.writes {
		h.Writes = append(h.Writes, *w)
		if w.Outcome == spec.Succeeded {
			l.counts.Written++
		}
	}
	if err := spec.Join(h.Check()); err != nil {
		l.violate("%v", err)
	}
}
