package ledger_test

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/ledger"
)

func Example() {
	l := ledger.New(1, interval.Set{}, interval.Set{}) // of a new log

	l.Record(log.Range{First: 1, Last: 6}) // six values were accepted,
	l.Learn(log.Range{First: 1, Last: 4})  // of four it was heard that they are chosen,
	l.Record(log.Range{First: 9, Last: 9}) // and 7 and 8 never arrived
	fmt.Println("learned up to", l.Learned(), "of", l.End())
	fmt.Println("holes", l.Holes(), "unlearned", l.Unlearned())
	fmt.Println("to copy", l.Missing(log.Range{First: 1, Last: 10}))

	l.Truncate(4) // begin moves up; nobody needs to know any more what was below it
	fmt.Println(l.Begin(), l.IsLearned(3), l.IsLearned(4))

	// Output:
	// learned up to 4 of 9
	// holes [7, 8] unlearned [5, 6] [9, 9]
	// to copy [5, 10]
	// 4 false true
}
