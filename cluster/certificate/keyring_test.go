package certificate

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ring is a keyring of member 1, and what it was told.
type ring struct {
	*Keyring
	authority Pair
	files     Files
	told      []string // the faults; empty for a change that counts
}

func newRing(t *testing.T) *ring {
	t.Helper()
	dir := t.TempDir()
	r := &ring{authority: newAuthority(t, "b"), files: Files{CA: filepath.Join(dir, "ca.crt"), Paths: In(dir, "member-1")}}
	r.write(t, r.files.CA, r.authority.Certificate)
	r.show(t, issued(t, r.authority, member(1, "b"), time.Now(), 1))
	var err error
	r.Keyring, err = Open(r.files, func(_ *Credentials, err error) {
		if err == nil {
			r.told = append(r.told, "")
			return
		}
		r.told = append(r.told, err.Error())
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *ring) write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (r *ring) show(t *testing.T, p Pair) {
	t.Helper()
	r.write(t, r.files.Key, p.Key)
	r.write(t, r.files.Certificate, p.Certificate)
}

// look has the next use look at the files.
func (r *ring) look() *Credentials {
	r.next.Store(0)
	return r.Current()
}

func TestNewFilesCountOnceTheyAreSeen(t *testing.T) {
	r := newRing(t)
	before := r.Current()
	r.show(t, issued(t, r.authority, member(1, "b"), time.Now(), 1))
	if now := r.look(); now == before || r.look() != now || len(r.told) != 1 || r.told[0] != "" {
		t.Errorf("told %q", r.told)
	}
}

func TestFilesAreNotLookedAtMoreThanOnceASecond(t *testing.T) {
	r := newRing(t)
	before := r.Current()
	r.next.Store(time.Now().Add(time.Hour).UnixNano())
	r.show(t, issued(t, r.authority, member(1, "b"), time.Now(), 1))
	if r.Current() != before {
		t.Error("they were")
	}
}

func TestWrongFilesLeaveTheOnesBeforeAndAreNamedOnce(t *testing.T) {
	for name, spoil := range map[string]struct {
		do   func(*testing.T, *ring)
		says string
	}{
		"a broken certificate": {func(t *testing.T, r *ring) { r.write(t, r.files.Certificate, []byte("-----BEGIN")) }, "no certificate"},
		"no key":               {func(t *testing.T, r *ring) { _ = os.Remove(r.files.Key) }, "no such file"},
		"another key":          {func(t *testing.T, r *ring) { r.write(t, r.files.Key, newAuthority(t, "b").Key) }, "not that of the certificate"},
		"another authority":    {func(t *testing.T, r *ring) { r.write(t, r.files.CA, newAuthority(t, "b").Certificate) }, "is no authority in"},
		"an expired one": {func(t *testing.T, r *ring) {
			r.show(t, issued(t, r.authority, member(1, "b"), time.Now().Add(-48*time.Hour), 1))
		}, "expired"},
		"another member's": {func(t *testing.T, r *ring) { r.show(t, issued(t, r.authority, member(2, "b"), time.Now(), 1)) }, "member 2"},
	} {
		r := newRing(t)
		before := r.Current()
		spoil.do(t, r)
		for range 2 {
			if r.look() != before {
				t.Errorf("%s: it counts", name)
			}
		}
		if len(r.told) != 1 || !strings.Contains(r.told[0], spoil.says) {
			t.Errorf("%s: told %q", name, r.told)
		}
		r.write(t, r.files.CA, r.authority.Certificate)
		r.show(t, issued(t, r.authority, member(1, "b"), time.Now(), 1))
		if r.look() == before {
			t.Errorf("%s: it was put right, and does not count", name)
		}
	}
}

func TestWhatIsNotValidSaysWhy(t *testing.T) {
	r := newRing(t)
	now := time.Now()
	foreign := newAuthority(t, "b")
	for _, c := range []struct {
		shown Pair
		at    time.Time
		says  string
	}{
		{issued(t, r.authority, member(2, "b"), now, 1), now, ""},
		{issued(t, r.authority, member(2, "b"), now.Add(-48*time.Hour), 1), now, "the certificate of member 2 of cluster b expired at"},
		{issued(t, r.authority, member(2, "b"), now, 1), now.Add(-2 * time.Hour), "look at the clocks"},
		{issued(t, foreign, member(2, "b"), now, 1), now, "is no authority in " + r.files.CA},
		{r.authority, now, "names 0 members or clients"},
	} {
		_, err := r.Current().Verify([]*x509.Certificate{leaf(t, c.shown)}, c.at)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("expected %q, got %v", c.says, err)
		}
	}
	if _, err := r.Current().Verify(nil, now); err == nil {
		t.Error("nobody was believed")
	}
}
