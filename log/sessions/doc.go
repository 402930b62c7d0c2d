// Package sessions is the rule by which an entry that is appended twice is in the log once.
//
// A client draws a session and numbers its entries from 1. An entry carries both into the log (log.Value), so that what is in
// the log of which session is a function of the log: the Table. Whoever is elected has learned everything that is, or ever can
// be, in the log below its own entries, and so its table tells for sure whether an entry that somebody sends again is there, and
// where:
//
//	sent again, and there       its position, found
//	sent again, and not there   its number comes next: it is appended, for the first time
//	numbers before it missing   refused: it waits for those
//	forgotten                   refused: nobody can tell
//
// A Table is bounded. Which session it forgets follows from the log alone, so all replicas forget the same one. A forgotten
// session cannot be told from a new one, but by this: what it had in the log lies at the horizon or below it. A client whose
// session is not remembered has to name a position at the horizon or above up to which nothing of its session can be in the log;
// one that never had an answer of unknown outcome can, and any other has to be told that it cannot be helped (see Table.Find).
//
// A replica keeps the table while it learns (Fold). A TRUNCATE carries the table before itself, so that what is truncated is
// not forgotten, and a replica that copies a truncated log finds the table in it.
package sessions
