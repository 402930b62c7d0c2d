package process

import (
	"net"
	"testing"
	"time"
)

// sockets are one of UDP on host 0, and one on host 1.
func sockets(t *testing.T, h *hosts) (here, there net.PacketConn) {
	t.Helper()
	listen := func(id int) (socket net.PacketConn) {
		var err error
		h.all[id].do(func() { socket, err = net.ListenPacket("udp", net.JoinHostPort(h.all[id].address.String(), "7000")) })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = socket.Close() }) // nobody needs it any more
		return socket
	}
	return listen(0), listen(1)
}

// arrives says whether a packet arrives.
func arrives(t *testing.T, from, to net.PacketConn) bool {
	t.Helper()
	if _, err := from.WriteTo([]byte("packet"), to.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if err := to.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, _, err := to.ReadFrom(make([]byte, 100))
	return err == nil
}

func TestCutStopsOneDirectionOnly(t *testing.T) {
	t.Parallel()
	network, err := newHosts(t, 1, 1)
	if err != nil {
		t.Skip(err)
	}
	h := network.(*hosts)
	here, there := sockets(t, h)
	if !arrives(t, here, there) || !arrives(t, there, here) {
		t.Error("a perfect line loses packets")
	}
	h.Set(0, 1, Quality{Cut: true})
	if arrives(t, here, there) || !arrives(t, there, here) {
		t.Error("a line that is cut one way carries that way, or not the other")
	}
	h.Set(0, 1, Quality{})
	if !arrives(t, here, there) {
		t.Error("a line that is whole again loses packets")
	}
}

func TestLinesLoseDoubleAndDelayAsTheyAreTold(t *testing.T) {
	const packets = 10_000
	l := newLines(2, 1)
	l.Set(0, 1, Quality{Loss: 0.2, Twice: 0.1, Delay: time.Second, Jitter: time.Second})
	lost, twice, slow := 0, 0, 0
	for range packets {
		waits := l.fate(0, 1)
		switch len(waits) {
		case 0:
			lost++
			continue
		case 2:
			twice++
		}
		if waits[0] < time.Second || waits[0] > 2*time.Second {
			t.Fatalf("a packet waits for %s", waits[0])
		}
		if waits[0] > 1500*time.Millisecond {
			slow++
		}
	}
	near := func(n int, share float64) bool {
		return float64(n) > share*packets*0.9 && float64(n) < share*packets*1.1
	}
	if !near(lost, 0.2) || !near(twice, 0.08) || !near(slow, 0.4) {
		t.Errorf("of %d packets %d are lost, %d doubled, and %d wait for more than 1.5 s", packets, lost, twice, slow)
	}
}
