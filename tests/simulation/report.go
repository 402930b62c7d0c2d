package simulation

import (
	"fmt"
	"strings"
	"time"

	spec "github.com/quorumlog/quorumlog/actors/actortest/history"
)

// Report is what a run was.
type Report struct {
	Hash     uint64        // of all that happened
	Virtual  time.Duration // that passed
	Chosen   int           // positions
	Story    story
	Depth    int         // of the priorities of a schedule; 0 for a uniform one
	Faults   [faults]int // that struck, by their kind
	Messages fates
	Lives    int // starts of processes
	Outcomes [spec.Unknown + 1]int
	Latest   int              // linearizable reads that were answered
	Pages    int              // that readers who followed the log were shown
	Journals journalCounts    // of actors
	Slowest  [5]time.Duration // the parts of phase 2: until voting, elected, appended, answered, equal
	Peaks    peaks
	Stuck    bool // the run ended in a stalemate
	Broken   bool
}

func (s *simulation) report() Report {
	r := Report{
		Hash: s.cluster.World.Hash(), Virtual: s.now(), Chosen: s.truth.positions, Story: s.story, Depth: s.depth, Faults: s.faults,
		Messages: s.wire.fates, Slowest: s.slowest, Peaks: s.peaks, Journals: s.ledger.counts, Stuck: s.stuck, Broken: !s.ok(),
	}
	for _, h := range s.hosts {
		r.Lives += h.life
	}
	for _, o := range s.history.operations {
		r.Outcomes[o.Outcome]++
	}
	for _, c := range s.clients {
		r.Latest, r.Pages = r.Latest+c.reader.latest, r.Pages+c.reader.pages
	}
	return r
}

// Summary is what many runs were.
type Summary struct {
	Runs, Broken int
	Stories      [stories]int
	Ranked       int // runs whose actors were chosen by priorities
	Stuck        int // runs that ended in a stalemate (docs/adr/0010)
	Total        Report
}

// Add adds a run.
func (s *Summary) Add(r Report) {
	s.Runs++
	s.Stories[r.Story]++
	if r.Broken {
		s.Broken++
	}
	if r.Depth > 0 {
		s.Ranked++
	}
	if r.Stuck {
		s.Stuck++
	}
	t := &s.Total
	t.Chosen, t.Lives, t.Virtual = t.Chosen+r.Chosen, t.Lives+r.Lives, t.Virtual+r.Virtual
	for f, n := range r.Faults {
		t.Faults[f] += n
	}
	for k := range kinds {
		t.Messages.Sent[k] += r.Messages.Sent[k]
		t.Messages.Late[k] += r.Messages.Late[k]
		t.Messages.Lost[k] += r.Messages.Lost[k]
	}
	t.Messages.Unsent += r.Messages.Unsent
	t.Messages.Stranded += r.Messages.Stranded
	for o, n := range r.Outcomes {
		t.Outcomes[o] += n
	}
	t.Latest, t.Pages = t.Latest+r.Latest, t.Pages+r.Pages
	for i, d := range r.Slowest {
		t.Slowest[i] = max(t.Slowest[i], d)
	}
	t.Peaks = t.Peaks.higher(r.Peaks)
	t.Journals.add(r.Journals)
}

// Missing lists the kinds of faults that never struck, and the stories that were never told.
func (s *Summary) Missing() []string {
	var missing []string
	for f, n := range s.Total.Faults {
		if n == 0 {
			missing = append(missing, fault(f).String())
		}
	}
	for i, n := range s.Stories {
		if n == 0 {
			missing = append(missing, story(i).String())
		}
	}
	if s.Total.Latest == 0 {
		missing = append(missing, "linearizable read")
	}
	if s.Total.Pages == 0 {
		missing = append(missing, "page of a reader who follows the log")
	}
	return append(missing, s.Total.Journals.missing()...)
}

// String is for people.
func (s *Summary) String() string {
	var text strings.Builder
	t := &s.Total
	fmt.Fprintf(&text, "%d runs, %d broken; %.1f h of virtual time, %d positions chosen, %d starts of processes, %d runs by priorities, %d stalemates\n",
		s.Runs, s.Broken, t.Virtual.Hours(), t.Chosen, t.Lives, s.Ranked, s.Stuck)
	text.WriteString("stories: ")
	for i, n := range s.Stories {
		fmt.Fprintf(&text, "%v %d, ", story(i), n)
	}
	text.WriteString("\nfaults: ")
	for f, n := range t.Faults {
		fmt.Fprintf(&text, "%v %d, ", fault(f), n)
	}
	text.WriteString("\nmessages between members, sent/late/lost: ")
	for k := range kinds {
		fmt.Fprintf(&text, "%v %d/%d/%d, ", k, t.Messages.Sent[k], t.Messages.Late[k], t.Messages.Lost[k])
	}
	fmt.Fprintf(&text, "\n%d not sent as their process died in that step, %d writes stranded\n", t.Messages.Unsent, t.Messages.Stranded)
	fmt.Fprintf(&text, "calls: %s\n", ended(t.Outcomes))
	fmt.Fprintf(&text, "%d linearizable reads, %d pages of readers who follow the log\n", t.Latest, t.Pages)
	fmt.Fprintf(&text, "journals of actors: %s\n", t.Journals)
	fmt.Fprintf(&text, "slowest recovery: voting %v, election %v, append %v, answers %v, equal %v\nmost of one member: %s",
		t.Slowest[0], t.Slowest[1], t.Slowest[2], t.Slowest[3], t.Slowest[4], t.Peaks)
	return text.String()
}

// ended says how calls ended. Every client gives up a call that is not answered within its patience.
func ended(outcomes [spec.Unknown + 1]int) string {
	return fmt.Sprintf("%d succeeded, %d failed, %d indeterminate, %d given up by their clients, as the request or the answer was lost",
		outcomes[spec.Succeeded], outcomes[spec.Rejected], outcomes[spec.Unknown], outcomes[spec.Pending])
}

// words tells a run to people.
func (r Report) words() string {
	var text strings.Builder
	fmt.Fprintf(&text, "a run about %v: %v of virtual time, %d positions chosen, %d starts of processes, hash %x\n", r.Story,
		r.Virtual.Round(time.Millisecond), r.Chosen, r.Lives, r.Hash)
	fmt.Fprintf(&text, "faults that struck: %s\n", counts(r.Faults[:], func(i int) string { return fault(i).String() }))
	named := func(i int) string { return kind(i).String() }
	m := r.Messages
	fmt.Fprintf(&text, "messages between members: sent %s; made late %s; lost %s; %d not sent as their process died in that step, %d writes stranded\n",
		counts(m.Sent[:], named), counts(m.Late[:], named), counts(m.Lost[:], named), m.Unsent, m.Stranded)
	fmt.Fprintf(&text, "calls: %s\n", ended(r.Outcomes))
	if r.Story == actors {
		fmt.Fprintf(&text, "journals of actors: %s\n", r.Journals)
	}
	fmt.Fprintf(&text, "recovery: voting %v, election %v, append %v, answers %v, equal %v\n", r.Slowest[0], r.Slowest[1], r.Slowest[2], r.Slowest[3], r.Slowest[4])
	fmt.Fprintf(&text, "most of one member: %s", r.Peaks)
	return text.String()
}

// counts names what is not 0.
func counts(of []int, named func(int) string) string {
	var all []string
	for i, n := range of {
		if n > 0 {
			all = append(all, fmt.Sprintf("%s %d", named(i), n))
		}
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}
