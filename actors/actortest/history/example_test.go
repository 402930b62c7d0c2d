package history_test

import (
	"fmt"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
)

// A client was told that "b" is at position 2. The member's log has "a" there, which is at 1 as well.
func Example() {
	now := time.Duration(0)
	r := history.NewRecorder(func() time.Duration { now += time.Millisecond; return now })
	for i, entry := range []string{"a", "b"} {
		o := r.Begin(history.Operation{Kind: history.Append, Client: 1, Entries: []string{entry}})
		r.End(o, func(o *history.Operation) { o.Outcome, o.Told = history.Succeeded, log.Span(log.Position(i+1), 1) })
	}

	holds := func(entries ...string) history.Log {
		l := history.Log{Member: 1, View: history.View{First: 1, Last: log.Position(len(entries)), Begin: 1, All: true}}
		for i, e := range entries {
			l.View.Records = append(l.View.Records, history.Record{At: log.Position(i + 1), Value: log.Value{Kind: log.Append, Data: []byte(e)}})
		}
		return l
	}
	fmt.Println(history.Join(r.History().Check(holds("a", "b"))))
	for _, v := range r.History().Check(holds("a", "a")) {
		fmt.Println(v.Rule)
	}
	// Output:
	// <nil>
	// once
	// acknowledged
}
