// Package storage is the disk of one replica.
//
// A Store keeps the replica's metadata, one record per position, and which positions are learned. What it is told is
// visible at once and durable after the next sync; a crash in between loses the newest changes and nothing else: the
// state after a crash is the state after some prefix of the changes, at least up to the begin of the last sync that was
// done. Votes rest on that: a replica changes, syncs, and only then answers, and one sync serves every answer that waits.
// A sync runs beside its store, which goes on being read and changed meanwhile.
//
// Records do not say whether they are learned. Learned positions are kept as ranges beside them, so that a notice that
// a thousand positions are chosen costs one small write, and a restart need not read a million records.
package storage

import (
	"errors"
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/status"
)

// Errors that a Store returns, wrapped. After ErrCorrupt or ErrFailed a store changes nothing any more: every later call
// but Close returns the same error, and the replica must stop voting.
var (
	// ErrCorrupt: what was read is not what was written (a checksum, a format).
	ErrCorrupt = errors.New("disk is corrupt")
	// ErrFailed: a write or a sync failed, so nobody knows what is on the disk.
	ErrFailed = errors.New("disk failed")
	// ErrFull: the disk has no room, or the user no quota. It is an ErrFailed, and no damage: what was synced is there, and
	// the same directory goes on once there is room again.
	ErrFull = fmt.Errorf("%w: no space left", ErrFailed)
	// ErrInUse: another process has the data directory open.
	ErrInUse = errors.New("data directory is in use")
	// ErrForeign: the data directory belongs to another cluster, another replica or another member list.
	ErrForeign = errors.New("data directory belongs to somebody else")
	// ErrNewerFormat: the data directory was written by a newer version of quorumlog.
	ErrNewerFormat = errors.New("data directory has a newer format")
	// ErrNotFound: there is no data directory of a replica at this path.
	ErrNotFound = errors.New("no data directory")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("store is closed")
)

// Format is the version of the data directory that this program writes.
//
// Since 2 an entry has its session with it, and there is a checkpoint of the sessions. What was written in format 1 is read.
const Format = 2

// FormatMembers is the version of the metadata once the members were changed: a program that knows no configurations must
// not go on with the list that it is given.
const FormatMembers = 2

// Damage is the error of a read where the records of learned positions are not what was written, and all else is as it was: the
// store goes on. Whoever has learned those positions has the same values, since there is one for each. See Store.Damaged.
type Damage struct {
	Range log.Range // positions that cannot be read, as far as is known
	Err   error     // how that was found: an ErrCorrupt
}

// Error implements error.
func (d Damage) Error() string {
	return fmt.Sprintf("the learned records %v are damaged: %v", d.Range, d.Err)
}

// Unwrap returns how the damage was found.
func (d Damage) Unwrap() error { return d.Err }

// Metadata is what a replica keeps about itself. It is small, and always written whole.
type Metadata struct {
	Cluster     string               // the cluster's name
	Replica     log.ReplicaID        // the replica's id
	Members     []log.ReplicaID      // the ids of the members, in order
	Incarnation identity.Incarnation // the life of this disk
	Boot        uint64               // how often a process was started on it
	Status      status.Status        // what the replica may do
	Promised    log.Proposal         // the implicit promise
	Highest     log.Proposal         // the highest proposal ever granted or used; at least Promised
	Begin       log.Position         // the first position that is kept; at least 1
	Reign       log.Reign            // the latest that the replica was told of
	// Configuration is the newest that the replica knows to be chosen; of epoch 0, and without members, while they were never
	// changed. Members is who they were then.
	Configuration membership.Configuration
	Known         identity.Vector   // the newest incarnation known of each member
	Heard         []identity.Heard  // the newest process heard of each member, in the order of their ids; may be a second old
	Founders      identity.Founders // of the log that the replica has; nil where it does not know them, or has none yet
}

