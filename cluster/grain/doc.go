// Package grain reaches actors whose state is in the log, and the log itself, by the cluster identity of protoactor's cluster module.
//
//	caller ── Request(identity, kind) ─▶ cluster module ── where is it? ─▶ activation ── Persist ─▶ the log
//
// A grain is one of a kind, named by its identity: whoever asks it finds it running, or has it activated, on a member that hosts the
// kind. Kind makes such grains of actors that embed a Mixin: their journal is that of "kind/identity". Where the member that hosts one
// is gone, the cluster module activates it on another one, where it begins with what was acknowledged. LogKind makes a grain of a log, for
// programs in any language that have a client of the cluster module, and none of ours.
//
// # What is safe, and what is only likely
//
// The cluster module says where a grain is likely to be. Its list of members is what a provider and gossip make of it, and two members that
// do not agree on it activate the same grain twice. The log says who may write: from the moment that the later activation is in it, nothing of the
// earlier one counts (package actors/persistence). So no quorum, no lease and no promise hangs on the cluster module:
//
//	two activations           the later one writes; the earlier one is told with its next event, stops, and refuses what waits for it
//	each side has its callers they take it from one another, an activation for each: slow until the cluster module agrees, never wrong
//	an activation that cannot be had (no quorum)   its callers are told within Config.Patience; the next request tries anew, by itself nobody does
//
// The state chart of an activation:
//
//	activating ── Recovered ─▶ serving ── idle for Config.Idle, or moved by the cluster module ─▶ ended
//	    │                         └────── fenced, or the outcome of a write is unknown ─▶ refusing ─▶ ended
//	    └────── Lost ─▶ refusing ─▶ ended
//
// Whoever asks one that refuses gets the reason as a GrainErrorResponse of the cluster module; Request and Failure make Go errors of it.
// Whatever waits in the mailbox of one that ended is a dead letter, so the cluster module looks for the grain again: protoactor itself drops
// it without a word, and the caller's time runs out.
//
// # What it does not do
//
//   - A request may be handled twice, or once and nobody hears of it: the cluster module sends again where an answer is late. An event with the
//     request's own number makes that harmless, as it does anywhere.
//   - An activation that only answers from memory does not notice that a later one writes. Where that matters, persist before you answer.
//   - Fail-over waits until the cluster module's provider misses the member: that, and not the log, is what takes the time. A lookup that was
//     sent to the member that is gone holds up the news for 5 s at most; a request's time-out above the provider's period avoids it.
//   - The cluster module's remote belongs to the program, and is as open as protoactor leaves it: see docs/security.md. Give the log an actor
//     system of its own (cluster.Start and cluster.Dial do), so that what is asked of the program's system never reaches the log's actors.
package grain
