// Package exhaustive plays the rules of the log in a small world in every order there is, and looks for two values chosen
// at one position.
//
// The rules are the product's own functions: what an acceptor answers (log/paxos), what a proposer concludes from the
// answers (paxos.Tally, paxos.Propose), what a recovering replica concludes (status.Next), and which answers a crash vector
// buries (identity.Vector). Around them stands the least that lets them act: a few lines each for what the replica stores,
// for the coordinator, the Fill and the recovery (replica.go, proposer.go, recovery.go), in place of the actors.
//
// # What is explored
//
// Three replicas that vote (five in one scope), one or two positions, two or three proposers with a proposal each and with
// values of their own, and one or two lost disks:
//
//   - A proposer is a writer, which is elected in two rounds, settles what its promises showed, and writes its own entries, in
//     some scopes the second without waiting for the first; or it is a Fill. All of them act at any time, and each may stop for ever at any time.
//   - A request, once sent, is heard by each replica at any later time, any number of times or never; also after its
//     proposer has gone on. An answer, once given, arrives at any later time or never, with any of the others, in any order,
//     also after its replica has lost its disk.
//   - A disk is lost at any time at which fewer than a quorum are. The replica then recovers: each of the others hears its
//     RecoverRequest at any time, again or never, and its answers arrive in any order. In some scopes it crashes meanwhile.
//     In some a life in doubt (docs/adr/0010) recovers with all that its disk holds, or with a former disk that is put back.
//   - A notice of what is chosen is heard at any time or never, in the scopes that have notices.
//
// A crash needs no step of its own, but for a recovery that begins again: a replica stores before it answers, so that one
// that crashed is one that answered, and whose answer is lost; and a proposer that crashed is one that stopped.
//
// A search visits every state, and each once; states in which replicas have changed places are one state. Those with
// fewer steps come first, so that what it finds is as short as can be. It looks in every state for two chosen values. A
// value is chosen as soon as a tally would count a quorum for it, from any answers ever given; that includes votes of lives
// that have ended, where the crash vectors let them count. Also, in every state:
//
//   - above the proposal under which a value is chosen, nothing else is proposed (P2c);
//   - no entry of a writer is chosen after a later one was elected with the log ending below it;
//   - no entry is chosen where another value is chosen at the position at which its writer wrote before;
//   - no two clients are told that their entries are at one position.
//
// # What is abstracted
//
//   - Proposals are numbers that nobody shares. How a replica finds one that it never used is not explored.
//   - Generations are counted right: how a replica without its disk learns which one it is in is not explored, nor are
//     copied or rolled back disks, and nobody refuses a request because its sender's life is over: proposers have no disk.
//   - Truncation, initialization, the bounds of messages and the clock are left out, and so are answers that say no: none
//     makes a proposer do anything but begin again under another proposal, or stop.
//   - A recovering replica learns all that it has to in one step, when each of it is known to be chosen to somebody; it
//     leaves it to the proposers to have that chosen, as its own Fill would.
//   - The NOPs of two proposers are told apart, which makes the search stricter, not laxer.
//   - Of an answer that is given twice the later one counts only if it says something else than that more disks are known
//     to be lost: that only buries more.
//
// # How we know that it sees
//
// Each rule that closes a hole of the original has a switch here that opens it again (rules.go). With it the search finds two
// chosen values, or the entry of a fenced writer, and prints the shortest way there. Mutants of the rules themselves
// are found as well (tests/mutants).
//
//	go test ./tests/exhaustive      1.6 million states in 16 scopes, and the holes: 20 s of one core
//	make exhaustive                 137 million in 37: half an hour of one core, up to 6 GB of memory; tells how far it is
//
// Three positions, or three writers and a lost disk, were not searched: such worlds are too large. The largest that ended
// are two writers with batches, notices and a lost disk (23 million states), a writer and two Fills with two positions and
// a lost disk (25 million), two writers and a Fill with a lost disk (27 million),
// and a writer that does not wait, two Fills and notices (33 million).
package exhaustive
