package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// File is a backup that was looked at: its manifest was read, and is whole. Its records are read, and checked, by Records.
type File struct {
	Path     string // as it was opened
	Manifest Manifest
	pages    int64 // where the manifest's frame begins
}

// Open reads the manifest of a file. The error wraps ErrDamaged or ErrNewerFormat, or comes from the operating system.
func Open(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, fmt.Errorf("open the backup: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	opened, err := read(f)
	if err != nil {
		return File{}, fmt.Errorf("open the backup %s: %w", path, err)
	}
	opened.Path = path
	return opened, nil
}

func read(f *os.File) (File, error) {
	if err := checkHead(f); err != nil {
		return File{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return File{}, err
	}
	const most = 64 << 10 // a manifest has a few hundred bytes
	size := min(info.Size(), most)
	end := make([]byte, size)
	if _, err := f.ReadAt(end, info.Size()-size); err != nil {
		return File{}, err
	}
	text, whole := bytes.CutSuffix(end, []byte(foot))
	if !whole {
		return File{}, damagedf("its end is missing")
	}
	// JSON has no byte 'M' followed by the length of all that comes after it, but its text may have an M.
	for at := len(text) - frameHead; at >= 0; at-- {
		if text[at] != manifestFrame || binary.BigEndian.Uint32(text[at+1:]) != uint32(len(text)-at-frameHead) {
			continue
		}
		body := text[at+frameHead:]
		if crc32.Checksum(body, castagnoli()) != binary.BigEndian.Uint32(text[at+5:]) {
			return File{}, damagedf("the checksum of its manifest is wrong")
		}
		m, err := decodeManifest(body)
		return File{Manifest: m, pages: info.Size() - size + int64(at)}, err
	}
	return File{}, damagedf("it has no manifest")
}

func checkHead(f *os.File) error {
	start := make([]byte, headSize)
	if _, err := io.ReadFull(f, start); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	version, ours := bytes.CutPrefix(start, []byte(head))
	n, err := strconv.ParseUint(string(bytes.TrimRight(version, "\n")), 10, 8)
	switch {
	case !ours || err != nil:
		return damagedf("it does not begin as a backup of quorumlog does")
	case n > Format:
		return fmt.Errorf("%w: it has format %d, this program knows up to %d: use a newer quorumlog", ErrNewerFormat, n, Format)
	}
	return nil
}

// Records yields all records, page by page, in the order of positions, each once its checksum is right. The last error says that
// something was wrong, be it with the whole.
func (f File) Records() iter.Seq2[[]log.Action, error] {
	return func(yield func([]log.Action, error) bool) {
		file, err := os.Open(f.Path)
		if err != nil {
			yield(nil, fmt.Errorf("read the backup: %w", err))
			return
		}
		defer file.Close() //nolint:errcheck // it was only read
		s := scan{sum: sha256.New(), next: f.Manifest.First, left: f.pages}
		s.in = bufio.NewReaderSize(io.TeeReader(io.LimitReader(file, f.pages), s.sum), 1<<20)
		more, err := s.all(yield)
		if err == nil && more {
			err = s.end(f.Manifest)
		}
		if err != nil {
			yield(nil, fmt.Errorf("read the backup %s: %w", f.Path, err))
		}
	}
}

// scan reads the frames of one file.
type scan struct {
	in   *bufio.Reader
	sum  hash.Hash
	next log.Position
	left int64 // bytes that were not read yet
}

func (s *scan) all(yield func([]log.Action, error) bool) (more bool, err error) {
	if _, err := s.in.Discard(headSize); err != nil {
		return false, damagedf("it ends early: %v", err)
	}
	for s.left -= int64(headSize); s.left > 0; {
		actions, err := s.page()
		if err != nil {
			return false, err
		}
		if !yield(actions, nil) {
			return false, nil
		}
	}
	return true, nil
}

func (s *scan) page() ([]log.Action, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(s.in, head[:]); err != nil {
		return nil, damagedf("it ends early, at position %d: %v", s.next, err)
	}
	size := binary.BigEndian.Uint32(head[1:])
	if head[0] != pageFrame || size > largestFrame || int64(size)+frameHead > s.left {
		return nil, damagedf("at position %d there is no page", s.next)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(s.in, body); err != nil {
		return nil, damagedf("it ends early, at position %d: %v", s.next, err)
	}
	s.left -= frameHead + int64(size)
	if crc32.Checksum(body, castagnoli()) != binary.BigEndian.Uint32(head[5:]) {
		return nil, damagedf("the checksum of the page at position %d is wrong", s.next)
	}
	return s.decode(body)
}

func (s *scan) decode(body []byte) ([]log.Action, error) {
	page := &messages.Page{}
	if err := proto.Unmarshal(body, page); err != nil {
		return nil, damagedf("the page at position %d: %v", s.next, err)
	}
	r, actions, err := codec.DecodePage(page)
	switch {
	case err != nil:
		return nil, damagedf("the page at position %d: %v", s.next, err)
	case r.First != s.next || r.Empty():
		return nil, damagedf("positions %v come where %d should", r, s.next)
	}
	s.next = r.Last + 1
	return actions, nil
}

func (s *scan) end(m Manifest) error {
	switch sum := hex.EncodeToString(s.sum.Sum(nil)); {
	case s.next != m.Last+1:
		return damagedf("it ends at position %d, not at %d", s.next-1, m.Last)
	case sum != m.SHA256:
		return damagedf("its SHA-256 is %s, not %s", sum, m.SHA256)
	}
	return nil
}
