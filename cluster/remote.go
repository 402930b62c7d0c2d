package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver"
)

// transport connects one actor system with those of other processes. A process that its program has given an actor system
// with a remote of its own has a transport that does nothing.
type transport struct {
	system *actor.ActorSystem
	remote *remote.Remote // nil: it is the program's
	guard  *guard
	shakes *handshakes
	links  *links
	log    zerolog.Logger
	once   sync.Once // stop
}

// Limits of a connection.
const (
	maxPacket  = 16 << 20  // bytes; a packet of ours has at most 1 MiB, or one message (maxMessage)
	maxStreams = 16        // that one connection may open; a peer needs two
	window     = 4 << 20   // bytes that may be on their way before the peer has read them: more than a packet has
	buffer     = 128 << 10 // bytes that are read, or written, at once
	maxPacked  = 128       // messages that are put into one packet

	// writerQueue is what the queue of a peer's writer starts with, in messages; 16 bytes each. It grows when it is full, so it
	// is no bound. The link behind it is what bounds memory.
	writerQueue = 1024
)

// How soon a connection that broke is noticed and made again.
const (
	keepaliveIdle  = 10 * time.Second // of silence, until the peer is asked for a sign
	keepaliveWait  = 3 * time.Second  // for that sign
	keepaliveLimit = 5 * time.Second  // a peer that asks more often is cut off
	redialFirst    = 20 * time.Millisecond
	redialGrowth   = 1.5
	redialMost     = 200 * time.Millisecond
	dialTimeout    = 2 * time.Second // a host that is down answers nothing: try again soon, it may be up
)

// startRemote makes a system, which newSystem returned for the same advertised address, listen on a host:port. The caller
// then spawns the actors that others know by name, and calls open: nothing is received before. In this order, since the
// remote changes the tables of the system when it starts, and nobody may use them at that time.
func startRemote(system *actor.ActorSystem, listen, advertised string, a access, logger zerolog.Logger) (*transport, error) {
	host, port, err := split(listen)
	if err != nil {
		return nil, err
	}
	if err := probe(listen); err != nil {
		return nil, err
	}
	tell := func(b broken) { system.EventStream.Publish(b) }
	t := &transport{
		system: system, guard: newGuard(advertised, logger), shakes: newHandshakes(a, logger), links: newLinks(logger, tell), log: logger,
	}
	t.guard.access, t.links.shakes, t.links.ways = a, t.shakes, a.ways
	config := remote.Configure(host, port,
		remote.WithAdvertisedHost(advertised),
		remote.WithServerOptions(t.serverOptions()...),
		remote.WithDialOptions(t.dialOptions()...),
		remote.WithCallOptions(grpc.WaitForReady(true)),
		remote.WithEndpointWriterBatchSize(maxPacked),
		remote.WithEndpointWriterQueueSize(writerQueue))
	config.MaxRetryCount = 1 // the links try again, without the 2 s that protoactor sleeps between two tries
	t.remote = remote.NewRemote(system, config)
	if err := start(t.remote); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", listen, err)
	}
	return t, nil
}

// start returns the panics of Start, which cannot fail otherwise, as errors.
func start(r *remote.Remote) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("start the remote: %v", fault)
		}
	}()
	r.Start()
	return nil
}

// attach uses an actor system that the program already has, with a remote that it has started.
func attach(system *actor.ActorSystem, address string) (*transport, error) {
	if !hasRemote(system) {
		return nil, errors.New("the actor system has no remote that was started: start one before the log")
	}
	if system.Address() != address {
		return nil, fmt.Errorf("the actor system's remote has the address %s, but the member list says %s",
			system.Address(), address)
	}
	if _, _, err := split(address); err != nil {
		return nil, err
	}
	return &transport{system: system}, nil
}

func hasRemote(system *actor.ActorSystem) (ok bool) {
	defer func() {
		if recover() != nil { // how protoactor says that there is none
			ok = false
		}
	}()
	_, started := system.ProcessRegistry.GetLocal(supervisor)
	return remote.GetRemote(system) != nil && started
}

// The actors that a remote starts. It has no other way to be asked whether it was started, or to be stopped in parts.
const (
	supervisor = "EndpointSupervisor"
	activator  = "activator"
)

// open lets messages of other processes in.
func (t *transport) open() {
	if t.guard != nil {
		t.guard.open.Do(func() { close(t.guard.opened) })
	}
}

