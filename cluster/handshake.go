package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/quorumlog/quorumlog/cluster/certificate"
)

// handshakes begin the connections of a process, in both directions. Where there are certificates, each one shows its own,
// and is asked whether it is the one that is meant; what counts are the files as they are at that moment.
type handshakes struct {
	access access
	faults *faults
	crowd  *crowd
	log    zerolog.Logger
	seldom *rate.Sometimes // a line of the log, whatever strangers do

	mu     sync.Mutex
	dialed map[string]*held // the connections that this process made, the newest of each address
}

var _ credentials.TransportCredentials = (*handshakes)(nil)

func newHandshakes(a access, log zerolog.Logger) *handshakes {
	return &handshakes{
		access: a, faults: newFaults(a.members, log), crowd: newCrowd(), log: log,
		seldom: &rate.Sometimes{First: 3, Interval: time.Second}, dialed: make(map[string]*held),
	}
}

// ClientHandshake implements credentials.TransportCredentials. The authority is the address that was dialed.
func (h *handshakes) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn := &held{ring: h.access.ring, answered: func(fault error) { h.faults.note(authority, fault) }}
	info, err := h.dial(ctx, authority, raw, conn)
	if err != nil {
		if !isBreak(ctx, err) {
			h.faults.note(authority, err)
		}
		return nil, nil, err
	}
	conn.left = func() { h.forget(authority, conn) }
	h.mu.Lock()
	h.dialed[authority] = conn
	h.mu.Unlock()
	return conn, info, nil
}

func (h *handshakes) dial(ctx context.Context, address string, raw net.Conn, conn *held) (credentials.AuthInfo, error) {
	if h.access.ring == nil {
		var info credentials.AuthInfo
		var err error
		conn.Conn, info, err = insecure.NewCredentials().ClientHandshake(ctx, address, raw)
		return info, err
	}
	config := conn.begin(func(who certificate.Identity) error { return h.access.at(address, who) })
	secured, info, err := credentials.NewTLS(config).ClientHandshake(ctx, address, raw)
	if plain := (tls.RecordHeaderError{}); errors.As(err, &plain) {
		err = errors.New("it speaks no TLS, and this process was given certificates: was it started with --tls-ca, --tls-cert and --tls-key?")
	}
	if err != nil {
		return nil, err
	}
	state, ok := info.(credentials.TLSInfo)
	if !ok {
		return nil, fmt.Errorf("a handshake brought a %T", info)
	}
	conn.shown(secured, state.State)
	return info, nil
}

// ServerHandshake implements credentials.TransportCredentials.
func (h *handshakes) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	host := hostOf(raw)
	if err := h.crowd.enter(host); err != nil {
		h.refused(raw, err)
		return nil, nil, err
	}
	conn := &held{ring: h.access.ring, left: func() { h.crowd.leave(host) }}
	info, err := h.accept(raw, conn)
	h.crowd.known(host)
	if err != nil {
		h.crowd.leave(host)
		h.refused(raw, err)
		return nil, nil, err
	}
	return conn, info, nil
}

func (h *handshakes) accept(raw net.Conn, conn *held) (credentials.AuthInfo, error) {
	if h.access.ring == nil {
		var info credentials.AuthInfo
		var err error
		conn.Conn, info, err = insecure.NewCredentials().ServerHandshake(raw)
		return info, err
	}
	secured := tls.Server(raw, conn.begin(h.access.admit))
	if err := secured.Handshake(); err != nil { // gRPC has set the deadline
		return nil, turnAway(err)
	}
	if secured.ConnectionState().NegotiatedProtocol != protocol {
		return nil, fmt.Errorf("it does not speak %s", protocol)
	}
	conn.shown(secured, secured.ConnectionState())
	common := credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}
	return visitor{common, conn.who}, nil
}

// turnAway tells whoever speaks no TLS that TLS is spoken here: crypto/tls just hangs up.
func turnAway(err error) error {
	plain := tls.RecordHeaderError{}
	if !errors.As(err, &plain) || plain.Conn == nil {
		return err
	}
	_, _ = plain.Conn.Write([]byte{alert, major, 3, 0, 2, fatal, protocolVersion}) // it is turned away in any case
	return errors.New("it speaks no TLS: it was given no certificates")
}

// visitor is who connected to this process, where there are certificates.
type visitor struct {
	credentials.CommonAuthInfo
	certificate.Identity
}

// AuthType implements credentials.AuthInfo.
func (visitor) AuthType() string { return "tls" }

// refused logs why somebody was not let in. Whoever hangs up is not worth a line.
func (h *handshakes) refused(raw net.Conn, err error) {
	if errors.Is(err, io.EOF) {
		return
	}
	h.seldom.Do(func() {
		h.log.Warn().Stringer("from", raw.RemoteAddr()).Err(err).Msg("a connection was refused")
	})
}

// renewable says whether a new connection to an address would show another certificate, or might be shown one.
func (h *handshakes) renewable(address string) bool {
	h.mu.Lock()
	conn := h.dialed[address]
	h.mu.Unlock()
	return conn != nil && conn.renewable(time.Now())
}

// renew ends the connection to an address, of which nobody expects anything any more.
func (h *handshakes) renew(address string) {
	h.mu.Lock()
	conn := h.dialed[address]
	h.mu.Unlock()
	if conn != nil {
		_ = conn.Close() // it is of no use any more
	}
}

func (h *handshakes) forget(address string, conn *held) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dialed[address] == conn {
		delete(h.dialed, address)
	}
}

// Info implements credentials.TransportCredentials. It names no server: the address that is dialed does.
func (h *handshakes) Info() credentials.ProtocolInfo {
	if h.access.ring == nil {
		return credentials.ProtocolInfo{SecurityProtocol: "insecure"}
	}
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

// Clone implements credentials.TransportCredentials. What is here is about the process, so all share it.
func (h *handshakes) Clone() credentials.TransportCredentials { return h }

// OverrideServerName implements credentials.TransportCredentials.
func (h *handshakes) OverrideServerName(name string) error {
	return fmt.Errorf("no server name is used, and %q is one", name)
}

// isBreak says whether a handshake ended because the other one, or this one, went away.
func isBreak(ctx context.Context, err error) bool {
	var network *net.OpError
	return ctx.Err() != nil || errors.Is(err, io.EOF) || errors.As(err, &network) && !isAlert(err)
}
