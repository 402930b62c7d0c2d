package log

import "bytes"

// Limits of what one message, and one answer to a range, may carry. They bound what a member allocates for a peer.
const (
	// MaxEntry is the size of the largest entry, in bytes.
	MaxEntry = 1 << 20
	// MaxRun is the number of positions that one request or answer may cover with values.
	MaxRun = 1024
	// MaxRunBytes is the size of the entries that one request or answer may carry, in bytes; a single entry may be
	// as large as MaxEntry.
	MaxRunBytes = 1 << 20
	// MaxCopy is the number of learned records that one answer to a FetchRequest may carry.
	MaxCopy = 8192
	// Window is how far above its end a replica accepts a position, so that no peer can make its log explode.
	Window = 1 << 20
)

// Kind says what a value does once it is chosen.
type Kind uint8

// The kinds.
const (
	None     Kind = iota // nothing was accepted for the position
	NOP                  // fills a position that nobody used
	Append               // is an entry of the user
	Truncate             // drops every position before Value.To
	Config               // changes the members, for every position above its own
)

// String names the kind.
func (k Kind) String() string {
	switch k {
	case NOP:
		return "NOP"
	case Append:
		return "APPEND"
	case Truncate:
		return "TRUNCATE"
	case Config:
		return "CONFIG"
	default:
		return "NONE"
	}
}

// Value is what the replicas agree on for one position. Its bytes are never changed once it is made.
type Value struct {
	Kind     Kind
	Data     []byte   // the entry of an APPEND; the new configuration of a CONFIG; the table before a TRUNCATE, see package sessions
	To       Position // the first position that a TRUNCATE keeps
	Session  Session  // who appended the entry of an APPEND; zero where that is not known
	Sequence uint64   // the entry's number in its session, from 1; 0 where there is no session
}

// Session names a client's run of appends: 128 random bits, which nobody draws twice. The zero Session is none.
type Session [16]byte

// MaxSequence is the highest number of an entry in its session; the one above it is kept free.
const MaxSequence = 1<<64 - 2

// Equal says whether two values are the same.
func (v Value) Equal(o Value) bool {
	return v.Kind == o.Kind && v.To == o.To && v.Sequence == o.Sequence && v.Session == o.Session && bytes.Equal(v.Data, o.Data)
}

// Action is what one replica holds for one position.
type Action struct {
	Position  Position
	Promised  Proposal // the highest proposal promised for this position; at least Performed
	Performed Proposal // the proposal under which Value was accepted; 0 if none
	Learned   bool     // Value is known to be chosen; final
	Value     Value    // Kind None where nothing was accepted
}
