package sessions_test

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/sessions"
)

// A client numbered its entries 1 to 3, and never heard what became of 3. It sends 2 and 3 again.
func Example() {
	client := log.Session{0xc1}
	t := sessions.New(sessions.MaxBytes)
	t.Note(sessions.Run{Session: client, First: 1, At: log.Range{First: 7, Last: 8}}) // 1 and 2 are in the log

	v := t.Find(client, 2, 2, 0)
	fmt.Println(v.Standing == sessions.Next, "in the log already:", v.Places, "to append from number", v.Expected)

	t.Note(sessions.Run{Session: client, First: 3, At: log.Range{First: 9, Last: 9}})
	v = t.Find(client, 2, 2, 0) // and once more: nothing is appended
	fmt.Println(v.Standing == sessions.Known, v.Places)

	fmt.Println(t.Find(client, 5, 1, 0).Standing == sessions.Gap) // 4 is on its way, and comes first
	// Output:
	// true in the log already: [[8, 8]] to append from number 3
	// true [[8, 9]]
	// true
}
