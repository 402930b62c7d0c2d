// Package history records what the clients of a log did and were told, and checks it against what the log promises.
//
//	r := history.NewRecorder(clock)
//	o := r.Begin(history.Operation{Kind: history.Append, Client: 1, Entries: []string{"a"}})
//	at, err := client.Append(ctx, []byte("a"))
//	r.End(o, func(o *history.Operation) { o.Outcome, o.Told = history.Succeeded, log.Span(at, 1) })
//	...
//	err = history.Join(r.History().Check(logs...)) // the members' logs, once all have caught up
//
// # The sequential specification
//
// A log is entries at positions; begin is the first position that is kept, next the first that nothing was written to.
//
//   - An append writes its entries behind each other, from some position on that is at least next. One that is rejected
//     writes nothing, ever. One whose outcome is unknown writes any of its entries, each at the place that it would have in
//     the whole, or none, at any time after its call.
//   - A truncation does the same, and moves begin to where it says, which is at most its own position.
//   - A read shows every entry of its range, and none below begin: of the log as it is, or as it was some time before.
//   - An election ends at next - 1, and from then on no writer of an earlier one writes anything.
//   - A catch-up tells next - 1, or more.
//
// Every entry is appended once by its clients, so that an entry names its append.
//
// # How it is checked
//
// The order of the operations need not be searched: the positions tell it. So first everything that anybody saw is put
// together, position by position (the logs of the members, what is known to have been chosen, reads, acknowledgements),
// and every contradiction is told. Then each rule is one sweep over sorted operations; the whole takes O(n log n). What
// the rules are stands in rules.go. Package linear gives a second opinion by searching, package historytest histories to
// check the checkers with.
package history
