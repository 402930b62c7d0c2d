package discoverytest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// script is where Debian keeps what starts the server.
const script = "/usr/share/zookeeper/bin/zkServer.sh"

// ZooKeeper is a server of its own.
type ZooKeeper struct {
	Dir     string // where its data are
	Address string // host:port
	Stop    func() // kills it

	config string
}

// ServeZooKeeper runs a server until the end of the test, which is skipped where there is none.
func ServeZooKeeper(t *testing.T) *ZooKeeper {
	t.Helper()
	dir, port := t.TempDir(), Port(t)
	z := &ZooKeeper{Dir: filepath.Join(dir, "data"), Address: fmt.Sprintf("127.0.0.1:%d", port), config: filepath.Join(dir, "zoo.cfg")}
	text := fmt.Sprintf("tickTime=500\ndataDir=%s\nclientPort=%d\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n", z.Dir, port)
	if err := os.WriteFile(z.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	z.Start(t)
	return z
}

// Start starts it, once more where it was stopped, until the end of this test.
func (z *ZooKeeper) Start(t *testing.T) {
	t.Helper()
	z.Stop = Serve(t, z.Address, script, "start-foreground", z.config)
}
