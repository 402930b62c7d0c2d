// Package journal is the rule by which the events of many persistent actors share one log, and no two activations of an actor can
// both write.
//
// A journal is the history of one owner: events with the indices 0, 1, 2 ... and, now and then, a snapshot that stands for all of
// them up to an index. Whoever wants to write to it puts an activation into the log first. The position of that is its number: the
// log gives each position once, in one order for everybody, so a later activation has a higher number, and everything that carries a
// lower one does not count from there on. An event also says which index it has, and counts only where that one comes next:
//
//	position   entry                          journal of "a"
//	       7   activation                     7 may write
//	       8   events, by 7, from index 0     0
//	       9   activation                     9 may write, 7 is fenced
//	      10   events, by 7, from index 1     does not count: fenced
//	      11   events, by 9, from index 1     0 1
//	      12   events, by 9, from index 3     does not count: 2 comes next
//	      13   events, by 9, from index 2     does not count: fenced
//
// What an activation writes behind a gap does not count either (13): its writer did not know what it wrote after, and has to be
// activated again.
//
// So what counts is a function of the log: the Fold. Whoever has read the log up to its own entry knows, without asking anybody,
// whether that one counts.
//
// A snapshot brings with it everything that a fold has to know of its journal. What is before the snapshots of all journals may
// be truncated (Fold.Needed): a fold that begins there comes to the same end. For that, the first entry of each activation has to be
// written by somebody who has read the log up to the activation, and who has no other entry of that journal on its way.
package journal
