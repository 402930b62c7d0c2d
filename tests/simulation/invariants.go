package simulation

import "fmt"

// rule is one invariant, of what is looked at when something happens: a vote, an answer, a change of a disk. Some rules say
// what must hold at that moment, and some what must hold between it and the one before. The number is that of the
// invariant that the rule belongs to; several rules may belong to one.
//
//	1 agreement                 9 those who may not vote are silent   19 order of status
//	2 sequential specification 10 quorums know who is dead            20 what is read is what was written
//	3 learned is chosen        11 elected is complete                 21 progress
//	4 one value per proposal   12 one writer at a time                22 what waits is bounded
//	5 promises only grow       13 order of a writer's turns           23 a seed is one run
//	6 chosen binds             16 truncation                          24 calls end
//	7 durable before said      18 identity                             0 the run says something
//	8 crashes lose nothing     14 sessions: each number once, in order
//	                           17 configurations                     25 journals of actors
//
// Not here, because there is no such thing yet: 15 watermarks.
type rule[T any] struct {
	number int
	name   string
	broken func(T) string // says what is wrong with it; empty if nothing
}

// accuser is told what is violated.
type accuser func(number int, name, what string)

// check holds a subject against rules, and tells of the first that it breaks.
func check[T any](rules []rule[T], subject T, accuse accuser) {
	for _, r := range rules {
		if what := r.broken(subject); what != "" {
			accuse(r.number, r.name, what)
			return
		}
	}
}

// The invariants that are no rule of one subject, but are found where they are looked for.
const (
	specification = "the log does what its specification says"
	onlyBroken    = "a member fails only where its disk was broken"
	saysSomething = "a run says something"
	progress      = "a whole cluster goes on"
	callsEnd      = "calls end"
	oneRun        = "a seed is one run"
	equalLogs     = "all members learn the same"
	readable      = "what was learned can be read"
	contiguous    = "a writer's entries follow each other, as it wrote them"
	inTheirOrder  = "a member acknowledges in the order of the positions"
	onceEach      = "a number of a session is in the log once"
	inSequence    = "the numbers of a session are in the log in order, and none is missing"
	sameTables    = "every replica remembers the same of the sessions"
	journalsKept  = "the journals of actors are what was acknowledged"
	foundOut      = "a directory that is an earlier state of itself is found"
)

// accuse ends the run: something is violated.
func (s *simulation) accuse(number int, name, what string) {
	if s.broken == "" {
		s.broken = fmt.Sprintf("invariant %d, %s: %s", number, name, what)
	}
}

// violate says that the sequential specification is violated.
func (s *simulation) violate(format string, args ...any) {
	s.accuse(2, specification, fmt.Sprintf(format, args...))
}

// complain is a rule's answer: the words, where it is broken.
func complain(broken bool, format string, args ...any) string {
	if !broken {
		return ""
	}
	return fmt.Sprintf(format, args...)
}
