// Package certificate knows who may say what in a log: what a certificate says about its holder, how one is made, and how a
// process keeps its own and looks at those of others.
//
// A certificate names one identity, as the one URI of the scheme quorumlog among its subject's alternative names:
//
//	quorumlog://CLUSTER/member/3      replica 3 of that cluster, and nobody else
//	quorumlog://CLUSTER/client/NAME   a client: it may append, truncate, elect and read
//	quorumlog://CLUSTER/reader/NAME   a client that may only read
//
// Host names and addresses play no part: a member that moves keeps its certificate, and whoever holds the one of another
// machine's web server holds nothing. All that counts is that an authority of the log signed it, that it is valid now, and
// whom it names.
package certificate
