package kubernetes_test

import (
	"fmt"
	"os"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/kubernetes"
)

// It needs an API server, and a pod to run in, so it is not run. The pod's service account must be allowed to list, watch and
// patch pods; quorumlog serve takes the same from its environment.
func Example() {
	const account = "/var/run/secrets/kubernetes.io/serviceaccount/"
	d := discovery.Follow(&kubernetes.Source{
		Server: "kubernetes.default.svc:443", CA: account + "ca.crt", Token: account + "token",
		Namespace: "logs", Name: "quorumlog", Pod: os.Getenv("HOSTNAME"),
	}, zerolog.Nop())
	defer d.Close()                                                 // takes the labels off
	d.Announce(discovery.Place{Member: 3, Address: "0.0.0.0:7101"}) // the host is the IP that the pod has
	<-d.Told()
	fmt.Println(d.Resolve(3))
}
