package exhaustive

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log"
)

// ask is what a request asks for.
type ask uint8

const (
	implicit ask = iota + 1 // a promise for all positions
	explicit                // a promise for a range
	reigning                // to note a reign
	writing                 // to accept values
	notice                  // nothing: it tells that what was written is chosen
)

// request is one message to all replicas.
type request struct {
	ask         ask
	by          uint8
	first, last uint8
	settled     uint8               // of a write: what its proposer knows to be chosen
	values      [maxPositions]value // of a write, by their positions
}

func (q request) ours() []log.Value {
	var values []log.Value
	for p := q.first; p <= q.last; p++ {
		values = append(values, q.values[p-1].ours())
	}
	return values
}

// value is what may be chosen: 0 is nothing, a number that of the writer whose own entry it is, and empty plus a number
// the NOP of that proposer. The NOPs of two proposers are told apart, although they are the same in a log: it is stricter.
type value uint8

const empty value = 10

func (v value) ours() log.Value {
	if v == 0 {
		return log.Value{}
	}
	if v > empty {
		return log.Value{Kind: log.NOP, To: log.Position(v)}
	}
	return log.Value{Kind: log.Append, Data: []byte{byte(v)}}
}

func valueOf(v log.Value) value {
	switch v.Kind {
	case log.None:
		return 0
	case log.NOP:
		return value(v.To)
	case log.Append, log.Truncate, log.Config:
	}
	return value(v.Data[0])
}

// String writes the values of the writers as t, u, v and w.
func (v value) String() string {
	switch {
	case v == 0:
		return "nothing"
	case v > empty:
		return fmt.Sprintf("NOP%d", v-empty)
	}
	return string(rune('t' + v - 1))
}

func (q request) String() string {
	at := fmt.Sprint(q.first)
	if q.last != q.first {
		at = fmt.Sprintf("%d and %d", q.first, q.last)
	}
	switch q.ask {
	case implicit:
		return fmt.Sprintf("promise(%d)", q.by)
	case explicit:
		return fmt.Sprintf("promise(%d) at %s", q.by, at)
	case reigning:
		return fmt.Sprintf("reign(%d) from %d on", q.by, q.first)
	case writing:
		text := fmt.Sprintf("write(%d)", q.by)
		for p := q.first; p <= q.last; p++ {
			text += fmt.Sprintf(" %d=%s", p, q.values[p-1])
		}
		return text
	case notice:
		return fmt.Sprintf("learned(%d) at %s", q.by, at)
	}
	return "?"
}
