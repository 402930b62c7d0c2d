package persistence

import "github.com/quorumlog/quorumlog/log"

// What a port is asked; see the package comment.
type (
	// Append adds an entry to the log, once. Answer: Appended.
	Append struct {
		Tag   uint64 // is repeated in the answer
		Entry []byte // at most 1 MiB
	}
	// Follow reads the entries from a position on, and waits for a while where there are none yet. Answer: Followed.
	Follow struct {
		Tag  uint64 // is repeated in the answer
		From log.Position
	}
	// Fetch reads the entries at some positions, which ascend. Answer: Fetched.
	Fetch struct {
		Tag uint64 // is repeated in the answer
		At  []log.Position
	}
	// Truncate drops everything before a position. Answer: Truncated.
	Truncate struct {
		Tag uint64 // is repeated in the answer
		To  log.Position
	}
)

// Entry is an entry of the log.
type Entry struct {
	At   log.Position
	Data []byte // as it was appended
}

// The answers of a port.
type (
	// Appended says where the entry is; or why it is not, or may not be, in the log.
	Appended struct {
		Tag uint64 // as it was asked
		At  log.Position
		Err error // nil where it was done
	}
	// Followed has the next entries, in order, none where there were none for a while. Where the log begins above what was asked
	// for, it has no entry, and says where.
	Followed struct {
		Tag     uint64 // as it was asked
		Entries []Entry
		UpTo    log.Position // the last position that was read: not each has an entry; 0 where none was
		Begin   log.Position // the first that there is; 0 where that is not above what was asked for
		Err     error        // nil where it was done
	}
	// Fetched has the entries that were asked for, in their order; or why not all of them.
	Fetched struct {
		Tag     uint64 // as it was asked
		Entries []Entry
		Err     error // nil where it was done
	}
	// Truncated says that it was done, or why not.
	Truncated struct {
		Tag uint64 // as it was asked
		Err error  // nil where it was done
	}
)
