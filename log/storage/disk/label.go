package disk

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// label is what the file QUORUMLOG says: whose directory this is. The metadata say so too, but they are of no use where
// the database cannot be read; and only a directory that is known to be this replica's may be moved aside.
type label struct {
	format  uint64
	cluster string
	replica log.ReplicaID // 0: the label is of a version that wrote no more than its first line
	members []log.ReplicaID
}

const labelHead = "This is a data directory of quorumlog.\n"

func (o Options) label() label { return label{storage.Format, o.Cluster, o.Replica, o.Members} }

// text is the label as it is written: its last line is the CRC-32C of the others.
func (l label) text() string {
	text := fmt.Sprintf("%sformat %d\ncluster %q\nreplica %d\nmembers %d\n", labelHead, l.format, l.cluster, l.replica, l.members)
	return text + fmt.Sprintf("crc32c %08x\n", crc32.Checksum([]byte(text), castagnoli()))
}

// readLabel reads the label in a file. One that is not as it was written is errDamaged.
func (d directory) readLabel(name string) (label, error) {
	text, err := d.read(name)
	if err != nil {
		return label{}, fmt.Errorf("read %s: %w", name, err)
	}
	if string(text) == labelHead {
		return label{}, nil
	}
	l, err := decodeLabel(string(text))
	if err != nil || l.text() != string(text) {
		return label{}, fmt.Errorf("%s is %w", name, errDamaged)
	}
	return l, nil
}

func decodeLabel(text string) (l label, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != strings.Count(label{}.text(), "\n")+1 {
		return label{}, errDamaged
	}
	value := func(line int) string { _, v, _ := strings.Cut(lines[line], " "); return v }
	var replica uint64
	var faults [4]error
	l.format, faults[0] = strconv.ParseUint(value(1), 10, 64)
	l.cluster, faults[1] = strconv.Unquote(value(2))
	replica, faults[2] = strconv.ParseUint(value(3), 10, 16)
	l.replica = log.ReplicaID(replica)
	for id := range strings.FieldsSeq(strings.Trim(value(4), "[]")) {
		n, err := strconv.ParseUint(id, 10, 16)
		faults[3] = errors.Join(faults[3], err)
		l.members = append(l.members, log.ReplicaID(n))
	}
	return l, errors.Join(faults[:]...)
}

// checkLabel says whether the directory is ours, and an error where it is somebody else's, or newer. A label that is
// damaged says nothing of that. Where the member list is another one than the replica began with, the metadata tell: the
// members may have been changed since.
func (o Options) checkLabel(l label, path string) (ours bool, err error) {
	switch {
	case l.replica == 0:
		return false, nil
	case l.format > storage.FormatLogs:
		return false, newer("data directory "+path, l.format, storage.FormatLogs)
	}
	err = o.compare(storage.Metadata{Cluster: l.cluster, Replica: l.replica}, path)
	return err == nil && slices.Equal(l.members, o.Members), err
}

// read returns what is in a small file.
func (d directory) read(name string) ([]byte, error) {
	f, err := d.fs.Open(d.fs.PathJoin(d.path, name))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(f)
	return text, errors.Join(err, f.Close())
}

// has says whether there is a file of this name.
func (d directory) has(name string) (bool, error) {
	_, err := d.fs.Stat(d.fs.PathJoin(d.path, name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