// meet has the transport know where the members of a log are from now on.
func (t *transport) meet(name string, members []Member) {
	if t.shakes != nil {
		t.shakes.access.members.set(name, members)
	}
}

// faults says why members could not be talked to; nil where nobody can know.
func (t *transport) faults() *faults {
	if t.shakes == nil {
		return nil
	}
	return t.shakes.faults
}

// stop sends what is still to be sent to peers that are there, ends all connections, and returns after the patience at the
// latest. The actors should be stopped before: what they send later is lost.
func (t *transport) stop(patience time.Duration) {
	if t.remote == nil {
		return
	}
	t.once.Do(func() {
		end := time.After(patience)
		t.links.close(patience / 2)
		ended := make(chan error, 1)
		go func() { ended <- t.shutdown() }()
		select {
		case err := <-ended:
			if err != nil {
				t.log.Warn().Err(err).Msg("the remote did not end cleanly")
			}
		case <-end:
			t.log.Warn().Msg("the remote did not end in time")
		}
	})
}

// shutdown does what a graceful Shutdown of protoactor does for the sending half, and no more: that one also writes to
// fields and channels that its receiving half uses at the same time.
func (t *transport) shutdown() error {
	t.remote.Shutdown(false)
	var faults []error
	for _, name := range []string{supervisor, activator} {
		if err := t.system.Root.StopFuture(t.system.NewLocalPID(name)).Wait(); err != nil {
			faults = append(faults, fmt.Errorf("stop %s: %w", name, err))
		}
	}
	return errors.Join(faults...)
}

func (t *transport) serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.Creds(t.shakes),
		grpc.MaxRecvMsgSize(maxPacket), newWeighing().ofServer(),
		grpc.InitialWindowSize(window),
		grpc.InitialConnWindowSize(window),
		grpc.WriteBufferSize(buffer),
		grpc.ReadBufferSize(buffer),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.ConnectionTimeout(dialTimeout), // who connects and says nothing would hold up stop
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveIdle, Timeout: keepaliveWait}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: keepaliveLimit, PermitWithoutStream: true}),
		grpc.ChainStreamInterceptor(t.guard.stream),
		grpc.ChainUnaryInterceptor(t.guard.unary),
		grpc.WaitForHandlers(true), // no message is received after stop
	}
}

func (t *transport) dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(t.shakes),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxPacket), newWeighing().ofCall()),
		grpc.WithInitialWindowSize(window),
		grpc.WithInitialConnWindowSize(window),
		grpc.WithWriteBufferSize(buffer),
		grpc.WithReadBufferSize(buffer),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: keepaliveIdle, Timeout: keepaliveWait, PermitWithoutStream: true,
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: redialFirst, Multiplier: redialGrowth, Jitter: 0.2, MaxDelay: redialMost},
			MinConnectTimeout: dialTimeout,
		}),
		grpc.WithResolvers(byDialing{}),
		grpc.WithContextDialer(t.dialTCP),
		grpc.WithChainStreamInterceptor(t.links.intercept),
	}
}

// dialTCP connects to whoever an address means.
func (t *transport) dialTCP(ctx context.Context, address string) (net.Conn, error) {
	conn, err := t.shakes.access.ways.dial(ctx, address)
	if err != nil {
		t.shakes.faults.note(address, nil) // nobody is there: what was wrong with whoever was is old
		return nil, err
	}
	if err := holdLittle(conn); err != nil { // it works all the same, only what is urgent may be late
		t.log.Debug().Err(err).Msg("the system does not limit what waits in a connection")
	}
	return conn, nil
}

// byDialing hands a peer's host name to the dialer, which looks it up at every try. The resolver of gRPC would keep what it
// found for 30 s, while a member that is restarted may come back under the same name with another IP address.
type byDialing struct{}

// Scheme implements resolver.Builder: the scheme of addresses that name none.
func (byDialing) Scheme() string { return "dns" }

// Build implements resolver.Builder.
func (r byDialing) Build(t resolver.Target, c resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	return r, c.UpdateState(resolver.State{Addresses: []resolver.Address{{Addr: t.Endpoint()}}})
}

// ResolveNow implements resolver.Resolver.
func (byDialing) ResolveNow(resolver.ResolveNowOptions) {}

// Close implements resolver.Resolver.
func (byDialing) Close() {}