// Checkpoint is the table of sessions up to a position (see package sessions), so that a start need not read the whole log for
// it.
type Checkpoint struct {
	UpTo  log.Position // 0: there is no checkpoint
	Table []byte       // as Table.Encode writes it, at most sessions.MaxBytes
}

// Summary is what a Store knows of its positions without reading every record.
type Summary struct {
	Learned   interval.Set // learned positions, Begin and above
	Unlearned interval.Set // positions with a record that are not learned, Begin and above
}

// Store is the disk of one replica. It is used by one goroutine at a time, but for the wait of a sync.
//
// The two engines, memory and disk, pass the same suite (storagetest).
type Store interface {
	// Metadata returns what the replica keeps about itself.
	Metadata() Metadata

	// SetMetadata replaces it. Begin must not decrease; use Truncate to move it.
	SetMetadata(Metadata) error

	// Summary returns the positions that are on disk. It reads the records that are not learned, and no others.
	Summary() (Summary, error)

	// Put writes records, all or none of them, each in place of what was there. Their Learned is not kept: see Learn.
	// Positions below Begin are an error of the caller and stop the program.
	Put(actions ...log.Action) error

	// Learn marks every position of the range as learned. Each must have a record with a value; that is for the
	// caller to see to.
	Learn(r log.Range) error

	// SetCheckpoint replaces the checkpoint. A new disk has none. Truncate leaves it alone.
	SetCheckpoint(Checkpoint) error

	// Checkpoint returns it.
	Checkpoint() (Checkpoint, error)

	// Damaged returns the learned positions whose records cannot be read, until they are mended or truncated. What readers found
	// is held against what is learned here: where it is more than that, the store fails with an ErrCorrupt.
	Damaged() (interval.Set, error)

	// Mend writes the records of damaged positions anew, as a peer has learned them, all or none of them. A crash before the next
	// sync leaves the positions damaged.
	Mend(actions ...log.Action) error

	// Get returns the record of one position, and false where there is none. One that is damaged is a Damage, or the end of the
	// store.
	Get(p log.Position) (log.Action, bool, error)

	// Scan calls visit for the records in the range, in the order of positions, until visit returns false. The bytes
	// of an action are the callee's to keep. Where it comes to damaged ones it ends as Get does.
	Scan(r log.Range, visit func(log.Action) bool) error

	// Reader returns a reader of the records for other goroutines.
	Reader() Reader

	// Truncate moves Begin to a higher position, drops everything below it, and gives the bytes back to the system in
	// the background.
	Truncate(begin log.Position) error

	// StartSync begins to make every change before it durable, and does not wait for the disk. They are durable once
	// wait returns nil; where it returns an error, nobody knows. Wait is called once, on any goroutine, while the store
	// goes on being used; what is changed meanwhile may be durable too, but is not covered. The next sync begins after
	// the wait of the one before has returned.
	StartSync() (wait func() error)

	// Condemn says that the disk holds what it should not, as its owner has found out. It fails as if it had found damage
	// itself, and returns the error, an ErrCorrupt; the next start does with it what it does with damage.
	Condemn(why string) error

	// Age is how many syncs made changes durable since the disk was made; one that runs does not count before it is done.
	// It is durable with the changes, and so tells a disk from an earlier state of it; a Close may add one.
	Age() uint64

	// Close makes every change durable and lets the directory go, also while a sync runs. A second Close does nothing.
	Close() error
}

// Reader reads the records of a Store beside the goroutine that owns it. Any number of goroutines may use one at once.
type Reader interface {
	// Scan calls visit for the records in the range, in the order of positions, until visit returns false. It sees every
	// change whose call had returned before, and of any other all or nothing. It does not know which records are learned.
	// The bytes of an action are there until visit returns. Where it comes to damaged ones it ends with a Damage, or the store
	// fails; its owner learns of it by Damaged. Once the store is closed it returns ErrClosed.
	Scan(r log.Range, visit func(log.Action) bool) error
}
