package process

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestALimitOfCopiesIsLiftedByASIGHUPWhileAMemberRecovers(t *testing.T) {
	c := New(t, 3)
	c.StartAll()
	client := dial(t, c.Members)
	for range 3 {
		appendMany(t, client)
	}
	c.Kill(3)
	c.Wipe(3)
	config := filepath.Join(t.TempDir(), "quorumlog.yaml")
	limitCopies(t, config, "1KiB") // after the first chunks: these are more than a megabyte, and less than is to be copied

	p := c.StartMember(3, "--config", config)
	p.await(t, `"the replica catches up"`)
	select {
	case <-p.Ended():
		t.Fatalf("it ended by itself: %s", p.Stderr)
	case <-time.After(2 * time.Second):
	}
	if strings.Contains(p.Stderr.String(), "VOTING: clients are served") {
		t.Fatalf("it copied more than it may: %s", p.Stderr)
	}
	limitCopies(t, config, "a lot")
	p.Signal(syscall.SIGHUP)
	p.await(t, `"SIGHUP: nothing was changed"`)

	limitCopies(t, config, "0")
	began := time.Now()
	p.Signal(syscall.SIGHUP)
	t.Logf("it votes %s after the limit was lifted", untilItVotes(t, p, began).Round(time.Millisecond))
}

func limitCopies(t *testing.T, config, rate string) {
	t.Helper()
	if err := os.WriteFile(config, []byte("copy-rate: "+rate+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// await waits until a process has written some words to stderr.
func (p *Process) await(t *testing.T, words string) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for end := time.After(patience); !strings.Contains(p.Stderr.String(), words); {
		select {
		case <-again.C:
		case <-p.Ended():
			t.Fatalf("it ended by itself: %s", p.Stderr)
		case <-end:
			t.Fatalf("%s is not said after %s: %s", words, patience, p.Stderr)
		}
	}
}
