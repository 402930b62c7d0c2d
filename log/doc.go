// Package log is the vocabulary of the replicated log: positions, proposals, replicas, values and actions.
//
// Below it are the rules, each a function of its arguments:
//
//   - paxos: what an acceptor answers, and what a proposer concludes; status: what lets a replica vote
//   - identity: which life of a replica says something; membership: who the members are
//   - interval and ledger: which positions are there, and learned; sessions: which entries of whom
//   - digest: whether two logs are equal; journal: whose events count, where persistent actors share a log
//   - invariant: what stops the program where it is wrong
//
// and the gateway between messages and these values (codec), and the disk (storage). The name shadows the standard package on
// purpose: quorumlog logs with zerolog.
package log
