package backup

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/invariant"
)

// Writer writes one file. It is used by one goroutine.
type Writer struct {
	manifest Manifest
	file     *os.File // under a name of its own until it is whole
	out      *bufio.Writer
	sum      hash.Hash
	written  int64
}

// Create begins a file in a directory. Of the manifest it takes what is known before: who, and where the log begins; the rest
// comes from what is added. Nothing has the name of a backup before Finish; Discard where there is none.
func Create(dir string, m Manifest) (*Writer, error) {
	file, err := os.CreateTemp(dir, "backup-*.partial")
	if err != nil {
		return nil, fmt.Errorf("make a backup: %w", err)
	}
	m.Format, m.First, m.Last, m.Entries, m.Bytes = Format, 0, 0, 0, 0
	w := &Writer{manifest: m, file: file, sum: sha256.New()}
	w.out = bufio.NewWriterSize(io.MultiWriter(file, w.sum), 1<<20)
	if _, err := fmt.Fprintf(w.out, "%s%d\n", head, Format); err != nil {
		return nil, errors.Join(fmt.Errorf("make a backup: %w", err), w.Discard())
	}
	return w, nil
}

// Add adds the records of a range, which follows the one before. They are learned, one for each position.
func (w *Writer) Add(actions []log.Action) error {
	if len(actions) == 0 {
		return nil
	}
	m := &w.manifest
	r := log.Range{First: actions[0].Position, Last: actions[len(actions)-1].Position}
	invariant.Hold(m.Last == 0 || r.First == m.Last+1, "a backup up to %d goes on at %d", m.Last, r.First)
	page, err := proto.Marshal(codec.EncodePage(r, actions, m.Begin, r.Last))
	if err != nil {
		return fmt.Errorf("write a backup: %w", err)
	}
	if err := w.frame(pageFrame, page); err != nil {
		return err
	}
	if m.First == 0 {
		m.First = r.First
	}
	m.Last = r.Last
	sum := codec.Digest(actions)
	m.Tail = Tail{r.First, r.Last, hex.EncodeToString(sum[:])}
	for _, a := range actions {
		w.count(a)
	}
	return nil
}

func (w *Writer) count(a log.Action) {
	m := &w.manifest
	m.Highest = max(m.Highest, a.Performed)
	if a.Value.Kind == log.Append {
		m.Entries++
		m.Bytes += uint64(len(a.Value.Data))
	}
	if a.Value.Kind == log.Truncate {
		m.Begin = max(m.Begin, a.Value.To)
	}
}

func (w *Writer) frame(kind byte, bytes []byte) error {
	head := [frameHead]byte{kind}
	binary.BigEndian.PutUint32(head[1:], uint32(len(bytes)))
	binary.BigEndian.PutUint32(head[5:], crc32.Checksum(bytes, castagnoli()))
	w.written += int64(frameHead + len(bytes))
	_, first := w.out.Write(head[:])
	_, second := w.out.Write(bytes)
	if err := errors.Join(first, second); err != nil {
		return fmt.Errorf("write a backup: %w", err)
	}
	return nil
}

// Size is how many bytes the file has so far.
func (w *Writer) Size() int64 { return w.written }

// Last is the last position that was added; 0 where there is none.
func (w *Writer) Last() log.Position { return w.manifest.Last }

// Finish writes the manifest, syncs the file, and gives it its name, which nothing may have. What does not get so far is
// removed. A file without a position is an error.
func (w *Writer) Finish(name func(Manifest) string, stamp func(*Manifest)) (Manifest, error) {
	if w.manifest.Last == 0 {
		return Manifest{}, errors.Join(errors.New("a backup has at least one position"), w.Discard())
	}
	stamp(&w.manifest)
	path := name(w.manifest)
	if err := w.complete(path); err != nil {
		return Manifest{}, errors.Join(fmt.Errorf("finish the backup %s: %w", path, err), w.Discard())
	}
	return w.manifest, nil
}

func (w *Writer) complete(path string) error {
	if err := w.out.Flush(); err != nil {
		return err
	}
	w.manifest.SHA256 = hex.EncodeToString(w.sum.Sum(nil))
	text, err := json.Marshal(w.manifest)
	if err != nil {
		return err
	}
	if err := w.frame(manifestFrame, text); err != nil {
		return err
	}
	if _, err := w.out.WriteString(foot); err != nil {
		return err
	}
	if err := errors.Join(w.out.Flush(), w.file.Sync(), w.file.Close()); err != nil {
		return err
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(ErrExists, err)
	}
	if err := os.Rename(w.file.Name(), path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// Discard removes what was written.
func (w *Writer) Discard() error {
	_ = w.file.Close() // it may be closed already, and nobody wants what is in it
	if err := os.Remove(w.file.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove what was written of a backup: %w", err)
	}
	return nil
}

// syncDirectory makes the names in a directory durable.
func syncDirectory(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
