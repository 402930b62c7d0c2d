package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

func proposerCommands() map[string]command {
	return map[string]command{
		"proposer": (*script).proposer, "promise": (*script).promise, "write": (*script).write, "learn": (*script).learn,
		"tally": (*script).tally,
	}
}

// proposer is a proposer that does what the script says: it asks whom it is told, in the name of a member, and counts
// with the real tally.
type proposer struct {
	name     string
	by       log.Proposal
	on       *kit.Member
	identity identity.Identity
	probe    *actortest.Probe
	read     int // messages of the probe that were looked at
	members  int
	requests map[uint64]*ballot
	promises *ballot
	writes   *ballot
}

// ballot is one question and its answers.
type ballot struct {
	tally   *paxos.Tally
	outcome paxos.Outcome
	run     log.Range // of a write
	values  []log.Value
}

// proposer: "proposer P5 on=1 by=5.1" makes a proposer with the header of a member that is up.
func (s *script) proposer() string {
	name := s.words()[0]
	round, id, _ := strings.Cut(s.text("by"), ".")
	m := s.listed("on")[0]
	s.proposers[name] = &proposer{
		name: name, by: log.NewProposal(s.number(round), log.ReplicaID(s.number(id))), on: m,
		identity: m.Inspect().Identity, probe: m.Node.Probe(name), members: len(s.cluster.Members),
		requests: map[uint64]*ballot{},
	}
	return ""
}

func (s *script) who() *proposer {
	s.Helper()
	p := s.proposers[s.words()[0]]
	if p == nil {
		s.line.Fatalf(s, "no proposer is called %q", s.words()[0])
	}
	return p
}

// promise: "promise P5 to=(1,4) [at=1-3]" asks for a promise, implicit without positions, and prints the answers.
func (s *script) promise() string {
	p, r := s.who(), s.positions("at")
	kind := paxos.AskRange
	if r.Empty() {
		kind = paxos.AskImplicit
	}
	if p.promises == nil {
		p.promises = &ballot{tally: paxos.NewTally(kind, p.members), outcome: paxos.Pending{}}
	}
	return s.question(p, p.promises, func(h *messages.Header) proto.Message { return codec.EncodePromiseRequest(h, p.by, r) })
}

// write: "write P5 to=(2,3) at=6 values=(a,b)" asks to accept values, and prints the answers. Without values they are those that
// its promises oblige it to propose. A proposer without a quorum of promises writes nothing, unless the line says "force".
func (s *script) write() string {
	p := s.who()
	p.collect()
	won, ok := p.won()
	if !ok && !s.line.HasArg("force") {
		return fmt.Sprintf("%s has no quorum of promises", p.name)
	}
	b := &ballot{tally: paxos.NewTally(paxos.AskWrite, p.members), outcome: paxos.Pending{}, run: won.Range}
	if s.line.HasArg("at") {
		b.values = s.values()
		b.run = log.Span(s.positions("at").First, len(b.values))
	} else {
		for _, a := range paxos.Propose(won, p.by, log.None) {
			b.values = append(b.values, a.Value)
		}
	}
	if p.writes == nil || p.writes.run != b.run || !slices.EqualFunc(p.writes.values, b.values, log.Value.Equal) {
		p.writes = b
	}
	w := codec.Write{By: p.by, First: p.writes.run.First, Values: p.writes.values, Settled: p.writes.run.First - 1}
	return s.question(p, p.writes, func(h *messages.Header) proto.Message { return codec.EncodeWriteRequest(h, w) })
}

// values reads "values=(a,NOP,TRUNCATE:4)".
func (s *script) values() []log.Value {
	var words []string
	s.line.ScanArgs(s, "values", &words)
	var all []log.Value
	for _, word := range words {
		switch to, truncates := strings.CutPrefix(word, "TRUNCATE:"); {
		case truncates:
			all = append(all, log.Value{Kind: log.Truncate, To: log.Position(s.number(to))})
		case word == "NOP":
			all = append(all, log.Value{Kind: log.NOP})
		default:
			all = append(all, kit.Entry(word))
		}
	}
	return all
}

// learn: "learn P5 to=(1,2) at=1-5" tells members that what was written under the proposal is chosen.
func (s *script) learn() string {
	p := s.who()
	for _, m := range s.listed("to") {
		h := codec.EncodeHeader(p.identity, p.on.Node.Random().Uint64(), nil)
		p.probe.Send(m.PID(member.Replica), codec.EncodeLearnedMessage(h, p.by, s.positions("at")))
	}
	s.cluster.World.Run(time.Second)
	return ""
}

