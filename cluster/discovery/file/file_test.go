package file

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

func TestListIsReadAsItIsWritten(t *testing.T) {
	for _, r := range []struct {
		text string
		want discovery.Places
	}{
		{"", discovery.Places{}},
		{"# nobody moved\n\n", discovery.Places{}},
		{"1=a:1\n 2 = b:2 # since June\n", discovery.Places{1: {"a:1"}, 2: {"b:2"}}},
		{"1=a:1\n1=a:2\n1=a:1", discovery.Places{1: {"a:1", "a:2"}}},
		{"1=[::1]:7\r\n", discovery.Places{1: {"[::1]:7"}}},
	} {
		if got, err := Parse([]byte(r.text)); err != nil || !reflect.DeepEqual(got, r.want) {
			t.Errorf("%q: %v, %v", r.text, got, err)
		}
	}
}

func TestListThatIsWrongIsRefusedWithItsLine(t *testing.T) {
	for _, text := range []string{"a:1", "0=a:1", "65536=a:1", "-1=a:1", "1=a", "1=:1", "1=0.0.0.0:1", "x=a:1", "1=a:0", "=", "1=a:1=2"} {
		if got, err := Parse([]byte("# a comment\n" + text)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if _, err := Parse([]byte(strings.Repeat("x", 1<<20))); err == nil {
		t.Error("a line of 1 MiB was read")
	}
}

func TestFileThatIsReplacedIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "places")
	s := New(path)
	s.every = time.Millisecond
	if err := s.Watch(t.Context(), nil); err == nil {
		t.Error("it is not there, and that is no error")
	}
	replace(t, path, "1=a:1")
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan discovery.Places), make(chan error)
	go func() { ended <- s.Watch(ctx, func(p discovery.Places) { heard <- p }) }()
	if got := <-heard; got[1][0] != "a:1" {
		t.Error(got)
	}
	replace(t, path, "1=a:2")
	if got := <-heard; got[1][0] != "a:2" {
		t.Error(got)
	}
	replace(t, path, "nonsense")
	if err := <-ended; err == nil || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	cancel()
}

func replace(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
