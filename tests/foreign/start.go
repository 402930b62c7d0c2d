package foreign

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// Start starts an actor system that members can answer, on an address that they can reach.
func Start(host string, options ...remote.ConfigOption) *actor.ActorSystem {
	system := actor.NewActorSystem()
	remote.NewRemote(system, remote.Configure(host, 0, options...)).Start() // before anything is spawned: a PID has its address from then on
	return system
}

// Gateway is the actor of a member that serves clients.
func Gateway(address string) *actor.PID { return actor.NewPID(address, "quorumlog/gateway") }

// Secured are the options of a remote that shows a certificate of a client, and asks whoever is at the other end for that of a
// member. Both ends dial, and both ends listen, so one configuration serves for both.
func Secured(cluster, authority, certificate, key string) ([]remote.ConfigOption, error) {
	own, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("load the client's certificate: %w", err)
	}
	text, err := os.ReadFile(authority)
	if err != nil {
		return nil, fmt.Errorf("load the authority's certificate: %w", err)
	}
	believed := x509.NewCertPool()
	if !believed.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("there is no certificate in %s", authority)
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own},
		ClientAuth: tls.RequireAnyClientCert, InsecureSkipVerify: true, // no host names are looked at, but who signed, and for whom:
		VerifyConnection: func(c tls.ConnectionState) error {
			peer := c.PeerCertificates[0]
			if len(peer.URIs) != 1 || !strings.HasPrefix(peer.URIs[0].String(), "quorumlog://"+cluster+"/member/") {
				return errors.New("whoever is at the other end is no member of the log")
			}
			_, err := peer.Verify(x509.VerifyOptions{Roots: believed, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
			return err
		},
	}
	return []remote.ConfigOption{
		remote.WithServerOptions(grpc.Creds(credentials.NewTLS(config))),
		remote.WithDialOptions(grpc.WithTransportCredentials(credentials.NewTLS(config))),
	}, nil
}