// tally: "tally P5" prints what a proposer may conclude from the answers so far, also those that came late.
func (s *script) tally() string {
	p := s.who()
	p.collect()
	var all []string
	if p.promises != nil {
		all = append(all, "promises: "+conclusion(p.promises.outcome))
	}
	if p.writes != nil {
		all = append(all, fmt.Sprintf("writes %s: %s", p.writes.run, conclusion(p.writes.outcome)))
	}
	s.noteWin(p)
	return lines(all)
}

// question asks, waits a second for the answers, and prints them in the order of the members.
func (s *script) question(p *proposer, b *ballot, build func(*messages.Header) proto.Message) string {
	asked := s.listed("to")
	for _, m := range asked {
		request := p.on.Node.Random().Uint64()
		p.requests[request] = b
		p.probe.Request(m.PID(member.Replica), build(codec.EncodeHeader(p.identity, request, nil)))
	}
	s.cluster.World.Run(time.Second)
	heard := p.collect()
	s.noteWin(p)
	var all []string
	for _, m := range asked {
		text, ok := heard[m.ID]
		if !ok {
			text = "no answer"
		}
		all = append(all, fmt.Sprintf("%d: %s", m.ID, text))
	}
	return lines(all)
}

func (s *script) noteWin(p *proposer) {
	if p.writes == nil {
		return
	}
	if _, won := p.writes.outcome.(paxos.Won); won {
		for i, v := range p.writes.values {
			s.chose(p.writes.run.First+log.Position(i), v, p.name)
		}
	}
}

func (p *proposer) won() (paxos.Won, bool) {
	if p.promises == nil {
		return paxos.Won{}, false
	}
	won, ok := p.promises.outcome.(paxos.Won)
	return won, ok
}

// collect counts the answers that came since the last time, and puts them into words.
func (p *proposer) collect() map[log.ReplicaID]string {
	heard := map[log.ReplicaID]string{}
	all := p.probe.Messages()
	for _, m := range all[p.read:] {
		e, answer, err := decode(m)
		b := p.requests[e.Request]
		if err != nil || b == nil {
			heard[e.From.Replica] = fmt.Sprint("nonsense: ", err)
			continue
		}
		b.outcome = b.tally.Add(paxos.Vote{From: e.From.Replica, Incarnation: e.From.Incarnation, Known: e.Known, Answer: answer})
		heard[e.From.Replica] = inWords(answer)
	}
	p.read = len(all)
	return heard
}

func decode(m any) (codec.Envelope, paxos.Answer, error) {
	switch m := m.(type) {
	case *messages.PromiseResponse:
		return codec.DecodePromiseResponse(m)
	case *messages.WriteResponse:
		return codec.DecodeWriteResponse(m)
	}
	return codec.Envelope{}, nil, fmt.Errorf("a %T", m)
}

func inWords(answer paxos.Answer) string {
	switch a := answer.(type) {
	case paxos.Promised:
		return strings.TrimSpace(fmt.Sprintf("promised, the log ends at %d %s", a.End, actions(a.Actions)))
	case paxos.Accepted:
		return fmt.Sprintf("accepted %s", a.Range)
	case paxos.Rejected:
		return fmt.Sprintf("rejected, seen %s", a.By)
	case paxos.Learned:
		return "learned " + actions(a.Actions)
	case paxos.Truncated:
		return fmt.Sprintf("truncated, the log begins at %d", a.Begin)
	case paxos.Willing:
		return "willing"
	case paxos.NotVoting:
		return fmt.Sprintf("not voting, %s", a.Status)
	case paxos.Refused:
		return "refused, " + a.Refusal.Error()
	}
	return ""
}

func conclusion(o paxos.Outcome) string {
	switch o := o.(type) {
	case paxos.Pending:
		return "pending"
	case paxos.Won:
		return strings.TrimSpace("won " + actions(o.Actions))
	case paxos.Lost:
		return fmt.Sprintf("lost, seen %s", o.By)
	case paxos.Settled:
		return "settled " + actions(o.Actions)
	case paxos.Passed:
		return fmt.Sprintf("passed, the log begins at %d", o.Begin)
	case paxos.Unheard:
		return "no quorum can be had"
	}
	return ""
}

func actions(all []log.Action) string {
	var words []string
	for _, a := range all {
		text := fmt.Sprintf("%d=%s by %s", a.Position, value(a.Value), a.Performed)
		if a.Learned {
			text += " learned"
		}
		words = append(words, text)
	}
	return strings.Join(slices.Compact(words), " ")
}
